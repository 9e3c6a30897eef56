"""k6: the options of a test as loads.

From JSON, as `k6 inspect --execution-requirements script.js` prints it or `metadata.json` of a `k6 archive` holds it,
or from a script whose `export const options` is a plain literal. Scripts are not executed: anything else is refused.

Options are derived as k6 does (lib/executor/execution_config_shortcuts.go): `iterations`, else `duration`, else
`stages`, else `scenarios`; two of them at once are refused. Defaults are those of its executors: `timeUnit` 1s,
`startRate` 0, `vus` 1, `startVUs` 1, `startTime` 0s. Durations without a unit are milliseconds. Users come and go as in
its `ramping-vus` (lib/executor/ramping_vus.go), whose law is that of closed loads: `sysim.model.users`.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from sysim.errors import Problem, ScenarioError
from sysim.traffic.imports.block import SECOND, Imported, name_of, rate_of
from sysim.traffic.imports.literal import NotLiteral, options_of
from sysim.units import format_duration, show

RUN_INSPECT = "run `k6 inspect --execution-requirements {name} > options.json` and import that"
_PART = re.compile(r"(\d+(?:\.\d*)?|\.\d+)(ns|us|µs|μs|ms|s|m|h|d)")
_NS = {"ns": 1, "us": 10**3, "µs": 10**3, "μs": 10**3, "ms": 10**6, "s": SECOND, "m": 60 * SECOND, "h": 3_600 * SECOND,
       "d": 86_400 * SECOND}  # fmt: skip
SHORTCUTS = ("iterations", "duration", "stages", "scenarios")
KEPT = {"executor", "startTime", "rate", "timeUnit", "duration", "stages", "startRate", "vus", "startVUs"}
SILENT = {"gracefulStop", "gracefulRampDown", "tags", "options"}
"""Keys of a scenario that say nothing about the load."""
TOLD = {"exec", "preAllocatedVUs", "maxVUs", "iterations", "maxDuration"}


@dataclass(frozen=True)
class _Users:
    """There are `first` users from `start` (ns) on, and then as `stages` say: (ns, users). They are sent home at `end`,
    None: never.
    """

    start: int
    first: int
    stages: tuple[tuple[int, int], ...]
    end: int | None

    def lines(self, length: int | None) -> list[str]:
        """The YAML of a run that is over after `length` (ns)."""
        stages, last = self.stages, self.stages[-1][1] if self.stages else self.first
        steady = all(to == self.first for _, to in stages)
        leave = self.end is not None and self.end != length and last > 0
        if steady and not self.start and not leave:
            return [f"users: {self.first}"]
        if steady:
            steps = [(self.start, self.first), *([(self.end or 0, 0)] if leave else [])]
            told = (f"{{at: {format_duration(at)}, users: {count}}}" for at, count in steps)
            return [f"users: {{steps: [{', '.join(told)}]}}"]
        begin = [(self.start, 0)] if self.start else []
        begin += [(0, self.first)] if begin and self.first else []
        return [
            "users:", f"  from: {0 if self.start else self.first}", "  stages:",
            *(f"    - {{for: {format_duration(span)}, to: {to}}}"
              for span, to in [*begin, *stages, *([(0, 0)] if leave else [])]),
        ]  # fmt: skip


def read(path: Path, text: str, call: str | None = None, think: str | None = None) -> Imported:
    """The loads of a test. Raises `ScenarioError` with file and place."""
    return _Test(path, call, think).loads(_options(path, text))


def _options(path: Path, text: str) -> Any:
    if path.suffix.lower() == ".json" or text.lstrip()[:1] == "{":
        try:
            value = json.loads(text)
        except json.JSONDecodeError as error:
            raise _problem(path, error.lineno, error.colno, f"found no JSON ({error.msg})") from None
        except RecursionError:
            raise _problem(path, 1, 1, "found JSON that is nested too deeply") from None
        archived = isinstance(value, dict) and isinstance(value.get("options"), dict) and "filename" in value
        return value["options"] if archived else value
    try:
        found = options_of(text)
    except NotLiteral as error:
        hint = RUN_INSPECT.format(name=path.name)
        raise _problem(path, error.line, error.column, f"{error}; scripts are not executed", hint) from None
    if found is None:
        message = "found no `export const options = {…}`, expected it in a script"
        raise _problem(path, 1, 1, message, RUN_INSPECT.format(name=path.name))
    return found[0]


def _problem(path: Path, line: int, column: int, message: str, hint: str = "", at: str = "") -> ScenarioError:
    return ScenarioError([Problem(str(path), line, column, "bad-k6", at, message, hint)])


class _Test:
    def __init__(self, path: Path, call: str | None, think: str | None) -> None:
        self.path, self.think = path, think
        self.found = Imported(path.name, call=call)
        self.ends: list[int | None] = []
        self.users: _Users | None = None  # of the scenario that is being read, if it has some

    def wrong(self, at: str, found: Any, expected: str, hint: str = "") -> ScenarioError:
        return _problem(self.path, 0, 0, f"found {show(found)}, expected {expected}", hint, at)

    def loads(self, options: Any) -> Imported:
        if not isinstance(options, dict):
            raise self.wrong("options", options, "an object of options")
        scenarios = self._scenarios({key: value for key, value in options.items() if value is not None})
        closed: dict[str, _Users] = {}
        for name, body in scenarios.items():
            if not isinstance(body, dict):
                raise self.wrong(f"scenarios.{name}", body, "an object with an executor")
            body = {key: value for key, value in body.items() if value is not None}
            made = self._scenario(name, body)
            if self.users is not None:
                closed[made] = self.users
        if all(end is not None for end in self.ends) and self.ends:
            self.found.length = max(end for end in self.ends if end is not None)
        for name, users in closed.items():
            self.found.loads[name][:0] = users.lines(self.found.length)
        return self.found

    def _scenarios(self, options: dict[str, Any]) -> dict[str, Any]:
        given = [key for key in SHORTCUTS if options.get(key) not in (None, [], {})]
        # with `--execution-requirements` k6 prints the shortcut and the scenario that it made of it
        if "scenarios" in given and set(options["scenarios"]) == {"default"}:
            return self._map(options["scenarios"])
        clash = [key for key in given if key != "duration" or given[0] != "iterations"]
        if len(clash) > 1:
            told = " and ".join(repr(key) for key in clash)
            raise self.wrong("options", "{…}", f"only one of {told}: k6 refuses both at once")
        if not given:
            if "vus" not in options:
                raise self.wrong("options", "{…}", "one of iterations, duration, stages and scenarios")
            given = ["iterations"]
        if options.get("rps"):
            self.found.lose("`rps`, a limit of requests a second over all users, is left out")
        vus = {"vus": options["vus"]} if "vus" in options else {}
        match given[0]:
            case "scenarios":
                return self._map(options["scenarios"])
            case "stages":
                start = {"startVUs": options["vus"]} if "vus" in options else {}
                return {"default": {"executor": "ramping-vus", "stages": options["stages"], **start}}
            case "duration":
                return {"default": {"executor": "constant-vus", "duration": options["duration"], **vus}}
            case _:
                return {"default": {"executor": "shared-iterations", **vus}}

    def _map(self, value: Any) -> dict[str, Any]:
        if not isinstance(value, dict) or not value:
            raise self.wrong("scenarios", value, "an object of scenarios by name")
        return value

    def _scenario(self, name: str, body: dict[str, Any]) -> str:
        executors: dict[str, Callable[[str, dict[str, Any]], list[str]]] = {
            "constant-arrival-rate": self._constant_rate, "ramping-arrival-rate": self._ramping_rate,
            "constant-vus": self._constant_users, "ramping-vus": self._ramping_users,
            "shared-iterations": self._iterations, "per-vu-iterations": self._iterations,
            "externally-controlled": self._external,
        }  # fmt: skip
        kind = body.get("executor")
        if kind not in executors:
            raise self.wrong(f"scenarios.{name}.executor", kind, f"one of {', '.join(executors)}")
        at = f"scenarios.{name}"
        self.users = None
        lines = executors[kind](at, body)
        if body.get("exec") not in (None, "default"):
            lines.append(f"# runs the function {body['exec']} of the script")
        for key in sorted(body.keys() - KEPT - SILENT - TOLD):
            self.found.lose(f"`{key}` of {name} is left out")
        made = name_of("users" if name == "default" else name, self.found.loads)
        self.found.loads[made] = lines
        return made

    # --- open: arrivals whatever is answered ----------------------------------------------------------------------

    def _constant_rate(self, at: str, body: dict[str, Any]) -> list[str]:
        start, unit = self._time(at, body, "startTime", 0), self._unit(at, body)
        length = self._time(at, body, "duration")
        end = start + length
        rate = rate_of(self._number(at, body, "rate"), unit)
        self.ends.append(end)
        self._limits(body)
        steps = [f"{{at: {format_duration(start)}, rate: {rate}}}", f"{{at: {format_duration(end)}, rate: 0/s}}"]
        return [f"rate: {{steps: [{', '.join(steps)}]}}", "arrivals: evenly"]

    def _ramping_rate(self, at: str, body: dict[str, Any]) -> list[str]:
        start, unit = self._time(at, body, "startTime", 0), self._unit(at, body)
        first = rate_of(self._number(at, body, "startRate", 0), unit)
        stages = self._stages(at, body)
        lines = [f"- {{for: {format_duration(length)}, to: {rate_of(to, unit)}}}" for length, to in stages]
        begin = [f"- {{for: {format_duration(start)}, to: 0/s}}", f"- {{for: 0s, to: {first}}}"] if start else []
        self.ends.append(start + sum(length for length, _ in stages))
        self._limits(body)
        return [
            "rate:", f"  from: {'0/s' if start else first}", "  stages:",
            *(f"    {line}" for line in [*begin, *lines, "- {for: 0s, to: 0/s}"]), "arrivals: evenly",
        ]  # fmt: skip

    def _limits(self, body: dict[str, Any]) -> None:
        most = body.get("maxVUs", body.get("preAllocatedVUs"))
        if most is not None:
            self.found.lose(
                f"k6 drops an iteration when all of its {most} users are busy (maxVUs); here every one is sent: a "
                "bulkhead of a policy says the same"
            )

    # --- closed: users who wait for answers -----------------------------------------------------------------------

    def _constant_users(self, at: str, body: dict[str, Any]) -> list[str]:
        return self._closed(at, body, "vus", (), self._time(at, body, "duration"))

    def _ramping_users(self, at: str, body: dict[str, Any]) -> list[str]:
        stages = self._stages(at, body)
        for number, (_, to) in enumerate(stages):
            self._whole(f"{at}.stages.{number}.target", to)
        whole = tuple((span, int(to)) for span, to in stages)
        return self._closed(at, body, "startVUs", whole, sum(span for span, _ in whole))

    def _iterations(self, at: str, body: dict[str, Any]) -> list[str]:
        count = body.get("iterations", body.get("vus", 1))
        self.found.lose(f"{at.removeprefix('scenarios.')} ends after {count} iterations; here users go on to the end")
        return self._closed(at, body, "vus", (), None)

    def _external(self, at: str, body: dict[str, Any]) -> list[str]:
        self.found.lose("users that are set from outside while the test runs: here they stay the same")
        return self._closed(at, body, "vus", (), self._time(at, body, "duration", 0) or None)

    def _closed(
        self, at: str, body: dict[str, Any], key: str, stages: tuple[tuple[int, int], ...], length: int | None
    ) -> list[str]:
        """Notes the users, whose lines depend on how long other scenarios go on; the lines of the rest."""
        start, first = self._time(at, body, "startTime", 0), self._number(at, body, key, 1)
        self._whole(f"{at}.{key}", first)
        if not any((first, *(to for _, to in stages))):
            raise self.wrong(f"{at}.{key}", int(first), "a user at some time: k6 refuses a test without")
        end = None if length is None else start + length
        self.ends.append(end)
        self.users = _Users(start, int(first), stages, end)
        if self.think is None:
            self.found.lose("`sleep(…)` stands in the script, which is not read: say it as think")
        return [f"think: {self.think}" if self.think else "# think: 1s"]

    def _whole(self, at: str, users: float) -> None:
        if users != int(users):
            raise self.wrong(at, users, "a whole number of users")

    # --- values ---------------------------------------------------------------------------------------------------

    def _stages(self, at: str, body: dict[str, Any]) -> list[tuple[int, float]]:
        stages = body.get("stages")
        if not isinstance(stages, list) or not stages:
            raise self.wrong(f"{at}.stages", stages, "a list of {duration, target}")
        found = []
        for number, stage in enumerate(stages):
            if not isinstance(stage, dict):
                raise self.wrong(f"{at}.stages.{number}", stage, "{duration, target}")
            where = f"{at}.stages.{number}"
            found.append((self._time(where, stage, "duration"), self._number(where, stage, "target", 0)))
        return found

    def _unit(self, at: str, body: dict[str, Any]) -> int:
        unit = self._time(at, body, "timeUnit", SECOND)
        if unit <= 0:
            raise self.wrong(f"{at}.timeUnit", body["timeUnit"], "a time above 0")
        return unit

    def _number(self, at: str, body: dict[str, Any], key: str, default: float | None = None) -> float:
        value = body.get(key, default)
        if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < 1e12:
            raise self.wrong(f"{at}.{key}", value, "a number of at least 0")
        return value

    def _time(self, at: str, body: dict[str, Any], key: str, default: int | None = None) -> int:
        value = body.get(key, default)
        if key not in body and default is not None:
            return default
        if isinstance(value, int | float) and not isinstance(value, bool) and 0 <= value < 1e15:
            return round(value * 1e6)  # milliseconds
        if isinstance(value, str) and re.fullmatch(r"\d+(\.\d+)?", value):
            return round(float(value) * 1e6)
        parts = list(_PART.finditer(value)) if isinstance(value, str) else []
        if not parts or "".join(part[0] for part in parts) != value:
            raise self.wrong(f"{at}.{key}", value, "a duration such as 30s or 1m30s")
        return round(sum(float(part[1]) * _NS[part[2]] for part in parts))

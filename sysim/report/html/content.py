"""What a page tells of, from results in memory or from a stored JSON object."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from sysim.analysis.words import Clock
from sysim.errors import SysimError

if TYPE_CHECKING:
    from sysim.result.result import Result
    from sysim.study.study import Study

Json = Mapping[str, Any]
AS_IT_STANDS = "as it stands"


class NotAResult(SysimError):
    """The object is none of those that a page can tell of."""


@dataclass(frozen=True)
class Content:
    """Variants by name, each the JSON object of a run, the `study` they are part of (the JSON object of a check),
    and besides: the resolved scenario as YAML, the command that gives the same numbers, mitigations that were tried.

    `focus` is the variant that the page tells in detail: the baseline unless another is asked for.
    """

    variants: Mapping[str, Json]
    focus: str
    study: Json | None = None
    scenario: str = ""
    command: str = ""
    what_if: Sequence[Json] = field(default=())

    @property
    def result(self) -> Json:
        """The variant in focus."""
        return self.variants[self.focus]

    @property
    def run(self) -> Json:
        """Its first replication."""
        run: Json = self.result["runs"][0]
        return run

    @property
    def name(self) -> str:
        """The scenario's name."""
        return str(self.result["scenario"]["name"])

    @property
    def length_s(self) -> float:
        """How long the simulated time is."""
        return float(self.run["windows"]["all"]["to_s"])

    @property
    def bucket_s(self) -> float:
        """Width of the buckets over time; 0 where the object has no series."""
        return float(self.run.get("series", {}).get("bucket_s", 0.0))

    @property
    def clock(self) -> Clock:
        """Moments as the scenario's reader wants them."""
        return Clock(self.result["scenario"].get("start"), self.length_s, self.result["scenario"].get("zone"))

    @property
    def checks(self) -> Sequence[Json]:
        """The verdicts: of the study, or of the one result."""
        some: Sequence[Json] = (self.study or self.result)["checks"]
        return some

    @property
    def loads(self) -> list[str]:
        """The loads in focus."""
        return list(self.run["windows"]["all"]["loads"])

    @property
    def telling_window(self) -> str:
        """The window in which the loads fared worst: where pictures of one window look."""
        windows: Json = self.run["windows"]

        def success(name: str) -> float:
            loads = windows[name]["loads"].values()
            return min((load["success"] for load in loads if load["success"] is not None), default=1.0)

        return min(windows, key=lambda name: (success(name), name != "all"))


def of_result(result: Result, scenario: str = "", command: str = "") -> Content:
    """The page of one result; series of the first replication only."""
    name = result.variant or AS_IT_STANDS
    return Content({name: _told(result)}, name, scenario=scenario, command=command)


def of_study(study: Study, scenario: str = "", command: str = "", focus: str | None = None) -> Content:
    """The page of a study."""
    plain = study.to_dict()
    plain["variants"] = {name: _told(result) for name, result in study.results.items()}
    return of_json(plain, scenario, command, focus)


def of_json(found: Json, scenario: str = "", command: str = "", focus: str | None = None) -> Content:
    """The page of an object that ``sysim run --json`` or ``sysim check --json`` printed; NotAResult for others."""
    if not isinstance(found, Mapping):
        raise NotAResult("found no JSON object, expected a result of sysim run or sysim check with --json")
    if found.get("format") != 1 or not ("runs" in found or found.get("variants")):
        raise NotAResult(
            "found another JSON object, expected a result of sysim run or sysim check with --json, format 1"
        )
    what_if = found.get("what_if", ())
    if "runs" in found:
        if not found["runs"]:
            raise NotAResult("found a result without a run, expected at least one")
        name = found.get("variant") or AS_IT_STANDS
        return Content({name: found}, name, None, scenario, command, what_if)
    variants = dict(found["variants"])
    first = focus or found.get("study", {}).get("baseline") or next(iter(variants))
    if first not in variants:
        raise NotAResult(f"found no variant {first}, expected one of {', '.join(variants)}")
    return Content(variants, first, found, scenario, command, what_if)


def _told(result: Result) -> dict[str, Any]:
    """The object of a result, with series for the first replication alone."""
    first = replace(result, runs=result.runs[:1]).to_dict(series=True)
    told = result.to_dict()
    told["runs"][0] = first["runs"][0]
    return told | result.told()

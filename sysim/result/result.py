"""`Result`: the replications of one variant of one scenario on one engine, and what can be asked of them."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from html import escape
from typing import TYPE_CHECKING, Any

from sysim.errors import Problem
from sysim.model import Scenario
from sysim.result.run import Run
from sysim.result.stats import LoadStats, WindowStats
from sysim.result.summary import summary
from sysim.result.tables import Row, Table, flat

if TYPE_CHECKING:
    from sysim.analysis.checks import Verdict

FORMAT = 1


@dataclass(frozen=True)
class Result:
    """What a simulation found out.

    `runs` has one entry a replication. `checks` are the verdicts on all of them, `account` a few sentences in
    plain English, `loads()`, `services()` and `calls()` tidy tables, `to_dict()` the JSON object of ``sysim
    run --json``. `interrupted` marks a result with fewer replications than were asked for.
    `judged` are the verdicts of the study that the result is part of, if it is.
    """

    scenario: Scenario = field(repr=False)
    digest: str
    engine: str
    variant: str | None
    runs: tuple[Run, ...] = field(repr=False)
    warnings: tuple[Problem, ...] = field(default=(), repr=False)
    interrupted: bool = False
    judged: tuple[Verdict, ...] | None = field(default=None, repr=False)

    @property
    def run(self) -> Run:
        """The first replication."""
        return self.runs[0]

    @property
    def windows(self) -> Mapping[str, WindowStats]:
        """The windows of the first replication."""
        return self.run.windows

    def window(self, name: str = "all", replication: int = 0) -> WindowStats:
        """One window of one replication."""
        return self.runs[replication].windows[name]

    def load(self, name: str | None = None, window: str = "all", replication: int = 0) -> LoadStats:
        """One load over one window; the name may be left out where there is a single load."""
        loads = self.window(window, replication).loads
        if name is None:
            if len(loads) != 1:
                raise KeyError(f"name one of the loads: {', '.join(loads)}")
            name = next(iter(loads))
        return loads[name]

    def metric(self, metric: str, subject: str, window: str = "all") -> list[float | None]:
        """A metric, named as in checks, in each replication: ``result.metric("p99", "web", "after")``."""
        from sysim.analysis.metrics import value

        return [value(run.windows[window], metric, subject) for run in self.runs]

    @cached_property
    def checks(self) -> tuple[Verdict, ...]:
        """The verdicts of the scenario's checks that apply to this variant."""
        if self.judged is not None:
            return self.judged
        from sysim.analysis.checks import judge_all

        return judge_all(self.scenario.checks, self.runs, self.variant)

    @property
    def passed(self) -> bool:
        """Whether no check failed and none is inconclusive."""
        return all(verdict.verdict == "pass" for verdict in self.checks)

    @cached_property
    def account(self) -> str:
        """What happened, in plain English."""
        from sysim.analysis.account import account

        return account(self)

    @cached_property
    def summary(self) -> dict[str, Any]:
        """Mean and half width (95 %) over replications of every number, shaped as the windows of a run."""
        return summary([{name: w.to_dict() for name, w in run.windows.items()} for run in self.runs])

    def loads(self) -> Table:
        """A row a load, window and replication."""
        return Table(self._rows("loads", "load"))

    def services(self) -> Table:
        """A row a service, window and replication."""
        return Table(self._rows("services", "service"))

    def calls(self) -> Table:
        """A row a call, window and replication."""
        return Table(self._rows("calls", "call"))

    def causes(self) -> Table:
        """A row a load, cause and outcome of failed requests, window and replication."""
        return Table(
            {"variant": self.variant, "replication": run.replication, "window": name, "load": load} | some.to_dict()
            for run in self.runs
            for name, window in run.windows.items()
            for load, stats in window.loads.items()
            for some in stats.failures
        )

    def _rows(self, kind: str, noun: str) -> Iterator[Row]:
        for run in self.runs:
            for name, window in run.windows.items():
                for subject, facts in getattr(window, kind).items():
                    head = {
                        "variant": self.variant,
                        "replication": run.replication,
                        "window": name,
                        noun: subject,
                    }
                    yield head | dict(flat(facts.to_dict()))

    def to_dict(self, series: bool = False) -> dict[str, Any]:
        """The JSON object of ``sysim run --json``; with `series` also what happened over time."""
        from sysim import __version__

        out: dict[str, Any] = {
            "format": FORMAT,
            "sysim": __version__,
            "scenario": {
                "name": self.scenario.name,
                "digest": self.digest,
                "description": self.scenario.description,
                "start": self.scenario.time.start,
                "zone": self.scenario.time.zone,
            },
            "engine": self.engine,
            "variant": self.variant,
            "runs": [run.to_dict(series) for run in self.runs],
            "summary": self.summary,
            "checks": [verdict.to_dict() for verdict in self.checks],
        }
        if series:
            out |= self.told()
        if self.interrupted:
            out["interrupted"] = True
        return out

    def told(self) -> dict[str, Any]:
        """What the JSON object has besides, with series: `account`, and `faults`, which say what struck where in the
        first run, in the order of the file.
        """
        from sysim.model.graph import struck_by

        found = {(fault.number, fault.label, fault.kind) for fault in self.run.faults}
        faults = [
            {"fault": label, "kind": kind, "services": sorted(struck_by(self.scenario, number))}
            for number, label, kind in sorted(found)
        ]
        return {"account": self.account, "faults": faults}

    def to_json(self, series: bool = False, indent: int | None = None) -> str:
        """`to_dict` as text; without data there is null, never NaN."""
        return json.dumps(self.to_dict(series), allow_nan=False, ensure_ascii=False, indent=indent)

    def plot(self, kind: str = "timeline", **options: Any) -> Any:
        """A matplotlib figure: ``timeline``, ``latency``, ``graph`` or ``causes``."""
        from sysim import plot

        return getattr(plot, kind)(self, **options)

    def _repr_html_(self) -> str:
        rows = []
        for name, window in self.run.windows.items():
            for load, stats in window.loads.items():
                times = stats.latency
                cells = [
                    name, load, f"{stats.offered:,}", _percent(stats.success), _ms(times.p50), _ms(times.p99),
                    "–" if not stats.offered else f"{stats.sent / stats.offered:.2f}",
                ]  # fmt: skip
                rows.append("<tr>" + "".join(f"<td>{escape(cell)}</td>" for cell in cells) + "</tr>")
        head = "".join(
            f"<th>{h}</th>"
            for h in ("window", "load", "offered", "success", "p50", "p99", "sent per request")
        )
        verdicts = "".join(
            f"<li>{escape(v.verdict)}: {escape(v.check)}</li>" for v in self.checks
        )  # fmt: skip
        variant = f", variant {escape(self.variant)}" if self.variant else ""
        count = f"{len(self.runs)} replications, the first shown" if len(self.runs) > 1 else "one replication"
        return (
            f"<div><b>{escape(self.scenario.name)}</b>{variant}, engine {escape(self.engine)}, "
            f"seed {self.run.seed}, {count}, digest <code>{self.run.digest}</code>"
            f"<table><thead><tr>{head}</tr></thead><tbody>{''.join(rows)}</tbody></table>"
            f"<ul>{verdicts}</ul><p>{escape(self.account)}</p></div>"
        )


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{share * 100:.2f} %"


def _ms(seconds: float | None) -> str:
    return "–" if seconds is None else f"{seconds * 1000:.3g} ms"

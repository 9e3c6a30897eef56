"""The verdicts of a scenario's checks.

A check's value is the mean over the replications of each run's own value, its interval Student's t. With
several replications the interval decides: wholly on the right side is a pass, wholly on the wrong side a
fail, anything else inconclusive. A single replication is judged by its value, and the verdict says so.
Boolean checks hold in every replication, or in a share of them (Clopper-Pearson). A metric without data
fails.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from sysim.analysis import metrics
from sysim.analysis.recovery import Recovery, recovery
from sysim.analysis.statistics import half_width, mean, share_interval
from sysim.analysis.words import recovered, span
from sysim.model import Check
from sysim.plan.tables import T_LOAD

if TYPE_CHECKING:
    from sysim.result.run import Run

Outcome = Literal["pass", "fail", "inconclusive"]
NS = 1_000_000_000
SINGLE = "single replication"
SHARES = frozenset(
    ("success", "utilisation", "cpu_utilisation", "admitted_fraction", "breaker_admitted_fraction")
)
"""Metrics that are never outside of 0 to 1."""
NOTHING_BEFORE = "no whole bucket before the first fault to compare with"

_OPERATORS: dict[str, Callable[[float, float], bool]] = {
    "<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge,
    "==": operator.eq, "!=": operator.ne,
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Verdict:
    """What became of one check. `value` and `interval` have the unit of the check; `note` says what one
    should know.

    `confidence` is that of the interval. `found` says in words what a bare number or a truth value would not
    tell, `expected_for` names the variants that a failing check is written for.
    """

    check: str
    variant: str | None
    verdict: Outcome
    value: float | None
    interval: tuple[float, float] | None
    note: str = ""
    name: str | None = None
    confidence: float = 0.95
    metric: str = ""
    found: str = ""
    expected_for: tuple[str, ...] = ()

    def to_dict(self) -> dict[str, Any]:
        """The object of the JSON result."""
        out: dict[str, Any] = {
            "check": self.check,
            "variant": self.variant,
            "verdict": self.verdict,
            "value": self.value,
            "interval": list(self.interval) if self.interval else None,
        }
        if self.name:
            out["name"] = self.name
        if self.note:
            out["note"] = self.note
        return out


def judge(check: Check, runs: Sequence[Run], variant: str | None) -> Verdict:
    """The verdict of one check on the replications of one variant."""
    if check.metric == "metastable":
        return _boolean(check, runs, variant)
    if check.metric == "recovers":
        return _recovers(check, runs, variant)
    try:
        values = [_value(check, run) for run in runs]
    except metrics.NoSuchMetric:
        return _verdict(check, variant, "fail", note="no data: there is no such number in this result")
    numbers = [x for x in values if x is not None]
    if len(numbers) < len(values):
        missing = len(values) - len(numbers)
        where = f" in {missing} of {len(values)} replications" if len(values) > 1 else ""
        return _verdict(check, variant, "fail", note=f"no data{where}")
    return _compared(check, variant, numbers)


def judge_all(checks: Sequence[Check], runs: Sequence[Run], variant: str | None) -> tuple[Verdict, ...]:
    """The verdicts of the checks that apply to the variant, in the order of the file."""
    if not runs:
        return ()
    verdicts = []
    for check in checks:
        if check.applies_to(variant):
            verdict = judge(check, runs, variant)
            if verdict.verdict == "fail" and check.variants and variant in check.variants:
                verdict = replace(verdict, expected_for=tuple(check.variants))
            verdicts.append(verdict)
    return tuple(verdicts)


def exit_code(verdicts: Sequence[Verdict]) -> int:
    """0: all hold, 1: any fails, 3: none fails but some are inconclusive."""
    found = {verdict.verdict for verdict in verdicts}
    return 1 if "fail" in found else 3 if "inconclusive" in found else 0


def _value(check: Check, run: Run) -> float | None:
    found = metrics.value(run.windows[check.window], check.metric, check.subject)
    if check.of_window is None or found is None:
        return found
    reference = metrics.value(run.windows[check.of_window], check.metric, check.subject)
    return found / reference if reference else None


def _compared(check: Check, variant: str | None, numbers: Sequence[float]) -> Verdict:
    assert check.op is not None and check.value is not None
    holds = _OPERATORS[check.op]
    centre = mean(numbers)
    half = half_width(numbers, check.confidence)
    if half is None:
        right = holds(centre, check.value) != check.negated
        return _verdict(check, variant, "pass" if right else "fail", centre, note=SINGLE)
    low, high = centre - half, centre + half
    if check.metric in SHARES and check.of_window is None:
        low, high = max(0.0, low), min(1.0, high)
    if check.op in ("==", "!="):
        inside = low <= check.value <= high
        if low == high:
            verdict: Outcome = "pass" if holds(centre, check.value) else "fail"
        elif inside:
            verdict = "inconclusive"
        else:
            verdict = "fail" if check.op == "==" else "pass"
    else:
        ends = {holds(low, check.value), holds(high, check.value)}
        verdict = "inconclusive" if len(ends) == 2 else "pass" if True in ends else "fail"
    return _verdict(check, variant, _turned(verdict, check.negated), centre, (low, high))


def _turned(verdict: Outcome, negated: bool) -> Outcome:
    if not negated or verdict == "inconclusive":
        return verdict
    return "fail" if verdict == "pass" else "pass"


def recovery_of(check: Check, run: Run) -> Recovery:
    """How the check's load recovered, with the check's own `after`, `hold` and `to`."""
    plan = run.plan
    load = plan.names.loads.index(check.subject)
    streams = [s for s in range(plan.n_streams) if int(plan.streams[s, T_LOAD]) == load]
    number = None
    if check.after is not None:
        number = run.fault_numbers.get(check.after)
        if number is None:
            return Recovery(None, None)
    return recovery(
        plan, run.load_cells, streams, run.faults,
        after=check.after_at, after_fault=number, hold=check.hold, to=check.to,
    )  # fmt: skip


def _recovers(check: Check, runs: Sequence[Run], variant: str | None) -> Verdict:
    assert check.value is not None
    found = [recovery_of(check, run) for run in runs]
    if all(some.after_s is None for some in found):
        return _verdict(check, variant, "fail", note="no data: no fault ends within the run")
    if not all(some.judged for some in found):
        return _verdict(check, variant, "fail", note=f"no data: {NOTHING_BEFORE}")
    times = [some.recovered_after_s for some in found]
    known = [x for x in times if x is not None]
    if len(known) == len(times):
        verdict = _compared(check, variant, known)
        bucket_s = runs[0].series.bucket_s
        return replace(verdict, found=recovered(0.0, bucket_s)) if max(known) < bucket_s else verdict
    needed = check.value + check.hold / NS
    never = [some for some in found if some.recovered_after_s is None]
    if any(some.observed_s >= needed for some in never):
        where = f" in {len(never)} of {len(runs)} replications" if len(runs) > 1 else ""
        note = f"not recovered within the run{where}"
        return _verdict(check, variant, _turned("fail", check.negated), note=_single(note, runs))
    note = "the run ends too soon after the fault to tell"
    return _verdict(check, variant, "inconclusive", note=_single(note, runs))


def _boolean(check: Check, runs: Sequence[Run], variant: str | None) -> Verdict:
    recoveries = [recovery_of(check, run) for run in runs]
    answers = [some.metastable for some in recoveries]
    held = [answer != check.negated for answer in answers if answer is not None]
    if not held:
        note = "the run ends too soon after the fault, or has no fault that ends, to tell"
        if not all(some.judged for some in recoveries):
            note = NOTHING_BEFORE
        return _verdict(check, variant, "inconclusive", note=_single(note, runs))
    value = sum(held) / len(held)
    found = _how(recoveries, runs[0].series.bucket_s)
    if check.share is not None and len(held) == len(answers) > 1:
        low, high = share_interval(sum(held), len(held), check.confidence)
        verdict: Outcome = "pass" if low >= check.share else "fail" if high < check.share else "inconclusive"
        note = f"held in {sum(held)} of {len(held)} replications"
        return replace(_verdict(check, variant, verdict, value, (low, high), note), found=found)
    if not all(held) and check.share is None:
        verdict = "fail"
    elif len(held) < len(answers):
        verdict = "inconclusive"
    else:
        verdict = "pass" if all(held) else "fail"
    note = "" if len(runs) == 1 else f"held in {sum(held)} of {len(answers)} replications"
    return replace(_verdict(check, variant, verdict, value, note=_single(note, runs)), found=found)


def _how(recoveries: Sequence[Recovery], bucket_s: float) -> str:
    """How the runs came out of the faults, in words."""
    times = [some.recovered_after_s for some in recoveries if some.recovered_after_s is not None]
    observed = span(min(some.observed_s for some in recoveries))
    if not times:
        return f"not recovered {observed} after the fault"
    if len(recoveries) == 1:
        return f"recovered {recovered(times[0], bucket_s)}"
    how = recovered(mean(times), bucket_s)
    share = "" if len(times) == len(recoveries) else f" in {len(times)} of {len(recoveries)} replications,"
    return f"recovered{share} {how}{' on average' * (len(times) > 1)}"


def _single(note: str, runs: Sequence[Run]) -> str:
    return "; ".join(part for part in (note, SINGLE if len(runs) == 1 else "") if part)


def _verdict(
    check: Check,
    variant: str | None,
    verdict: Outcome,
    value: float | None = None,
    interval: tuple[float, float] | None = None,
    note: str = "",
) -> Verdict:
    metric = "ratio" if check.of_window else check.metric
    return Verdict(check.text, variant, verdict, value, interval, note, check.name, check.confidence, metric)

"""The verdicts of a scenario's checks.

A check's value is the mean over the replications of each run's own value, its interval Student's t. With
several replications the interval decides: wholly on the right side is a pass, wholly on the wrong side a
fail, anything else inconclusive. A single replication is judged by its value, and the verdict says so.
Boolean checks hold in every replication, or in a share of them (Clopper-Pearson). A metric without data
fails. A comparison with another variant is judged on pairs, replication by replication, by the mean of what
this one has less the share of what the other has; the ratio is told with Fieller's interval, which excludes
the limit exactly where that test decides.

`strictness` says which share of the permitted error 1 - `confidence` a verdict may use (less than all where
there are several looks or several checks), and whether intervals are guarded against skewed values.
"""

from __future__ import annotations

import operator
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

from sysim.analysis import metrics
from sysim.analysis.estimates import fieller
from sysim.analysis.recovery import Recovery, recovery
from sysim.analysis.statistics import mean, share_interval, share_two_sided
from sysim.analysis.strictness import PLAIN, Strictness
from sysim.analysis.words import recovered, span
from sysim.errors import Place
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
    tell, `expected_for` names the variants that a failing check is written for. `p` is the p-value of the
    test that the interval stands for, None where nothing is tested. `settled` is False where further
    replications could decide. `place` is where the check is written.
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
    p: float | None = None
    settled: bool = True
    place: Place | None = None

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
        if self.interval:
            out["confidence"] = self.confidence
        if self.place:
            out["place"] = {"file": self.place.file, "line": self.place.line, "column": self.place.column}
        return out


def judge(
    check: Check,
    runs: Sequence[Run],
    variant: str | None,
    *,
    strictness: Strictness = PLAIN,
    others: Mapping[str, Sequence[Run]] | None = None,
) -> Verdict:
    """The verdict of one check on the replications of one variant; `others` are those of other variants."""
    if check.metric == "metastable":
        return _boolean(check, runs, variant, strictness)
    if check.metric == "recovers":
        return _recovers(check, runs, variant, strictness)
    if check.of_variant is not None:
        return _against(check, runs, variant, strictness, others or {})
    try:
        values = [value_of(check, run) for run in runs]
    except metrics.NoSuchMetric:
        return _verdict(check, variant, "fail", note="no data: there is no such number in this result")
    numbers = [x for x in values if x is not None]
    if len(numbers) < len(values):
        return _verdict(check, variant, "fail", note=_no_data(len(values) - len(numbers), len(values)))
    return compared(check, variant, numbers, strictness)


def judge_all(
    checks: Sequence[Check],
    runs: Sequence[Run],
    variant: str | None,
    *,
    strictness: Strictness = PLAIN,
    others: Mapping[str, Sequence[Run]] | None = None,
) -> tuple[Verdict, ...]:
    """The verdicts of the checks that apply to the variant, in the order of the file."""
    if not runs:
        return ()
    return tuple(
        judge_named(check, runs, variant, strictness=strictness, others=others)
        for check in checks
        if check.applies_to(variant)
    )


def judge_named(
    check: Check,
    runs: Sequence[Run],
    variant: str | None,
    *,
    strictness: Strictness = PLAIN,
    others: Mapping[str, Sequence[Run]] | None = None,
) -> Verdict:
    """As `judge`; a verdict that fails also names the variants that its check is written for."""
    verdict = judge(check, runs, variant, strictness=strictness, others=others)
    if verdict.verdict == "fail" and check.variants and variant in check.variants:
        return replace(verdict, expected_for=tuple(check.variants))
    return verdict


def exit_code(verdicts: Sequence[Verdict]) -> int:
    """0: all hold, 1: any fails, 3: none fails but some are inconclusive."""
    found = {verdict.verdict for verdict in verdicts}
    return 1 if "fail" in found else 3 if "inconclusive" in found else 0


def value_of(check: Check, run: Run) -> float | None:
    """The value of a check in one run, None without data; that of its metric where variants are compared."""
    found = _metric(check, run, check.window)
    if check.of_window is None or found is None:
        return found
    reference = _metric(check, run, check.of_window)
    return found / reference if reference else None


def holds_in(check: Check, run: Run) -> bool | None:
    """Whether a check holds in one run, by its value alone; None where there is no data to tell."""
    verdict = judge(check, [run], None)
    if verdict.verdict == "inconclusive" or verdict.note.startswith("no data"):
        return None
    return verdict.verdict == "pass"


def _metric(check: Check, run: Run, window: str) -> float | None:
    stats = run.windows[window]
    if check.metric not in ("burn_rate", "error_budget"):
        return metrics.value(stats, check.metric, check.subject)
    assert check.objective is not None
    success = metrics.value(stats, "success", check.subject)
    if success is None:
        return None
    burn = (1 - success) / (1 - check.objective)
    return burn if check.metric == "burn_rate" else burn * stats.length_s / (check.period / NS)


def _no_data(missing: int, n: int) -> str:
    return "no data" + (f" in {missing} of {n} replications" if n > 1 else "")


def compared(check: Check, variant: str | None, numbers: Sequence[float], strictness: Strictness) -> Verdict:
    """The verdict of a comparison on the values that replications have."""
    assert check.op is not None and check.value is not None
    holds = _OPERATORS[check.op]
    centre = mean(numbers)
    level = strictness.level(check.confidence)
    ends = strictness.interval(numbers, check.confidence)
    if ends is None:
        right = holds(centre, check.value) != check.negated
        return _verdict(check, variant, "pass" if right else "fail", centre, note=SINGLE)
    low, high = ends
    outcome = _turned(_side(check.op, low, high, check.value), check.negated)
    low = max(0.0, low)  # no number of the result is negative
    if check.metric in SHARES and check.of_window is None:
        high = min(1.0, high)
    alone = [holds(x, check.value) != check.negated for x in numbers]
    note = "" if len(set(alone)) == 1 else f"by itself in {sum(alone)} of {len(alone)} replications"
    verdict = _verdict(check, variant, outcome, centre, (low, high), note)
    return _sure(verdict, level, strictness.p(centre - check.value, numbers))


def _side(op: str, low: float, high: float, limit: float) -> Outcome:
    """Where an interval lies, seen from a limit."""
    if op not in ("==", "!="):
        ends = {_OPERATORS[op](low, limit), _OPERATORS[op](high, limit)}
        return "inconclusive" if len(ends) == 2 else "pass" if True in ends else "fail"
    if low == high:
        return "pass" if _OPERATORS[op](low, limit) else "fail"
    if low <= limit <= high:
        return "inconclusive"
    return "fail" if op == "==" else "pass"


def _against(
    check: Check,
    runs: Sequence[Run],
    variant: str | None,
    strictness: Strictness,
    others: Mapping[str, Sequence[Run]],
) -> Verdict:
    """A comparison with another variant, on pairs of replications."""
    assert check.op is not None and check.value is not None and check.of_variant is not None
    share, other = check.value, others.get(check.of_variant)
    if not other:
        note = f"compares with the variant {check.of_variant}, which was not run: sysim check runs both"
        return _verdict(check, variant, "inconclusive", note=note)
    theirs = {(run.seed, run.replication): run for run in other}
    pairs = [(run, theirs[key]) for run in runs if (key := (run.seed, run.replication)) in theirs]
    if not pairs:
        return _verdict(check, variant, "fail", note=f"no data: no replication in common with {check.of_variant}")
    try:
        both = [(_metric(check, a, check.window), _metric(check, b, check.window)) for a, b in pairs]
    except metrics.NoSuchMetric:
        return _verdict(check, variant, "fail", note="no data: there is no such number in this result")
    known = [(a, b) for a, b in both if a is not None and b is not None]
    if len(known) < len(both):
        note = f"{_no_data(len(both) - len(known), len(both))}, here or in {check.of_variant}"
        return _verdict(check, variant, "fail", note=note)
    mine, yours = [a for a, _ in known], [b for _, b in known]
    differences = [a - share * b for a, b in known]
    level, centre = strictness.level(check.confidence), mean(differences)
    ends = strictness.interval(differences, check.confidence)
    if ends is None:
        right = _OPERATORS[check.op](centre, 0.0) != check.negated
        verdict = _verdict(check, variant, "pass" if right else "fail", note=SINGLE)
        ratio = mine[0] / yours[0] if yours[0] else None
        return replace(verdict, value=ratio, metric="ratio")
    outcome = _side(check.op, *ends, 0.0)
    judged = _turned(outcome, check.negated)
    told = fieller(mine, yours, level)
    p = strictness.p(centre, differences)
    if told is not None and mean(yours) > 0 and _side(check.op, *told[1:], share) == outcome:
        verdict = _verdict(check, variant, judged, told[0], told[1:], f"{len(known)} pairs")
        return _sure(replace(verdict, metric="ratio"), level, p)
    # There is no ratio to what may be 0 (or it is skewed), so the difference is told in the metric's unit.
    less = check.of_variant if share == 1 else f"{share * 100:.6g} % of {check.of_variant}"
    note = f"{len(known)} pairs; the value is the difference, this less {less}"
    return _sure(_verdict(check, variant, judged, centre, ends, note), level, p)


def _sure(verdict: Verdict, level: float, p: float) -> Verdict:
    return replace(verdict, confidence=level, p=p, settled=verdict.verdict != "inconclusive")


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


def _recovers(check: Check, runs: Sequence[Run], variant: str | None, strictness: Strictness) -> Verdict:
    assert check.value is not None
    found = [recovery_of(check, run) for run in runs]
    if all(some.after_s is None for some in found):
        return _verdict(check, variant, "fail", note="no data: no fault ends within the run")
    if not all(some.judged for some in found):
        return _verdict(check, variant, "fail", note=f"no data: {NOTHING_BEFORE}")
    times = [some.recovered_after_s for some in found]
    known = [x for x in times if x is not None]
    if len(known) == len(times):
        verdict = compared(check, variant, known, strictness)
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


def _boolean(check: Check, runs: Sequence[Run], variant: str | None, strictness: Strictness) -> Verdict:
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
        level = strictness.level(check.confidence)
        low, high = share_interval(sum(held), len(held), level)
        verdict: Outcome = "pass" if low >= check.share else "fail" if high < check.share else "inconclusive"
        note = f"held in {sum(held)} of {len(held)} replications"
        judged = _verdict(check, variant, verdict, value, (low, high), note)
        p = share_two_sided(sum(held), len(held), check.share)
        return replace(_sure(judged, level, p), found=found)
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

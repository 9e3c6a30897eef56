"""Why customers' requests failed, in plain English: where it began, how it spread, what would have misled."""

from __future__ import annotations

from sysim.analysis.cascade import GoneBad, Sign
from sysim.analysis.causes import by_service, origins, sentence
from sysim.analysis.words import Clock, listed, percent
from sysim.result.failures import merged
from sysim.result.run import Run

SIGNS: dict[Sign, str] = {
    "down": "a replica is down",
    "full": "all of its workers are held",
    "crowded": "it holds many more requests than usual",
    "errors": "its callers see it fail",
}
FEW = 5  # services that are told one by one
MOST = 0.5  # of the failures: the culprit


def why(run: Run, clock: Clock) -> list[str]:
    """The sentences; none where no request failed."""
    loads = {load: stats.failures for load, stats in run.windows["all"].loads.items() if stats.failures}
    if not loads:
        return []
    everything = origins(merged(some for failures in loads.values() for some in failures))
    name = next(iter(loads)) if len(loads) == 1 else None
    sentences = [sentence(name, everything), *_order(run.cascade.order, clock)]
    culprit, share = next(iter(by_service(everything).items()))
    misleading = run.cascade.misleading(culprit) if share >= MOST else None
    if misleading is not None:
        sentences.append(
            f"A picture of error rates would mislead: {misleading.looks_worst} fails"
            f" {percent(misleading.worst_failed)} of what reaches it, and {culprit}, where it began,"
            f" {_hardly(misleading.culprit_failed)}."
        )
    return sentences


def _hardly(share: float) -> str:
    return "nothing" if share == 0.0 else f"only {percent(share)}"


def _order(order: tuple[GoneBad, ...], clock: Clock) -> list[str]:
    if len(order) < 2:
        return []
    parts = []
    for number, bad in enumerate(order[:FEW]):
        when = f"at {clock(bad.at_s)}, " if not number or bad.at_s != order[number - 1].at_s else ""
        parts.append(f"{bad.service} ({when}{SIGNS[bad.signs[0]]})")
    if len(order) > FEW:
        parts.append(f"{len(order) - FEW} more")
    return [f"Services go bad in this order: {listed(parts)}."]

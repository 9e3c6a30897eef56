"""Sentences about a sweep: where a check holds, between which values a measure lies, which factor matters."""

from __future__ import annotations

from collections.abc import Sequence

from sysim.analysis.words import counted, listed
from sysim.model import Check
from sysim.report.sweep_names import names, number, whereabouts
from sysim.study.effects import sobol_of
from sysim.study.swept import Found, Swept

VAGUE = 0.6
"""An interval of a Sobol index that is wider than this tells nothing."""
MOST_LISTED = 12  # values in a sentence


def where(found: Swept, check: Check) -> str:
    """At which points a check holds."""
    judged = [(one, outcome) for one in found.points if (outcome := one.verdict(check)) is not None]
    if not judged:
        return ""
    by = {word: [one for one, outcome in judged if outcome == word] for word in ("pass", "fail", "inconclusive")}
    text = f"`{check.text}`"
    if len(by["pass"]) == len(judged):
        return f"{text} holds at every point."
    if len(by["fail"]) == len(judged):
        return f"{text} fails at every point."
    if len(found.design.factors) == 1 and found.design.kind != "one at a time":
        parts = [
            f"{word} at {_values(found, some)}"
            for word, some in (("holds", by["pass"]), ("fails", by["fail"]), ("is inconclusive", by["inconclusive"]))
            if some
        ]
        return f"{text} {listed(parts)}."
    parts = [f"holds at {len(by['pass'])} of {counted(len(judged), 'point')}", f"fails at {len(by['fail'])}"]
    if by["inconclusive"]:
        parts.append(f"is inconclusive at {len(by['inconclusive'])}")
    return f"{text} {listed(parts)}."


def _values(found: Swept, some: Sequence[Found]) -> str:
    """Values of the only factor; neighbours as a range."""
    factor = found.design.factors[0]
    order = {one.point.number: k for k, one in enumerate(_sorted(found))}
    places = sorted(order[one.point.number] for one in some)
    runs: list[list[int]] = []
    for place in places:
        if runs and place == runs[-1][-1] + 1:
            runs[-1].append(place)
        else:
            runs.append([place])
    told = _sorted(found)

    def show(place: int) -> str:
        return factor.show(told[place].point.values[factor.path])

    parts = [show(run[0]) if len(run) == 1 else f"{show(run[0])} to {show(run[-1])}" for run in runs]
    return listed(parts if len(parts) <= MOST_LISTED else [*parts[:MOST_LISTED], f"{len(parts) - MOST_LISTED} more"])


def _sorted(found: Swept) -> list[Found]:
    factor = found.design.factors[0]
    if factor.axis is None:
        return list(found.points)
    return sorted(found.points, key=lambda one: factor.place(one.point.values.get(factor.path)) or 0.0)


def extremes(found: Swept, measure: int) -> str:
    """The least and the greatest mean of a measure, and where they are."""
    known = [(one, mean) for one, mean in zip(found.points, found.means(measure), strict=True) if mean is not None]
    if len(known) < 2:
        return ""
    (low, least), (high, most) = (pick(known, key=lambda pair: pair[1]) for pick in (min, max))
    one = found.measures[measure]
    if number(least, one) == number(most, one):
        return f"{one.text} is {number(least, one)} everywhere."
    return (
        f"{one.text} goes from {number(least, one)} ({whereabouts(found, low)}) to {number(most, one)} "
        f"({whereabouts(found, high)})."
    )


def explained(found: Swept, measure: int) -> str:
    """What Sobol indices say, in a sentence."""
    got = sobol_of(found, measure)
    if got is None:
        return ""
    name = found.measures[measure].text
    order = sorted(range(len(got.factors)), key=lambda k: -got.factors[k].total)
    short = names(found.design)
    first = got.factors[order[0]]
    if any(one.total_interval[1] - one.total_interval[0] > VAGUE for one in got.factors):
        if first.total_interval[0] > max(got.factors[k].total_interval[1] for k in order[1:]):
            return f"{short[order[0]]} makes most of the variance of {name}; more base points would say how much."
        return f"What makes the variance of {name} cannot be told from {got.rows} base points: take more of them."
    alone = max(0.0, min(1.0, first.first))
    text = f"Of the variance of {name}, {short[order[0]]} alone makes {alone * 100:.0f} %"
    idle = [short[k] for k in order if got.factors[k].total_interval[1] < 0.05]
    together = 1 - sum(max(0.0, index.first) for index in got.factors)
    if together > 0.1:
        text += f", and {together * 100:.0f} % comes of factors working together"
    if idle:
        text += f"; {listed(idle)} {'makes' if len(idle) == 1 else 'make'} next to nothing of it"
    return text + "."

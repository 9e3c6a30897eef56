"""A sweep in pictures: a line with its band over one factor, a map over two, and what each of many does.

Every measure has a picture of its own. Limits of the checks on that measure are drawn where they lie.
"""

from __future__ import annotations

import re

from matplotlib.figure import Figure

from sysim.plot.sweep_effects import bars, tornado
from sysim.plot.sweep_line import line
from sysim.plot.sweep_map import heat
from sysim.study.effects import effects, sobol_of
from sysim.study.swept import Swept

MOST_FIGURES = 24


def sweep(found: Swept) -> dict[str, Figure]:
    """The figures by the name of their file, without suffix."""
    drawn: dict[str, Figure] = {}
    for k, measure in enumerate(found.measures[:MOST_FIGURES]):
        name = re.sub(r"[^a-z0-9]+", "-", measure.text.lower()).strip("-")
        if not any(value is not None for value in found.means(k)):
            continue
        some = found.design.factors
        got = sobol_of(found, k)
        moved = None if got is not None else effects(found, k)
        if len(some) == 1:
            drawn[f"line-{name}"] = line(found, k)
        elif len(some) == 2 and found.design.kind == "grid":
            drawn[f"map-{name}"] = heat(found, k)
        elif got is not None:
            drawn[f"sobol-{name}"] = bars(found, k, got)
        elif moved is not None:
            drawn[f"tornado-{name}"] = tornado(found, k, moved)
    return drawn

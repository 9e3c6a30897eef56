"""Pictures of a result: `timeline`, `latency`, `graph` and `causes`, each a matplotlib Figure; `save` writes PNG and
SVG.

matplotlib is imported when a picture is made, never by ``import sysim``. No pyplot, no global state: figures
are made and written with the settings of `sysim.plot.style` only, so that the same result gives the same
bytes.
"""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from matplotlib.figure import Figure

    from sysim.result import Result
    from sysim.study.bisection import Bisection
    from sysim.study.breaking import Sweep
    from sysim.study.capacity.plan import CapacityPlan
    from sysim.study.metastability import Map
    from sysim.study.swept import Swept
    from sysim.study.whatif import WhatIf
    from sysim.study.year_result import Year
    from sysim.traffic.fit import Fit

__all__ = [
    "causes", "fitted", "graph", "impact", "latency", "plan_curve", "plan_day", "plan_supply", "save", "sweep",
    "timeline", "tipping", "vulnerability", "what_if", "year",
]  # fmt: skip


def timeline(result: Result, **options: Any) -> Figure:
    """What happened over time: outcomes, latency, the fullest services, amplification."""
    from sysim.plot.overview import timeline as draw

    return draw(result, **options)


def latency(result: Result, **options: Any) -> Figure:
    """Percentiles over time, and the distribution in each window."""
    from sysim.plot.tails import latency as draw

    return draw(result, **options)


def graph(result: Result, window: str = "all") -> Figure:
    """The services and their calls over one window."""
    from sysim.plot.services import graph as draw

    return draw(result, window)


def causes(result: Result, window: str = "all") -> Figure:
    """Where the failed requests of each load began to fail."""
    from sysim.plot.origins import causes as draw

    return draw(result, window)


def tipping(found: Bisection, title: str = "") -> Figure:
    """The runs that stay down along the path, and where it tips."""
    from sysim.plot.regions import tipping as draw

    return draw(found, title)


def vulnerability(found: Map) -> Figure:
    """What stays down over load and the size of the trigger."""
    from sysim.plot.regions import vulnerability as draw

    return draw(found)


def impact(found: Sweep) -> Figure:
    """What each fault of a sweep does to customers."""
    from sysim.plot.bars import impact as draw

    return draw(found)


def what_if(found: WhatIf) -> Figure:
    """The customers that each mitigation saves."""
    from sysim.plot.rescue import what_if as draw

    return draw(found)


def fitted(found: Fit) -> Figure:
    """A trace, the calendar fitted to it, and the weeks that were held out."""
    from sysim.plot.traces import fitted as draw

    return draw(found)


def year(found: Year) -> Figure:
    """The days of a year by what failed, and the utilisation at the peak of each."""
    from sysim.plot.calendar_map import year as draw

    return draw(found)


def plan_day(found: CapacityPlan) -> Figure:
    """Load, capacity and loss over the whole run under a capacity plan."""
    from sysim.plot.capacity import day as draw

    return draw(found)


def plan_supply(found: CapacityPlan) -> Figure:
    """The climb to the peak under static, scheduled and autoscaled replicas."""
    from sysim.plot.capacity import supply as draw

    return draw(found)


def plan_curve(found: CapacityPlan) -> Figure:
    """Latency and goodput of a capacity plan over the load."""
    from sysim.plot.capacity import curve as draw

    return draw(found)


def sweep(found: Swept) -> dict[str, Figure]:
    """The figures of a sweep by name: what each measure is over the factors, and what each factor does."""
    from sysim.plot.sweeps import sweep as draw

    return draw(found)


def save(figure: Figure, path: str | Path) -> Path:
    """Write a figure as the suffix of `path` says (.png, .svg, .pdf), without dates."""
    from sysim.plot.style import write

    return write(figure, Path(path))

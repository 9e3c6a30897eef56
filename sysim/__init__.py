"""sysim: a discrete-event simulator of failure in distributed systems.

    >>> import sysim
    >>> result = sysim.simulate("retry_storm")      # a file, or the name of a shipped model
    >>> print(result.account)

Importing this package is cheap: engines, numpy and plots are loaded when they are first used.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

__version__ = "0.1.0"

if TYPE_CHECKING:
    from sysim.api import Interrupted, Scenario, load, loads, simulate
    from sysim.checking import check, compare
    from sysim.errors import Problem, ScenarioError, SimulationError, SysimError, UnsupportedByEngine
    from sysim.planning import capacity_plan
    from sysim.result import Result
    from sysim.shipped import library
    from sysim.study.study import Study
    from sysim.study.verbs import fault_sweep, least_relief, tipping_point, vulnerability_map, what_if
    from sysim.study.year_result import Year
    from sysim.sweeping import sweep
    from sysim.traffic.fit import fit
    from sysim.yearly import year

_HOME = {
    "load": "sysim.api",
    "loads": "sysim.api",
    "simulate": "sysim.api",
    "check": "sysim.checking",
    "compare": "sysim.checking",
    "library": "sysim.shipped",
    "capacity_plan": "sysim.planning",
    "tipping_point": "sysim.study.verbs",
    "vulnerability_map": "sysim.study.verbs",
    "least_relief": "sysim.study.verbs",
    "fault_sweep": "sysim.study.verbs",
    "what_if": "sysim.study.verbs",
    "year": "sysim.yearly",
    "sweep": "sysim.sweeping",
    "fit": "sysim.traffic.fit",
    "Scenario": "sysim.api",
    "Interrupted": "sysim.api",
    "Result": "sysim.result",
    "Study": "sysim.study.study",
    "Year": "sysim.study.year_result",
    "Problem": "sysim.errors",
    "ScenarioError": "sysim.errors",
    "SimulationError": "sysim.errors",
    "SysimError": "sysim.errors",
    "UnsupportedByEngine": "sysim.errors",
}

__all__ = [
    "load", "loads", "simulate", "check", "compare", "library", "Scenario", "Result", "Study", "Problem",
    "SysimError", "ScenarioError", "SimulationError", "UnsupportedByEngine", "Interrupted", "tipping_point",
    "vulnerability_map", "least_relief", "fault_sweep", "what_if", "capacity_plan", "year", "Year", "sweep", "fit",
    "__version__",
]  # fmt: skip


def __getattr__(name: str) -> Any:
    from importlib import import_module

    if name in _HOME:
        value = getattr(import_module(_HOME[name]), name)
        globals()[name] = value
        return value
    raise AttributeError(f"module 'sysim' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__})

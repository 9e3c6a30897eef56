"""Results: what a simulation found out, immutable, as typed statistics, as tables and as the JSON object."""

from sysim.result.result import Result
from sysim.result.run import Run, Transition, summarise
from sysim.result.series import Series
from sysim.result.stats import CallStats, LoadStats, QueueFull, ServiceStats, WindowStats
from sysim.result.tables import Table

__all__ = [
    "CallStats", "LoadStats", "QueueFull", "Result", "Run", "Series", "ServiceStats", "Table", "Transition",
    "WindowStats", "summarise",
]  # fmt: skip

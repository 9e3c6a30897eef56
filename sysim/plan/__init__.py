"""MODEL -> FLAT ARRAYS: what an engine runs. `lower` makes a `Plan`, `describe` prints it.

`tables` names the columns, `passes` turn each part of a scenario into rows, `verify` checks the whole.
Nothing here needs numba, and nothing behind it needs a name.
"""

from sysim.plan.describe import describe
from sysim.plan.errors import PlanError
from sysim.plan.lower import lower
from sysim.plan.plan import Names, Plan

__all__ = ["Names", "Plan", "PlanError", "describe", "lower"]

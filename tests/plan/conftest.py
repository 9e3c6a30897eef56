"""Small scenarios, given as the parts of a file, lowered to plans."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from sysim.plan import Plan, lower
from sysim.scenario_file import loads

PlanOf = Callable[..., Plan]

HEAD = "sysim: 1\nname: small\n"
TIME = "time: {duration: 100s, bucket: 1s}\n"


@pytest.fixture
def plan_of() -> PlanOf:
    """The plan of a text; the head, and `time` unless the text has one, are added."""

    def make(text: str) -> Plan:
        time = "" if text.lstrip().startswith("time:") or "\ntime:" in text else TIME
        return lower(loads(HEAD + time + text).scenario)

    return make

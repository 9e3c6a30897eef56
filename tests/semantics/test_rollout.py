"""The laws of rolling deploys against worked numbers, those of Kubernetes' rolling update among them."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sysim.semantics.rollout import may_drop, may_drop_unready, may_start, surge, unavailable


@pytest.mark.parametrize(
    ("desired", "share", "surges", "missing"), [(10, 0.25, 3, 2), (1, 0.25, 1, 0), (3, 0.25, 1, 0), (12, 0.25, 3, 3)]
)
def test_a_surge_is_rounded_up_and_what_may_be_missing_down(
    desired: int, share: float, surges: int, missing: int
) -> None:
    assert surge(desired, 0, share) == surges
    assert unavailable(desired, 0, share, surges) == missing


def test_counts_and_nothing_at_all() -> None:
    assert (surge(10, 4, -1.0), unavailable(10, 2, -1.0, 4)) == (4, 2)
    assert unavailable(10, 0, -1.0, 0) == 1
    assert unavailable(3, 0, 0.25, 0) == 1
    assert unavailable(3, 5, -1.0, 0) == 3


@given(
    desired=st.integers(1, 60), surges=st.integers(0, 20), missing=st.integers(0, 20), ready=st.integers(0, 60),
    old=st.integers(0, 80),
)  # fmt: skip
@settings(deadline=None)
def test_no_step_leaves_fewer_or_makes_more_than_it_may(
    desired: int, surges: int, missing: int, ready: int, old: int
) -> None:
    missing = min(missing, desired)
    new = may_start(desired, 0, old, surges)
    assert new == 0 or new + old <= desired + surges
    up = min(ready, old)
    down = may_drop_unready(desired, new + old, new, missing)
    assert down == 0 or new + old - down - new >= desired - missing
    gone = may_drop(desired, up, missing)
    assert gone == 0 or up - gone == desired - missing

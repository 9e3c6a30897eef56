"""Users who come and go as rows: the stays of each, and no rows for those who stay all the time."""

from __future__ import annotations

import pytest

from sysim.plan import tables as t
from sysim.plan.fingerprint import fingerprint

TEXT = """
time: {{duration: 100ns, bucket: 10ns}}
services: {{api: {{operations: {{get: [{{work: 1ms}}]}}}}}}
load:
  a: {{users: {users}, call: api.get}}
  b: {{users: 3, think: 1s, call: api.get}}
"""
S = 1_000_000_000


def rows(plan):
    """The stays of each user of load a."""
    first, count = plan.loads[0, t.L_STAYS], plan.loads[0, t.L_CLIENTS]
    found = []
    for user in range(count):
        row, own = int(first) + user, []
        while row != t.NONE:
            begins, until, following = plan.stays[row].tolist()
            own.append((begins, None if until == t.NEVER else until))
            row = following
        found.append(own)
    return found


def test_every_user_has_their_stays(plan_of):
    plan = plan_of(TEXT.format(users="{from: 1, stages: [{for: 20ns, to: 3}, {for: 10ns, to: 0}, {for: 40ns, to: 4}]}"))
    assert rows(plan) == [[(0, 30), (40, None)], [(10, 27), (50, None)], [(20, 24), (60, None)], [(70, None)]]
    assert plan.code[plan.loads[0, t.L_PC], t.I_OP] == t.OP_PAUSE
    assert plan.loads[1, t.L_STAYS] == t.NONE
    assert plan.code[plan.loads[1, t.L_PC], t.I_OP] == t.OP_THINK


def test_what_comes_after_the_end_is_left_out(plan_of):
    plan = plan_of(TEXT.format(users="{steps: [{at: 0s, users: 2}, {at: 99ns, users: 1}, {at: 100ns, users: 50}]}"))
    assert rows(plan) == [[(0, None)], [(0, 99)]]
    plan = plan_of(TEXT.format(users="{steps: [{at: 100ns, users: 50}]}"))
    assert rows(plan) == [[(t.NEVER, None)]]  # nobody comes


@pytest.mark.parametrize(
    "users",
    [
        "{steps: [{at: 0s, users: 5}]}",
        "{from: 5, stages: [{for: 10ns, to: 5}]}",
        "{stages: [{for: 0s, to: 5}, {for: 1s, to: 5}]}",
        "{steps: [{at: 0s, users: 5}, {at: 1s, users: 1}]}",
    ],
)
def test_a_constant_profile_is_the_plan_of_a_number(plan_of, users):
    assert fingerprint(plan_of(TEXT.format(users=users))) == fingerprint(plan_of(TEXT.format(users=5)))

"""Adding something must not shift the draws of anything else."""

import numpy as np

from sysim.plan import tables as t
from sysim.plan.identity import numbered, salt

BASE = """
services:
  web:
    replicas: 2
    operations:
      go:
        - work: 1ms
        - {call: db.get, policy: p}
        - parallel: [{call: db.get}, {work: 2ms}]
        - repeat: {times: 2, steps: [{call: db.put}]}
  db: {operations: {get: [{work: 1ms}], put: [{work: 1ms}]}}
policies: {p: {timeout: 1s}}
load: {main: {call: web.go, rate: 1/s}}
faults:
  - {at: 1s, for: 1s, on: db, pause: true}
  - {at: 5s, for: 1s, on: db, pause: true}
  - {name: burn, at: 1s, for: 1s, on: db, slowdown: 2}
"""

MORE = """
services:
  aaa: {operations: {x: [{call: web.go}]}}
  web:
    replicas: 3
    operations:
      extra: [{work: 1ms}]
      go:
        - {call: db.put, policy: p}
        - work: 1ms
        - {work: 7ms, name: added}
        - {call: db.get, policy: p}
        - parallel: [{call: db.put}, {call: db.get}, {work: 2ms}]
        - repeat: {times: 3, steps: [{work: 1ms}, {call: db.put}]}
        - choose: [{weight: 1, steps: [{work: 1ms}]}, {weight: 1, steps: []}]
  db: {operations: {get: [{work: 1ms}], put: [{work: 1ms}], del: []}}
policies: {p: {timeout: 1s}, another: {timeout: 9s}}
load: {bbb: {call: aaa, rate: 1/s}, main: {call: web.go, rate: 1/s, clients: 3}}
faults:
  - {name: first, at: 0s, on: web, error: 1%}
  - {at: 1s, for: 1s, on: db, pause: true}
  - {at: 5s, for: 1s, on: db, pause: true}
  - {name: burn, at: 1s, for: 1s, on: db, slowdown: 2}
"""


def salts(plan):
    found = set(plan.code[:, t.I_SALT].tolist()) | set(plan.branches[:, t.BR_SALT].tolist())
    return found - {0}


def test_adding_services_steps_loads_and_faults_leaves_other_identities(plan_of):
    base, more = plan_of(BASE), plan_of(MORE)
    assert salts(base) < salts(more)
    for table, column in (
        ("replicas", t.RP_KEY),
        ("loads", t.L_KEY),
        ("streams", t.T_SALT),
        ("faults", t.F_KEY),
    ):
        before = set(getattr(base, table)[:, column].tolist())
        assert before < set(getattr(more, table)[:, column].tolist())
    named = {int(key) for key in base.scopes[:, t.K_KEY]} & {int(key) for key in more.scopes[:, t.K_KEY]}
    assert len(named) == base.n_scopes


def test_the_order_of_a_map_means_nothing(plan_of):
    one = plan_of("services: {b: {operations: {y: [], x: []}}, a: {operations: {z: [{work: 1s}]}}}")
    two = plan_of("services: {a: {operations: {z: [{work: 1s}]}}, b: {operations: {x: [], y: []}}}")
    for name, array in one.arrays().items():
        assert np.array_equal(array, two.arrays()[name]), name


def test_a_named_step_keeps_its_identity_wherever_it_moves(plan_of):
    def salt_of(steps):
        plan = plan_of(f"services: {{web: {{operations: {{go: [{steps}]}}}}}}")
        return {int(row[t.I_SALT]) for row in plan.code if row[t.I_OP] == t.OP_WORK}

    assert salt_of("{work: 1ms, name: a}") < salt_of("{work: 2ms}, {work: 1ms, name: a}")


def test_hashes_are_63_bits_and_told_apart():
    keys = [salt("a", "b"), salt("ab"), salt("a", "b", ""), *numbered(salt("x"), 1000).tolist()]
    assert len(set(keys)) == len(keys)
    assert all(0 <= key < 2**63 for key in keys)
    assert numbered(5, 3).tolist() == numbered(5, 10)[:3].tolist()


def test_no_two_instructions_that_draw_share_a_salt_except_in_a_choice(plan_of):
    plan = plan_of(MORE)
    drawn = plan.code[np.isin(plan.code[:, t.I_OP], (t.OP_WORK, t.OP_CALL, t.OP_FAIL, t.OP_PUBLISH))]
    assert len(set(drawn[:, t.I_SALT].tolist())) == len(drawn)

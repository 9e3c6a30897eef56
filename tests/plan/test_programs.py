"""Steps become instructions: what follows what, what is shared, what is refused."""

import numpy as np
import pytest

from sysim.model import Call, Choose, Fail, Operation, Option, Repeat, Scenario, Service, Time, Work
from sysim.plan import PlanError, lower
from sysim.plan import tables as t


def ops(plan, operation):
    """The codes of an operation's own program."""
    pc = int(plan.ops[plan.names.operations.index(operation), t.O_PC])
    found = []
    while True:
        found.append(int(plan.code[pc, t.I_OP]))
        if found[-1] == t.OP_END:
            return found
        pc += 1


def system(steps, **service):
    """A service `web` with one operation of these steps, and `db` with `get` and `put`."""
    db = Service(operations={"get": [Work(duration="1ms")], "put": [Work(duration="1ms")]})
    web = Service(operations={"go": Operation(steps=tuple(steps))}, **service)
    return Scenario(time=Time(duration="10s"), services={"web": web, "db": db})


def test_steps_run_in_order_and_end(plan_of):
    plan = plan_of(
        """
services:
  web: {operations: {go: [{work: 1ms}, {call: db}, {publish: db}, {fail: 10%}]}}
  db: {operations: {get: [{work: 1ms}]}}
"""
    )
    assert ops(plan, "web.go") == [t.OP_WORK, t.OP_CALL, t.OP_PUBLISH, t.OP_FAIL, t.OP_END]
    assert plan.codeF[plan.code[:, t.I_OP] == t.OP_FAIL, 0] == 0.1


def test_a_message_is_made_by_a_program_of_its_own(plan_of):
    plan = plan_of("services: {web: {operations: {go: [{publish: db}]}}, db: {operations: {get: []}}}")
    publish = plan.code[plan.code[:, t.I_OP] == t.OP_PUBLISH][0]
    call, end = plan.code[publish[t.I_ARG] : publish[t.I_ARG] + 2]
    assert (call[t.I_OP], end[t.I_OP]) == (t.OP_CALL, t.OP_END)
    assert plan.sites[call[t.I_ARG], t.C_PUBLISH] == 1


def test_a_repeat_is_unrolled_over_one_site_with_a_salt_each():
    plan = lower(system([Repeat(times=3, steps=(Call(target="db.get"),))]))
    calls = plan.code[plan.code[:, t.I_OP] == t.OP_CALL]
    assert len(calls) == 3
    assert len(set(calls[:, t.I_ARG])) == 1
    assert len(set(calls[:, t.I_SALT])) == 3


def test_too_many_instructions_are_refused_by_name():
    steps = [Repeat(times=1_000, steps=(Repeat(times=1_000, steps=(Work(duration="1ms"),)),))]
    with pytest.raises(PlanError, match="100000 instructions"):
        lower(system(steps))


def test_an_empty_repeat_costs_nothing():
    steps = [Repeat(times=2**50, steps=())]
    assert ops(lower(system(steps)), "web.go") == [t.OP_END]


def test_a_choice_is_a_chain_of_chances_with_one_number():
    options = tuple(Option(weight=w, steps=(Work(duration=f"{w}ms"),)) for w in (1, 2, 1))
    plan = lower(system([Choose(options=options)]))
    chances = np.flatnonzero(plan.code[:, t.I_OP] == t.OP_CHANCE)
    assert plan.codeF[chances, 0].tolist() == [0.25, 0.75]
    assert len(set(plan.code[chances, t.I_SALT])) == 1
    assert ops(plan, "web.go") == [
        t.OP_CHANCE, t.OP_WORK, t.OP_JUMP, t.OP_CHANCE, t.OP_WORK, t.OP_JUMP, t.OP_WORK, t.OP_END
    ]  # fmt: skip
    end = np.flatnonzero(plan.code[:, t.I_OP] == t.OP_JUMP)
    assert len(set(plan.code[end, t.I_NEXT])) == 1
    assert plan.code[plan.code[end[0], t.I_NEXT], t.I_OP] == t.OP_END


def test_probability_and_flag_lead_past_the_step(plan_of):
    plan = plan_of(
        """
flags: {fast: off}
services:
  web: {operations: {go: [{call: db, probability: 30%, flag: fast}, {work: 1ms}]}}
  db: {operations: {get: []}}
"""
    )
    first = int(plan.ops[plan.names.operations.index("web.go"), t.O_PC])
    flag, chance, call, work = plan.code[first : first + 4]
    assert [row[t.I_OP] for row in (flag, chance, call, work)] == [
        t.OP_FLAG,
        t.OP_CHANCE,
        t.OP_CALL,
        t.OP_WORK,
    ]
    assert flag[t.I_NEXT] == chance[t.I_NEXT] == first + 3
    assert plan.codeF[first + 1, 0] == 0.3
    assert plan.flags[flag[t.I_ARG]] == 0
    assert chance[t.I_SALT] != call[t.I_SALT]


def test_branches_lie_together_behind_their_program(plan_of):
    plan = plan_of(
        """
services:
  web: {operations: {go: [{parallel: [{call: db.get}, [{call: db.put}, {work: 1ms}]]}, {work: 2ms}]}}
  db: {operations: {get: [], put: []}}
"""
    )
    parallel = plan.code[plan.code[:, t.I_OP] == t.OP_PARALLEL][0]
    assert parallel[t.I_NEXT] == 2
    branches = plan.branches[parallel[t.I_ARG] : parallel[t.I_ARG] + 2]
    assert len(set(branches[:, t.BR_SALT])) == 2
    for pc, length in zip(branches[:, t.BR_PC], (1, 2), strict=True):
        assert plan.code[pc, t.I_OP] == t.OP_CALL
        assert plan.code[pc + length, t.I_OP] == t.OP_END


def test_fallback_steps_are_a_program_that_the_call_points_to(plan_of):
    plan = plan_of(
        """
policies: {soft: {fallback: {steps: [{call: db.put}]}}}
services:
  web: {operations: {go: [{call: db.get, policy: soft}, {call: db.put}]}}
  db: {operations: {get: [], put: []}}
"""
    )
    with_fallback = plan.code[plan.code[:, t.I_FALLBACK] >= 0]
    assert len(with_fallback) == 1
    pc = with_fallback[0, t.I_FALLBACK]
    assert plan.code[pc : pc + 2, t.I_OP].tolist() == [t.OP_CALL, t.OP_END]
    assert plan.names.sites[plan.code[pc, t.I_ARG]] == "web.go -> db.put"


def test_work_in_a_fallback_is_refused(plan_of):
    with pytest.raises(PlanError, match="give the fallback a latency"):
        plan_of(
            """
policies: {soft: {fallback: {steps: [{work: 1ms}]}}}
services: {web: {operations: {go: [{call: db, policy: soft}]}}, db: {operations: {get: []}}}
"""
        )


def test_optional_composites():
    last = Choose(
        optional=True, options=(Option(weight=1, steps=(Work(duration="1ms"), Call(target="db.get"))),)
    )
    plan = lower(system([last]))
    assert plan.code[plan.code[:, t.I_OP] == t.OP_CALL, t.I_OPTIONAL].tolist() == [1]

    half_way = Repeat(optional=True, times=2, steps=(Call(target="db.get"),))
    plan = lower(system([half_way]))
    assert ops(plan, "web.go") == [t.OP_PARALLEL, t.OP_END]
    assert plan.code[plan.code[:, t.I_OP] == t.OP_PARALLEL, t.I_OPTIONAL].tolist() == [1]
    assert plan.code[plan.code[:, t.I_OP] == t.OP_CALL, t.I_OPTIONAL].tolist() == [0, 0]
    with pytest.raises(PlanError, match="optional as a whole"):
        lower(system([half_way], threading="async"))

    harmless = Repeat(optional=True, times=2, steps=(Work(duration="1ms"), Fail(share=0.1, optional=True)))
    assert t.OP_PARALLEL not in ops(lower(system([harmless])), "web.go")


def test_unknown_targets_and_circles_are_refused():
    with pytest.raises(PlanError, match=r"no operation 'db.gte', did you mean 'db.get'"):
        lower(system([Call(target="db.gte")]))
    with pytest.raises(PlanError, match="no flag 'x'"):
        lower(system([Work(duration="1ms", flag="x")]))
    with pytest.raises(PlanError, match=r"web.go -> web.go"):
        lower(system([Call(target="web.go")]))


LOADS = """
services: {web: {operations: {a: [{work: 1ms}], b: [{work: 1ms}]}}}
load:
  open: {mix: {web.b: 60%, web.a: 40%}, rate: 10/s, clients: 7, value: 2 GBP}
  users: {users: 3, think: 1s, mix: {web.b: 60%, web.a: 40%}}
  trip:
    users: 4
    think: {exponential: 9s}
    value: 2 GBP
    journey:
      - call: web.a
      - think: 5s
      - repeat: {times: 2, steps: [{call: web.b, value: 3 GBP}]}
"""


def test_an_open_load_has_two_rows_a_stream(plan_of):
    plan = plan_of(LOADS)
    load = plan.loads[plan.names.loads.index("open")]
    assert (load[t.L_CLOSED], load[t.L_CLIENTS], load[t.L_STREAMS], load[t.L_PC]) == (0, 7, 2, -1)
    first = load[t.L_FIRST_STREAM]
    assert plan.streamsF[first : first + 2, t.TF_CUMULATIVE].tolist() == [0.4, 1.0]
    assert plan.streamsF[first : first + 2, t.TF_VALUE].tolist() == [2.0, 2.0]
    for j in range(2):
        call, end = plan.code[load[t.L_CALL_PC] + 2 * j :][:2]
        assert (call[t.I_OP], end[t.I_OP]) == (t.OP_CALL, t.OP_END)
        assert plan.sites[call[t.I_ARG], t.C_STREAM] == first + j
        assert plan.streams[first + j, t.T_SITE] == call[t.I_ARG]
    assert plan.names.streams[first : first + 2] == ("open -> web.a", "open -> web.b")


def test_users_think_then_choose(plan_of):
    plan = plan_of(LOADS)
    load = plan.loads[plan.names.loads.index("users")]
    assert (load[t.L_CLOSED], load[t.L_CLIENTS], load[t.L_CALL_PC]) == (1, 3, -1)
    codes = plan.code[load[t.L_PC] : load[t.L_PC] + 6, t.I_OP].tolist()
    assert codes == [t.OP_THINK, t.OP_CHANCE, t.OP_CALL, t.OP_JUMP, t.OP_CALL, t.OP_END]


def test_a_journey_has_a_stream_for_each_call_in_its_text(plan_of):
    plan = plan_of(LOADS)
    load = plan.loads[plan.names.loads.index("trip")]
    codes = plan.code[load[t.L_PC] : load[t.L_PC] + 6, t.I_OP].tolist()
    assert codes == [t.OP_THINK, t.OP_CALL, t.OP_THINK, t.OP_CALL, t.OP_CALL, t.OP_END]
    first = load[t.L_FIRST_STREAM]
    assert load[t.L_STREAMS] == 2
    assert plan.streamsF[first : first + 2, t.TF_VALUE].tolist() == [2.0, 3.0]
    assert plan.names.currencies[plan.names.loads.index("trip")] == "GBP"


def test_every_site_of_a_load_counts_for_itself_and_those_of_an_operation_together(plan_of):
    plan = plan_of(
        """
services:
  web: {operations: {go: [{call: db}, {call: db}]}}
  db: {operations: {get: []}}
load: {u: {users: 1, journey: [{call: web}, {call: web}]}}
"""
    )
    assert plan.names.stats.count("web.go -> db.get") == 1
    assert plan.names.stats.count("u -> web.go") == 2


def test_two_currencies_in_one_load_are_refused(plan_of):
    with pytest.raises(PlanError, match="GBP and USD"):
        plan_of(
            """
services: {web: {operations: {a: []}}}
load: {u: {users: 1, value: 1 USD, journey: [{call: web, value: 1 GBP}]}}
"""
        )

"""Policies, the state that they share, and the lanes of their timers."""

import numpy as np
import pytest

from sysim.model import Call, CallPolicy, Exponential, Network, Operation, Scenario, Service, Time
from sysim.plan import PlanError, lower
from sysim.plan import tables as t
from sysim.semantics.kinds import ring_length

SHARING = """
services:
  web:
    replicas: 3
    operations:
      a:
        - {call: db.get, policy: p}
        - {call: db.put, policy: p}
        - {call: cache.get, policy: p}
        - {call: db.get, policy: {timeout: 1s}}
        - {call: db.get, policy: {timeout: 1s}}
        - {call: db.get, policy: none}
      b: [{call: db.get, policy: p}]
  api: {operations: {a: [{call: db.get, policy: p}]}}
  db: {replicas: 4, operations: {get: [], put: []}}
  cache: {operations: {get: []}}
policies: {p: {timeout: 1s, circuit_breaker: {window: {calls: 5}}, balancer: least_outstanding}}
load: {open: {mix: {web.a: 50%, web.b: 50%}, rate: 1/s, clients: 10, policy: p}}
"""


def first_scope(plan, label, nth=0):
    found = [site for name, site in zip(plan.names.sites, plan.sites, strict=False) if name == label]
    return int(found[nth][t.C_SCOPE])


def test_a_named_policy_is_shared_within_caller_and_callee(plan_of):
    plan = plan_of(SHARING)
    shared = first_scope(plan, "web.a -> db.get")
    assert first_scope(plan, "web.a -> db.put") == shared
    assert first_scope(plan, "web.b -> db.get") == shared
    assert first_scope(plan, "web.a -> cache.get") != shared
    assert first_scope(plan, "api.a -> db.get") != shared
    assert first_scope(plan, "open -> web.a") == first_scope(plan, "open -> web.b")


def test_an_inline_policy_and_none_have_state_at_each_place(plan_of):
    plan = plan_of(SHARING)
    places = [first_scope(plan, "web.a -> db.get", nth) for nth in range(4)]
    assert len(set(places)) == 4
    assert plan.scopes[places[3], t.K_POLICY] == 0


def test_a_scope_has_a_row_a_replica_or_client(plan_of):
    plan = plan_of(SHARING)
    first = first_scope(plan, "web.a -> db.get")
    web = plan.svc[plan.names.services.index("web")]
    rows = plan.scopes[first : first + 3]
    assert rows[:, t.K_CALLER].tolist() == [web[t.S_FIRST] + i for i in range(3)]
    assert len(set(rows[:, t.K_KEY].tolist())) == 3
    assert (rows[1:, t.K_RING] - rows[:-1, t.K_RING]).tolist() == [5, 5]
    assert (rows[1:, t.K_OUT] - rows[:-1, t.K_OUT]).tolist() == [4, 4]
    clients = plan.scopes[first_scope(plan, "open -> web.a") :][:10]
    assert (clients[:, t.K_CALLER] == -1).all()
    # p at web -> db and web -> cache, at api -> db, and at ten clients
    assert plan.ring_length == 5 * (3 + 3 + 1 + 10)
    assert plan.outstanding_length == 3 * 4 + 3 * 1 + 1 * 4 + 10 * 3


def test_a_policy_made_in_code_without_a_name_is_one_of_its_own_at_each_step():
    policy = CallPolicy(timeout="1s")
    steps = (Call(target="db.get", policy=policy), Call(target="db.get", policy=policy))
    plan = lower(
        Scenario(
            time=Time(duration="1s"),
            services={
                "web": Service(operations={"a": Operation(steps=steps)}),
                "db": Service(operations={"get": Operation()}),
            },
        )
    )
    assert plan.n_scopes == 2
    assert plan.n_policies == 2


def test_two_policies_of_one_name_are_refused():
    steps = tuple(Call(target="db.get", policy=CallPolicy(name="p", timeout=wait)) for wait in (1, 2))
    services = {
        "web": Service(operations={"a": Operation(steps=steps)}),
        "db": Service(operations={"get": Operation()}),
    }
    with pytest.raises(PlanError, match="two different policies"):
        lower(Scenario(time=Time(duration="1s"), services=services))


def test_equal_delays_share_a_lane(plan_of):
    plan = plan_of(
        """
services:
  web: {operations: {a: [{call: db, policy: p}, {call: db, policy: q}]}}
  db: {queue: {max_wait: 500ms}, operations: {get: []}}
policies:
  p: {timeout: 500ms, deadline: 2s, bulkhead: {max_concurrent: 1, max_wait: 2s}}
  q: {timeout: 2s, bulkhead: {max_concurrent: 1}}
"""
    )
    assert plan.lanes.tolist() == [500_000_000, 2_000_000_000]
    p, q = plan.policies[plan.names.policies.index("p")], plan.policies[plan.names.policies.index("q")]
    assert [p[c] for c in (t.P_TIMEOUT_LANE, t.P_DEADLINE_LANE, t.P_BULKHEAD_LANE)] == [0, 1, 1]
    assert [q[c] for c in (t.P_TIMEOUT_LANE, t.P_DEADLINE_LANE, t.P_BULKHEAD_LANE)] == [1, -1, -1]
    assert plan.svc[plan.names.services.index("db"), t.S_PATIENCE_LANE] == 0


def test_absent_means_absent(plan_of):
    plan = plan_of("services: {web: {operations: {a: [{call: db}]}}, db: {operations: {get: []}}}")
    none = plan.policies[0]
    never = (t.P_TIMEOUT, t.P_DEADLINE, t.P_BREAKER_SLOW, t.P_BULKHEAD)
    assert all(none[column] == t.NEVER for column in never)
    assert none[t.P_MAX_ATTEMPTS] == none[t.P_HEDGE_MAX] == 1
    nothing = (t.P_BREAKER, t.P_BUDGET, t.P_RATE_INTERVAL, t.P_FALLBACK_ON, t.P_WINDOW_LEN, t.P_CROSS_ZONE)
    assert all(none[column] == 0 for column in nothing)
    assert none[t.P_LATENCY] == none[t.P_HEDGE_DELAY] == -1
    assert plan.n_lanes == 0 and len(plan.lanes) == 1


def test_every_stage_of_the_pipeline_has_its_columns(plan_of):
    plan = plan_of(
        """
services: {web: {operations: {a: [{call: db, policy: p}]}}, db: {operations: {get: []}}}
policies:
  p:
    deadline: {after: 2s, propagate: true}
    cancel: true
    retry:
      max_attempts: 4
      on: [error, lost]
      backoff: {initial: 50ms, multiplier: 3, max: 1s, jitter: 20%}
      budget: {bucket: {tokens: 5, deposit: 0.1, deposit_on: success}}
    hedge: {delay: 20ms, max_attempts: 3, cancel_losers: true}
    circuit_breaker:
      window: {time: 10s}
      slow_call_rate: 80%
      slow_call_duration: 2s
    rate_limit: {rate: 100/s, burst: 20}
    balancer: {least_request: {choices: 3}}
    network: {latency: 1ms, cross_zone: 2ms, loss: 1%}
    fallback: {on: [circuit_open], latency: 1ms}
"""
    )
    row = plan.policies[plan.names.policies.index("p")]
    values = plan.policiesF[plan.names.policies.index("p")]
    assert (row[t.P_PROPAGATE], row[t.P_CANCEL], row[t.P_MAX_ATTEMPTS]) == (1, 1, 4)
    assert row[t.P_RETRY_ON] == 1 << t.ERROR | 1 << t.LOST
    assert (row[t.P_BACKOFF], row[t.P_JITTER]) == (t.BACKOFF_EXPONENTIAL, t.JITTER_SHARE)
    assert values[:4].tolist() == [0.05, 3.0, 1.0, 0.2]
    assert (row[t.P_BUDGET], row[t.P_BUDGET_ON_SUCCESS]) == (t.BUDGET_BUCKET, 1)
    assert (row[t.P_HEDGE_MAX], row[t.P_HEDGE_CANCEL]) == (3, 1)
    assert plan.dist[row[t.P_HEDGE_DELAY], t.D_CONST] == 20_000_000
    assert (row[t.P_BREAKER_TIME], row[t.P_BREAKER_SLOW]) == (10_000_000_000, 2_000_000_000)
    assert row[t.P_WINDOW_LEN] == 30
    assert (row[t.P_RATE_INTERVAL], row[t.P_RATE_BURST]) == (10_000_000, 20)
    assert (row[t.P_BALANCER], row[t.P_CHOICES]) == (t.BALANCE_LEAST_REQUEST, 3)
    assert (row[t.P_CROSS_ZONE], values[t.PF_LOSS]) == (2_000_000, 0.01)
    assert row[t.P_FALLBACK_ON] == 1 << t.CIRCUIT_OPEN
    assert plan.scopes[-1, t.K_TOKENS] == 5_000_000


def test_a_cross_zone_latency_must_be_constant():
    policy = CallPolicy(network=Network(cross_zone=Exponential(mean=1_000_000)))
    web = Service(operations={"a": Operation(steps=(Call(target="db.get", policy=policy),))})
    services = {"web": web, "db": Service(operations={"get": Operation(steps=())})}
    with pytest.raises(PlanError, match="constant duration"):
        lower(Scenario(time=Time(duration="1s"), services=services))


@pytest.mark.parametrize("time", [1, 999, 10**9, 10**10 - 1, 10**10, 10**10 + 1, 59 * 10**9, 10**12, 2**60])
def test_windows_take_as_much_room_as_the_laws_say(time):
    from sysim.semantics.windows import breaker_words

    policies = np.zeros((3, t.N_P), dtype=np.int64)
    policies[:2, t.P_BREAKER] = 1
    policies[0, t.P_BREAKER_TIME] = time
    policies[1, t.P_BREAKER_CALLS] = 77
    assert ring_length(1, 0, time, False) == breaker_words(policies, 0)
    assert ring_length(1, 77, 0, False) == breaker_words(policies, 1)
    assert ring_length(0, 0, 0, False) == breaker_words(policies, 2)
    assert ring_length(1, 77, 0, True) == 77 + 40

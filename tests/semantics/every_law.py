"""A script that calls every law often and writes down what it returns and what it leaves in its tables.

Run as a program it prints the lines; `test_interpreted.py` compares a compiled with an interpreted run.
"""

from __future__ import annotations

import hashlib
import itertools
from collections.abc import Iterator

import numpy as np

from sysim.plan import tables as t
from sysim.semantics import (
    arrivals,
    autoscaler,
    backoff,
    balancer,
    budget,
    causes,
    circuit_breaker,
    conditions,
    digest,
    disturbance,
    rate_limit,
    rng,
    rollout,
    rounding,
    sampling,
    scopes,
    sharing,
    stays,
    windows,
    worktime,
)
from tests.semantics.rows import SECOND, Scope
from tests.semantics.test_sampling import ALL

FLOATS = [
    0.0,
    1e-12,
    0.3,
    0.5,
    1.0,
    1.0 / 3.0,
    2.5,
    20.0,
    1e9,
    2.3e18,
    1e25,
    -1.0,
    float("nan"),
    float("inf"),
]
TIMES = [0, 1, 999_999_999, SECOND, 12_345_678_901, 2**53 + 1, 2**60, 2**61]
KEYS = [0, 1, -1, 2**62 + 12345, -(2**63), 2**63 - 1, 987654321987654321]


def show(value) -> str:
    """Every bit of a number."""
    if value is None:
        return "-"
    return float(value).hex() if isinstance(value, float | np.floating) else str(int(value))


def table(array) -> str:
    return hashlib.sha256(np.ascontiguousarray(array).tobytes()).hexdigest()[:16]


def plain() -> Iterator[tuple[str, object]]:
    """Laws without tables."""
    for key, i in itertools.product(KEYS, (0, 1, 64, 1024 + 640)):
        yield "rng.scramble", rng.scramble(key ^ i)
        yield "rng.bits", rng.bits(key, i)
        yield "rng.uniform", rng.uniform(key, i)
        yield "rng.derive", rng.derive(key, i)
        yield "digest.note", digest.note(i % 8, key, i)
        yield "digest.chain", digest.chain(key, TIMES[i % 8], (15 << 58) + i, key)
        yield "arrivals.exponential", arrivals.exponential(key, i)
    for x in FLOATS:
        yield "rounding.nearest", rounding.nearest(x)
        yield "rounding.ceiling", rounding.ceiling(x)
        yield "sampling.to_ns", sampling.to_ns(x)
    for kind, x, y in itertools.product(range(len(t.FAULTS)), FLOATS[:9], FLOATS[:9]):
        yield "disturbance.stands_still", disturbance.stands_still(kind, x)
        yield "disturbance.slowed", disturbance.slowed(y, kind, x)
        yield "disturbance.shrunk", disturbance.shrunk(y, kind, x)
        yield "disturbance.kept", disturbance.kept(y, kind, x)
        yield "disturbance.struck", disturbance.struck(min(x, 1.0), 7 + kind)
    for i, mean in itertools.product(range(100), (1.0, 1.001, 2.0, 17.5, 1e6)):
        yield "arrivals.batch_size", arrivals.batch_size(rng.derive(31, i), i % 3, mean)
    for i in range(400):
        yield "sampling.normal_quantile", sampling.normal_quantile(rng.uniform(3, i))
    for ns, x in itertools.product(TIMES, FLOATS):
        yield "worktime.scaled", worktime.scaled(ns, x)
        yield "worktime.with_concurrency", worktime.with_concurrency(ns, x, 7)
        yield "sharing.advance", sharing.advance(5, ns, x)
        yield "sharing.due_in", sharing.due_in(5, ns, x)
        if 0.0 <= x < 1e15:
            yield "sharing.in_use", sharing.in_use(x, ns)
        if x > 0.0:
            yield "worktime.rescaled", worktime.rescaled(ns, 1.7, x)
            yield "worktime.rescaled", worktime.rescaled(ns, x, 1.7)
            yield "sharing.rate", sharing.rate(2.5, ns, x)
    for mechanism, circumstances, site, n in itertools.product((0, 5, 14), (0, 2, 7), (-1, 0, 11), (12, 40_000)):
        first = causes.cause(mechanism, circumstances, site, n)
        yield "causes.cause", first
        yield "causes.through_breaker", causes.through_breaker(first, max(site, 0), n)
        if first:
            yield "causes.with_circumstance", causes.with_circumstance(first, causes.BEHIND, n)
        yield "causes.failure", causes.failure(mechanism, circumstances, first, 14, causes.causes(n))
        yield "causes.causes", causes.causes(n)
        yield "causes.mechanism_of", causes.mechanism_of(mechanism)
        yield "causes.has_cause", causes.has_cause(mechanism)
        yield "causes.known_to_visit", causes.known_to_visit(mechanism)
    for window in (1, 19, SECOND, 9_999_999_999, 10 * SECOND, 12 * SECOND + 1, 601 * SECOND, 86400 * SECOND):
        yield "windows.breaker_slots", windows.breaker_slots(window)
        yield "windows.breaker_width", windows.breaker_width(window)
        yield "windows.budget_width", windows.budget_width(window)


def draws() -> Iterator[tuple[str, object]]:
    """Distributions, arrivals and back-offs."""
    for d in range(len(ALL[0])):
        for i in range(150):
            yield f"sampling.sample {d}", sampling.sample(*ALL, d, rng.derive(5, i), 64)
    rates = np.array(
        [[0, 3.0, 0.5, 0], [4, 5.0, -1.25, 16], [8, 0, 0, 26], [9, 1.5, 0, 26], [20, 0, 0, 42.5]], np.float64
    )
    row = 0
    for n in range(60):
        row = arrivals.seek(rates, 0, 5, row, n * 0.75)
        yield "arrivals.seek", row
        yield "arrivals.instant", arrivals.instant(rates, 0, 5, row, n * 0.75)
    progress = np.zeros((2, t.N_LT))
    yield "arrivals.first_state", arrivals.first_state(rates, 1, 3, progress, 1, 77)
    for _ in range(50):
        progress[1, t.LT_TARGET] += 0.75
        yield "arrivals.modulated_instant", arrivals.modulated_instant(rates, 1, 3, progress, 1, 77, 500 * SECOND)
        yield from (("arrivals.modulated", value) for value in progress[1])
    for kind, jitter, multiplier in itertools.product(range(3), range(5), (0.5, 1.0, 1.7)):
        ints, floats = np.zeros((1, t.N_P), np.int64), np.zeros((1, t.N_PF), np.float64)
        ints[0, [t.P_BACKOFF, t.P_JITTER]] = kind, jitter
        floats[0, : t.PF_JITTER_SHARE + 1] = 0.05, multiplier, 1.3, 0.3
        previous = 0
        for tries in range(1, 12):
            previous = backoff.delay(ints, floats, 0, tries, previous, rng.uniform(8, tries))
            yield "backoff.delay", previous


def policies() -> Iterator[tuple[str, object]]:
    """Long histories of policy state."""
    variants = [
        {},
        {t.P_BREAKER: 1, t.P_BREAKER_CALLS: 20, t.P_BREAKER_HALF_OPEN: 3},
        {t.P_BREAKER: 1, t.P_BREAKER_TIME: 2 * SECOND, t.P_BREAKER_HALF_OPEN: 2, t.P_BUDGET: t.BUDGET_BUCKET},
        {t.P_BREAKER: 1, t.P_BREAKER_TIME: 15 * SECOND, t.P_BREAKER_HALF_OPEN: 1, t.P_BUDGET: t.BUDGET_RATIO},
        {
            t.P_BUDGET: t.BUDGET_BUCKET,
            t.P_BUDGET_ON_SUCCESS: 1,
            t.P_RATE_INTERVAL: SECOND // 9,
            t.P_RATE_BURST: 4,
        },
    ]
    floats = {
        t.PF_BREAKER_FAILURES: 0.5,
        t.PF_BREAKER_SLOW: 0.4,
        t.PF_BUDGET_RATIO: 0.13,
        t.PF_BUDGET_MIN: 0.3,
    }
    floats |= {t.PF_BUCKET_TOKENS: 3.3, t.PF_BUCKET_DEPOSIT: 0.1, t.PF_BUCKET_COST: 0.7}
    for number, variant in enumerate(variants):
        common = {t.P_BREAKER_MINIMUM: 5, t.P_BREAKER_SLOW: SECOND, t.P_BREAKER_OPEN_FOR: SECOND}
        yield from history(Scope(common | {t.P_BUDGET_WINDOW: 3 * SECOND} | variant, floats), number)


def history(s, number) -> Iterator[tuple[str, object]]:
    arguments = (s.scope, 0, s.ring, s.policies, s.policies_f, 0)
    now, key = 0, rng.derive(21, number)
    yield "windows.breaker_words", windows.breaker_words(s.policies, 0)
    for i in range(600):
        now += int(arrivals.exponential(key, i) * 2e8)
        yield "budget.tried", budget.tried(*arguments, now)
        yield "rate_limit.acquire", rate_limit.acquire(s.scope, 0, s.policies, 0, now)
        admitted = circuit_breaker.acquire(s.scope, 0, s.policies, 0, now)
        yield "circuit_breaker.acquire", admitted
        dice = rng.uniform(key, 1000 + i)
        if admitted and dice < 0.1:
            yield "circuit_breaker.release", circuit_breaker.release(s.scope, 0)
        elif admitted:
            failed, duration = dice < 0.3 + 0.3 * (i // 100 % 2), int(dice * 1.5e9)
            yield "circuit_breaker.record", circuit_breaker.record(*arguments, now, failed, duration)
            yield "budget.succeeded", budget.succeeded(*arguments, now)
        yield "budget.allow", budget.allow(*arguments, now)
        if i % 50 == 49:
            yield "tables " + table(s.scope) + table(s.ring), 0
    yield "circuit_breaker.reset", circuit_breaker.reset(*arguments, now)
    yield "budget.reset", budget.reset(*arguments, now)
    yield "rate_limit.reset", rate_limit.reset(s.scope, 0)
    yield "tables " + table(s.scope) + table(s.ring), 0


def choices() -> Iterator[tuple[str, object]]:
    """Balancers."""
    for how, n, out in itertools.product(range(4), (1, 2, 5, 70), (-1, 1)):
        s = Scope({t.P_BALANCER: how, t.P_CHOICES: 3})
        s.scope[0, [t.K_OUT, t.K_KEY]] = out, 77
        outstanding = np.array([i * 7 % 3 for i in range(n + 1)], np.int64)
        up = np.array([1, *(int(rng.uniform(how, i) < 0.8) for i in range(n)), 1], np.int64)
        yield "balancer.reset", balancer.reset(s.scope, 0, n)
        for i in range(40):
            tried = int(rng.bits(4, i)) & int(rng.bits(5, i)) & (2**62 - 1) if i % 3 else 0
            key = rng.derive(6, i)
            yield "balancer.pick", balancer.pick(s.scope, 0, s.policies, 0, up, 1, n, outstanding, tried, key)
        yield "tables " + table(s.scope), 0
        yield "scopes.reset", scopes.reset(s.scope, 0, s.ring, s.policies, s.policies_f, 0, 9, n, n, outstanding)
        yield "tables " + table(s.scope) + table(outstanding), 0


def looks() -> Iterator[tuple[str, object]]:
    """Conditions, and how long they have held."""
    for comparison, x, y in itertools.product(range(6), FLOATS, FLOATS):
        yield "conditions.holds", conditions.holds(comparison, x, y)
    state = np.zeros((2, t.N_AS), np.int64)
    state[:, t.AS_SINCE] = t.NEVER
    for i in range(200):
        true = rng.uniform(8, i) < 0.8
        yield "conditions.lasting", conditions.lasting(state, i % 2, i * SECOND, i // 50 * SECOND, true)
    yield "tables " + table(state), 0


def scaling() -> Iterator[tuple[str, object]]:
    ring = np.full(12, 5, np.int64)
    for i in range(300):
        load, target, ready, tolerance = (rng.uniform(21, 4 * i + k) for k in range(4))
        wanted = 1 + i % 9
        count = autoscaler.recommended(wanted, 9.0 * ready, 2.0 * load, target, 0.3 * tolerance)
        yield "autoscaler.recommended", count
        yield "autoscaler.held", autoscaler.held(ring, 4, 1 + i % 8, i, wanted, count)
        yield "autoscaler.limited", autoscaler.limited(wanted, count, 2.0 * target)
        yield "autoscaler.within", autoscaler.within(count, 2, 2 + i % 5)
    yield "tables " + table(ring), 0
    for desired, count, share in itertools.product((1, 3, 10, 12), (0, 2), (-1.0, 0.0, 0.25, 0.3, 1.0)):
        surges = rollout.surge(desired, count, share)
        missing = rollout.unavailable(desired, count, share, surges)
        yield "rollout.surge", surges
        yield "rollout.unavailable", missing
        yield "rollout.may_start", rollout.may_start(desired, 1, desired, surges)
        yield "rollout.may_drop_unready", rollout.may_drop_unready(desired, desired + count, count, missing)
        yield "rollout.may_drop", rollout.may_drop(desired, desired + count, missing)


def coming_and_going() -> Iterator[tuple[str, object]]:
    rows = np.array([[3, 10, 1], [12, 20, 2], [30, t.NEVER, t.NONE], [t.NEVER, t.NEVER, t.NONE]], dtype=np.int64)
    for stay, now, pause in itertools.product((t.NONE, 0, 1, 2, 3), range(0, 40, 3), (0, 1, 7)):
        found = stays.stay_at(rows, stay, now)
        yield "stays.stay_at", found
        yield "stays.stays_until", stays.stays_until(rows, found, now, now + pause)
        yield "stays.next_stay", stays.next_stay(rows, found, now)


def transcript() -> list[str]:
    with rng.wrapping():
        steps = itertools.chain(plain(), draws(), policies(), choices(), looks(), scaling(), coming_and_going())
        return [f"{name} {show(value)}" for name, value in steps]


if __name__ == "__main__":
    print("\n".join(transcript()))

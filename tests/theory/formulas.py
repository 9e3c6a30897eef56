"""Closed forms of queueing theory, so that the tests can leave the rows of the printed tables.

Mean service time 1/mu; `W` is the sojourn time, `Wq` the waiting time, `L` and `Lq` the numbers in system
and queue.
"""

from __future__ import annotations

import math


def erlang_b(servers: int, offered: float) -> float:
    """Share of blocked requests in M/G/c/c."""
    blocked = 1.0
    for k in range(1, servers + 1):
        blocked = offered * blocked / (k + offered * blocked)
    return blocked


def erlang_c(servers: int, offered: float) -> float:
    """Probability of waiting in M/M/c."""
    b = erlang_b(servers, offered)
    return b / (1.0 - (offered / servers) * (1.0 - b))


def pollaczek_khinchine(lam: float, mean: float, second: float) -> float:
    """Mean wait in M/G/1 from the first two moments of service."""
    return lam * second / (2.0 * (1.0 - lam * mean))


def bounded(lam: float, mu: float, servers: int, capacity: int) -> dict[str, float]:
    """M/M/c/K: `block`, `goodput`, `L`, `W` of those accepted, `Lq`, `Wq`, `util`."""
    weights = [1.0]
    for n in range(1, capacity + 1):
        weights.append(weights[-1] * lam / (mu * min(n, servers)))
    whole = math.fsum(weights)
    p = [weight / whole for weight in weights]
    goodput = lam * (1.0 - p[-1])
    in_system = math.fsum(n * share for n, share in enumerate(p))
    waiting = math.fsum((n - servers) * share for n, share in enumerate(p) if n > servers)
    return {
        "block": p[-1], "goodput": goodput, "L": in_system, "W": in_system / goodput,
        "Lq": waiting, "Wq": waiting / goodput, "util": goodput / (mu * servers),
    }  # fmt: skip


def power_of_d(d: int, rho: float) -> float:
    """Mean sojourn (work of mean 1) when a request joins the shortest of d queues, of infinitely many."""
    total, i = 0.0, 1
    while True:
        exponent = (i - 1) if d == 1 else (d**i - d) / (d - 1)
        term = rho**exponent
        if term < 1e-15:
            return total
        total += term
        i += 1


def redundancy_d(servers: int, d: int, rho: float) -> float:
    """Mean sojourn with d copies at random servers, cancelled when the first is done (Gardner et al.)."""
    return math.fsum(
        1.0 / (servers * math.comb(servers - 1, d - 1) / math.comb(i - 1, d - 1) - servers * rho)
        for i in range(d, servers + 1)
    )


def hypoexponential_quantile(rates: list[float], share: float) -> float:
    """Quantile of a sum of independent exponentials, by bisection on its distribution."""
    low, high = 0.0, 100.0 * sum(1.0 / rate for rate in rates)
    for _ in range(200):
        middle = (low + high) / 2
        if _sum_exceeds(rates, middle) > 1.0 - share:
            low = middle
        else:
            high = middle
    return (low + high) / 2


def _sum_exceeds(rates: list[float], x: float) -> float:
    """P(sum > x): one common rate (Erlang) or all rates different."""
    if len(set(rates)) == 1:
        r = rates[0]
        return math.exp(-r * x) * math.fsum((r * x) ** k / math.factorial(k) for k in range(len(rates)))
    total = 0.0
    for i, r in enumerate(rates):
        weight = math.prod(other / (other - r) for j, other in enumerate(rates) if j != i)
        total += weight * math.exp(-r * x)
    return total


def attempts(p: float, tries: int) -> float:
    """Mean attempts of a call that fails with probability p each time and may try so often."""
    return float(tries) if p == 1.0 else (1.0 - p**tries) / (1.0 - p)


def layered(p: float, layers: int, tries: int) -> tuple[float, float]:
    """Leaf calls a request, and its chance of failing, when every layer retries and only the leaf fails."""
    calls, failing = 1.0, p
    for _ in range(layers):
        calls *= attempts(failing, tries)
        failing = failing**tries
    return calls, failing


def repairman(users: int, think: float, service: float, servers: int) -> tuple[float, float]:
    """Throughput and response time of `users` who think and then queue at M/M/c, both exponential."""
    weights = [1.0]
    for n in range(1, users + 1):
        weights.append(weights[-1] * (users - n + 1) / think * service / min(n, servers))
    whole = math.fsum(weights)
    throughput = math.fsum(min(n, servers) / service * w for n, w in enumerate(weights)) / whole
    return throughput, users / throughput - think


def mean_value_analysis(users: int, think: float, demands: list[float]) -> tuple[float, float]:
    """Throughput and response time of a closed network of single servers."""
    queues = [0.0] * len(demands)
    throughput = response = 0.0
    for n in range(1, users + 1):
        each = [demand * (1.0 + queue) for demand, queue in zip(demands, queues, strict=True)]
        response = math.fsum(each)
        throughput = n / (think + response)
        queues = [throughput * r for r in each]
    return throughput, response


def breakdowns(lam: float, mu: float, f: float, r: float) -> float:
    """L of M/M/1 whose server fails at rate f at any time and is repaired at rate r (Avi-Itzhak and Naor)."""
    return lam * ((f + r) ** 2 + mu * f) / ((f + r) * (mu * r - lam * (f + r)))


def calls_to_trip(p: float, k: int) -> float:
    """Mean number of calls until k failures in a row."""
    return (1.0 - p**k) / ((1.0 - p) * p**k)

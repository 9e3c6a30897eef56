"""M/G/1, GI/M/1, processor sharing and LIFO: the shape of service and of arrivals matters by this much."""

from __future__ import annotations

from typing import Any

import pytest

from tests.theory.simulate import (
    H2,
    Node,
    erlang,
    exponential,
    lognormal,
    matches,
    poisson,
    runs,
    scenario,
    seconds,
    serves,
    values,
)

LONG = pytest.mark.long
LAWS: dict[str, Any] = {
    "D": "1s",
    "E2": erlang(1, 2),
    "M": exponential(1),
    "lognormal-1": lognormal(1, 1),
    "lognormal-4": lognormal(1, 2),
    "H2": H2,
}

# service, lam, horizon of each of 20 runs, Wq, VarWq FCFS, VarW FCFS, VarWq LIFO
TABLE = [
    ("D", 0.5, 50_000, 0.5, 0.583333333, 0.583333333, 1.41666667),
    ("D", 0.8, 80_000, 2, 5.33333333, 5.33333333, 42.6666667),
    ("E2", 0.8, 200_000, 3, 13, 13.5, 101),
    ("M", 0.8, 250_000, 4, 24, 25, 184),
    ("lognormal-1", 0.8, 300_000, 4, 26.6666667, 27.6666667, 197.333333),
    ("H2", 0.5, 200_000, 2.5, 26.25, 30.25, 58.75),
    ("lognormal-4", 0.5, 3_000_000, 2.5, 47.9166667, 51.9166667, 102.083333),
    ("H2", 0.8, 800_000, 8 / 0.8, 180, 184, 1300),
    ("lognormal-4", 0.8, 2_000_000, 10, 266.666667, 270.666667, 1733.33333),
    ("D", 0.9, 600_000, 4.5, 23.25, 23.25, 414.75),
    ("H2", 0.9, 3_000_000, 22.5, 686.25, 690.25, 11418.75),
]


def rows(table: list[tuple[Any, ...]], quick: set[int]) -> list[Any]:
    return [row if k in quick else pytest.param(*row, marks=LONG) for k, row in enumerate(table)]


def one_server(law: Any, lam: float, horizon: float, warmup: float = 2_000.0, **service: Any) -> str:
    return scenario(
        {"q": serves(law, concurrency=1, **service)},
        {"requests": poisson("q.serve", lam)},
        horizon + warmup,
        warmup,
    )


@pytest.mark.parametrize(
    ("law", "lam", "horizon", "wait", "var_wait", "var_sojourn", "var_lifo"), rows(TABLE, {0, 1, 5})
)
def test_pollaczek_khinchine(
    law: str, lam: float, horizon: float, wait: float, var_wait: float, var_sojourn: float, var_lifo: float
) -> None:
    matches(runs(one_server(LAWS[law], lam, horizon)), {
        "services.q.wait_s.mean": (wait, 0.02),
        "services.q.queue_mean": (lam * wait, 0.02),
        "loads.requests.latency_s.mean": (wait + 1, 0.02),
        "services.q.wait_s.variance": (var_wait, 0.08),
        "loads.requests.latency_s.variance": (var_sojourn, 0.08),
    })  # fmt: skip


@pytest.mark.parametrize(
    ("law", "lam", "horizon", "wait", "var_wait", "var_sojourn", "var_lifo"), rows(TABLE, {0})
)
def test_lifo_keeps_the_mean_and_blows_up_the_variance(
    law: str, lam: float, horizon: float, wait: float, var_wait: float, var_sojourn: float, var_lifo: float
) -> None:
    """E[Wq^2] is that of first come first served divided by 1 - rho."""
    text = one_server(LAWS[law], lam, horizon * (2 if horizon < 100_000 else 1), queue={"discipline": "lifo"})
    matches(runs(text), {
        "services.q.wait_s.mean": (wait, 0.02),
        "services.q.wait_s.variance": (var_lifo, 0.08),
    })  # fmt: skip


@LONG
def test_a_rare_slow_path() -> None:
    """1 % of requests take 100 ms instead of 1 ms: at 70 % load the mean is 31 times the mean service."""
    law = {"mixture": [{"weight": 99, "of": "1ms"}, {"weight": 1, "of": "100ms"}]}
    lam = 0.7 / 0.00199
    text = scenario({"q": serves(law, concurrency=1)}, {"requests": poisson("q.serve", lam)}, 3_020, 20)
    matches(runs(text), {
        "services.q.wait_s.mean": (0.0592068677, 0.02),
        "loads.requests.latency_s.mean": (0.0611968677, 0.02),
        "services.q.wait_s.variance": (7414.27116e-6, 0.08),
    })  # fmt: skip


@pytest.mark.parametrize(
    ("lam", "horizon", "p90", "p95", "p99", "p999"),
    [
        (0.5, 30_000, 1.51574484, 2.05063841, 3.33625596, 5.16838503),
        (0.8, 110_000, 5.0115115, 6.620325, 10.3558868, 15.7002682),
        pytest.param(0.9, 600_000, 10.782505, 14.1286738, 21.8982373, 33.0139697, marks=LONG),
    ],
)
def test_md1_waiting_quantiles(
    lam: float, horizon: float, p90: float, p95: float, p99: float, p999: float
) -> None:
    matches(runs(one_server("1s", lam, horizon)), {
        "services.q.wait_s.p90": (p90, 0.03),
        "services.q.wait_s.p95": (p95, 0.03),
        "services.q.wait_s.p99": (p99, 0.03),
        "services.q.wait_s.p999": (p999, 0.06),
    })  # fmt: skip


def renewal(law: Node | str, mean: float) -> tuple[Node, Node]:
    """A gate and a load that publishes to q after each time drawn from `law`: a renewal process of arrivals.

    The one user thinks for the time between arrivals, and its call returns at once.
    """
    gate = {"operations": {"pass": [{"publish": "q.serve"}]}}
    return gate, {"source": {"users": 1, "think": scaled(law, mean), "call": "gate.pass"}}


def scaled(law: Any, mean: float) -> Any:
    """The law with mean `mean` instead of 1."""
    if isinstance(law, str):
        return seconds(mean)
    if "hyperexponential" in law:
        parts = law["hyperexponential"]
        return {
            "hyperexponential": [{**part, "mean": seconds(mean * float(part["mean"][:-1]))} for part in parts]
        }
    if "erlang" in law:
        return erlang(mean, law["erlang"]["k"])
    return exponential(mean)


# arrivals, lam, horizon, Wq, W, T p99, Kingman
GIM1 = [
    ("D", 0.5, 40_000, 0.255000975, 1.25500097, 5.77949307, 0.5),
    ("E2", 0.5, 30_000, 0.618033989, 1.61803399, 7.45132188, 0.75),
    ("H2", 0.5, 60_000, 2.16227766, 3.16227766, 14.5628268, 2.5),
    ("D", 0.8, 120_000, 1.69273084, 2.69273084, 12.4004838, 2),
    ("E2", 0.8, 200_000, 2.84397977, 3.84397977, 17.702181, 3),
    ("H2", 0.8, 800_000, 9.81919277, 10.8191928, 49.824224, 10),
    ("D", 0.9, 600_000, 4.17865942, 5.17865942, 23.848608, 4.5),
    ("E2", 0.9, 1_000_000, 6.58828363, 7.58828363, 34.9453375, 6.75),
    ("H2", 0.9, 3_000_000, 22.4088576, 23.4088576, 107.801773, 22.5),
]


@pytest.mark.parametrize(
    ("law", "lam", "horizon", "wait", "sojourn", "p99", "kingman"), rows(GIM1, {0, 1, 2})
)
def test_burstiness_of_arrivals(
    law: str, lam: float, horizon: float, wait: float, sojourn: float, p99: float, kingman: float
) -> None:
    gate, load = renewal(LAWS[law], 1 / lam)
    services = {"gate": gate, "q": serves(exponential(1), concurrency=1)}
    found = runs(scenario(services, load, horizon + 2_000, 2_000))
    matches(found, {
        "services.q.wait_s.mean": (wait, 0.02),
        "services.q.sojourn_s.mean": (sojourn, 0.015),
        "services.q.sojourn_s.p99": (p99, 0.03),
    })  # fmt: skip
    waits = values(found, "services.q.wait_s.mean")
    assert sum(waits) / len(waits) < kingman * 1.01


def test_even_arrivals_are_the_deterministic_renewal_process() -> None:
    services = {"q": serves(exponential(1), concurrency=1)}
    load = {"requests": poisson("q.serve", 0.8, arrivals="evenly")}
    matches(runs(scenario(services, load, 62_000, 2_000)), {
        "services.q.wait_s.mean": (1.69273084, 0.02),
        "loads.requests.latency_s.p99": (12.4004838, 0.03),
    })  # fmt: skip


@pytest.mark.parametrize(
    ("law", "rho", "horizon"),
    [
        ("M", 0.5, 40_000),
        ("lognormal-4", 0.5, 60_000),
        pytest.param("M", 0.8, 400_000, marks=LONG),
        pytest.param("lognormal-4", 0.8, 1_000_000, marks=LONG),
        pytest.param("M", 0.9, 1_500_000, marks=LONG),
    ],
)
def test_processor_sharing(law: str, rho: float, horizon: float) -> None:
    """The mean is 1/(1 - rho) whatever the service law; the variance is known for the exponential one."""
    text = scenario(
        {"q": serves(LAWS[law], cores=1)}, {"requests": poisson("q.serve", rho)}, horizon + 2_000, 2_000
    )
    expected = {
        "loads.requests.latency_s.mean": (1 / (1 - rho), 0.02),
        "services.q.in_system_mean": (rho / (1 - rho), 0.02),
        "services.q.cpu_utilisation": (rho, 0.01),
    }
    if law == "M":
        variance = (2 + rho) / ((2 - rho) * (1 - rho) ** 2)
        expected["loads.requests.latency_s.variance"] = (variance, 0.08)
    matches(runs(text), expected)  # type: ignore[arg-type]


def test_processor_sharing_is_fair_to_every_size() -> None:
    """E[W | x] = x/(1 - rho): half and double requests are slowed down alike."""
    operations = {"half": [{"work": "0.5s"}], "double": [{"work": "2s"}]}
    load = {"half": poisson("q.half", 0.6), "double": poisson("q.double", 0.2)}
    text = scenario({"q": {"cores": 1, "operations": operations}}, load, 52_000, 2_000)
    matches(runs(text), {
        "loads.half.latency_s.mean": (0.5 / 0.3, 0.02),
        "loads.double.latency_s.mean": (2 / 0.3, 0.02),
    })  # fmt: skip


def test_several_cores_with_enough_workers_are_a_pool() -> None:
    """Exponential work on c shared cores has the number in system of M/M/c."""
    text = scenario(
        {"q": serves(exponential(1), cores=4)}, {"requests": poisson("q.serve", 3.2)}, 26_000, 1_000
    )
    matches(runs(text), {
        "services.q.in_system_mean": (3.2 * (1 + 0.596437 / 0.8), 0.015),
        "services.q.cpu_utilisation": (0.8, 0.01),
    })  # fmt: skip

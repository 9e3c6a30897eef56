"""Sweeps: the same result wherever they run, and right where the answer is known."""

from __future__ import annotations

import json
import math
import pickle
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from typing import Any

import pytest

import sysim
from sysim import api, running, sweeping
from sysim.errors import ScenarioError, SysimError
from sysim.report.sweep import sweep_dict, sweep_text
from sysim.study.effects import effects, sobol_of
from sysim.study.swept import Swept
from sysim.sweeping.jobs import Job, Points, carry_out
from sysim.sweeping.reading import ready

QUEUE = """
sysim: 1
name: queue
time: {duration: 20s, warmup: 2s, bucket: 1s}
services: {desk: {concurrency: 1, cost: 3 GBP/h, operations: {ask: [{work: {exponential: 10ms}}]}}}
load: {people: {call: desk.ask, rate: 50/s, value: 2 GBP, policy: {timeout: 1s}}}
windows: {late: 10s..20s}
variants: {baseline: null, patient: {load.people.policy.timeout: 5s}}
checks:
  - p99(people) < 60ms
  - success(people) during late >= 99%
  - p99(people) < variant patient
"""
RATES = {"load.people.rate": "20/s..80/s/3"}
GRID = RATES | {"services.desk.replicas": "1..2"}


def sweep(vary: Any = GRID, text: str = QUEUE, **options: Any) -> Swept:
    return sysim.sweep(sysim.loads(text), vary, **{"engine": "compiled", "replications": 2, **options})


def told(found: Swept) -> str:
    return json.dumps(sweep_dict(found), allow_nan=False)


def test_points_are_the_scenario_with_its_values_set() -> None:
    found = sweep()
    assert [one.state for one in found.points] == ["complete"] * 6
    for one in found.points:
        alone = sysim.simulate(sysim.loads(QUEUE).with_(one.point.values), replications=2)
        assert list(one.values[1]) == alone.metric("p99", "people")
        assert [v.to_dict() for v in one.verdicts] == [
            v.to_dict() | {"variant": "baseline"} for v in alone.checks if "variant" not in v.check
        ]
    texts = [measure.text for measure in found.measures]
    assert texts == ["success(people)", "p99(people)", "goodput(people)", "value_lost(people)", "cost"]
    assert [measure.unit for measure in found.measures] == ["share", "seconds", "per_second", "money", "money"]
    assert found.left_out == ("p99(people) < variant patient",)


def test_all_points_meet_the_same_customers_unless_they_are_independent() -> None:
    vary = {"services.desk.replicas": "1..3"}
    common = sweep(vary, measures=["offered(people)"])
    assert len({one.values for one in common.points}) == 1
    own = sweep(vary, measures=["offered(people)"], independent=True)
    assert len({one.values for one in own.points}) == 3 == len({one.seed for one in own.points})
    assert told(own) == told(sweep(vary, measures=["offered(people)"], independent=True, workers=3))
    assert '"independent"' in told(own) and "random numbers of its own" in sweep_text(own)


def test_measures_in_the_words_of_checks() -> None:
    texts = [
        "p99(people) during late", "utilisation(desk)", "sent(people -> desk)", "cost during late", "cost(desk)",
        "goodput_per_s(people)", "timeout(people)", "recovers(people)",
    ]  # fmt: skip
    found = sweep({"load.people.rate": "30/s,90/s"}, measures=texts)
    assert [measure.unit for measure in found.measures] == [
        "seconds", "share", "number", "money", "money", "per_second", "number", "seconds",
    ]  # fmt: skip
    result = sysim.simulate(sysim.loads(QUEUE).with_({"load.people.rate": "90/s"}), replications=2)
    values = found.points[1].values
    assert list(values[0]) == result.metric("p99", "people", "late")
    assert list(values[1]) == result.metric("utilisation", "desk")
    assert list(values[3]) == result.metric("cost", "desk", "late") == pytest.approx([10 * 3 / 3600] * 2)
    assert found.points[0].measured[7] is None, "nothing breaks, so nothing recovers"


# --- wherever it runs ----------------------------------------------------------------------------------------------


@pytest.fixture(scope="module")
def plain() -> str:
    return told(sweep())


@pytest.mark.parametrize("workers", [2, 5])
def test_threads(plain: str, workers: int) -> None:
    assert told(sweep(workers=workers)) == plain


def test_processes(plain: str) -> None:
    assert told(sweep(workers=2, executor="processes", engine="reference")) == plain


def test_an_executor_of_the_user(plain: str) -> None:
    with ThreadPoolExecutor(2) as executor:
        assert told(sweep(executor=executor)) == plain
        assert executor.submit(int).result() == 0, "it is left open"


class Backwards(ThreadPoolExecutor):
    """Answers in the reverse order of the questions, as far as it can."""

    def __init__(self) -> None:
        super().__init__(1)
        self.kept: list[Any] = []

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        future: Any = _Late(lambda: fn(*args, **kwargs))
        self.kept.append(future)
        if len(self.kept) == 12:
            for late in reversed(self.kept):
                late.run()
        return future


class _Late:
    def __init__(self, action: Callable[[], Any]) -> None:
        self.action, self.callbacks, self.value = action, [], None  # type: ignore[var-annotated]

    def run(self) -> None:
        self.value = self.action()
        for callback in self.callbacks:
            callback(self)
        self.callbacks = None  # type: ignore[assignment]

    def add_done_callback(self, callback: Callable[[Any], None]) -> None:
        if self.callbacks is None:
            callback(self)
        else:
            self.callbacks.append(callback)

    def result(self) -> Any:
        return self.value

    def cancel(self) -> bool:
        return True


def test_the_order_of_completion_does_not_matter(plain: str) -> None:
    executor = Backwards()
    assert told(sweep(executor=executor)) == plain
    assert len(executor.kept) == 12


def test_both_engines_give_the_same(plain: str) -> None:
    assert told(sweep(engine="reference")) == plain


def test_what_is_sent_is_small_and_plain() -> None:
    there = ready(sysim.loads(QUEUE), sweep(replications=1).design, 1, False)
    job = Points(there, "compiled").job(0, 3)
    sent = pickle.dumps(job)
    assert len(sent) < 3_000 and b"numpy" not in sent and b"Plan" not in sent
    assert {type(value) for value in vars(job).values()} == {int, str, bytes}
    (content, series), failure = carry_out(pickle.loads(sent)) or (None, "")  # type: ignore[misc]
    assert failure == "" and isinstance(content, bytes) and series.loads == {}


def test_another_sysim_is_told_apart() -> None:
    there = ready(sysim.loads(QUEUE), sweep(replications=1).design, 1, False)[0]
    found, why = carry_out(Job(0, 0, 1, "compiled", there.scenario, "another"))
    assert found is None and "another version" in why


def test_progress_ends_at_one_and_never_goes_back() -> None:
    seen: list[float] = []
    sweep(progress=seen.append)
    assert seen == sorted(seen) and seen[-1] == 1.0 and len(seen) >= 12


# --- what is right -------------------------------------------------------------------------------------------------


def test_the_sojourn_of_a_queue() -> None:
    """M/M/1: the mean is 1 / (mu - lambda); at 99.9 % each interval holds it."""
    text = QUEUE.replace("duration: 20s, warmup: 2s", "duration: 400s, warmup: 50s")
    text = text.replace("timeout: 1s", "timeout: 60s").replace("late: 10s..20s", "late: 100s..400s")
    found = sweep(
        {"load.people.rate": "20/s..80/s/4"}, text,
        measures=["mean(people)"], replications=10, confidence=0.999, workers=2,
    )  # fmt: skip
    for one, rate in zip(found.points, (20, 40, 60, 80), strict=True):
        known = one.measured[0]
        assert known is not None and known.low is not None and known.high is not None
        assert known.low < 1 / (100 - rate) < known.high


def test_sobol_indices_of_a_simulated_utilisation() -> None:
    """Utilisation is rate x work: V = E[r²] E[w²] - E[r]² E[w]², of which r alone makes V(r) E[w]²."""
    text = QUEUE.replace("{exponential: 10ms}", "10ms")
    vary = {"load.people.rate": "20/s..60/s", "services.desk.operations.ask.0.work": "2ms..12ms"}
    found = sweep(vary, text, sobol=64, measures=["utilisation(desk)"], replications=1, workers=2)
    got = sobol_of(found, 0)
    assert got is not None and len(found.points) == 256
    rate, work = (40, 40**2 / 12), (7e-3, (10e-3) ** 2 / 12)
    alone = rate[1] * work[0] ** 2, work[1] * rate[0] ** 2
    variance = sum(alone) + rate[1] * work[1]
    assert got.mean == pytest.approx(0.28, abs=0.01) and got.variance == pytest.approx(variance, rel=0.1)
    for one, exactly in zip(got.factors, alone, strict=True):
        assert one.first == pytest.approx(exactly / variance, abs=0.04)
        assert one.total == pytest.approx((exactly + rate[1] * work[1]) / variance, abs=0.04)
    assert "alone makes" in sweep_text(found)
    assert "cannot be told from 8 base points" in sweep_text(
        sweep(vary, text, sobol=8, measures=["utilisation(desk)"], replications=1)
    )


def test_effects_of_a_grid_are_means_over_the_others() -> None:
    found = sweep(measures=["utilisation(desk)"])
    got = effects(found, 0)
    assert got is not None and got.way == "levels"
    means = {tuple(p.point.values.values()): mean for p, mean in zip(found.points, found.means(0), strict=True)}
    first = got.factors[0]
    assert first.path == "load.people.rate" and first.at == ("20/s", "80/s")
    assert first.ends[0] == pytest.approx(sum(means["20/s", n] or 0 for n in (1, 2)) / 2)
    assert got.base == pytest.approx(math.fsum(x or 0 for x in means.values()) / 6)


def test_one_at_a_time_is_beside_the_file() -> None:
    found = sweep(one_at_a_time=True, measures=["p99(people)"])
    assert [len(one.point.values) for one in found.points] == [0, 1, 1, 1, 1, 1]
    got = effects(found, 0)
    assert got is not None and got.way == "one at a time" and got.base == found.means(0)[0]
    rate = next(one for one in got.factors if one.path == "load.people.rate")
    assert rate.at == ("20/s", "80/s") and rate.ends[0] < got.base < rate.ends[1]
    replicas = next(one for one in got.factors if one.path == "services.desk.replicas")
    assert replicas.ends[1] == got.base, "one replica is what the file has"


@pytest.mark.parametrize("way", ["random", "lhs"])
def test_drawn_points(way: str) -> None:
    vary = {"load.people.rate": "20/s..80/s", "services.desk.replicas": "1..2"}
    found = sweep(vary, **{way: 12}, measures=["p99(people)"])
    got = effects(found, 0)
    assert len(found.points) == 12 and got is not None and got.way == "quarters"
    assert told(found) == told(sweep(vary, **{way: 12}, measures=["p99(people)"], workers=3))


def test_points_of_a_list() -> None:
    rows = [{"load.people.rate": "20/s"}, {"load.people.rate": "80/s", "services.desk.replicas": 2}, {}]
    found = sweep((), points=rows)
    assert [dict(one.point.values) for one in found.points] == rows
    assert found.points[2].values == sweep({"seed": [1]}).points[0].values


# --- what is wrong -------------------------------------------------------------------------------------------------


def test_all_problems_are_told_before_anything_runs(monkeypatch: pytest.MonkeyPatch) -> None:
    def never(engine: str) -> Any:
        raise AssertionError("something runs")

    monkeypatch.setattr(running, "run_of", never)
    with pytest.raises(ScenarioError) as caught:
        sweep({"services.desk.replica": "1..2", "load.people.rate": ["20/s", "20", "80/s"]})
    lines = [problem.headline() for problem in caught.value.problems]
    assert lines == [
        "--vary services.desk.replica: unknown-path: services.desk.replica: found 'replica' in the path, expected a "
        "key of 'services.desk' (at all 6 points), did you mean 'replicas'?",
        "--vary load.people.rate: bad-rate: load.people.rate: found '20', expected a rate such as 400/s, 90/m or "
        "1.2k/s (at point 2 of 6: services.desk.replica = 1, load.people.rate = 20, and at 1 more), a rate needs a "
        "unit: write 20/s",
    ]
    with pytest.raises(ScenarioError) as caught:
        sweep(RATES, measures=["p98(people)", "success(nobody)", "p99(people) < 3s", "metastable(people)", "x"])
    assert [problem.code for problem in caught.value.problems] == [
        "unknown-metric", "unknown-subject", "bad-measure", "bad-measure", "bad-measure",
    ]  # fmt: skip


@pytest.mark.parametrize(
    ("options", "said"),
    [
        ({"random": 3, "lhs": 3}, "expected one way"), ({"points": [{}]}, "expected one of the two"),
        ({"sobol": 100}, "a power of two"), ({"replications": 0}, "at least 1"), ({"workers": 0}, "at least 1"),
        ({"engine": "fast"}, "expected one of"), ({"confidence": 1.0}, "less than 1"), ({"seed": -1}, "whole number"),
        ({"resume": True}, "no store"), ({"vary": ()}, "nothing to vary"),
    ],
)  # fmt: skip
def test_questions_that_make_no_sense(options: dict[str, Any], said: str) -> None:
    with pytest.raises((SysimError, ValueError), match=said):
        sweep(options.pop("vary", GRID), **options)


def test_prices_in_two_currencies_are_not_added() -> None:
    text = QUEUE.replace("services: {", "services: {other: {cost: 1 USD/h, operations: {o: [{work: 1ms}]}}, ")
    assert "cost" not in [measure.text for measure in sweep(RATES, text).measures]
    with pytest.raises(ScenarioError, match="prices in GBP and USD"):
        sweep(RATES, text, measures=["cost"])


def test_a_scenario_made_in_code_has_no_paths() -> None:
    with pytest.raises(ValueError, match="made in code"):
        sysim.sweep(api.from_model(sysim.loads(QUEUE).model), RATES)


@pytest.mark.parametrize("executor", ["threads", "user"])
def test_a_point_that_fails_is_recorded_and_the_rest_goes_on(monkeypatch: pytest.MonkeyPatch, executor: str) -> None:
    real = running.run_of

    def failing(engine: running.Engine) -> Callable[..., Any]:
        def one(plan: Any, **options: Any) -> Any:
            if int(plan.n_replicas) == 2 and options["replication"] == 1:
                raise sysim.SimulationError("time stands still")
            return real(engine)(plan, **options)

        return one

    monkeypatch.setattr(running, "run_of", failing)
    with ThreadPoolExecutor(1) as own:
        found = sweep(executor=own if executor == "user" else executor)
    states = [(one.point.values["services.desk.replicas"], one.state) for one in found.points]
    assert states == [(1, "complete"), (2, "failed")] * 3
    assert {one.failure for one in found.failed} == {"time stands still"}
    assert sweeping.exit_code(found) == 3 and "3 points could not be run" in sweep_text(found)
    assert found.means(0)[1] is None and json.loads(told(found))["points"][1]["failure"] == "time stands still"


def test_ctrl_c_keeps_what_was_finished() -> None:
    def stop(share: float) -> None:
        if share >= 0.4:
            raise KeyboardInterrupt

    # Progress is told by the thread that waits, too: what it raises there ends the sweep as Ctrl-C does.
    found = sweep(replications=1, progress=lambda share: stop(share) if _waiting() else None)
    assert found.interrupted and sweeping.exit_code(found) == 130
    states = [one.state for one in found.points]
    assert "complete" in states and "not run" in states
    assert "Interrupted:" in sweep_text(found) and json.loads(told(found))["interrupted"] is True
    whole = sweep(replications=1)
    for one, other in zip(found.points, whole.points, strict=True):
        assert one.state != "complete" or one == other


def _waiting() -> bool:
    import threading

    return threading.current_thread() is threading.main_thread()


def test_processes_of_the_user_need_nothing_else(plain: str) -> None:
    import multiprocessing

    with ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn")) as executor:
        assert told(sweep(executor=executor, engine="reference")) == plain

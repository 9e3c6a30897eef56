"""The public verbs from Python."""

from __future__ import annotations

from pathlib import Path

import pytest

import sysim
from sysim import model
from tests.cli.test_commands import STALL


def test_with_and_variants(tmp_path: Path) -> None:
    path = tmp_path / "stall.yaml"
    path.write_text(STALL)
    scenario = sysim.load(path)
    assert scenario.variants == ("baseline", "patient") and scenario.variant == "baseline"
    changed = scenario.with_({"load.web.rate": "80/s"})
    assert changed.digest != scenario.digest and changed.model.load["web"].rate.value == 80.0  # type: ignore[union-attr]
    assert sysim.simulate(scenario, variant="patient", engine="reference").variant == "patient"
    with pytest.raises(sysim.ScenarioError):
        scenario.with_({"load.web.rate": "80"})


def test_a_scenario_made_in_code() -> None:
    made = model.Scenario.model_validate(
        {
            "time": {"duration": "5s"},
            "services": {"s": {"operations": {"o": [{"kind": "work", "duration": "1ms"}]}}},
            "load": {"x": {"kind": "open", "call": "s.o", "rate": "20/s"}},
        }
    )
    result = sysim.simulate(made, engine="reference", seed=3)
    assert result.load().success == 1.0 and len(result.digest) == 64
    with pytest.raises(ValueError, match="no variants"):
        sysim.simulate(made, variant="x")


def test_workers_do_not_change_the_result() -> None:
    scenario = sysim.loads(STALL)
    alone, together = (
        sysim.simulate(scenario, replications=4, workers=n, engine="reference") for n in (1, 3)
    )
    assert [run.digest for run in alone.runs] == [run.digest for run in together.runs]
    assert alone.summary == together.summary and alone.checks == together.checks
    compiled = sysim.simulate(scenario, replications=4, workers=2)
    assert [run.digest for run in compiled.runs] == [run.digest for run in alone.runs]


def test_no_engine_stands_in_for_another() -> None:
    scenario = sysim.loads(STALL)
    with pytest.raises(sysim.UnsupportedByEngine):
        sysim.simulate(scenario, processes=[lambda ctx: None])
    with pytest.raises(sysim.UnsupportedByEngine):
        sysim.simulate(scenario, operations={"api.get": lambda ctx: None})
    with pytest.raises(ValueError, match="engine"):
        sysim.simulate(scenario, engine="fast")  # type: ignore[arg-type]
    for wrong in ({"replications": 0}, {"seed": -1}):
        with pytest.raises(ValueError, match="found"):
            sysim.simulate(scenario, **wrong)  # type: ignore[arg-type]


def test_progress_ends_at_one() -> None:
    shares: list[float] = []
    sysim.simulate(sysim.loads(STALL), replications=2, progress=shares.append, engine="reference")
    assert shares[-1] == 1.0 and shares == sorted(shares) and all(0 <= share <= 1 for share in shares)


def test_what_cannot_be_planned_is_a_scenario_error() -> None:
    with pytest.raises(sysim.ScenarioError):
        sysim.simulate(sysim.loads(STALL.replace("bucket: 1s", "bucket: 1us")), engine="reference")

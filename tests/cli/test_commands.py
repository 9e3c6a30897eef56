"""Commands through click's runner: output, exit codes, errors."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner, Result

from sysim.cli import cli

STALL = """
sysim: 1
name: stall
description: A short stall.
params: {limit: 50%}
time: {duration: 20s, bucket: 1s}
services: {api: {concurrency: 1, operations: {get: [{work: {exponential: 2ms}}]}}}
load: {web: {call: api.get, rate: 50/s, policy: {timeout: 100ms, retry: {max_attempts: 2}}}}
faults: [{name: stall, at: 5s, for: 1s, on: api, pause: true}]
windows: {before: ..5s, after: 10s..}
variants: {baseline: null, patient: {load.web.policy.timeout: 2s}}
checks:
  - success(web) >= $limit
  - {expect: success(web) == 100%, variants: [patient]}
"""


@pytest.fixture
def stall(tmp_path: Path) -> str:
    path = tmp_path / "stall.yaml"
    path.write_text(STALL)
    return str(path)


def sysim(*args: str) -> Result:
    return CliRunner().invoke(cli, list(args))


def test_run_prints_a_summary(stall: str) -> None:
    done = sysim("run", stall, "--engine", "reference")
    assert done.exit_code == 0, done.output
    for part in (
        "stall",
        "variant baseline",
        "What customers see",
        "Services",
        "Calls",
        "Checks",
        "✓ pass",
        "seed 1",
    ):
        assert part in done.stdout
    assert "\x1b" not in done.stdout and "again: sysim run" in done.stdout
    assert all(line == line.rstrip() for line in done.stdout.splitlines())


def test_run_json_is_one_object(stall: str) -> None:
    done = sysim("run", stall, "--engine", "reference", "--json", "--seed", "7", "-n", "2")
    facts = json.loads(done.stdout)
    assert [run["seed"] for run in facts["runs"]] == [7, 7] and facts["variant"] == "baseline"
    assert facts["runs"][0]["digest"] != facts["runs"][1]["digest"]
    assert "series" not in facts["runs"][0]
    series = json.loads(sysim("run", stall, "--engine", "reference", "--json", "--series").stdout)
    assert len(series["runs"][0]["series"]["t_s"]) == 20


def test_both_engines_print_the_same_but_their_name_and_time(stall: str) -> None:
    def neutral(engine: str) -> object:
        facts = json.loads(sysim("run", stall, "--json", "--series", "--engine", engine).stdout)
        assert facts.pop("engine") == engine
        for run in facts["runs"]:
            run.pop("wall_s")
        return facts

    assert neutral("compiled") == neutral("reference")


def test_variant_set_and_param(stall: str) -> None:
    options = ("--engine", "reference", "--json")
    patient = json.loads(sysim("run", stall, "--variant", "patient", *options).stdout)
    assert patient["variant"] == "patient" and len(patient["checks"]) == 2
    faster = json.loads(sysim("run", stall, "--set", "load.web.rate=100/s", *options).stdout)
    assert faster["scenario"]["digest"] != patient["scenario"]["digest"]
    assert sysim("run", stall, "--param", "limit=100%", "--engine", "reference", "-q").exit_code == 1


def test_quiet_prints_verdicts_only(stall: str) -> None:
    done = sysim("run", stall, "--engine", "reference", "-q")
    assert done.stdout.startswith("✓ pass") and len(done.stdout.splitlines()) == 1


def test_exit_code_3_when_it_cannot_be_told(stall: str) -> None:
    done = sysim("run", stall, "--engine", "reference", "-n", "3", "--param", "limit=93%", "--json")
    low, high = json.loads(done.stdout)["checks"][0]["interval"]
    middle = (low + high) / 2
    done = sysim("run", stall, "--engine", "reference", "-n", "3", "--param", f"limit={middle}", "-q")
    assert done.exit_code == 3 and "? inconclusive" in done.stdout


@pytest.mark.parametrize(
    ("args", "expected"),
    [
        (("--variant", "nope"), "unknown-variant"),
        (("--set", "load.web.rat=1/s"), "load.web.rat"),
        (("--set", "nonsense"), "path=value"),
        (("--param", "nope=1"), "unknown-param"),
        (("--engine", "fast"), "compiled"),
        (("-n", "0"), "0"),
    ],
)
def test_usage_mistakes_are_told_on_stderr(stall: str, args: tuple[str, ...], expected: str) -> None:
    done = sysim("run", stall, *args)
    assert done.exit_code == 2 and expected in done.stderr and not done.stdout
    assert "Traceback" not in done.output


def test_all_problems_of_a_file_at_once(tmp_path: Path) -> None:
    path = tmp_path / "bad.yaml"
    path.write_text(STALL.replace("rate: 50/s", "rate: 50").replace("for: 1s", "for: 1"))
    for command in ("run", "validate", "explain"):
        done = sysim(command, str(path))
        assert done.exit_code == 2 and done.stderr.count("bad.yaml:") == 2 and "2 problems" in done.stderr


def test_missing_files_and_names() -> None:
    for name in ("nowhere.yaml", "no_such_model"):
        done = sysim("validate", name)
        assert done.exit_code == 2 and name in done.stderr and "Traceback" not in done.output


def test_validate(stall: str) -> None:
    done = sysim("validate", stall)
    assert done.exit_code == 0 and "valid" in done.stdout


def test_explain(stall: str) -> None:
    done = sysim("explain", stall)
    assert done.exit_code == 0
    assert "10.0 % of its capacity" in done.stdout and "single point of failure" in done.stdout
    resolved = sysim("explain", stall, "--resolved", "--variant", "patient")
    assert "timeout: 2s" in resolved.stdout and resolved.stdout.startswith("sysim: 1")
    assert "programs" in sysim("explain", stall, "--plan").stdout


def test_schema_is_json() -> None:
    assert "properties" in json.loads(sysim("schema").stdout)


def test_models_lists_what_is_shipped() -> None:
    from sysim.shipped import library

    done = sysim("models")
    assert done.exit_code == 0
    for entry in library():
        assert entry.name in done.stdout


def test_version() -> None:
    import tomllib

    text = (Path(__file__).parents[2] / "pyproject.toml").read_text()
    assert sysim("--version").stdout.strip() == f"sysim, version {tomllib.loads(text)['project']['version']}"


def test_out_writes_files(stall: str, tmp_path: Path) -> None:
    out = tmp_path / "out"
    done = sysim("run", stall, "--engine", "reference", "--out", str(out), "-q")
    assert done.exit_code == 0, done.output
    names = {path.name for path in out.iterdir()}
    assert {
        "result.json",
        "series-loads.csv",
        "loads.csv",
        "timeline.png",
        "graph.svg",
        "latency.svg",
    } <= names
    facts = json.loads((out / "result.json").read_text())
    assert facts["runs"][0]["series"]["bucket_s"] == 1
    head, first, *_ = (out / "series-loads.csv").read_text().splitlines()
    assert head.startswith("name,t_s,offered,ok,degraded") and first.startswith("web,0.0,")


def test_a_folder_that_cannot_be_made_is_no_traceback(stall: str, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    done = sysim("run", stall, "--engine", "reference", "--out", str(tmp_path / "file" / "out"))
    assert done.exit_code == 2 and "Traceback" not in done.output


def test_ctrl_c_keeps_what_was_done(stall: str, monkeypatch: pytest.MonkeyPatch) -> None:
    import sysim.engine.reference.run as reference

    genuine, calls = reference.simulate, []

    def interrupted(*args: object, **options: object) -> object:
        calls.append(1)
        if len(calls) > 1:
            raise KeyboardInterrupt
        return genuine(*args, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(reference, "simulate", interrupted)
    done = sysim("run", stall, "--engine", "reference", "-n", "3", "--workers", "1", "--json")
    assert done.exit_code == 130
    facts = json.loads(done.stdout)
    assert facts["interrupted"] is True and len(facts["runs"]) == 1
    assert sysim("run", stall, "--engine", "reference").exit_code == 130


def test_other_variants_are_named(stall: str) -> None:
    done = sysim("run", stall, "--engine", "reference")
    assert "other variants: patient; --variant NAME" in done.output
    assert "other variants: baseline" in sysim("run", stall, "--engine", "reference", "--variant", "patient").output


def test_a_failing_check_says_what_was_found_and_for_which_variant_it_was_meant(tmp_path: Path) -> None:
    path = tmp_path / "stall.yaml"
    path.write_text(STALL + "  - {expect: metastable(web), variants: [baseline]}\n")
    done = sysim("run", str(path), "--engine", "reference", "-q")
    assert "✗ fail  metastable(web)  (is: recovered within one bucket (1 s), expected for baseline" in done.output


def test_problems_of_settings_have_no_line(stall: str) -> None:
    settings = ("--set", "services.api.outlier_detection={}", "--set", "services.api.concurrency=-1")
    done = sysim("validate", stall, *settings)
    assert done.exit_code == 2 and ":1:1:" not in done.output
    assert "--set services.api.outlier_detection: not-supported-yet: " in done.output
    assert "--set services.api.concurrency: bad-count: " in done.output


def test_validate_counts_in_english(stall: str) -> None:
    found = "1 service, 1 replica, 1 load, 1 fault, 2 variants, 2 checks"
    assert found in sysim("validate", stall).output


def test_explain_counts_in_english(stall: str) -> None:
    assert "one request leads to 1 call in all" in " ".join(sysim("explain", stall).output.split())


def test_clock_times_where_the_file_has_a_calendar(tmp_path: Path) -> None:
    path = tmp_path / "stall.yaml"
    path.write_text(STALL.replace("time: {", "time: {start: 2026-04-11T14:59:55, "))
    done = sysim("run", str(path), "--engine", "reference", "--replications", "2")
    assert "before 14:59:55 – 15:00, after 15:00:05 – 15:00:15, all" in done.output
    assert "At 15:00 the fault stall" in " ".join(done.output.split())
    assert "(in 2 runs)" in done.output


def test_a_cold_cache_is_announced_in_one_line(monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    from sysim.cli import progress

    monkeypatch.setattr(progress, "_cold", lambda: True)
    for engine, quiet, lines in (("compiled", False, 1), ("compiled", True, 0), ("reference", False, 0)):
        with progress.progress(engine, quiet) as note:
            assert note is None
        assert capsys.readouterr().err == f"{progress.COMPILING}\n" * lines


@pytest.mark.skipif(not hasattr(os, "sched_getaffinity"), reason="needs a system that tells which may be used")
def test_as_many_workers_as_processors_may_be_used(stall: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from sysim import api

    asked: list[int] = []
    genuine = api.simulate

    def simulate(*args: Any, workers: int, **options: Any) -> Any:
        asked.append(workers)
        return genuine(*args, workers=workers, **options)

    monkeypatch.setattr(api, "simulate", simulate)
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: {3, 5, 6})
    monkeypatch.setattr(os, "cpu_count", lambda: 64)
    for words in ((), ("--workers", "2")):
        sysim("run", stall, "--engine", "reference", *words)
    assert asked == [3, 2]

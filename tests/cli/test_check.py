"""``sysim check`` and ``sysim compare``: output, exit codes, JSON, JUnit, annotations."""

from __future__ import annotations

import json
from pathlib import Path
from xml.etree import ElementTree

import pytest
from click.testing import CliRunner, Result

from sysim.cli import cli
from tests.study.files import STALL

FAST = ("--engine", "reference", "-n", "4", "--workers", "1")


@pytest.fixture
def stall(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    path = tmp_path / "stall.yaml"
    path.write_text(STALL)
    return str(path)


def sysim(*args: str, **environment: str) -> Result:
    return CliRunner().invoke(cli, list(args), env=environment)


def with_checks(stall: str, *checks: str) -> str:
    path = Path(stall)
    path.write_text(STALL.split("checks:")[0] + "checks:\n" + "".join(f"  - {check}\n" for check in checks))
    return stall


HOLDS = "{expect: success(web) >= 60%, variants: [baseline]}"
FAILS = "{name: hopeless, expect: success(web) < 50%, variants: [patient]}"
OPEN = "{expect: metastable(web) , variants: [slow], hold: 18s}"


def test_a_table_verdicts_and_a_sentence_a_variant(stall: str) -> None:
    done = sysim("check", stall, *FAST)
    assert done.exit_code == 1, done.output
    out, flowing = done.stdout, " ".join(done.stdout.split())
    for part in (
        "stall  3 variants, 4 replications each, seed 1, engine reference",
        "web during after (6 s – 20 s), ± at 95 %",
        "less baseline",
        "✓ pass          baseline",
        "✗ fail          slow",
        f"{stall}:15:5",
        "slow does not hold: p99(web) during after is ",
        "asked for < 80% of variant baseline",
        "4 replications of each of 3 variants. Corrected for 5 verdicts by Holm's method",
        f"again: sysim check {stall} --seed 1 --replications 4",
    ):
        assert part in out or part in flowing, part
    assert "\x1b" not in out and all(line == line.rstrip() for line in out.splitlines())


@pytest.mark.parametrize(
    ("checks", "code"),
    [((HOLDS,), 0), ((HOLDS, FAILS), 1), ((HOLDS, OPEN), 3), ((FAILS, OPEN), 1), ((), 0)],
)
def test_exit_codes(stall: str, checks: tuple[str, ...], code: int) -> None:
    done = sysim("check", with_checks(stall, *checks), *FAST, "-q")
    assert done.exit_code == code, done.output


def test_again_gives_the_same(stall: str) -> None:
    first = sysim("check", stall, *FAST)
    words = first.stdout.split("again: sysim ")[1].split()
    assert sysim(*words, "--engine", "reference").stdout == first.stdout


@pytest.mark.parametrize(
    ("args", "told"),
    [
        (("--variant", "nope"), "expected one of baseline, patient, slow"),
        (("-n", "3", "--precision", "1%"), "--replications fixes the number"),
        (("--precision", "120%"), "within 0..1"),
        (("--precision", "0"), "more than 0"),
        (("--budget", "60"), "60s"),
        (("--correct", "bonferroni"), "holm"),
        (("--set", "load.web.rat=1/s"), "load.web.rat"),
        (("-n", "0"), "0"),
        (("--max-replications", "1"), "1"),
        (("--junit", "/nowhere/at/all.xml", "-n", "1", "--engine", "reference"), "/nowhere/at/all.xml"),
    ],
)
def test_usage_mistakes(stall: str, args: tuple[str, ...], told: str) -> None:
    done = sysim("check", stall, *args)
    assert done.exit_code == 2 and told in done.output and "Traceback" not in done.output


def test_json_and_nothing_else(stall: str) -> None:
    done = sysim("check", stall, *FAST, "--json")
    facts = json.loads(done.stdout)
    assert done.exit_code == 1 and facts["format"] == 1 and list(facts["variants"]) == ["baseline", "patient", "slow"]
    single = json.loads(sysim("run", stall, *FAST, "--json", "--variant", "slow").stdout)
    other = facts["variants"]["slow"]
    assert set(single) == set(other) and single["summary"] == other["summary"]
    assert [run["digest"] for run in single["runs"]] == [run["digest"] for run in other["runs"]]
    verdict = next(v for v in facts["checks"] if v["verdict"] == "fail")
    assert verdict["place"] == {"file": stall, "line": 15, "column": 5} and verdict["variant"] == "slow"


def test_variants_can_be_chosen(stall: str) -> None:
    done = sysim("check", stall, *FAST, "--json", "--variant", "patient", "--variant", "baseline")
    facts = json.loads(done.stdout)
    assert list(facts["variants"]) == ["baseline", "patient"] and done.exit_code == 0


def test_junit(stall: str, tmp_path: Path) -> None:
    file = tmp_path / "out.xml"
    done = sysim("check", with_checks(stall, HOLDS, FAILS, OPEN), *FAST, "-q", "--junit", str(file))
    assert done.exit_code == 1
    assert file.read_text(encoding="utf-8").startswith('<?xml version="1.0" encoding="UTF-8"?>')
    root = ElementTree.parse(file).getroot()
    assert (root.tag, root.get("tests"), root.get("failures"), root.get("skipped")) == ("testsuites", "3", "1", "1")
    cases = {case.get("classname"): case for case in root.iter("testcase")}
    assert set(cases) == {"stall.baseline", "stall.patient", "stall.slow"}
    assert len(cases["stall.baseline"]) == 0
    failure = cases["stall.patient"].find("failure")
    assert failure is not None and "success(web) < 50%" in str(failure.get("message"))
    assert cases["stall.patient"].get("name") == "hopeless" and failure.text == f"{stall}:15:5"
    skipped = cases["stall.slow"].find("skipped")
    assert skipped is not None and skipped.get("message")
    for suite in root.iter("testsuite"):
        assert suite.get("tests") == str(len(suite.findall("testcase")))
    sysim("check", stall, *FAST, "-q", "--junit", str(file), "--junit-inconclusive", "failure")
    assert ElementTree.parse(file).getroot().get("failures") == "2"


def test_github_annotations(stall: str) -> None:
    with_checks(stall, HOLDS, FAILS, OPEN)
    by_flag = sysim("check", stall, *FAST, "-q", "--github").stdout
    by_itself = sysim("check", stall, *FAST, "-q", GITHUB_ACTIONS="true").stdout
    lines = [line for line in by_flag.splitlines() if line.startswith("::")]
    assert lines == [line for line in by_itself.splitlines() if line.startswith("::")]
    error, warning = lines
    place = f"file={stall},line=15,col=5"
    assert error.startswith(f"::error {place},title=sysim%3A check fail::patient: success(web) < 50%25: is 100 %25")
    assert warning.startswith(f"::warning file={stall},line=16,col=5,")
    assert "::" not in sysim("check", stall, *FAST, "-q").stdout
    as_json = sysim("check", stall, *FAST, "--json", "--github")
    assert json.loads(as_json.stdout) and "::error" in as_json.stderr


def test_abort(stall: str, tmp_path: Path) -> None:
    path = Path(with_checks(stall, HOLDS))
    path.write_text(path.read_text() + "abort_when: [{expect: success(web) < 99%, variants: [slow]}]\n")
    file = tmp_path / "out.xml"
    done = sysim("check", stall, *FAST, "--junit", str(file), "--github")
    assert done.exit_code == 1 and "aborted: success(web) < 99% (" in done.stdout
    assert "holds in replication 0" in done.stdout and f"::error file={stall},line=15,col=" in done.stdout
    assert ElementTree.parse(file).getroot().get("failures") == "1"
    assert json.loads(sysim("check", stall, *FAST, "--json").stdout)["aborted"]["variant"] == "slow"


def test_a_budget_is_named_as_what_it_is(stall: str) -> None:
    done = sysim("check", stall, "--engine", "reference", "-n", "50", "--budget", "1ms")
    said = " ".join(done.stdout.split())
    assert "the budget of 1 ms is spent, so the number of replications depends on this machine" in said.lower()
    assert "again: " in done.stdout and "--replications 1" in done.stdout


def test_ctrl_c_keeps_what_was_done(stall: str, monkeypatch: pytest.MonkeyPatch) -> None:
    import sysim.engine.reference.run as reference

    genuine, calls = reference.simulate, []

    def interrupted(*args: object, **options: object) -> object:
        calls.append(1)
        if len(calls) > 7:
            raise KeyboardInterrupt
        return genuine(*args, **options)  # type: ignore[arg-type]

    monkeypatch.setattr(reference, "simulate", interrupted)
    done = sysim("check", stall, *FAST, "--json")
    assert done.exit_code == 130 and "interrupted after 2 replications" in done.stderr
    facts = json.loads(done.stdout)
    assert facts["interrupted"] is True and len(facts["variants"]["slow"]["runs"]) == 2
    assert sysim("check", stall, *FAST).exit_code == 130  # with no run at all


def test_out_writes_a_folder_that_compare_reads(stall: str, tmp_path: Path) -> None:
    out = tmp_path / "out"
    done = sysim("check", with_checks(stall, HOLDS), *FAST[:2], "-n", "2", "--out", str(out), "-q")
    assert done.exit_code == 0, done.output
    assert {path.name for path in out.iterdir()} == {
        "check.json", "report.html", "differences.csv", "baseline", "patient", "slow",
    }  # fmt: skip
    assert (out / "slow" / "scenario.yaml").read_text().startswith("sysim: 1")
    stored = sysim("compare", f"{out}/check.json@baseline", f"{out}/slow/result.json", "--json")
    fresh = sysim("compare", f"{stall}@baseline", f"{stall}@slow", *FAST[:2], "-n", "2", "--json")
    left, right = json.loads(stored.stdout), json.loads(fresh.stdout)
    assert left["differences"] == right["differences"] and left["paired"] and left["pairs"] == 2
    path = "services.api.operations.get.0.work.exponential"
    assert left["changes"] == right["changes"] == [{"path": path, "old": "6ms", "new": "9ms"}]


def test_compare_says_what_was_changed_and_what_that_did(stall: str) -> None:
    done = sysim("compare", f"{stall}@baseline", f"{stall}@slow", *FAST)
    assert done.exit_code == 0, done.output
    assert "  services.api.operations.get.0.work.exponential: 6ms -> 9ms" in done.stdout
    assert "during after" in done.stdout and "whole run" in done.stdout and "B less A" in done.stdout
    assert "over 4 pairs of runs with the same random numbers" in " ".join(done.stdout.split())
    same = sysim("compare", stall, stall, *FAST)
    assert "The scenarios are the same." in same.stdout and "0 of " in same.stdout
    assert len(sysim("compare", stall, stall, *FAST, "--all").stdout.splitlines()) > 20


def test_compare_of_runs_that_share_nothing(stall: str, tmp_path: Path) -> None:
    for name, seed in (("a", "1"), ("b", "2")):
        options = ("--seed", seed, "--variant", "baseline", "--out", str(tmp_path / name), "-q")
        sysim("run", stall, *FAST[:2], "-n", "3", *options)
    done = sysim("compare", f"{tmp_path}/a/result.json", f"{tmp_path}/b/result.json")
    assert done.exit_code == 0 and "share no random numbers (Welch)" in " ".join(done.stdout.split())
    (tmp_path / "b" / "scenario.yaml").unlink()
    done = sysim("compare", f"{tmp_path}/a/result.json", f"{tmp_path}/b/result.json")
    assert "The scenarios are the same (by digest)." in done.stdout


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("a.json", "not json", "found no JSON"),
        ("b.json", "[1]", "found no runs"),
        ("c.json", '{"variants": {"x": {}}}', "expected"),
        ("d.json", '{"format": 1, "runs": []}', "found no runs"),
    ],
)
def test_compare_refuses_what_is_no_result(stall: str, tmp_path: Path, name: str, text: str, told: str) -> None:
    (tmp_path / name).write_text(text)
    done = sysim("compare", stall, str(tmp_path / name), *FAST)
    assert done.exit_code == 2 and told in done.stderr and "Traceback" not in done.output
    assert sysim("compare", stall, str(tmp_path / "none.json"), *FAST).exit_code == 2
    assert "unknown-variant" in sysim("compare", stall, f"{stall}@nope", *FAST).stderr


def test_the_example_of_the_format_holds(monkeypatch: pytest.MonkeyPatch) -> None:
    """The retry storm with its two mitigations, as the format describes it: all that it claims is true."""
    monkeypatch.delenv("GITHUB_ACTIONS", raising=False)
    storm = Path(__file__).parents[1] / "scenario_file" / "retry_storm.yaml"
    done = sysim("check", str(storm), "-q")
    assert done.exit_code == 0, done.output
    assert "baseline is as claimed: still down at the end in 10 of 10 runs." in done.stdout
    assert "no_retries holds" in done.stdout and "retry_budget holds" in done.stdout

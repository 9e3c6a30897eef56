"""Each file of `bad/` is answered with exactly the text beside it: all problems at once, no traceback."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from sysim.errors import ScenarioError
from sysim.scenario_file import load, loads

BAD = Path(__file__).parent / "bad"
FILES = sorted(path.stem for path in BAD.glob("*.yaml"))


def test_there_are_enough_of_them() -> None:
    assert len(FILES) >= 40


@pytest.mark.parametrize("name", FILES)
def test_bad_files(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(BAD)
    with pytest.raises(ScenarioError) as error:
        load(f"{name}.yaml")
    said = "".join(f"{problem.headline()}\n" for problem in error.value.problems)
    expected = BAD / f"{name}.expected"
    if os.environ.get("SYSIM_REWRITE_EXPECTED"):
        expected.write_text(said)
    assert said == expected.read_text()
    assert all(problem.severity == "error" and problem.message for problem in error.value.problems)


def test_the_line_and_a_caret_are_shown(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(BAD)
    with pytest.raises(ScenarioError) as error:
        load("unknown_key.yaml")
    first, line, caret = str(error.value).splitlines()
    assert first.startswith("unknown_key.yaml:4:9: unknown-key: services.api.concurency: found 'concurency'")
    assert first.endswith("did you mean 'concurrency'?")
    assert line[caret.index("^") :].startswith("concurency")


def test_a_long_line_is_cut_around_the_caret() -> None:
    with pytest.raises(ScenarioError) as error:
        loads("sysim: 1\ntime: {duration: 1s, " + "pad: 1, " * 100 + "odd: 1}\nservices: {}\n")
    for line in str(error.value).splitlines():
        assert len(line) < 200


def test_a_missing_file_and_a_folder(tmp_path: Path) -> None:
    (tmp_path / "storm.yaml").write_text("sysim: 1\n")
    for name, code in (("strom.yaml", "no-such-file"), ("", "not-a-file"), ("a\0b", "unreadable")):
        with pytest.raises(ScenarioError) as error:
            load(str(tmp_path / name) if name else tmp_path)
        assert [problem.code for problem in error.value.problems] == [code]
    with pytest.raises(ScenarioError) as error:
        load(tmp_path / "strom.yaml")
    assert error.value.problems[0].hint == "did you mean 'storm.yaml'?"


def test_problems_are_in_the_order_of_the_text(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(BAD)
    with pytest.raises(ScenarioError) as error:
        load("many_at_once.yaml")
    places = [(problem.line, problem.column) for problem in error.value.problems]
    assert places == sorted(places) and len(places) >= 10


def test_an_unknown_variant_and_parameter() -> None:
    text = "sysim: 1\ntime: {duration: 1s}\nservices: {a: {operations: {x: []}}}\nvariants: {calm: null}\n"
    with pytest.raises(ScenarioError) as error:
        loads(text, variant="clam")
    assert "did you mean 'calm'?" in str(error.value)
    with pytest.raises(ScenarioError) as error:
        loads(text + "params: {peak: 1}\n", params={"peek": 2})
    assert "did you mean 'peak'?" in str(error.value)


@pytest.mark.parametrize(
    ("line", "path"),
    [
        ("faults: [{at: 1s, on: a, crash: {detection: 1s}}]", "faults.0.crash.detection"),
        ("policies: {p: {network: {cross_zone: {exponential: 1ms}}}}", "policies.p.network.cross_zone"),
    ],
)
def test_what_no_engine_runs_is_refused_with_its_place(line: str, path: str) -> None:
    head = "sysim: 1\ntime: {duration: 9s}\nservices: {a: {operations: {o: []}}}\n"
    with pytest.raises(ScenarioError) as error:
        loads(head + line)
    (problem,) = error.value.problems
    assert (problem.code, problem.path, problem.line) == ("not-supported-yet", path, 4)
    loads(head + line.replace("1s}}", "0s}}").replace("{exponential: 1ms}", "{uniform: [1ms, 1ms]}"))

"""Who imports whom: the layers, held against the sources and against what a fresh interpreter loads."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from tests.architecture.sources import ROOT, importing, imports, modules, under

HEAVY = ("numba", "simpy", "matplotlib", "networkx")
ENGINES = "sysim.engine"


def loaded(statement: str, among: tuple[str, ...]) -> list[str]:
    """Which modules a fresh interpreter has loaded after a statement."""
    code = f"{statement}\nimport sys\nprint(*(m for m in {among!r} if m in sys.modules))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, cwd=ROOT, check=False)
    assert done.returncode == 0, done.stderr
    return done.stdout.split()


@pytest.mark.parametrize(
    ("statement", "forbidden"),
    [
        ("import sysim", ("sqlite3", *HEAVY)),
        ("import sysim.api, sysim.checking, sysim.cli.run, sysim.cli.check", ("sqlite3", *HEAVY)),
        ("import sysim.model, sysim.scenario_file", ("numpy", *HEAVY)),
        ("import sysim.plan.lower, sysim.plan.describe, sysim.plan.verify", HEAVY),
        ("import sysim.analysis.checks, sysim.result, sysim.report.terminal", (ENGINES, "simpy", "matplotlib")),
        ("import sysim.engine.reference.run", ("sysim.engine.compiled", "matplotlib", "networkx")),
        ("import sysim.engine.compiled.run", ("sysim.engine.reference", "simpy", "matplotlib", "networkx")),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_an_import_loads(statement: str, forbidden: tuple[str, ...]) -> None:
    assert loaded(statement, forbidden) == []


@pytest.mark.parametrize(
    ("folders", "forbidden"),
    [
        (("model", "scenario_file"), ("numpy", "numba", "simpy", ENGINES, "sysim.plan", "sysim.record")),
        (("model",), ("yaml", "sysim.scenario_file", "sysim.result", "sysim.analysis")),
        (("plan",), ("numba", "simpy", ENGINES, "sysim.record", "sysim.semantics.jit", "sysim.scenario_file")),
        (("semantics", "record"), (ENGINES, "simpy", "sysim.model", "sysim.scenario_file", "sysim.result")),
        (("engine",), ("sysim.model", "sysim.scenario_file", "sysim.plan.passes", "sysim.result", "sysim.analysis")),
        (("engine/reference",), ("sysim.engine.compiled",)),
        (("engine/compiled",), ("sysim.engine.reference", "simpy")),
        (("analysis", "result", "report", "plot"), (ENGINES, "simpy", "numba", "sysim.api", "sysim.running")),
        (("analysis", "result", "plot"), ("sysim.scenario_file", "sysim.report", "sysim.cli")),
        (("cli",), (ENGINES, "simpy", "numba")),
        (("store",), (ENGINES, "simpy", "numba", "pickle", "sysim.api", "sysim.running")),
        (("store",), ("sysim.cli", "sysim.report", "sysim.plot")),
        (("store",), ("sysim.scenario_file", "sysim.semantics")),
        (("study", "analysis", "result"), ("sqlite3", "sysim.store")),
    ],
    ids=lambda value: "+".join(value) if isinstance(value, tuple) else "",
)  # fmt: skip
def test_layers(folders: tuple[str, ...], forbidden: tuple[str, ...]) -> None:
    assert importing(under(*folders), *forbidden) == []


def test_one_module_knows_the_engines() -> None:
    outside = [p for p in modules() if "engine" not in p.parts and p.name != "running.py"]
    assert importing(outside, ENGINES) == []


@pytest.mark.parametrize("module", ["random", "secrets", "numpy.random"])
def test_no_randomness_but_ours(module: str) -> None:
    assert importing(list(modules()), module) == []


def test_no_network() -> None:
    assert importing(list(modules()), "socket", "urllib", "http", "requests", "ssl", "ftplib", "smtplib") == []


@pytest.mark.parametrize(("package", "where"), [("distributed", "executors.py"), ("pyarrow", "sweep.py")])
def test_extras_are_imported_in_one_place(package: str, where: str) -> None:
    assert importing([p for p in modules() if p.name != where], package) == []
    assert loaded("import sysim.sweeping, sysim.study.executors, sysim.report.sweep", (package,)) == []


def test_the_walk_sees_imports() -> None:
    """The tests above would pass for ever if `imports` saw nothing."""
    running = next(p for p in modules() if p.name == "running.py")
    found = {what for _, what in imports(running)}
    assert {"sysim.engine.compiled.run", "sysim.engine.reference.run", "sysim.plan.lower", "functools"} <= found
    assert importing([running], ENGINES) and isinstance(running, Path)

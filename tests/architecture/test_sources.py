"""Absences in the sources: state that a run could see, clocks in laws, long modules, machine paths."""

from __future__ import annotations

import ast
import builtins
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.architecture.sources import ROOT, modules, name, tree, under

LONGEST = 520
VAGUE = {"utils", "util", "helpers", "helper", "manager", "managers", "data", "misc", "common"}

# --- state ------------------------------------------------------------------------------------------

MAKERS = {"list", "dict", "set", "defaultdict", "deque", "Counter", "OrderedDict", "bytearray"}
MUTABLE = (ast.List, ast.Dict, ast.Set, ast.ListComp, ast.DictComp, ast.SetComp)
CHANGES = {"append", "extend", "insert", "add", "update", "setdefault", "pop", "popitem", "clear", "remove",
           "discard", "sort", "reverse", "appendleft", "popleft", "__setitem__"}  # fmt: skip
# What is remembered of numba while laws are compiled: it decides how fast that is, and no run can see it.
STATE_ALLOWED = {f"linking.{name}" for name in ("_operators", "_resolved", "_contexts", "_flags")}

# The files to which this process has connections: a fact about the process, which no run sees.
STATE_ALLOWED.add("file._open")

# What is computed once and kept: constants that take a while, and the one warm-up of an engine.
KEPT = {
    "sysim/analysis/latency.py: edges",
    "sysim/analysis/latency.py: middles",
    "sysim/analysis/latency.py: coarse_middles",
    "sysim/running.py: warm_up",
    "sysim/semantics/jit.py: stamp",
    "sysim/semantics/jit.py: _mark_as_used",
    "sysim/semantics/linking.py: _typing_context",
    "sysim/semantics/linking.py: works",
}


def _containers(path: Path) -> set[str]:
    """Names at the top of a module that stand for a list, a dict or a set."""
    found = set()
    for node in tree(path).body:
        if isinstance(node, ast.Assign):
            targets, value = node.targets, node.value
        elif isinstance(node, ast.AnnAssign) and node.value is not None:
            targets, value = [node.target], node.value
        else:
            continue
        made = isinstance(value, ast.Call) and ast.unparse(value.func).split(".")[-1] in MAKERS
        if made or isinstance(value, MUTABLE):
            found |= {target.id for target in targets if isinstance(target, ast.Name)}
    return found


def _changed(path: Path) -> Iterator[tuple[int, str]]:
    """Line and last name of whatever has an element set, added or removed."""
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store | ast.Del):
            yield node.lineno, ast.unparse(node.value)
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in CHANGES:
            yield node.lineno, ast.unparse(node.func.value)
        elif isinstance(node, ast.AugAssign):
            yield node.lineno, ast.unparse(node.target)


def _locals(path: Path) -> set[str]:
    """Names that functions of a module assign or take as arguments: these hide what is at the top."""
    found: set[str] = set()
    for node in ast.walk(tree(path)):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda):
            a = node.args
            found |= {x.arg for x in (*a.posonlyargs, *a.args, *a.kwonlyargs, a.vararg, a.kwarg) if x}
            found |= {n.id for n in ast.walk(node) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)}
    return found


def test_no_module_keeps_state() -> None:
    everywhere = {n: name(path) for path in modules() for n in _containers(path) if n.isupper()}
    found = []
    for path in modules():
        own = _containers(path) - _locals(path)
        for line, target in _changed(path):
            last = target.split(".")[-1]
            if target in own or (last in everywhere and last not in _locals(path)):
                if f"{path.stem}.{last}" not in STATE_ALLOWED:
                    found.append(f"{name(path)}:{line}: {target} changes")
    assert found == []


# the public names, imported when they are asked for; the accessors of the tables, made while the module is loaded
FILLED_BY_NAME = {"sysim/__init__.py", "sysim/engine/compiled/world.py"}


def test_no_global_statement() -> None:
    assert [
        f"{name(path)}:{node.lineno}"
        for path in modules()
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Global)
        or (
            isinstance(node, ast.Subscript)
            and isinstance(node.ctx, ast.Store)
            and ast.unparse(node.value) == "globals()"
            and name(path) not in FILLED_BY_NAME
        )
    ] == []


def test_what_is_kept_between_runs_is_stated() -> None:
    found = {
        f"{name(path)}: {node.name}"
        for path in modules()
        for node in ast.walk(tree(path))
        if isinstance(node, ast.FunctionDef)
        and any(re.search(r"\b(lru_)?cache\b", ast.unparse(d)) for d in node.decorator_list)
    }
    assert found <= KEPT, found - KEPT


# --- laws -------------------------------------------------------------------------------------------

LAWS = {"law", "inlined_law"}
CLOCKS = {"time", "datetime", "random", "secrets", "os", "sys", "uuid", "threading"}
CONSTANT = (ast.Constant, ast.UnaryOp, ast.BinOp, ast.Tuple)


def _laws() -> list[tuple[Path, ast.FunctionDef]]:
    return [
        (path, node)
        for path in under("semantics")
        for node in tree(path).body
        if isinstance(node, ast.FunctionDef) and {ast.unparse(d) for d in node.decorator_list} & LAWS
    ]


def _globals_of(path: Path) -> tuple[set[str], set[str]]:
    """Names at the top of a module that a law may use, and all names there."""
    good: set[str] = set()
    every: set[str] = set()
    for node in tree(path).body:
        if isinstance(node, ast.Import):
            every |= {a.asname or a.name for a in node.names}
            good |= {a.asname or a.name for a in node.names} & {"math", "np"}
        elif isinstance(node, ast.ImportFrom):
            names = {a.asname or a.name for a in node.names}
            every |= names
            if node.module and node.module.startswith(("sysim.semantics", "sysim.plan.tables")):
                good |= names
        elif isinstance(node, ast.FunctionDef):
            every.add(node.name)
            if {ast.unparse(d) for d in node.decorator_list} & LAWS:
                good.add(node.name)
        elif isinstance(node, ast.Assign | ast.AnnAssign) and node.value is not None:
            targets = node.targets if isinstance(node, ast.Assign) else [node.target]
            names = {t.id for t in targets if isinstance(t, ast.Name)}
            every |= names
            number = isinstance(node.value, ast.Call) and ast.unparse(node.value.func) in {
                "np.int64", "np.float64", "math.log", "math.sqrt", "math.exp", "int", "float",
            }  # fmt: skip
            if number or isinstance(node.value, CONSTANT):
                good |= names
    return good, every


@pytest.mark.parametrize(
    ("path", "law"), _laws(), ids=lambda value: value.stem if isinstance(value, Path) else value.name
)
def test_laws_know_nothing_but_their_arguments(path: Path, law: ast.FunctionDef) -> None:
    good, _ = _globals_of(path)
    own = {a.arg for a in law.args.args} | {
        n.id for n in ast.walk(law) if isinstance(n, ast.Name) and isinstance(n.ctx, ast.Store)
    }
    used = {n.id for body in law.body for n in ast.walk(body) if isinstance(n, ast.Name)}
    unknown = used - own - good - set(dir(builtins))
    assert not unknown, f"{name(path)} {law.name}: {unknown}"
    assert not used & CLOCKS - own, f"{name(path)} {law.name}: {used & CLOCKS}"


def test_there_are_laws() -> None:
    assert len(_laws()) > 30


# --- form -------------------------------------------------------------------------------------------


def test_no_vague_names() -> None:
    parts = {part for path in modules() for part in path.relative_to(ROOT).with_suffix("").parts}
    assert not parts & VAGUE


def test_no_long_modules() -> None:
    lengths = {name(path): len(path.read_text(encoding="utf-8").splitlines()) for path in modules()}
    assert {path: n for path, n in lengths.items() if n > LONGEST} == {}


def _texts() -> list[tuple[str, str]]:
    """Path and text of every file that is, or is about to be, in the repository."""
    listing = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        capture_output=True, cwd=ROOT, check=False,
    )  # fmt: skip
    if listing.returncode != 0:
        pytest.skip("not a git checkout")
    found = []
    for path in listing.stdout.decode().split("\0"):
        place = ROOT / path
        if path and place.is_file():
            content = place.read_bytes()
            if b"\0" not in content:
                found.append((path, content.decode("utf-8", "replace")))
    return found


def _lines(pattern: str, tests_too: bool) -> list[str]:
    return [
        f"{path}:{number}: {line.strip()[:100]}"
        for path, text in _texts()
        if tests_too or not path.startswith("tests/")
        for number, line in enumerate(text.splitlines(), 1)
        if re.search(pattern, line)
    ]


def test_no_machine_paths() -> None:
    # written in pieces, so that this file is not found
    assert _lines(r"(?<![\w.$}])/" + r"(work|root|home)/", tests_too=True) == []
    assert _lines(r"(?<![\w.$}])/" + r"tmp/", tests_too=False) == []


def test_nothing_left_to_do() -> None:
    assert _lines(r"\b(TO" + r"DO|FIX" + r"ME|X" + r"XX)\b", tests_too=True) == []

"""The laws of the laws, held against their source: nothing whose result depends on how it is executed."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[2] / "sysim" / "semantics"
NOT_LAWS = {"__init__", "jit", "linking", "fit", "kinds"}
MATH = {"log", "exp", "pow", "sqrt", "tanh", "erf", "log1p", "sin"}
NUMPY = {"int64", "float64", "errstate"}
BUILTINS = {"abs", "min", "max", "range"}
IMPORTS = {"__future__", "typing", "math", "numpy", "contextlib"}
DECORATORS = {"law", "inlined_law"}


def modules():
    return sorted(path for path in FOLDER.glob("*.py") if path.stem not in NOT_LAWS)


def decorators(function):
    return {d.id for d in function.decorator_list if isinstance(d, ast.Name)}


def laws():
    """(module, name, tree) of every law."""
    for path in modules():
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.FunctionDef) and decorators(node) & DECORATORS:
                yield path.stem, node.name, node


@pytest.mark.parametrize("path", modules(), ids=lambda path: path.stem)
def test_modules_use_only_portable_arithmetic(path):
    tree = ast.parse(path.read_text())
    for node in ast.walk(tree):
        where = f"{path.name}:{getattr(node, 'lineno', 0)}"
        assert not isinstance(node, ast.Pow), f"{where}: **"
        if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name):
            if node.value.id == "math":
                assert node.attr in MATH, f"{where}: math.{node.attr}"
            if node.value.id == "np":
                assert node.attr in NUMPY, f"{where}: np.{node.attr}"
        if isinstance(node, ast.Import):
            assert {alias.name for alias in node.names} <= IMPORTS, where
        if isinstance(node, ast.ImportFrom):
            assert node.module in IMPORTS or node.module.startswith(
                ("sysim.semantics", "sysim.plan.tables")
            ), where
            assert node.module != "math", f"{where}: name math's functions in full"
    assert "fastmath" not in path.read_text()


@pytest.mark.parametrize(
    ("module", "name", "tree"), list(laws()), ids=lambda value: value if isinstance(value, str) else ""
)
def test_laws_do_not_raise_or_allocate(module, name, tree):
    names = (
        "Raise Try Assert With List Dict Set ListComp DictComp SetComp GeneratorExp Yield Lambda JoinedStr"
    )
    forbidden = tuple(getattr(ast, kind) for kind in f"{names} Global Nonlocal Import ImportFrom".split())
    top = ast.parse((FOLDER / f"{module}.py").read_text())
    known = {n.name for n in top.body if isinstance(n, ast.FunctionDef) and decorators(n) & DECORATORS}
    for node in top.body:
        if isinstance(node, ast.ImportFrom) and node.module.startswith("sysim.semantics"):
            known |= {alias.asname or alias.name for alias in node.names}
    for node in ast.walk(tree):
        assert not isinstance(node, forbidden), f"{module}.{name}:{node.lineno}"
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id in known | BUILTINS, f"{module}.{name}:{node.lineno}: {node.func.id}"


def test_every_function_of_these_modules_is_a_law():
    plain = {
        f"{path.stem}.{node.name}"
        for path in modules()
        for node in ast.parse(path.read_text()).body
        if isinstance(node, ast.FunctionDef) and not decorators(node) & DECORATORS
    }
    assert plain == {"rng.wrapping"}

"""The cache of compiled laws: private, never out of date, and never in the way."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
SCRIPT = """
from sysim.semantics import jit
print(jit.cache_is_cold())
from sysim.semantics import rng
from sysim.semantics.arrivals import exponential
print(float(exponential(5, 3)).hex())
print(sum(exponential.stats.cache_hits.values()), jit.cache_is_cold())
print(jit.cache_folder())
"""


def environment(cache, root=ROOT, **more):
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("NUMBA_", "SYSIM_", "PYTHONPATH"))}
    return clean | {"SYSIM_CACHE_DIR": str(cache), "PYTHONPATH": str(root)} | more


def run(cache, script=SCRIPT, cwd=None, **more):
    """Cold before, value, hits, cold after, folder."""
    command = [sys.executable, "-W", "error", "-c", script]
    found = subprocess.run(
        command, env=environment(cache, **more), cwd=cwd, capture_output=True, text=True, timeout=120
    )
    assert found.returncode == 0, found.stderr
    return found.stdout.split()


def kernels(cache):
    return sorted(Path(cache).glob("kernels/*/*.kernel"))


@pytest.fixture(scope="module")
def warm(tmp_path_factory):
    """A cache that one process has filled, and what that process said."""
    cache = tmp_path_factory.mktemp("warm")
    return cache, run(cache)


def copy_of(warm, tmp_path):
    shutil.copytree(warm[0], tmp_path / "cache")
    return tmp_path / "cache"


def package(tmp_path):
    """A copy of what the laws need, to be edited or zipped."""
    root = tmp_path / "copy"
    for part in ("semantics", "plan"):
        shutil.copytree(
            ROOT / "sysim" / part, root / "sysim" / part, ignore=shutil.ignore_patterns("__pycache__")
        )
    (root / "sysim" / "__init__.py").write_text("")
    (root / "sysim" / "plan" / "__init__.py").write_text("")
    return root


def test_first_run_fills_it_and_the_next_one_uses_it(warm):
    cache, (cold, value, hits, cold_after, folder) = warm
    assert (cold, hits, cold_after) == ("True", "0", "False")
    assert kernels(cache)
    assert {file.parent for file in kernels(cache)} == {Path(folder)}
    assert run(cache) == ["False", value, "1", "False", folder]
    assert not list(Path(folder).glob(".writing-*"))


def test_interpreted_it_is_not_touched(tmp_path):
    script = SCRIPT.replace("sum(exponential.stats.cache_hits.values())", "0").replace(
        "exponential(5, 3)", "0.5"
    )
    cold, _, _, cold_after, _ = run(tmp_path, script, NUMBA_DISABLE_JIT="1")
    assert (cold, cold_after) == ("False", "False")
    assert not list(tmp_path.iterdir())


def test_the_users_own_functions_are_cached_where_they_always_were(tmp_path, warm):
    (tmp_path / "theirs.py").write_text(
        "import numba\n@numba.njit(cache=True)\ndef f(x):\n    return x + 1\n"
    )
    script = "import sysim.semantics.rng, theirs, numba; theirs.f(1); print(numba.config.CACHE_DIR or 'none')"
    more = {"PYTHONPATH": f"{ROOT}{os.pathsep}{tmp_path}"}
    assert run(copy_of(warm, tmp_path), script, **more) == ["none"]
    assert list((tmp_path / "__pycache__").glob("theirs.f-*.nbi"))


def test_an_unwritable_place_means_no_cache(tmp_path, warm):
    (tmp_path / "file").write_text("in the way")
    cold, value, hits, cold_after, _ = run(tmp_path / "file" / "below")
    assert (cold, value, hits, cold_after) == ("True", warm[1][1], "0", "True")


@pytest.mark.long
def test_from_a_zip_file(tmp_path, warm):
    root = package(tmp_path)
    archive = tmp_path / "sysim.zip"
    with zipfile.ZipFile(archive, "w") as target:
        for file in sorted(root.rglob("*.py")):
            target.write(file, file.relative_to(root))
    for hits in ("0", "1"):
        found = run(tmp_path / "cache", root=archive, cwd=tmp_path)
        assert found[1:3] == [warm[1][1], hits]
    from_folder = run(tmp_path / "cache", root=root, cwd=tmp_path)
    assert from_folder[4] == found[4]  # the same texts, the same stamp


def test_an_edit_in_another_file_is_noticed(tmp_path):
    root = package(tmp_path)
    before = run(tmp_path / "cache", root=root, cwd=tmp_path)
    source = root / "sysim" / "semantics" / "rng.py"
    source.write_text(source.read_text().replace("* 2.220446049250313e-16", "* 1.110223024625157e-16"))
    after = run(tmp_path / "cache", root=root, cwd=tmp_path)
    assert before[4] != after[4]
    assert after[0] == "True"
    assert float.fromhex(after[1]) == pytest.approx(float.fromhex(before[1]) + 0.6931471805599453)


def test_two_processes_at_once(tmp_path, warm):
    command = [sys.executable, "-W", "error", "-c", SCRIPT]
    both = [
        subprocess.Popen(
            command, env=environment(tmp_path), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
        )
        for _ in range(2)
    ]
    for process in both:
        out, err = process.communicate(timeout=120)
        assert process.returncode == 0, err
        assert out.split()[1] == warm[1][1]
    assert run(tmp_path)[1:3] == [warm[1][1], "1"]
    assert {f.suffix for f in next((tmp_path / "kernels").iterdir()).iterdir()} == {".kernel"}


def test_damaged_files_are_replaced(tmp_path, warm):
    cache = copy_of(warm, tmp_path)
    for i, file in enumerate(kernels(cache)):
        content = file.read_bytes()
        file.write_bytes([content[: len(content) // 2], b"", content[:-1] + b"?"][i % 3])
    assert run(cache)[1:3] == [warm[1][1], "0"]
    assert run(cache)[1:3] == [warm[1][1], "1"]


@pytest.mark.long
def test_only_the_newest_folders_are_kept(tmp_path):
    parent = tmp_path / "kernels"
    old = [parent / f"{i:032x}" for i in range(5)]
    for age, folder in enumerate(old):
        folder.mkdir(parents=True)
        os.utime(folder, (1_000_000 - age, 1_000_000 - age))
    (parent / "something else").mkdir()
    used = Path(run(tmp_path)[4])
    assert {folder for folder in parent.iterdir()} == {used, *old[:2], parent / "something else"}


def test_functions_from_elsewhere_are_not_cached():
    from sysim.semantics import jit

    def local(x):
        return x + 1

    compiled = jit.law(local)
    if hasattr(compiled, "_cache"):
        assert compiled._cache.cache_path is None
    assert compiled(1) == 2


def test_constants_do_not_multiply_compilations():
    script = """
from sysim.semantics import jit, rng
def three(x):
    return rng.uniform(x, 0) + rng.uniform(x, 1) + rng.uniform(x, x)
print(jit.law(three)(5) > 0, len(rng.uniform.inner.signatures))
"""
    assert run("/nonexistent", script) == ["True", "1"]

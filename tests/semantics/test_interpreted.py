"""Every law gives the same bits compiled and interpreted."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

from tests.semantics.every_law import transcript
from tests.semantics.test_source import laws

ROOT = Path(__file__).parents[2]


def test_interpreted_equals_compiled():
    environment = os.environ | {"NUMBA_DISABLE_JIT": "1", "PYTHONPATH": str(ROOT)}
    command = [sys.executable, "-W", "error", "-m", "tests.semantics.every_law"]
    found = subprocess.run(command, check=True, env=environment, capture_output=True, text=True, timeout=120)
    interpreted, compiled = found.stdout.splitlines(), transcript()
    differing = [(i, a, b) for i, (a, b) in enumerate(zip(interpreted, compiled, strict=True)) if a != b]
    assert differing[:5] == []
    assert len(compiled) > 10_000


def test_no_law_is_left_out():
    called = {line.split()[0] for line in transcript()}
    public = {f"{module}.{name}" for module, name, _ in laws() if not name.startswith("_")}
    assert public - called == set()

"""The command as a process: imports, pipes, terminals."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.test_commands import STALL

MAIN = "from sysim.cli import main; main()"


def python(code: str, *args: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-c", code, *args],
        capture_output=True,
        text=True,
        env=os.environ | environment,
        check=False,
    )


@pytest.mark.parametrize(
    ("code", "forbidden"),
    [
        ("import sysim", ("numpy", "numba", "simpy", "matplotlib", "pydantic", "scipy", "rich", "click")),
        ("import sysim; sysim.load", ("numba", "simpy", "matplotlib", "scipy")),
        (
            "from sysim.cli import cli; cli(['--help'])",
            ("numpy", "numba", "pydantic", "simpy", "matplotlib", "rich"),
        ),
        (
            "from sysim.cli import cli; cli(['run', '--help'])",
            ("numpy", "numba", "pydantic", "matplotlib", "rich"),
        ),
        ("from sysim.cli import cli; cli(['--version'])", ("numpy", "numba", "pydantic", "rich")),
        ("import sysim.result.result", ("simpy", "matplotlib", "scipy.special", "rich")),
    ],
)
def test_import_budget(code: str, forbidden: tuple[str, ...]) -> None:
    script = f"import sys, atexit\natexit.register(lambda: print('LOADED', *sys.modules))\n{code}"
    done = python(script)
    assert done.returncode == 0, done.stderr
    loaded = set(done.stdout.split("LOADED", 1)[1].split())
    assert not loaded & set(forbidden)


def test_the_public_names_exist() -> None:
    code = "import sysim; [getattr(sysim, name) for name in sysim.__all__]"
    done = python(f"{code}; assert set(sysim.__all__) <= set(dir(sysim))")
    assert done.returncode == 0, done.stderr


def test_a_reader_that_goes_away_is_no_error(tmp_path: Path) -> None:
    path = tmp_path / "stall.yaml"
    path.write_text(STALL)
    command = f"{sys.executable} -c '{MAIN}' run {path} --engine reference --json --series | head -c 10"
    done = subprocess.run(["/bin/sh", "-c", command], capture_output=True, text=True, check=False)
    assert done.stdout == '{"format":' and done.stderr == ""


def test_json_on_stdout_and_nothing_else_anywhere(tmp_path: Path) -> None:
    path = tmp_path / "stall.yaml"
    path.write_text(STALL)
    done = python(MAIN, "run", str(path), "--engine", "reference", "--json")
    assert done.returncode == 0 and json.loads(done.stdout) and done.stderr == ""


@pytest.mark.skipif(sys.platform == "win32", reason="needs a pseudo-terminal")
def test_colour_on_a_terminal_and_none_with_no_color(tmp_path: Path) -> None:
    path = tmp_path / "stall.yaml"
    path.write_text(STALL)
    plain, coloured = (_on_a_terminal(path, environment) for environment in ({"NO_COLOR": "1"}, {}))
    assert "What customers see" in plain and "What customers see" in coloured
    assert "\x1b[32m" in coloured and "\x1b[32m" not in plain


def _on_a_terminal(path: Path, environment: dict[str, str]) -> str:
    import pty

    base = {key: value for key, value in os.environ.items() if key != "NO_COLOR"} | {
        "TERM": "xterm",
        "COLUMNS": "120",
    }
    ours, theirs = pty.openpty()
    with subprocess.Popen(
        [sys.executable, "-c", MAIN, "run", str(path), "--engine", "reference"],
        stdout=theirs, stderr=subprocess.DEVNULL, env=base | environment,
    ) as process:  # fmt: skip
        os.close(theirs)
        text = b""
        while True:
            try:
                part = os.read(ours, 65536)
            except OSError:
                break
            if not part:
                break
            text += part
        process.wait()
    os.close(ours)
    return text.decode()

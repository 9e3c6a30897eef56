"""Commands in processes of their own, to be stopped by Ctrl-C or a kill."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Any

LISTENING = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)\n"
"""A process that a shell has put in the background does not hear Ctrl-C, and neither do its children."""


def started(script: str, *words: str, **options: Any) -> subprocess.Popen[str]:
    """A process of a Python script, which hears Ctrl-C, with neither a store nor GitHub in its environment."""
    environment = {key: value for key, value in os.environ.items() if key not in ("SYSIM_STORE", "GITHUB_ACTIONS")}
    return subprocess.Popen(
        [sys.executable, "-c", LISTENING + script, *words], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        env=environment, **options,
    )  # fmt: skip


def ended(process: subprocess.Popen[str]) -> tuple[int, str, str]:
    """The exit code and what was printed on both streams."""
    out, err = process.communicate(timeout=120)
    return process.returncode, out, err

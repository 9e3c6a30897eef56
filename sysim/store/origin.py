"""Where a run comes from: versions, the machine, and the key under which an equal replication is found again."""

from __future__ import annotations

import hashlib
import os
import platform
from datetime import UTC, datetime
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

PARTS = ("numba", "numpy", "scipy", "simpy")
DECIDING = ("analysis", "engine", "model", "plan", "record", "result", "semantics", "store")
"""The folders of the package that decide what a run says, and how it is kept."""


def versions() -> dict[str, str]:
    """The versions of what takes part in a run."""
    found = {"sysim": _sysim(), "python": platform.python_version(), "platform": platform.platform()}
    for name in PARTS:
        try:
            found[name] = version(name)
        except PackageNotFoundError:
            continue
    return found


def build(*more: str) -> str:
    """The version of sysim with a sum over the sources that decide what a run says, and those of `more` folders.

    A version number alone would take a changed working copy for the one that a run was stored by.
    """
    digest = hashlib.sha256(_sysim().encode())
    package = Path(__file__).parent.parent
    for folder in (*DECIDING, *more):
        for path in sorted((package / folder).rglob("*.py")):
            text = path.read_bytes()
            digest.update(f"\n{path.relative_to(package).as_posix()} {len(text)}\n".encode())
            digest.update(text)
    return digest.hexdigest()


def key(build: str, digest: str, plan: str, seed: int, traces: int, replication: int, looked: str = "") -> str:
    """What two replications have in common that are equal in everything but the time they took; with `looked`, what was
    seen by looking at the same of them.

    A scenario's `digest` leaves out what it calls things; `plan` is the fingerprint of the plan, which has the names.
    The engine is not part of it, as both give the same.
    """
    text = f"{build} {digest} {plan} {seed} {traces} {replication} {looked}"
    return hashlib.sha256(text.encode()).hexdigest()


def now() -> str:
    """The time, in UTC, as ``2026-11-27T00:44:11Z``."""
    return datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def here() -> tuple[str, int]:
    """This machine and this process."""
    return platform.node(), os.getpid()


def alive(host: str, pid: int) -> bool:
    """Whether the process that wrote a run may still be there; on another machine nobody knows."""
    if host != platform.node():
        return True
    if os.name == "nt":
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def _sysim() -> str:
    from sysim import __version__

    return __version__

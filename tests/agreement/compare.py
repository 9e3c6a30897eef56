"""Running one scenario on every execution there is, and saying where they first differ.

``python -m tests.agreement.compare FILE [SEED]`` compares one scenario file;
``python -m tests.agreement.compare --random FIRST LAST`` compares generated ones.
"""

from __future__ import annotations

import importlib
import importlib.util
import io
import os
import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np

from sysim.plan.lower import lower
from sysim.record.record import Record
from sysim.scenario_file import loads

RANKS = (
    "fault", "action", "done", "reply", "join", "permit", "grant", "start", "cancel", "backoff", "think", "load",
    "arrive", "hedge", "patience", "timeout", "user",
)  # fmt: skip
ROOT = Path(__file__).parents[2]
KEY_MASK = (1 << 58) - 1  # what an order keeps of a key
Line = tuple[int, int, int, int]


@dataclass
class Outcome:
    """What one execution did."""

    name: str
    numbers: dict[str, int]
    tables: dict[str, np.ndarray[Any, np.dtype[np.int64]]]
    log: list[Line]


def reference(text: str, seed: int) -> Outcome:
    """SimPy, with the check that no two live entries share their turn."""
    from sysim.engine.reference import simulate

    log: list[Line] = []
    return _outcome("reference", simulate(lower(loads(text).scenario), seed=seed, log=log, strict=True), log)


def compiled(text: str, seed: int) -> Outcome:
    """numba, or its plain twin where the JIT is off."""
    simulate = importlib.import_module("sysim.engine.compiled.run").simulate
    log: list[Line] = []
    return _outcome("compiled", simulate(lower(loads(text).scenario), seed=seed, log=log), log)


def plain(text: str, seed: int, engine: str) -> Outcome:
    """The engine in a process of its own, with the JIT off."""
    program = "import sys; from tests.agreement.compare import _child; _child(sys.argv[1], int(sys.argv[2]))"
    done = subprocess.run(
        [sys.executable, "-c", program, engine, str(seed)],
        input=text.encode(),
        capture_output=True,
        cwd=ROOT,
        env=os.environ | {"NUMBA_DISABLE_JIT": "1", "PYTHONPATH": str(ROOT)},
        check=False,
    )
    assert done.returncode == 0, done.stderr.decode()
    data = np.load(io.BytesIO(done.stdout))
    numbers = dict(zip(data["names"].tolist(), data["values"].tolist(), strict=True))
    tables = {name[2:]: data[name] for name in data.files if name.startswith("t_")}
    return Outcome(f"{engine} without JIT", numbers, tables, [tuple(line) for line in data["log"].tolist()])


def compare(text: str, seed: int = 1, plain_too: bool = False) -> list[str]:
    """How the executions differ from the reference: nothing, or a report."""
    first = reference(text, seed)
    others: list[Callable[[], Outcome]] = []
    if importlib.util.find_spec("sysim.engine.compiled.run") is not None:
        others.append(lambda: compiled(text, seed))
        if plain_too:
            others.append(lambda: plain(text, seed, "compiled"))
    if plain_too:
        others.append(lambda: plain(text, seed, "reference"))
    report: list[str] = []
    for run in others:
        report += differences(first, run(), text)
    return report


def differences(one: Outcome, two: Outcome, text: str) -> list[str]:
    """What differs between two executions; the first differing entry is named."""
    found = [
        f"{name}: {value} ({one.name}), {two.numbers[name]} ({two.name})"
        for name, value in one.numbers.items()
        if two.numbers[name] != value
    ]
    for name, table in one.tables.items():
        other = two.tables[name]
        if table.shape != other.shape:
            found.append(f"{name}: shape {table.shape} ({one.name}), {other.shape} ({two.name})")
        elif not np.array_equal(table, other):
            places = np.argwhere(table != other)
            cells = ", ".join(
                f"[{', '.join(map(str, place))}] {table[tuple(place)]} / {other[tuple(place)]}"
                for place in places[:6]
            )
            found.append(f"{name}: {len(places)} elements differ: {cells}")
    if found and one.log != two.log:
        found += list(_first_difference(one, two))
    return [f"--- {one.name} / {two.name}", *found] if found else []


def _first_difference(one: Outcome, two: Outcome) -> Iterator[str]:
    at = next(
        (n for n, pair in enumerate(zip(one.log, two.log, strict=False)) if pair[0] != pair[1]),
        min(len(one.log), len(two.log)),
    )
    for log in (one.log, two.log):
        for number in range(max(0, at - 3), min(len(log), at + 2)):
            yield f"  {'>' if number == at else ' '} {describe(log[number])}"
        yield "  ..."


def describe(line: Line) -> str:
    """An entry for people."""
    time, rank, key, notes = line
    return f"{time / 1e6:.6f} ms  {RANKS[rank]:<9} key {key}  notes {notes}"


def _outcome(name: str, record: Record, log: list[Line]) -> Outcome:
    numbers = {
        what: int(getattr(record, what)) for what in ("n_events", "digest", "end", "n_transitions", "n_spans")
    }
    tables = {
        field.name: getattr(record, field.name)
        for field in fields(record)
        if isinstance(getattr(record, field.name), np.ndarray)
    }
    return Outcome(
        name,
        numbers,
        tables,
        [(int(time), int(rank), int(key) & KEY_MASK, int(notes)) for time, rank, key, notes in log],
    )


def _child(engine: str, seed: int) -> None:
    """Run the scenario on stdin and write what it did to stdout."""
    outcome = {"reference": reference, "compiled": compiled}[engine](sys.stdin.read(), seed)
    buffer = io.BytesIO()
    arrays: dict[str, Any] = {f"t_{name}": table for name, table in outcome.tables.items()}
    arrays["names"] = np.array(list(outcome.numbers))
    arrays["values"] = np.array(list(outcome.numbers.values()), dtype=np.int64)
    arrays["log"] = np.array(outcome.log, dtype=np.int64).reshape(-1, 4)
    np.savez_compressed(buffer, **arrays)
    sys.stdout.buffer.write(buffer.getvalue())


def _main(arguments: list[str]) -> int:
    from tests.agreement.generate import scenario

    if arguments[0] != "--random":
        report = compare(
            Path(arguments[0]).read_text(), int(arguments[1]) if len(arguments) > 1 else 1, plain_too=True
        )
        print("\n".join(report) or "no difference")
        return 1 if report else 0
    differing = 0
    for number in range(int(arguments[1]), int(arguments[2])):
        try:
            report = compare(scenario(random.Random(number)), number)
        except Exception as error:
            report = [f"{type(error).__name__}: {error}"]
        if report:
            differing += 1
            print(f"=== scenario {number}", *report, sep="\n", flush=True)
    print(f"{differing} scenarios differ")
    return 1 if differing else 0


if __name__ == "__main__":
    sys.exit(_main(sys.argv[1:]))

"""What holds for both engines: every rank has its place, plans stay as they are, no two entries share a turn."""

from __future__ import annotations

import ast
import hashlib
import random
from collections import Counter
from collections.abc import Callable, Iterator
from itertools import pairwise
from typing import Any

import pytest

from sysim.engine.compiled.run import simulate as compiled
from sysim.engine.reference import simulate as reference
from sysim.plan import tables
from sysim.plan.lower import lower
from sysim.plan.plan import Plan
from sysim.scenario_file import loads
from tests.agreement.compare import RANKS
from tests.agreement.generate import scenario
from tests.architecture.sources import PACKAGE, tree, under

ALL = {n for n in vars(tables) if n.startswith("R_")}
OWN_HEAP = {"R_USER"}  # `Guests.happen` puts SimPy's own events into the heap
TWICE = {"R_TIMEOUT"}  # an attempt's timeout and a call's deadline
REFERENCE_ONLY = {"R_USER"}


def plan_of(number: int) -> Plan:
    return lower(loads(scenario(random.Random(number))).scenario)


def _chain(node: ast.If) -> Iterator[ast.expr | None]:
    """The tests of an if, elif, …; None for a last else."""
    while True:
        yield node.test
        if len(node.orelse) == 1 and isinstance(node.orelse[0], ast.If):
            node = node.orelse[0]
            continue
        if node.orelse:
            yield None
        return


def _ranks(test: ast.AST) -> list[str]:
    return [n.id for n in ast.walk(test) if isinstance(n, ast.Name) and n.id in ALL]


def test_every_rank_has_one_handler_in_the_compiled_engine() -> None:
    run = next(
        n
        for n in tree(PACKAGE / "engine/compiled/loop.py").body
        if isinstance(n, ast.FunctionDef) and n.name == "run"
    )
    chains = [list(_chain(node)) for node in ast.walk(run) if isinstance(node, ast.If)]
    chain = max(chains, key=lambda tests: len({r for t in tests if t for r in _ranks(t)}))
    handled = Counter(rank for test in chain if test for rank in _ranks(test))
    left = ALL - set(handled) - REFERENCE_ONLY
    if chain[-1] is None:
        assert len(left) == 1, f"the last else is for one rank, not for {left}"
    else:
        assert not left
    assert {rank for rank, n in handled.items() if n != 1} <= TWICE, handled


def _scheduled(folder: str, verbs: set[str]) -> set[str]:
    """The ranks that are given to a call of one of the verbs."""
    return {
        argument.id
        for path in under(folder)
        for node in ast.walk(tree(path))
        if isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] in verbs
        for argument in node.args
        if isinstance(argument, ast.Name) and argument.id in ALL
    }


def test_every_rank_is_scheduled_by_both_engines() -> None:
    assert ALL - _scheduled("engine/reference", {"enter"}) == OWN_HEAP
    assert "R_USER << KEY_BITS" in (PACKAGE / "engine/reference/user.py").read_text(encoding="utf-8")
    assert ALL - _scheduled("engine/compiled", {"push", "push_lane"}) == REFERENCE_ONLY


def test_ranks_are_numbered_in_order() -> None:
    assert sorted(getattr(tables, rank) for rank in ALL) == list(range(len(ALL)))
    assert tuple(
        rank[2:].lower() for rank in sorted(ALL, key=lambda rank: int(getattr(tables, rank)))
    ) == RANKS


def _hash(plan: Plan) -> str:
    digest = hashlib.sha256()
    for name, array in sorted(plan.arrays().items()):
        digest.update(f"{name} {array.shape} {array.dtype}".encode() + array.tobytes())
    return digest.hexdigest()


@pytest.mark.parametrize("engine", [compiled, reference], ids=["compiled", "reference"])
def test_a_run_leaves_its_plan_as_it_was(engine: Callable[..., Any]) -> None:
    for number in range(12):
        plan = plan_of(number)
        before = _hash(plan)
        first = engine(plan, seed=number)
        second = engine(plan, seed=number)
        assert _hash(plan) == before
        assert (first.digest, first.n_events) == (second.digest, second.n_events)
        for name, array in plan.arrays().items():
            assert not array.flags.writeable, name
            with pytest.raises(ValueError, match="read-only"):
                array[...] = array


@pytest.mark.parametrize("ten", range(5))
def test_no_two_live_entries_share_their_turn(ten: int) -> None:
    for number in range(10 * ten, 10 * ten + 10):
        log: list[tuple[int, int, int, int]] = []
        reference(plan_of(7_000 + number), seed=number, strict=True, log=log)
        turns = [(time, rank << 58 | key & (1 << 58) - 1) for time, rank, key, _ in log]
        assert turns, number
        assert all(one[0] <= two[0] for one, two in pairwise(turns))

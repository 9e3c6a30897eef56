"""Laws that compiled code calls: linked into their callers, and compiled plainly where numba is different inside."""

from __future__ import annotations

import numba
import numpy as np
import pytest

from sysim.semantics import jit

pytestmark = pytest.mark.skipif(bool(numba.config.DISABLE_JIT), reason="nothing is compiled")

linking = jit.linking


@pytest.fixture(params=["linked", "plain"])
def way(request, monkeypatch):
    if request.param == "plain":
        monkeypatch.setattr(linking, "works", lambda: False)
    return request.param


def laws(way):
    @jit.law
    def scaled(table, row, by):
        table[row, 1] = table[row, 0] * by
        return table[row, 1]

    @jit.inlined_law
    def twice(table, row):
        return scaled(table, row, 2.0) + scaled(table, row, 2.5)

    @jit.law
    def total(table):
        found = 0.0
        for row in range(table.shape[0]):
            found += twice(table, row) + scaled(table, row, 0.5)
        return found

    if way == "plain":  # a twin asks `works` as it was when the twin was made
        for made in (scaled, twice, total):
            made.inner._usable = lambda: False
    return scaled, twice, total


def table():
    return np.array([[1.0, 0.0], [2.0, 0.0]])


def test_this_numba_allows_it():
    assert linking is not None
    assert linking.works()


def test_callees_have_no_machine_code_of_their_own(way):
    scaled, twice, total = laws(way)
    assert total(table()) == 15.0
    made = [len(each.overloads) for each in (scaled, twice, total)]
    twins = [len(each.inner.overloads) for each in (scaled, twice, total)]
    assert (made, twins) == (([0, 0, 1], [1, 1, 0]) if way == "linked" else ([1, 1, 1], [0, 0, 0]))


def test_python_and_compiled_code_may_call_the_same_law(way):
    scaled, twice, total = laws(way)
    assert scaled(table(), 1, 3.0) == 6.0
    assert total(table()) == 15.0
    assert twice(table(), 1) == 9.0
    assert scaled(table(), 1, 3) == 6.0


def test_a_function_of_the_user_may_call_a_law(way):
    _, twice, total = laws(way)

    @numba.njit
    def theirs(table):
        return total(table) + twice(table, 0) + len([1, 2])

    assert theirs(table()) == 15.0 + 4.5 + 2


def test_numba_is_as_it_was():
    from numba.core import compiler
    from numba.core.registry import cpu_target

    context = cpu_target.typing_context
    laws("linked")[2](table())
    assert type(context).__module__.startswith("numba.")
    assert not type(cpu_target.target_context.typing_context).__module__.startswith("sysim")

    @numba.njit(no_cfunc_wrapper=True)
    def theirs(x):
        return x + 1

    assert theirs(1) == 2
    assert theirs._compiler.pipeline_class is compiler.Compiler
    assert type(theirs.overloads[theirs.signatures[0]].library).__module__.startswith("numba.")


def test_a_law_that_calls_itself_is_refused():
    @jit.law
    def around(x):
        return around(x - 1) if x > 0 else 0

    @jit.law
    def caller(x):
        return around(x)

    with pytest.raises(numba.core.errors.TypingError):
        caller(3)

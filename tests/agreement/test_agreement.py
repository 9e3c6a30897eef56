"""The executions agree: same entries in the same order, same digest, same record, to the last element."""

from __future__ import annotations

import importlib.util
import random

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.agreement.compare import compare, differences, plain, reference
from tests.agreement.generate import scenario

HAS_COMPILED = importlib.util.find_spec("sysim.engine.compiled.run") is not None


@pytest.mark.skipif(not HAS_COMPILED, reason="there is no compiled engine")
@given(number=st.integers(min_value=0, max_value=2**32))
@settings(max_examples=60, deadline=None, derandomize=True, suppress_health_check=list(HealthCheck))
def test_random_scenarios(number: int) -> None:
    report = compare(scenario(random.Random(number)), number)
    assert not report, "\n".join([f"scenario {number}", *report])


@pytest.mark.skipif(not HAS_COMPILED, reason="there is no compiled engine")
@pytest.mark.parametrize("number", range(3))
def test_without_the_jit(number: int) -> None:
    report = compare(scenario(random.Random(number)), number, plain_too=True)
    assert not report, "\n".join(report)


@pytest.mark.skipif(not HAS_COMPILED, reason="there is no compiled engine")
@pytest.mark.parametrize("seed", [2**63 - 1, 2**63, 2**64 - 1])
def test_seeds_of_64_bits(seed: int) -> None:
    report = compare(scenario(random.Random(1)), seed, plain_too=True)
    assert not report, "\n".join(report)


@pytest.mark.parametrize("number", range(3))
def test_reference_does_not_depend_on_the_jit(number: int) -> None:
    text = scenario(random.Random(number))
    report = differences(reference(text, number), plain(text, number, "reference"), text)
    assert not report, "\n".join(report)


@pytest.mark.long
@pytest.mark.skipif(not HAS_COMPILED, reason="there is no compiled engine")
@pytest.mark.parametrize("hundred", range(100))
def test_ten_thousand_scenarios(hundred: int) -> None:
    for number in range(100 * hundred, 100 * hundred + 100):
        report = compare(scenario(random.Random(number)), number)
        assert not report, "\n".join([f"scenario {number}", *report])

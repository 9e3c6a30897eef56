"""Verdicts in words: digits, confidences, and what one calls a variant that does what the file says."""

from __future__ import annotations

import pytest

import sysim
from sysim.analysis.checks import Verdict
from sysim.report.verdicts import confidence, facts, number
from tests.study.files import STALL


def _verdict(metric: str, value: float, interval: tuple[float, float] | None = None) -> Verdict:
    return Verdict("…", None, "pass", value, interval, metric=metric)


@pytest.mark.parametrize(
    ("level", "text"),
    [(0.95, "95 %"), (0.99, "99 %"), (0.9986, "99.86 %"), (0.99997, "99.997 %"), (0.999999, "99.9999 %")],
)
def test_a_confidence_is_never_rounded_to_certainty(level: float, text: str) -> None:
    assert confidence(level) == text


def test_numbers_have_the_digits_that_their_interval_knows() -> None:
    assert number(_verdict("success", 0.81548, (0.81231, 0.81865)), 0.81548) == "81.55 %"
    assert number(_verdict("success", 0.81548), 0.81548) == "81.548 %"
    assert number(_verdict("ratio", 1.0, (0.9, 1.1)), 1.0) == "100 %"
    assert number(_verdict("goodput", 100.145, (98.5, 101.8)), 100.145) == "100.1"
    assert number(_verdict("p99", 0.0414), 0.0414) == "41.4 ms"
    assert facts(_verdict("goodput", 0.0, (0.0, 0.0))) == ["is 0", "95 % interval 0 to 0"]


@pytest.mark.parametrize(
    ("check", "told"),
    [
        ("success(web) > 10%", "patient holds: "),
        ("success(web) < 10%", "patient is not as claimed: "),
        ("not success(web) < 10%", "patient holds: "),
        ("goodput(web) < 1000/s", "patient is as claimed: "),
        ("p99(web) > 1us", "patient is as claimed: "),
        ("p99(web) < 1us", "patient does not hold: "),
        ("recovers(web) within 15s", "patient holds: "),
    ],
)
def test_a_variant_that_is_said_to_be_bad_is_not_said_to_hold(check: str, told: str) -> None:
    text = STALL.split("checks:")[0] + f'checks: [{{expect: "{check}", variants: [patient]}}]\n'
    study = sysim.check(sysim.loads(text), replications=3, engine="reference", variants=["patient"])
    (sentence,) = study.sentences
    assert sentence.startswith(told), sentence

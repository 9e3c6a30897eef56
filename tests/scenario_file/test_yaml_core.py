"""Text is read as YAML 1.2 core, with positions, whatever YAML 1.1 would have made of it."""

from __future__ import annotations

import math
from typing import Any

import pytest

from sysim.scenario_file.nodes import Map, Scalar, plain
from sysim.scenario_file.reporter import Reporter
from sysim.scenario_file.yaml_core import core_value, decode, parse


def read(text: str) -> Any:
    reporter = Reporter()
    node = parse(text, "test", reporter)
    assert node is not None and not reporter.problems, reporter.errors
    return plain(node)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("on", "on"),
        ("no", "no"),
        ("yes", "yes"),
        ("Off", "Off"),
        ("22:22", "22:22"),
        ("2026-04-11", "2026-04-11"),
        ("1_000", "1_000"),
        ("0b1", "0b1"),
        ("1e3", 1000.0),
        ("1E-2", 0.01),
        (".5", 0.5),
        ("5.", 5.0),
        ("017", 17),
        ("0o17", 15),
        ("0x1F", 31),
        ("-3", -3),
        ("true", True),
        ("FALSE", False),
        ("~", None),
        ("", None),
        ("Null", None),
        (".inf", math.inf),
        ("-.Inf", -math.inf),
        ("=", "="),
        ("<<", "<<"),
        ("9" * 60, "9" * 60),
    ],
)
def test_core_scalars(text: str, value: object) -> None:
    assert core_value(text) == value and type(core_value(text)) is type(value)


def test_not_a_number() -> None:
    assert math.isnan(core_value(".nan"))  # type: ignore[arg-type]


def test_quotes_make_texts() -> None:
    assert read("{a: '1', b: \"true\", c: !!str 5}") == {"a": "1", "b": "true", "c": "5"}


def test_keys_are_always_texts() -> None:
    assert read("{on: 1, 15: 2, null: 3, true: 4, 1.5: 5}") == {
        "on": 1,
        "15": 2,
        "null": 3,
        "true": 4,
        "1.5": 5,
    }


def test_anchors_share_and_merge_keys_are_ordinary() -> None:
    assert read("a: &x {b: 1}\nc: *x\n<<: *x") == {"a": {"b": 1}, "c": {"b": 1}, "<<": {"b": 1}}
    assert read("&k key: 1\nother: *k") == {"key": 1, "other": "key"}


def test_positions() -> None:
    node = parse("a: 1\nb:\n  c: [x, y]\n", "file.yaml", Reporter())
    assert isinstance(node, Map)
    inner = node.entries["b"]
    assert isinstance(inner, Map)
    assert (inner.key_mark("c").line, inner.key_mark("c").column) == (3, 3)
    value = inner.entries["c"]
    assert (value.mark.source.name, value.mark.line, value.mark.column) == ("file.yaml", 3, 6)


def test_a_byte_order_mark_is_no_text() -> None:
    assert decode(b"\xef\xbb\xbfsysim: 1", "x", Reporter()) == "sysim: 1"


def test_windows_line_ends() -> None:
    assert read("a: 1\r\nb: 2\r\n") == {"a": 1, "b": 2}


def test_text_size_is_limited() -> None:
    reporter = Reporter()
    assert parse("a" * 5_000_001, "x", reporter) is None
    assert decode(b"a" * 5_000_001, "x", reporter) is None
    assert {problem.code for problem in reporter.errors} == {"too-large"}


def test_many_values_are_refused_quickly() -> None:
    reporter = Reporter()
    assert parse("[" + "a," * 260_000 + "]", "x", reporter) is None
    assert [problem.code for problem in reporter.errors] == ["too-large"]


def test_lone_surrogates_are_refused() -> None:
    reporter = Reporter()
    assert parse("a: \ud800", "x", reporter) is None
    assert [problem.code for problem in reporter.errors] == ["bad-encoding"]


def test_scalars_keep_their_text() -> None:
    node = parse("4.080", "x", Reporter())
    assert isinstance(node, Scalar) and node.text == "4.080" and node.value == 4.08

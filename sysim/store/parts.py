"""A `Run`, or what a study saw of it, as bytes and back, equal in every field: to go on with instead of simulating.

The time series of a run are kept apart from it, where other programs read them; its plan is made anew from the
scenario. Which field is what is read off the types of the dataclasses, so that a new field needs nothing here. The
bytes are for the same version of sysim only: eight bytes with the length of a JSON text, that text, and the tables one
after the other, all compressed. Nothing in them is executed.
"""

from __future__ import annotations

import json
import zlib
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from math import prod
from types import NoneType, UnionType
from typing import Any, TypeVar, Union, get_args, get_origin, get_type_hints

import numpy as np
from numpy.typing import NDArray

from sysim.plan.plan import Plan
from sysim.result.run import Run
from sysim.result.series import Series
from sysim.store.arrays import LEVEL, native

APART = ("plan", "series")
ARRAY = "array"
Seen = TypeVar("Seen")


def taken_apart(run: Run) -> bytes:
    """Everything about a run but its plan and its series."""
    return _bytes({field.name: getattr(run, field.name) for field in fields(run) if field.name not in APART})


def put_together(content: bytes, plan: Plan, series: Series) -> Run:
    """The run that was taken apart."""
    tree, tables = _split(content)
    hints = get_type_hints(Run)
    named = {name: _typed(hints[name], value, tables) for name, value in tree.items()}
    return Run(**named, plan=plan, series=series)


def noted(seen: object) -> bytes:
    """A dataclass of numbers, texts, tables, maps by name and tuples."""
    if not is_dataclass(seen):
        raise TypeError(f"found a {type(seen).__name__}, expected a dataclass")
    return _bytes(seen)


def read(kind: type[Seen], content: bytes) -> Seen:
    """The dataclass that was noted."""
    found = _typed(kind, *_split(content))
    assert isinstance(found, kind)
    return found


def _bytes(value: Any) -> bytes:
    arrays: list[bytes] = []
    text = json.dumps(_plain(value, arrays), ensure_ascii=False, separators=(",", ":")).encode()
    return zlib.compress(b"".join((len(text).to_bytes(8, "little"), text, *arrays)), LEVEL)


def _split(content: bytes) -> tuple[Any, bytes]:
    """The tree, and the tables that it refers to."""
    whole = zlib.decompress(content)
    end = 8 + int.from_bytes(whole[:8], "little")
    return json.loads(whole[8:end]), whole[end:]


def _plain(value: Any, arrays: list[bytes]) -> Any:
    """What JSON can say; tables go to the end of `arrays`, and leave their type, shape and place behind."""
    if isinstance(value, np.generic):
        return value.item()
    if value is None or isinstance(value, (bool, int, float, str)):
        return value
    if isinstance(value, np.ndarray):
        little = np.ascontiguousarray(value).astype(value.dtype.newbyteorder("<"), copy=False)
        start = sum(map(len, arrays))
        arrays.append(little.tobytes())
        return {ARRAY: [little.dtype.str, list(value.shape), start]}
    if is_dataclass(value):
        return {field.name: _plain(getattr(value, field.name), arrays) for field in fields(value)}
    if isinstance(value, Mapping):
        return {key: _plain(item, arrays) for key, item in value.items()}
    if isinstance(value, (tuple, list)):
        return [_plain(item, arrays) for item in value]
    raise TypeError(f"a run holds a {type(value).__name__}, which the store does not know how to keep")


def _typed(kind: Any, tree: Any, tables: bytes) -> Any:
    """The value of a type that `_plain` was given."""
    origin, inner = get_origin(kind), get_args(kind)
    if tree is None:
        return None
    if origin in (Union, UnionType):
        return _typed(next(some for some in inner if some is not NoneType), tree, tables)
    if origin is np.ndarray:
        dtype, shape, start = tree[ARRAY]
        return _table(dtype, shape, start, tables)
    if is_dataclass(kind) and isinstance(kind, type):
        hints = get_type_hints(kind)
        return kind(**{name: _typed(hints[name], item, tables) for name, item in tree.items()})
    if isinstance(tree, dict):
        return {key: _typed(inner[1], item, tables) for key, item in tree.items()}
    if isinstance(tree, list):
        kinds = [inner[0]] * len(tree) if inner[-1] is Ellipsis else inner
        return tuple(_typed(some, item, tables) for some, item in zip(kinds, tree, strict=True))
    return tree


def _table(dtype: str, shape: list[int], start: int, tables: bytes) -> NDArray[Any]:
    found = np.frombuffer(tables, dtype=np.dtype(dtype), count=prod(shape), offset=start).reshape(shape)
    return native(found)

"""Equality in every field, for what holds arrays; and results as bytes, without the time they took."""

from __future__ import annotations

import json
import math
from collections.abc import Mapping
from dataclasses import fields, is_dataclass
from typing import Any

import numpy as np


def differs(a: Any, b: Any, at: str = "") -> str | None:
    """Where two values first differ, None if nowhere. Types and kinds of numbers count; plans are left out."""
    if isinstance(a, np.ndarray) or isinstance(b, np.ndarray):
        if not (isinstance(a, np.ndarray) and isinstance(b, np.ndarray)):
            return f"{at}: {type(a)} {type(b)}"
        same = a.dtype == b.dtype and a.shape == b.shape and a.tobytes() == b.tobytes()
        return None if same else f"{at}: {a} {b}"
    if is_dataclass(a):
        if type(a) is not type(b):
            return f"{at}: {type(a)} {type(b)}"
        pairs = [(f.name, getattr(a, f.name), getattr(b, f.name)) for f in fields(a) if f.name != "plan"]
    elif isinstance(a, Mapping):
        if list(a) != list(b):
            return f"{at}: {list(a)} {list(b)}"
        pairs = [(key, a[key], b[key]) for key in a]
    elif isinstance(a, (tuple, list)):
        if type(a) is not type(b) or len(a) != len(b):
            return f"{at}: {a} {b}"
        pairs = [(str(k), x, y) for k, (x, y) in enumerate(zip(a, b, strict=True))]
    else:
        if isinstance(a, float) and isinstance(b, float) and math.isnan(a) and math.isnan(b):
            return None
        plain = {np.float64: float}
        kinds = {plain.get(type(x), type(x)) for x in (a, b)}
        return None if len(kinds) == 1 and a == b else f"{at}: {a!r} {b!r}"
    return next((found for name, x, y in pairs if (found := differs(x, y, f"{at}.{name}"))), None)


def canonical(tree: Any) -> str:
    """A JSON object as text, whatever the order of its keys."""
    return json.dumps(tree, sort_keys=True, allow_nan=False)


def timeless(tree: Any) -> Any:
    """The same without the time that runs took."""
    if isinstance(tree, dict):
        return {key: timeless(value) for key, value in tree.items() if key != "wall_s"}
    if isinstance(tree, list):
        return [timeless(value) for value in tree]
    return tree

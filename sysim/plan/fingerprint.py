"""`fingerprint`: a plan as one short text, the same for plans that every engine runs the same way."""

from __future__ import annotations

import hashlib
from dataclasses import fields

import numpy as np

from sysim.plan.plan import Plan


def fingerprint(plan: Plan) -> str:
    """A sha256 in hex of all tables, counts, windows and names, in their order, as little-endian bytes."""
    digest = hashlib.sha256()
    for field in fields(plan):
        value = getattr(plan, field.name)
        if isinstance(value, np.ndarray):
            little = value.astype(value.dtype.newbyteorder("<"), copy=False)
            digest.update(f"{field.name} {little.dtype.str} {little.shape}\n".encode())
            digest.update(little.tobytes())
        else:
            digest.update(f"{field.name} {value!r}\n".encode())
    return digest.hexdigest()

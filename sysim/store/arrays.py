"""Arrays as bytes: little-endian, compressed with zlib, so that any language reads them on any machine."""

from __future__ import annotations

import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

LEVEL = 6  # of zlib: higher takes twice the time for a few per cent


def packed(array: NDArray[Any]) -> tuple[str, bytes]:
    """The type of the numbers, as NumPy writes it (``<i8`` or ``<f8``), and the compressed bytes."""
    little = np.ascontiguousarray(array).astype(array.dtype.newbyteorder("<"), copy=False)
    return little.dtype.str, zlib.compress(little.tobytes(), LEVEL)


def unpacked(dtype: str, content: bytes) -> NDArray[Any]:
    """The array of one dimension, read-only, in the byte order of this machine."""
    return native(np.frombuffer(zlib.decompress(content), dtype=np.dtype(dtype)))


def native(array: NDArray[Any]) -> NDArray[Any]:
    """The same numbers in the byte order of this machine, read-only."""
    found = array.astype(array.dtype.newbyteorder("="), copy=False)
    found.flags.writeable = False
    return found

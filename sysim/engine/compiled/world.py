"""The world: a short list of addresses through which every function of this engine reaches its tables.

Passing forty arrays from function to function costs more than the work they do (an array is nine machine words
an argument), and most of the compile time besides. So the tables of a run are listed once, in `TABLES`; the
world holds address and shape of each, a function is given the address of the world (`handle`), and ``t.st(w)`` is
the table ``st`` of world ``w``. Tables of the plan are read-only views: a kernel that wrote one would not compile.

With the JIT off the world is a tuple of the arrays themselves. Whoever makes a table anew makes the world anew
(`build`), and keeps the arrays alive while it is in use.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numba
import numpy as np
from llvmlite import ir
from numba.core import cgutils, types
from numba.extending import intrinsic
from numba.np import arrayobj as numba_arrays
from numpy.typing import NDArray

# numba is typed in parts only
_arrays: Any = numba_arrays
_config: Any = numba.config
_cgutils: Any = cgutils
INT, FLOAT = types.int64, types.float64
# name -> (dimensions, type, read-only)
TABLES: dict[str, tuple[int, Any, bool]] = {
    # the run
    "g": (1, INT, False),
    "heap": (2, INT, False),
    "instant": (2, INT, False),
    "lanes": (2, INT, False),
    "lane_entries": (2, INT, False),
    "st": (2, INT, False),
    "rep": (2, INT, False),
    "speed": (2, FLOAT, False),
    "old_speed": (2, FLOAT, False),
    "scope": (2, INT, False),
    "ring": (1, INT, False),
    "outstanding": (1, INT, False),
    "up": (1, INT, False),
    "fstate": (2, INT, False),
    "struck": (2, INT, False),
    "load_state": (2, INT, False),
    "load_target": (1, FLOAT, False),
    "stack": (1, INT, False),
    "flags": (1, INT, False),
    "fault_keys": (1, INT, True),
    "fault_of_site": (2, INT, True),
    # the record
    "load_cells": (2, INT, False),
    "load_hist": (2, INT, False),
    "load_moments": (2, INT, False),
    "load_coarse": (2, INT, False),
    "svc_cells": (2, INT, False),
    "svc_hist": (2, INT, False),
    "svc_moments": (2, INT, False),
    "level": (2, INT, False),
    "peaks": (2, INT, False),
    "call_cells": (2, INT, False),
    "events": (2, INT, False),
    "spans": (2, INT, False),
    # the plan
    "code": (2, INT, True),
    "codeF": (2, FLOAT, True),
    "branches": (2, INT, True),
    "dist": (2, INT, True),
    "distF": (2, FLOAT, True),
    "points": (2, FLOAT, True),
    "svc": (2, INT, True),
    "svcF": (2, FLOAT, True),
    "ops": (2, INT, True),
    "replicas": (2, INT, True),
    "sites": (2, INT, True),
    "policies": (2, INT, True),
    "policiesF": (2, FLOAT, True),
    "loads": (2, INT, True),
    "loadsF": (2, FLOAT, True),
    "rates": (2, FLOAT, True),
    "streamsF": (2, FLOAT, True),
    "faults": (2, INT, True),
    "faultsF": (2, FLOAT, True),
    "hits": (1, INT, True),
    "site_faults": (1, INT, True),
    "rep_faults": (1, INT, True),
    "rep_faults_at": (1, INT, True),
    "cell_edges": (1, INT, True),
    "cell_segment": (1, INT, True),
    "cell_column": (1, INT, True),
}
_WORDS = 3  # address, rows, columns


def build(tables: Mapping[str, NDArray[Any]]) -> Any:
    """The world of these tables, one for every name in `TABLES`, each C-contiguous."""
    for name, (dimensions, kind, _) in TABLES.items():
        array = tables[name]
        expected = np.int64 if kind is INT else np.float64
        if array.ndim != dimensions or array.dtype != expected or not array.flags.c_contiguous:
            raise ValueError(f"table {name!r} is not a contiguous {dimensions}-dimensional array of {kind}")
    if _config.DISABLE_JIT:
        return tuple(tables[name] for name in TABLES)
    world = np.zeros(_WORDS * len(TABLES), dtype=np.int64)
    for at, name in enumerate(TABLES):
        array = tables[name]
        world[_WORDS * at : _WORDS * at + 1 + array.ndim] = (array.ctypes.data, *array.shape)
    return world


def handle(world: Any) -> Any:
    """What the functions of the engine are given for a world: the address of it, one machine word."""
    return world if isinstance(world, tuple) else int(world.ctypes.data)


def _table(at: int, dimensions: int, kind: Any, readonly: bool) -> Any:
    """The function that finds table number `at` of a world."""
    if _config.DISABLE_JIT:
        return lambda w: w[at]
    kind_of_table = types.Array(kind, dimensions, "C", readonly=readonly)

    def view(typing_context: Any, w: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            words = builder.inttoptr(arguments[0], ir.IntType(64).as_pointer())

            def word(n: int) -> Any:
                pointer = builder.gep(words, [ir.Constant(ir.IntType(64), _WORDS * at + n)])
                value = builder.load(pointer)
                # nothing that is compiled changes a world: the optimiser may keep what it has read
                value.set_metadata("invariant.load", builder.module.add_metadata([]))
                return value

            shape = [word(1 + n) for n in range(dimensions)]
            eight = context.get_constant(types.intp, 8)
            strides = [eight] if dimensions == 1 else [builder.mul(shape[1], eight), eight]
            out = _arrays.make_array(kind_of_table)(context, builder)
            item = context.get_data_type(kind).as_pointer()
            _arrays.populate_array(
                out,
                data=builder.inttoptr(word(0), item),
                shape=shape,
                strides=strides,
                itemsize=8,
                meminfo=None,
            )
            return out._getvalue()

        return kind_of_table(w), generate

    return intrinsic(view)


def _prefetch() -> Any:
    """The function that asks for the cache line of a story's column ahead of its use; it changes nothing."""
    if _config.DISABLE_JIT:
        return lambda w, i, column: None
    at = list(TABLES).index("st")

    def prefetch(typing_context: Any, w: Any, i: Any, column: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            i64, i32, byte = ir.IntType(64), ir.IntType(32), ir.IntType(8).as_pointer()
            words = builder.inttoptr(arguments[0], i64.as_pointer())
            base, columns = (
                builder.load(builder.gep(words, [ir.Constant(i64, _WORDS * at + word)])) for word in (0, 2)
            )
            cell = builder.add(builder.mul(arguments[1], columns), arguments[2])
            place = builder.add(base, builder.mul(cell, ir.Constant(i64, 8)))
            kind = ir.FunctionType(ir.VoidType(), [byte, i32, i32, i32])
            function = _cgutils.get_or_insert_function(builder.module, kind, "llvm.prefetch.p0")
            to_write, keep, data = ir.Constant(i32, 1), ir.Constant(i32, 3), ir.Constant(i32, 1)
            builder.call(function, [builder.inttoptr(place, byte), to_write, keep, data])
            return context.get_dummy_value()

        return types.none(types.int64, types.int64, types.int64), generate

    return intrinsic(prefetch)


prefetch = _prefetch()

if TYPE_CHECKING:

    def __getattr__(name: str) -> Any:
        """The function for each table: made below, invisible to a type checker."""


for _at, (_name, _what) in enumerate(TABLES.items()):
    globals()[_name] = _table(_at, *_what)

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

from sysim.engine.compiled import columns as c
from sysim.engine.compiled.regions import PLAN, Table
from sysim.plan import tables as p
from sysim.record import columns as r
from sysim.record.histogram import BINS, COARSE_BINS

# numba is typed in parts only
_arrays: Any = numba_arrays
_config: Any = numba.config
_cgutils: Any = cgutils
INT, FLOAT = types.int64, types.float64
ANY = -1
# name -> (columns: 0 for a line of numbers, ANY where a plan decides; type; region)
TABLES: dict[str, tuple[int, Any, str]] = {
    # the run
    "g": (0, INT, "scalars"),
    "due": (0, INT, "due"),
    "tails": (2, INT, "entries"),
    "instant": (2, INT, "entries"),
    "lanes": (c.N_LN, INT, "lanes"),
    "lane_entries": (3, INT, "entries"),
    "st": (c.N_ST, INT, "stories"),
    "rep": (c.N_RX, INT, "state"),
    "holders": (c.N_HOLDERS, INT, "state"),
    "speed": (c.N_SPEED, FLOAT, "state"),
    "old_speed": (c.N_SPEED, FLOAT, "state"),
    "scope": (p.N_K, INT, "state"),
    "ring": (0, INT, "state"),
    "outstanding": (0, INT, "state"),
    "up": (0, INT, "state"),
    "serves": (0, INT, "state"),
    "fstate": (p.N_FS, INT, "state"),
    "struck": (ANY, INT, "state"),
    "load_state": (c.N_LX, INT, "state"),
    "load_target": (p.N_LT, FLOAT, "state"),
    "stack": (0, INT, "state"),
    "flags": (0, INT, "state"),
    "doors": (0, FLOAT, "state"),
    "policies": (p.N_P, INT, "policies"),  # the plan's, until an operator changes them
    "action_state": (p.N_AS, INT, "state"),
    "seen": (p.N_SEEN, INT, "state"),
    "seen_hist": (BINS, INT, "state"),
    "rolls": (p.N_RO, INT, "state"),
    "classes": (0, INT, "state"),
    "scaler_state": (p.N_ZS, INT, "state"),
    "recommendations": (0, INT, "state"),
    "action_keys": (0, INT, PLAN),
    "scaler_keys": (0, INT, PLAN),
    "fault_keys": (0, INT, PLAN),
    "fault_of_site": (ANY, INT, PLAN),
    # the record
    "load_cells": (r.N_LC, INT, "record"),
    "load_hist": (BINS, INT, "record"),
    "load_moments": (r.N_M, INT, "record"),
    "load_coarse": (COARSE_BINS, INT, "record"),
    "svc_cells": (r.N_SC, INT, "record"),
    "svc_hist": (BINS, INT, "record"),
    "svc_moments": (r.N_M, INT, "record"),
    "level": (r.N_LV, INT, "record"),
    "peaks": (r.N_PK, INT, "record"),
    "call_cells": (r.N_CC, INT, "record"),
    "events": (r.N_EV, INT, "record"),
    "spans": (r.N_SP, INT, "record"),
    "failures": (r.N_FC, INT, "record"),
    # the plan
    "code": (p.N_I, INT, PLAN),
    "codeF": (1, FLOAT, PLAN),
    "branches": (p.N_BR, INT, PLAN),
    "dist": (p.N_D, INT, PLAN),
    "distF": (p.N_DF, FLOAT, PLAN),
    "points": (2, FLOAT, PLAN),
    "svc": (p.N_S, INT, PLAN),
    "svcF": (p.N_SF, FLOAT, PLAN),
    "ops": (p.N_O, INT, PLAN),
    "replicas": (p.N_RP, INT, PLAN),
    "sites": (p.N_C, INT, PLAN),
    "policiesF": (p.N_PF, FLOAT, PLAN),
    "loads": (p.N_L, INT, PLAN),
    "loadsF": (p.N_LF, FLOAT, PLAN),
    "rates": (p.N_Q, FLOAT, PLAN),
    "stays": (p.N_Y, INT, PLAN),
    "streams": (p.N_T, INT, PLAN),
    "streamsF": (p.N_TF, FLOAT, PLAN),
    "faults": (p.N_F, INT, PLAN),
    "faultsF": (p.N_FF, FLOAT, PLAN),
    "hits": (0, INT, PLAN),
    "actions": (p.N_AC, INT, PLAN),
    "actionsF": (p.N_ACF, FLOAT, PLAN),
    "levers": (p.N_LE, INT, PLAN),
    "leversF": (p.N_LEF, FLOAT, PLAN),
    "lever_hits": (0, INT, PLAN),
    "scalers": (p.N_Z, INT, PLAN),
    "scalersF": (p.N_ZF, FLOAT, PLAN),
    "site_faults": (0, INT, PLAN),
    "rep_faults": (0, INT, PLAN),
    "rep_faults_at": (0, INT, PLAN),
    "cell_edges": (0, INT, PLAN),
    "cell_segment": (0, INT, PLAN),
    "cell_column": (0, INT, PLAN),
}
_WORDS = 3  # address, rows, columns


def build(tables: Mapping[str, NDArray[Any]]) -> Any:
    """The world of these tables, one for every name in `TABLES`, each C-contiguous."""
    for name, (columns, kind, _) in TABLES.items():
        array = tables[name]
        dimensions = 1 if columns == 0 else 2
        expected = np.int64 if kind is INT else np.float64
        fits = array.ndim == dimensions and (columns <= 0 or array.shape[1] == columns)
        if not fits or array.dtype != expected or not array.flags.c_contiguous:
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


def _table(at: int, columns: int, kind: Any, region: str) -> Any:
    """The function that finds table number `at` of a world. A number of columns known here is a constant there."""
    if _config.DISABLE_JIT:
        return lambda w: w[at]
    dimensions = 1 if columns == 0 else 2
    kind_of_table = Table(kind, dimensions, region)

    def view(typing_context: Any, w: Any) -> Any:
        def generate(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
            words = builder.inttoptr(arguments[0], ir.IntType(64).as_pointer())

            def word(n: int) -> Any:
                pointer = builder.gep(words, [ir.Constant(ir.IntType(64), _WORDS * at + n)])
                value = builder.load(pointer)
                # nothing that is compiled changes a world: the optimiser may keep what it has read
                value.set_metadata("invariant.load", builder.module.add_metadata([]))
                return value

            shape = [word(1)]
            if dimensions == 2:
                shape.append(word(2) if columns == ANY else context.get_constant(types.intp, columns))
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

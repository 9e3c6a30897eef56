"""The numba type of a table: an array that says to the optimiser what it can share memory with.

All tables hold eight-byte words, so LLVM must take it that a store into one may change any other, and reads most of
a world again after each store. Two facts that only we know free it from that. Tables of different *regions* never
overlap: each access names its region (LLVM's type-based alias analysis). Tables of the plan do not change while a
kernel runs: what was read of them once need not be read again (``invariant.load``).

An index is a row or column number from 0, never a negative one that would count from the end; so the test for it,
which numba makes at each access, is left out as well. ``tests/engine/compiled/test_regions.py`` holds the engine to
that, with tables that refuse a negative index.
"""

from __future__ import annotations

import operator
from typing import Any, Final

import numba
from numba.core import cgutils, imputils, types
from numba.extending import models, register_model
from numba.np import arrayobj

# numba is typed in parts only
_arrays: Any = arrayobj
_cgutils: Any = cgutils
_types: Any = types
_models: Any = models
_lower: Any = imputils.lower_builtin
_config: Any = numba.config

PLAN: Final = "plan"  # of all regions the one that is never written


class Table(_types.Array):  # type: ignore[misc]
    """A C-contiguous array of int64 or float64 in one or two dimensions that lies in `region`."""

    def __init__(self, dtype: Any, ndim: int, region: str) -> None:
        self.region = region
        name = f"table({dtype}, {ndim}d, {region})"
        super().__init__(dtype, ndim, "C", readonly=region == PLAN, name=name)

    @property
    def key(self) -> Any:
        return (*super().key, self.region)

    @property
    def mangling_args(self) -> Any:
        name, args = super().mangling_args
        return name, [*args, self.region]


register_model(Table)(_models.ArrayModel)


def _place(builder: Any, array: Any, index_types: Any, indices: Any) -> Any:
    """The address of one word."""
    word = _cgutils.intp_t
    indices = [
        builder.sext(index, word) if index.type.width < 64 else index
        for index, _ in zip(indices, index_types, strict=True)
    ]
    at = indices[0]
    if len(indices) == 2:
        columns = _cgutils.unpack_tuple(builder, array.shape, count=2)[1]
        at = builder.add(builder.mul(at, columns, flags=["nsw"]), indices[1], flags=["nsw"])
    return builder.gep(array.data, [at], inbounds=True)


def _say_region(builder: Any, access: Any, region: str) -> None:
    module = builder.module
    root = module.add_metadata(["sysim tables"])
    zero = _cgutils.intp_t(0)
    kind = module.add_metadata([region, root, zero])
    access.set_metadata("tbaa", module.add_metadata([kind, kind, zero]))
    if region == PLAN and access.opname == "load":
        access.set_metadata("invariant.load", module.add_metadata([]))


def _indices(builder: Any, index_type: Any, index: Any) -> tuple[Any, Any]:
    if isinstance(index_type, _types.BaseTuple):
        return index_type.types, _cgutils.unpack_tuple(builder, index, count=len(index_type))
    return (index_type,), (index,)


@_lower(operator.getitem, Table, types.Integer)
@_lower(operator.getitem, Table, types.BaseTuple)
def _getitem(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    kind, index_type = signature.args
    array = _arrays.make_array(kind)(context, builder, arguments[0])
    value = builder.load(_place(builder, array, *_indices(builder, index_type, arguments[1])))
    _say_region(builder, value, kind.region)
    return value


@_lower(operator.setitem, Table, types.Integer, types.Any)
@_lower(operator.setitem, Table, types.BaseTuple, types.Any)
def _setitem(context: Any, builder: Any, signature: Any, arguments: Any) -> Any:
    kind, index_type, value_type = signature.args
    array = _arrays.make_array(kind)(context, builder, arguments[0])
    value = context.cast(builder, arguments[2], value_type, kind.dtype)
    store = builder.store(value, _place(builder, array, *_indices(builder, index_type, arguments[1])))
    _say_region(builder, store, kind.region)
    return context.get_dummy_value()

"""How laws are compiled: callees are linked into the kernel that Python calls, and optimised there once.

Numba makes of every function machine code, a wrapper for Python and a file in the cache, also of those that only
compiled code calls. Here a law has two lives. Called from Python it is a *root*: compiled and cached as numba would.
Called from compiled code it is *inner*: its twin is translated to LLVM's language and left as it is, until a root
takes in all it needs and the whole is optimised once.

Two more things make numba quick. The types of an operator are looked up once for each kind of operands (numba asks
a dozen templates each time), and the flags of a compilation are one object, so that numba's own tables, whose keys
they are part of, find them without comparing. Passes that laws have no use for are left out.

All of it leans on numba's inside. So it is tried on a small example before the first compilation (`works`); if that
fails, laws are compiled in numba's plain way. Nothing of numba is changed: what is different is in subclasses that
only laws use. See ``docs/adr/0009-one-optimisation.md``.
"""

from __future__ import annotations

import functools
import operator
from collections.abc import Callable, Iterable
from typing import Any

import numba
import numpy as np
from numba.core import codegen, compiler, errors, sigutils, types, typing
from numba.core.compiler_lock import global_compiler_lock
from numba.core.registry import cpu_target

_codegen: Any = codegen
_compiler: Any = compiler
_sigutils: Any = sigutils
_types: Any = types
_typing: Any = typing
_target: Any = cpu_target

_UNUSED = frozenset({"InlineClosureLikes"})  # passes for what laws do not contain


# Linking


class _Library(_codegen.JITCodeLibrary):  # type: ignore[misc]
    """The code of one function, not optimised yet, and the libraries it calls."""

    def add_llvm_module(self, ll_module: Any) -> None:
        self._final_module.link_in(ll_module)

    def add_linking_library(self, library: Any) -> None:
        if not isinstance(library, _InnerLibrary):
            library._ensure_finalized()
        self._linking_libraries.append(library)


class _InnerLibrary(_Library):
    """It never becomes machine code of its own."""

    _shared_module: Any

    def finalize(self) -> None:
        self._raise_if_finalized()
        self._finalize_dynamic_globals()
        self._finalized = True

    def _get_module_for_linking(self) -> Any:
        """For a caller that is no law: the function and all that it calls."""
        if self._shared_module is None:
            self._ensure_finalized()
            module = self._final_module.clone()
            for library in _needed(self._linking_libraries):
                module.link_in(_module_of(library), preserve=True)
            _set_linkage(module, "linkonce_odr")
            self._shared_module = module
        return self._shared_module


class _RootLibrary(_Library):
    """It takes in all that it calls, each function once; the optimiser knows that nobody else calls them."""

    def finalize(self) -> None:
        self._raise_if_finalized()
        self._codegen._check_llvm_bugs()
        module = self._final_module
        exported = {function.name for function in module.functions if not function.is_declaration}
        for library in _needed(self._linking_libraries):
            self._reload_init.update(library._reload_init)
            module.link_in(_module_of(library), preserve=True)
        _set_linkage(module, "internal", exported)
        passes, builder = self._codegen._module_pass_manager(loop_vectorize=False, slp_vectorize=False)
        passes.run(module, builder)
        module.verify()
        self._finalize_final_module()


def _needed(libraries: Iterable[Any]) -> list[Any]:
    """`libraries` and what they call in turn, each once."""
    found: dict[Any, None] = {}
    todo = list(libraries)
    while todo:
        library = todo.pop()
        if library not in found:
            found[library] = None
            if isinstance(library, _InnerLibrary):
                todo.extend(library._linking_libraries)
    return list(found)


def _module_of(library: Any) -> Any:
    if isinstance(library, _InnerLibrary):
        library._ensure_finalized()
        return library._final_module
    return library._get_module_for_linking()


def _set_linkage(module: Any, linkage: str, but: Iterable[str] = ()) -> None:
    for function in module.functions:
        if not function.is_declaration and function.name not in but:
            function.linkage = linkage


# Types


class _Operator(_types.Function):  # type: ignore[misc]
    """The type of an operator, which remembers how it was resolved. It shares all else with numba's."""

    def get_call_type(self, context: Any, args: Any, kws: Any) -> Any:
        known = _resolved[id(self)]
        args = tuple(args)
        if _of_kind_only(args):
            args = tuple(_types.unliteral(kind) for kind in args)
        if kws or args not in known:
            known[args] = super().get_call_type(context, args, kws)
        return known[args]


def _of_kind_only(args: tuple[Any, ...]) -> bool:
    """Is it all the same which constants are among the operands?"""
    return isinstance(args[0], _types.Array) or all(isinstance(kind, _types.Number | _types.Boolean) for kind in args)


class _TypingContext(type(_target.typing_context)):  # type: ignore[misc]
    """Numba's knowledge of types, in which operators are of the kind above."""

    def refresh(self) -> None:
        _contexts[id(self)].refresh()  # who adds to numba's types must see them as they are

    def _lookup_global(self, gv: Any) -> Any:
        found = super()._lookup_global(gv)
        if type(found) is not _types.Function or getattr(gv, "__module__", None) != operator.add.__module__:
            return found
        if id(found) not in _operators:
            quick = object.__new__(_Operator)
            quick.__dict__ = found.__dict__
            _operators[id(found)] = found, quick
            _resolved[id(quick)] = {}
        return _operators[id(found)][1]


_operators: dict[int, tuple[Any, Any]] = {}  # id of numba's -> numba's, ours
_resolved: dict[int, dict[Any, Any]] = {}  # id of ours -> operands -> signature


@functools.cache
def _typing_context(original: Any) -> Any:
    """One for numba's own, with which it shares everything."""
    context = object.__new__(_TypingContext)
    context.__dict__ = original.__dict__
    _contexts[id(context)] = original
    return context


_contexts: dict[int, Any] = {}  # id of ours -> numba's


class _Flags(_compiler.Flags):  # type: ignore[misc]
    """Flags that do not change any more: one object for equal ones."""

    __slots__ = ("_inherited", "_number")
    _inherited: Any
    _number: int

    def copy(self) -> Any:
        """What numba hands down to the functions that it compiles for a law: alike for all laws."""
        return self._inherited

    def __hash__(self) -> int:
        return self._number

    def __eq__(self, other: object) -> bool:
        return self is other or bool(super().__eq__(other))


_flags: dict[str, _Flags] = {}


def _fixed(flags: Any) -> _Flags:
    text = repr(flags)
    if text not in _flags:
        fixed = _flags[text] = _Flags(flags)
        fixed._number = super(_Flags, fixed).__hash__()
        inherited = _compiler.Flags(flags)
        for option in ("forceinline", "no_compile", "no_cpython_wrapper"):
            inherited.discard(option)
        fixed._inherited = fixed if repr(inherited) == text else _fixed(inherited)
    return _flags[text]


# Compiling


class _Compiler(_compiler.CompilerBase):  # type: ignore[misc]
    """Numba's compiler with the parts above."""

    library: Any

    def __init__(
        self, typingctx: Any, targetctx: Any, library: Any, args: Any, return_type: Any, flags: Any, locals: Any
    ) -> None:
        self.set_flags(flags)
        typingctx = _typing_context(typingctx)
        super().__init__(typingctx, targetctx, library, args, return_type, _fixed(flags), locals)
        self.state.targetctx.typing_context = typingctx  # a copy made for this compilation

    def set_flags(self, flags: Any) -> None:
        pass

    def define_pipelines(self) -> Any:
        state = self.state
        if state.library is None:
            state.library = self.library(state.targetctx.codegen(), state.func_id.func_qualname)
            state.library.enable_object_caching()
        whole = _compiler.DefaultPassBuilder.define_nopython_pipeline(state)
        lean = _compiler.PassManager(whole.pipeline_name)
        lean.passes.extend(step for step in whole.passes if step[0].__name__ not in _UNUSED)
        lean.finalize()
        return [lean]


class _InnerCompiler(_Compiler):
    library = _InnerLibrary

    def set_flags(self, flags: Any) -> None:
        flags.no_compile = True
        flags.no_cpython_wrapper = True


class _RootCompiler(_Compiler):
    library = _RootLibrary

    def _compile_core(self) -> Any:
        found = super()._compile_core()
        for environment in found._find_referenced_environments():
            found.library.codegen.set_env(environment.env_name, environment)
        return found


def root_compiler(*arguments: Any) -> Any:
    """The ``pipeline_class`` of a law."""
    return (_RootCompiler if works() else _compiler.Compiler)(*arguments)


class Inner:
    """The twin of a law that its compiled callers call."""

    def __init__(self, law: Any, usable: Callable[[], bool]) -> None:
        self._law = law
        self._usable = usable
        self._template = law.get_call_template
        self._overload = law.get_overload
        self._compiler = type(law._compiler)(
            law.py_func, law.targetdescr, law.targetoptions, law.locals, _InnerCompiler
        )
        self._under_way: set[Any] = set()
        self.overloads: dict[Any, Any] = {}

    @property
    def signatures(self) -> list[Any]:
        return list(self.overloads)

    def get_call_template(self, args: Any, kws: Any) -> Any:
        if not self._usable():
            return self._template(args, kws)
        signature, args = self._compiler.fold_argument_types(args, kws)
        self._compile(tuple(args))
        name = self._law.py_func.__name__
        known = [result.signature for result, _ in self.overloads.values()]
        template = _typing.make_concrete_template(f"CallTemplate({name})", key=name, signatures=known)
        return template, signature, args, {}

    def get_overload(self, sig: Any) -> Any:
        args = tuple(_sigutils.normalize_signature(sig)[0])
        return self.overloads[args][1] if args in self.overloads else self._overload(sig)

    def _compile(self, args: tuple[Any, ...]) -> None:
        with global_compiler_lock:
            if args in self.overloads:
                return
            if args in self._under_way:
                raise errors.TypingError(f"{self._law.py_func.__qualname__} calls itself")
            self._under_way.add(args)
            try:
                result = self._compiler.compile(args, None)
            finally:
                self._under_way.remove(args)
            key = object()  # by which numba finds it again
            self._law.targetctx.insert_user_function(key, result.fndesc, [result.library])
            self.overloads[args] = result, key


def call_from_compiled_code(law: Any) -> None:
    """Let compiled callers of dispatcher `law` call a twin of it."""
    law.inner = _twin(law, works)


def _twin(law: Any, usable: Callable[[], bool]) -> Inner:
    inner = Inner(law, usable)
    law.get_call_template = inner.get_call_template
    law.get_overload = inner.get_overload
    return inner


@functools.cache
def works() -> bool:
    """Does this numba allow all that? Asked when something is to be compiled, and answered by an example."""
    options: dict[str, Any] = {"nogil": True, "error_model": "numpy", "pipeline_class": _RootCompiler}

    def add(table: Any, n: int) -> int:
        table[n, 1] += n
        return n + 1

    try:
        inner = numba.njit(**options)(add)
        twin = _twin(inner, lambda: True)

        def fill(table: Any) -> int:
            n = 0
            while n < table.shape[0]:
                n = inner(table, n)
            return n

        table = np.zeros((3, 2), dtype=np.int64)
        right = numba.njit(**options)(fill)(table) == 3 and table[2, 1] == 2
        return bool(right and twin.overloads and not inner.overloads)
    except Exception:
        return False

"""The decorators of the laws: what they wrap is compiled by numba and cached in sysim's own folder.

``NUMBA_DISABLE_JIT=1`` leaves every law a plain Python function: the third execution of the agreement tests.

The cache. Numba's own does not notice that a function called from another file has changed, and moving it by
``NUMBA_CACHE_DIR`` would move the cache of the user's functions too. So each law carries a cache of its own,
``kernels/<stamp>/`` under ``$SYSIM_CACHE_DIR`` or under the user's cache folder. The stamp is a hash of
everything that machine code is made from: the texts in `SOURCES`, numba, llvmlite, Python and the CPU. Hence
no file in such a folder is ever out of date, and kernels may take constants only from those texts. There is
one file a signature, replaced in one step, so that processes which compile at once at worst do the same work
twice. Whatever goes wrong with a file or the folder, the law is compiled as if there were no cache.
"""

from __future__ import annotations

import contextlib
import functools
import hashlib
import os
import pickle
import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numba
from numba.core import caching as numba_caching
from numba.core import types
from numba.core.options import DefaultOptions

linking: Any
try:
    from sysim.semantics import linking
except Exception:  # a numba that is different inside
    linking = None

SOURCES = ("semantics", "record", "engine/compiled", "plan/tables.py")
"""Folders and files of the package whose text is part of the stamp; only functions from them are cached."""

# numba is typed in parts only
caching: Any = numba_caching
_config: Any = numba.config
_unliteral: Any = types.unliteral

_CACHED_MODULES = ("sysim.semantics.", "sysim.record.", "sysim.engine.compiled.")
_KEEP = 3  # folders of different stamps that are kept
_STAMP_LENGTH = 32


def law(function: Callable[..., Any]) -> Any:
    """Compile a transition function: no Python objects, no allocation, no fast-math, the GIL released."""
    return _prepared(numba.njit(**_options())(function))


def inlined_law(function: Callable[..., Any]) -> Any:
    """As `law`, and its code goes into each caller: for the short way out of a law that is asked often.

    A call costs about 3 ns for every array it passes on, far more than the question "is there a breaker?".
    """
    return _prepared(numba.njit(forceinline=True, **_options())(function))


def kernel(function: Callable[..., Any]) -> Any:
    """Compile a function of the engine. It lives by the same rules as a law, so tables grow outside of it."""
    return law(function)


def _options() -> dict[str, Any]:
    """Without numba's run time for memory: nothing is allocated, so that no reference need be counted.

    The counting, two atomic operations an array and a call, was half of the time of a draw.
    """
    options: dict[str, Any] = {"nogil": True, "error_model": "numpy", "no_cfunc_wrapper": True}
    if hasattr(DefaultOptions, "_nrt"):
        options["_nrt"] = False
    if linking is not None:
        options["no_rewrites"] = True  # array expressions, constants of other types than numbers
        options["pipeline_class"] = linking.root_compiler
    return options


def cache_folder() -> Path | None:
    """Where the machine code of this version on this machine is kept; None if no place for it is known."""
    root = _cache_root()
    return None if root is None else root / "kernels" / stamp()


def cache_is_cold() -> bool:
    """Is nothing compiled yet, so that the first run will take a while?"""
    if _config.DISABLE_JIT:
        return False
    folder = cache_folder()
    if folder is None:
        return True
    try:
        with os.scandir(folder) as entries:
            return not any(entry.name.endswith(".kernel") for entry in entries)
    except OSError:
        return True


@functools.cache
def stamp() -> str:
    """A name for the circumstances under which compiled code is good."""
    import llvmlite
    from llvmlite import binding

    parts = [
        numba.__version__,
        llvmlite.__version__,
        sys.version,
        sys.platform,
        binding.get_process_triple(),
        binding.get_host_cpu_name(),
        binding.get_host_cpu_features().flatten(),
    ]
    digest = hashlib.sha256(repr(parts).encode())
    for name, text in _sources():
        digest.update(f"\n{name} {len(text)}\n".encode())
        digest.update(text)
    return digest.hexdigest()[:_STAMP_LENGTH]


def _sources() -> Iterator[tuple[str, bytes]]:
    """Names and texts of the sources in the stamp, in a fixed order; from a folder or from a zip file."""
    package: Any = Path(__file__).parent.parent
    if not package.is_dir():
        from importlib import resources

        package = resources.files("sysim")
    for name in SOURCES:
        yield from _texts(package.joinpath(*name.split("/")), name)


def _texts(place: Any, name: str) -> Iterator[tuple[str, bytes]]:
    if place.is_dir():
        for child in sorted(place.iterdir(), key=lambda child: child.name):
            if child.name != "__pycache__":
                yield from _texts(child, f"{name}/{child.name}")
    elif name.endswith(".py") and place.is_file():
        yield name, place.read_bytes()


def _cache_root() -> Path | None:
    """``$SYSIM_CACHE_DIR``, or the folder ``sysim`` where the platform keeps a user's caches."""
    own = os.environ.get("SYSIM_CACHE_DIR")
    if own:
        return Path(own).absolute()
    try:
        if sys.platform == "win32":
            local = os.environ.get("LOCALAPPDATA")
            base = Path(local) if local else Path.home() / "AppData" / "Local"
        elif sys.platform == "darwin":
            base = Path.home() / "Library" / "Caches"
        else:
            xdg = os.environ.get("XDG_CACHE_HOME", "")
            base = Path(xdg) if os.path.isabs(xdg) else Path.home() / ".cache"
    except RuntimeError:
        return None  # a user without a home
    return base / "sysim"


def _prepared(compiled: Any) -> Any:
    """Set up a dispatcher; a plain function stays as it is.

    - It gets our cache, if its source is in the stamp.
    - Compiled callers are given a twin that is linked into them.
    - Numba would compile ``f(x, 0)`` and ``f(x, 1)`` apart from each other and from ``f(x, y)``; laws are
      called with constants everywhere, so the types of constants are widened first. LLVM sees the values.
    """
    function = getattr(compiled, "py_func", None)
    if function is None:
        return compiled
    if function.__module__.startswith(_CACHED_MODULES) and not function.__closure__:
        compiled._cache = _KernelCache(function)
    if linking is not None:
        linking.call_from_compiled_code(compiled)
    template = compiled.get_call_template

    def widened(args: Any, kws: Any) -> Any:
        wide_kws = {name: _unliteral(kind) for name, kind in kws.items()}
        return template(tuple(_unliteral(kind) for kind in args), wide_kws)

    compiled.get_call_template = widened
    return compiled


class _KernelCache(caching._Cache):  # type: ignore[misc]
    """The compiled code of one function: a file a signature. Errors turn into "not there" and "not kept"."""

    def __init__(self, function: Callable[..., Any]) -> None:
        self._name = f"{function.__module__}.{function.__qualname__}".replace("<", "").replace(">", "")
        self._line = function.__code__.co_firstlineno
        self._impl = _Codec()
        self._enabled = True

    @property
    def cache_path(self) -> str | None:
        folder = cache_folder()
        return None if folder is None else str(folder)

    def load_overload(self, sig: Any, target_context: Any) -> Any:
        if not self._enabled:
            return None
        try:
            target_context.refresh()
            key = self._key(sig, target_context.codegen())
            file = self._file(key)
            content = file.read_bytes()
            checksum, body = content[:32], content[32:]
            if hashlib.sha256(body).digest() != checksum:
                return None
            stored_key, payload = pickle.loads(body)
            if stored_key != key:
                return None
            found = self._impl.rebuild(target_context, payload)
        except Exception:
            return None
        _mark_as_used(file.parent)
        return found

    def save_overload(self, sig: Any, data: Any) -> None:
        if not self._enabled:
            return
        try:
            if not self._impl.check_cachable(data):
                return
            key = self._key(sig, data.codegen)
            body = caching.dumps((key, self._impl.reduce(data)))
            file = self._file(key)
            _make_folder(file.parent)
            _replace(file, hashlib.sha256(body).digest() + body)
        except Exception:
            self._enabled = False

    def enable(self) -> None:
        self._enabled = True

    def disable(self) -> None:
        self._enabled = False

    def flush(self) -> None:
        """Forget what is kept of this function."""
        folder = cache_folder()
        if folder is not None:
            for file in folder.glob(f"{self._name}-{self._line}-*.kernel"):
                with contextlib.suppress(OSError):
                    file.unlink()

    def _key(self, sig: Any, codegen: Any) -> str:
        return repr((self._name, self._line, sig, codegen.magic_tuple()))

    def _file(self, key: str) -> Path:
        folder = cache_folder()
        if folder is None:
            raise OSError("no cache folder")
        return folder / f"{self._name}-{self._line}-{hashlib.sha256(key.encode()).hexdigest()[:16]}.kernel"


class _Codec(caching.CompileResultCacheImpl):  # type: ignore[misc]
    """Numba's way to turn a compilation into bytes and back, without its search for a place."""

    def __init__(self) -> None:
        pass

    def check_cachable(self, cres: Any) -> bool:
        return not cres.library.has_dynamic_globals and all(lifted.can_cache for lifted in cres.lifted)


def _make_folder(folder: Path) -> None:
    """Make the folder of this stamp; who makes it clears away those of long ago."""
    if folder.is_dir():
        return
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with contextlib.suppress(OSError):
        others = [other for other in folder.parent.iterdir() if other != folder and _is_stamp(other.name)]
        others.sort(key=lambda other: other.stat().st_mtime, reverse=True)
        for other in others[_KEEP - 1 :]:
            shutil.rmtree(other, ignore_errors=True)


def _is_stamp(name: str) -> bool:
    return len(name) == _STAMP_LENGTH and all(letter in "0123456789abcdef" for letter in name)


@functools.cache
def _mark_as_used(folder: Path) -> None:
    """Once a process: the folder in use is the newest one, and so is not cleared away."""
    with contextlib.suppress(OSError):
        os.utime(folder)


def _replace(file: Path, content: bytes) -> None:
    """Write a file so that a reader sees all of it or nothing."""
    handle, name = tempfile.mkstemp(dir=file.parent, prefix=".writing-")
    try:
        with os.fdopen(handle, "wb") as stream:
            stream.write(content)
        os.replace(name, file)
    except BaseException:
        with contextlib.suppress(OSError):
            os.unlink(name)
        raise

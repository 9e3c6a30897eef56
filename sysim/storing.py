"""How the public verbs use the store: what of a scenario is noted, and who opens and closes it."""

from __future__ import annotations

import warnings
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING, Any, TypeVar

from sysim.errors import SysimError

if TYPE_CHECKING:
    from sysim.api import Scenario
    from sysim.plan.plan import Plan
    from sysim.store import Keeping, Question
    from sysim.study.memory import OneRun

Seen = TypeVar("Seen")


@contextmanager
def opened(store: Keeping | str | Path | None, resume: bool) -> Iterator[Keeping | None]:
    """Where to store, None for nowhere. Whoever opened a `Keeping` closes it; one made here warns if it fails."""
    if store is None:
        if resume:
            raise SysimError("found resume, but no store, expected the store that has what was simulated before")
        yield None
    elif isinstance(store, (str, Path)):
        from sysim.store import Keeping

        with Keeping(store, resume=resume, tell=lambda text: warnings.warn(text, RuntimeWarning, stacklevel=2)) as made:
            yield made
    else:
        yield store


def question(
    scenario: Scenario, variant: str, plan: Plan, seed: int, traces: int = 0, repeatable: bool = True
) -> Question:
    """What the store has to know about one variant."""
    from sysim.store import Question

    return Question(variant, scenario.digest, plan, seed, _text(scenario), traces, repeatable)


def _text(scenario: Scenario) -> str:
    """As it was resolved."""
    return scenario.to_yaml() if scenario._loaded is not None else scenario.model.model_dump_json(indent=1)


def begin(
    keeping: Keeping,
    kind: str,
    scenario: Scenario,
    engine: str,
    asked: int | None,
    questions: Sequence[Question],
) -> None:
    """Note what is about to be simulated."""
    keeping.begin(
        kind, scenario=scenario.name, engine=engine, seed=questions[0].seed, asked=asked, questions=questions,
        sources=scenario.sources,
    )  # fmt: skip


# --- studies that keep a part of each run --------------------------------------------------------------------------


class Pieces:
    """The memory of a study (`sysim.study.memory`): counts what was seen, and keeps it where there is a store.

    That the study began is noted with the first thing that it asks for, so that one which is refused leaves no trace.
    """

    def __init__(self, keeping: Keeping | None, kind: str, scenario: Scenario, engine: str, seed: int) -> None:
        self.finished = 0
        self._keeping, self._kind, self._scenario, self._engine, self._seed = keeping, kind, scenario, engine, seed
        self._lock = Lock()
        self._build = ""

    def recall(self, run: OneRun, replication: int, looked: str, kind: type[Seen]) -> Seen | None:
        """What was seen of that replication before, None if nothing."""
        if self._keeping is None:
            return None
        from sysim.store.parts import read

        self._begin(self._keeping)
        key = self._key(run, replication, looked)
        content = self._keeping.recall_piece(key)
        if content is None:
            return None
        try:
            found = read(kind, content)
        except (ValueError, TypeError, LookupError, AttributeError, zlib.error):  # damaged: it is simulated again
            return None
        self._count(self._keeping.keep_piece(key, content, again=True))
        return found

    def keep(self, run: OneRun, replication: int, looked: str, seen: object) -> None:
        """Count what was seen, and store it."""
        new = True
        if self._keeping is not None:
            from sysim.store.parts import noted

            new = self._keeping.keep_piece(self._key(run, replication, looked), noted(seen))
        self._count(new)

    def conclude(self, tree: Callable[[], Mapping[str, Any]], code: int) -> None:
        """Note the JSON object that came out, and the exit code."""
        if self._keeping is not None:
            self._begin(self._keeping)
            self._keeping.conclude(tree(), (), None, code, False)

    def interrupted(self) -> None:
        """Note that Ctrl-C came."""
        if self._keeping is not None and self._keeping.id is not None:
            self._keeping.interrupt()

    def _count(self, new: bool) -> None:
        with self._lock:
            self.finished += new

    def _key(self, run: OneRun, replication: int, looked: str) -> str:
        from sysim.store import origin

        it = run.identity
        return origin.key(self._build, it.digest, it.plan, it.seed, 0, replication, looked)

    def _begin(self, keeping: Keeping) -> None:
        with self._lock:
            if self._build:
                return
            from sysim.store import Question, origin

            asked = Question(
                self._scenario.variant or "", self._scenario.digest, None, self._seed, _text(self._scenario),
                repeatable=False,
            )  # fmt: skip
            begin(keeping, self._kind, self._scenario, self._engine, None, [asked])
            # What is seen depends on the study that looks, too.
            self._build = origin.build("study")


@contextmanager
def remembering(
    store: Keeping | str | Path | None, resume: bool, kind: str, scenario: Scenario, engine: str, seed: int
) -> Iterator[Pieces]:
    """The memory of a study. Ctrl-C raises `Interrupted` with the number of runs that were finished."""
    from sysim.api import Interrupted

    with opened(store, resume) as keeping:
        pieces = Pieces(keeping, kind, scenario, engine, seed)
        try:
            yield pieces
        except KeyboardInterrupt:
            pieces.interrupted()
            raise Interrupted(None, pieces.finished) from None

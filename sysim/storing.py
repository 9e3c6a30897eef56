"""How the public verbs use the store: what of a scenario is noted, and who opens and closes it."""

from __future__ import annotations

import warnings
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from sysim.errors import SysimError

if TYPE_CHECKING:
    from sysim.api import Scenario
    from sysim.plan.plan import Plan
    from sysim.store import Keeping, Question


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

    text = scenario.to_yaml() if scenario._loaded is not None else scenario.model.model_dump_json(indent=1)
    return Question(variant, scenario.digest, plan, seed, text, traces, repeatable)


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

"""Impatient people: they reload a page while the first answer is still on its way, or leave.

What a load says of its people is put into its policy: a reload is an attempt that the person gives up and makes again.
"""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from sysim.model.distribution import Distribution, DistributionLike
from sysim.model.policy import Backoff, CallPolicy, Impatience, Retry
from sysim.model.values import FailureOutcome, Model, PositiveCount, Share


class Reloads(Model):
    """Who has no answer after `reload_after` asks again, up to `reloads` times, unless (in a share `give_up` of the
    cases) they leave instead; so too after another outcome in `on`. `backoff` is the time that it takes them.
    """

    reload_after: DistributionLike
    reloads: PositiveCount = 1
    give_up: Share = 0.0
    on: tuple[FailureOutcome, ...] = ("timeout",)
    backoff: Annotated[Backoff, Field(discriminator="kind")] | None = None

    @property
    def pages(self) -> float:
        """How often one who never gets an answer asks on average: the sum of (1 - give_up)^k for k up to `reloads`."""
        return pages(self.reloads, self.give_up)


def pages(reloads: int, give_up: float) -> float:
    """How often one asks on average who never gets an answer, the first time included."""
    if give_up == 0.0:
        return float(reloads + 1)
    return (1.0 - (1.0 - give_up) ** (reloads + 1)) / give_up


def impatient(
    policy: CallPolicy | None, place: str, patience: Distribution | None, reloads: Reloads | None
) -> CallPolicy | None:
    """The policy of a load whose people have this patience and reload so; it stands at `place`.

    The policy must have no deadline where there is patience, no timeout and no retry where there are reloads.
    """
    if patience is None and reloads is None:
        return policy
    policy = policy or CallPolicy()
    changes: dict[str, object] = {"name": None, "place": place}
    if reloads is None:
        changes["impatience"] = Impatience(patience=patience)
    else:
        changes["impatience"] = Impatience(
            patience=patience, reload_after=reloads.reload_after, give_up=reloads.give_up
        )
        changes["retry"] = Retry(max_attempts=reloads.reloads + 1, on=reloads.on, backoff=reloads.backoff)
    return policy.model_copy(update=changes)

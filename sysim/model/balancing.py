"""How a caller replica chooses among the replicas of the service it calls."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BeforeValidator, Field

from sysim.model.values import Model


class RoundRobin(Model):
    """One after the other; each caller replica starts at a random one."""

    kind: Literal["round_robin"] = "round_robin"


class Random(Model):
    """Each ready replica with the same probability."""

    kind: Literal["random"] = "random"


class LeastRequest(Model):
    """The one with the fewest open attempts of this caller among `choices` replicas drawn at random."""

    kind: Literal["least_request"] = "least_request"
    choices: int = Field(default=2, ge=1)


class LeastOutstanding(Model):
    """The one with the fewest open attempts of this caller among all ready replicas."""

    kind: Literal["least_outstanding"] = "least_outstanding"


Balancer = RoundRobin | Random | LeastRequest | LeastOutstanding
"""Any balancer; `kind` tells which."""

_KINDS: dict[str, type[Balancer]] = {
    "round_robin": RoundRobin,
    "random": Random,
    "least_request": LeastRequest,
    "least_outstanding": LeastOutstanding,
}


def _by_name(value: Any) -> Any:
    return _KINDS[value]() if isinstance(value, str) and value in _KINDS else value


BalancerLike = Annotated[Annotated[Balancer, Field(discriminator="kind")], BeforeValidator(_by_name)]
"""A balancer, or the bare name of one."""

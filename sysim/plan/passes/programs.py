"""Steps into instructions: the programs of operations, journeys, messages and fallbacks.

A `repeat` is unrolled; every copy of a step has its own salt (the path with the round in it) but the same
call site (the path without). What runs as a story of its own, a branch, a message or a fallback, is written
behind the program that it belongs to.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Sequence
from functools import partial

from sysim.model import (
    Call,
    CallPolicy,
    Choose,
    Distribution,
    Fail,
    Parallel,
    Publish,
    Repeat,
    Step,
    Think,
    Work,
)
from sysim.plan.errors import PlanError
from sysim.plan.identity import list_labels, salt, step_labels
from sysim.plan.passes.distributions import Distributions
from sysim.plan.passes.optional import fails_last
from sysim.plan.passes.policies import Policies
from sysim.plan.passes.rows import row
from sysim.plan.passes.scopes import Caller, Scopes
from sysim.plan.passes.sites import Sites
from sysim.plan.passes.topology import Topology
from sysim.plan.tables import (
    C_STREAM,
    I_ARG,
    I_FALLBACK,
    I_NEXT,
    I_OP,
    I_OPTIONAL,
    I_SALT,
    N_I,
    NONE,
    OP_CALL,
    OP_CHANCE,
    OP_END,
    OP_FAIL,
    OP_FLAG,
    OP_JUMP,
    OP_PARALLEL,
    OP_PAUSE,
    OP_PUBLISH,
    OP_THINK,
    OP_WORK,
)
from sysim.semantics.fit import cumulative_weights

MOST_INSTRUCTIONS = 100_000

IN_OPERATION = frozenset({"work", "call", "parallel", "publish", "fail", "repeat", "choose"})
IN_JOURNEY = frozenset({"think", "call", "parallel", "repeat", "choose"})
IN_FALLBACK = frozenset({"call", "repeat", "choose"})

NewStream = Callable[[Call, int], int]
"""What a journey does with each of its call sites: given the step and the site, the row of the stream."""


class Block:
    """Where steps stand: who runs them, which kinds may stand there, who counts their calls as requests."""

    def __init__(
        self, caller: Caller, kinds: frozenset[str], what: str, new_stream: NewStream | None = None
    ) -> None:
        self.caller = caller
        self.kinds = kinds
        self.what = what
        self.new_stream = new_stream


class Programs:
    """The rows of `code` and `branches`, and with them the call sites."""

    def __init__(
        self, topology: Topology, distributions: Distributions, policies: Policies, scopes: Scopes
    ) -> None:
        self.topology = topology
        self.distributions = distributions
        self.code: list[list[int]] = []
        self.code_f: list[list[float]] = []
        self.branches: list[list[int]] = []
        self.sites = Sites(topology, policies, scopes)
        self._fallback_of: dict[int, int] = {}
        self._message_of: dict[int, int] = {}
        self._later: deque[Callable[[], None]] = deque()

    # --- programs ---

    def operation(self, caller: Caller, steps: Sequence[Step]) -> int:
        """The program of an operation; its first instruction."""
        block = Block(caller, IN_OPERATION, "an operation")
        return self._whole(partial(self._steps, block, steps, caller.label, caller.label, False))

    def journey(
        self,
        caller: Caller,
        steps: Sequence[Step],
        think: Distribution | None,
        new_stream: NewStream,
        come_and_go: bool = False,
    ) -> int:
        """The program of one cycle of a user, or with `think` None of one request of an open load."""
        place = f"load:{caller.owner}"

        def write() -> None:
            if think is not None:
                self._think(caller, think, come_and_go)
            self._steps(Block(caller, IN_JOURNEY, "a journey", new_stream), steps, place, place, False)

        return self._whole(write)

    def one_call(self, caller: Caller, target: str, policy: CallPolicy | None, stream: int) -> int:
        """The two rows that make one request of an open load; the row of the call."""
        place = f"load:{caller.owner}/call:{target}#0"

        def write() -> None:
            site = self._site(caller, target, policy, place, stream)
            self._emit(OP_CALL, arg=site, salt_of=place)

        return self._whole(write, finish=False)

    def choice_of_calls(
        self,
        caller: Caller,
        think: Distribution,
        calls: Sequence[tuple[str, float]],
        policy: CallPolicy | None,
        first_stream: int,
        come_and_go: bool = False,
    ) -> int:
        """The program of a user who thinks and then makes one call of a mix."""
        place = f"load:{caller.owner}"

        def write() -> None:
            self._think(caller, think, come_and_go)

            def call(number: int) -> None:
                target = calls[number][0]
                where = f"{place}/call:{target}#0"
                site = self._site(caller, target, policy, where, first_stream + number)
                self._emit(OP_CALL, arg=site, salt_of=where)

            self._one_of([share for _, share in calls], f"{place}/mix", call)

        return self._whole(write)

    def finish(self) -> None:
        """Write the branches, messages and fallbacks that are still due, and whatever they need in turn."""
        while self._later:
            self._later.popleft()()

    def linked(self) -> list[list[int]]:
        """All instructions, with calls joined to their fallbacks and publishes to their messages."""
        for cells in self.code:
            if cells[I_OP] == OP_CALL:
                cells[I_FALLBACK] = self._fallback_of.get(cells[I_ARG], NONE)
            elif cells[I_OP] == OP_PUBLISH:
                cells[I_ARG] = self._message_of[cells[I_ARG]]
        return self.code

    def _whole(self, write: Callable[[], None], finish: bool = True) -> int:
        first = len(self.code)
        write()
        self._emit(OP_END)
        if finish:
            self.finish()
        return first

    def _emit(
        self,
        op: int,
        arg: int = 0,
        salt_of: str = "",
        optional: bool = False,
        value: float = 0.0,
        following: int = 0,
    ) -> int:
        number = len(self.code)
        if number >= MOST_INSTRUCTIONS:
            raise PlanError(
                "services",
                f"there are more than {MOST_INSTRUCTIONS} instructions once every repeat is unrolled",
                "repeat fewer times",
            )
        self.code.append(
            row(
                N_I,
                {
                    I_OP: op,
                    I_ARG: arg,
                    I_SALT: salt("step", salt_of) if salt_of else 0,
                    I_OPTIONAL: optional,
                    I_NEXT: following,
                    I_FALLBACK: NONE,
                },
            )
        )
        self.code_f.append([value])
        return number

    def _think(self, caller: Caller, think: Distribution, come_and_go: bool) -> None:
        op = OP_PAUSE if come_and_go else OP_THINK
        self._emit(op, arg=self.distributions.add(think), salt_of=f"load:{caller.owner}/between")

    # --- steps ---

    def _steps(self, block: Block, steps: Sequence[Step], path: str, place: str, optional: bool) -> None:
        for label, step in zip(step_labels(steps), steps, strict=True):
            self._step(block, step, f"{path}/{label}", f"{place}/{label}", optional)

    def _step(self, block: Block, step: Step, path: str, place: str, optional: bool) -> None:
        """One step. `optional`: its failure is forgiven, because an optional step around it ends with it."""
        if step.kind not in block.kinds:
            raise PlanError(place, f"{step.kind} cannot stand in {block.what}", _why_not(step, block))
        gates = []
        if step.flag is not None:
            gates.append(self._emit(OP_FLAG, arg=self.topology.flag(step.flag, place)))
        if step.probability is not None and step.probability < 1.0:
            gates.append(self._emit(OP_CHANCE, salt_of=f"{path}/probability", value=step.probability))
        self._body(block, step, path, place, optional or step.optional)
        for gate in gates:
            self.code[gate][I_NEXT] = len(self.code)

    def _body(self, block: Block, step: Step, path: str, place: str, optional: bool) -> None:
        match step:
            case Work(duration=duration):
                self._emit(OP_WORK, arg=self.distributions.add(duration), salt_of=path)
            case Think(duration=duration):
                self._emit(OP_THINK, arg=self.distributions.add(duration), salt_of=path)
            case Call():
                site = self._journey_site(block, step, place)
                self._emit(OP_CALL, arg=site, salt_of=path, optional=optional)
            case Publish(target=target, policy=policy):
                site = self._message(block.caller, target, policy, place)
                self._emit(OP_PUBLISH, arg=site, salt_of=path)
            case Parallel(branches=branches):
                self._parallel(block, branches, path, place, optional)
            case Fail(share=share):
                self._emit(OP_FAIL, salt_of=path, optional=optional, value=share)
            case Repeat() | Choose():
                if optional and not fails_last(step):
                    self._forgiven(block, step, path, place)
                elif isinstance(step, Repeat):
                    self._repeat(block, step, path, place, optional)
                else:
                    self._choose(block, step, path, place, optional)

    def _repeat(self, block: Block, step: Repeat, path: str, place: str, optional: bool) -> None:
        for number in range(step.times):
            before = len(self.code)
            self._steps(block, step.steps, f"{path}/{number}", place, optional)
            if len(self.code) == before:
                return

    def _choose(self, block: Block, step: Choose, path: str, place: str, optional: bool) -> None:
        labels = list_labels([option.steps for option in step.options])

        def option(number: int) -> None:
            label = labels[number]
            self._steps(block, step.options[number].steps, f"{path}/{label}", f"{place}/{label}", optional)

        self._one_of([option.weight for option in step.options], path, option)

    def _one_of(self, weights: Sequence[float], path: str, write: Callable[[int], None]) -> None:
        """A chain of chances that share one number: option i where it first lies below its threshold."""
        jumps = []
        *shares, _ = cumulative_weights(weights)
        for number, share in enumerate(shares):
            chance = self._emit(OP_CHANCE, salt_of=f"{path}/choice", value=share)
            write(number)
            jumps.append(self._emit(OP_JUMP))
            self.code[chance][I_NEXT] = len(self.code)
        write(len(shares))
        for jump in jumps:
            self.code[jump][I_NEXT] = len(self.code)

    def _parallel(
        self, block: Block, branches: Sequence[Sequence[Step]], path: str, place: str, optional: bool
    ) -> None:
        first = len(self.branches)
        self._emit(OP_PARALLEL, arg=first, salt_of=path, optional=optional, following=len(branches))
        for label, steps in zip(list_labels(branches), branches, strict=True):
            branch = len(self.branches)
            self.branches.append([NONE, salt("step", f"{path}/{label}")])
            self._later.append(
                partial(self._branch, branch, block, steps, f"{path}/{label}", f"{place}/{label}")
            )

    def _branch(self, branch: int, block: Block, steps: Sequence[Step], path: str, place: str) -> None:
        self.branches[branch][0] = len(self.code)
        self._steps(block, steps, path, place, False)
        self._emit(OP_END)

    def _forgiven(self, block: Block, step: Repeat | Choose, path: str, place: str) -> None:
        """An optional step of several that may fail half-way, as an optional parallel of one branch."""
        if block.caller.asynchronous or "parallel" not in block.kinds:
            raise PlanError(
                place,
                f"this {step.kind} cannot be optional as a whole: a failure may leave it half-way",
                "make the steps inside it optional",
            )
        self._parallel(block, [[step.model_copy(update=_BARE)]], path, place, True)

    # --- calls ---

    def _journey_site(self, block: Block, step: Call, place: str) -> int:
        known = place in self.sites
        site = self._site(block.caller, step.target, step.policy, place)
        if not known and block.new_stream is not None:
            self.sites.rows[site][C_STREAM] = block.new_stream(step, site)
        return site

    def _message(self, caller: Caller, target: str, policy: CallPolicy | None, place: str) -> int:
        known = place in self.sites
        site = self._site(caller, target, policy, place, publish=True)
        if not known:
            self._later.append(partial(self._message_program, site, place))
        return site

    def _message_program(self, site: int, place: str) -> None:
        self._message_of[site] = len(self.code)
        self._emit(OP_CALL, arg=site, salt_of=f"{place}/message")
        self._emit(OP_END)

    def _site(
        self,
        caller: Caller,
        target: str,
        policy: CallPolicy | None,
        place: str,
        stream: int = NONE,
        publish: bool = False,
    ) -> int:
        known = place in self.sites
        number = self.sites.add(caller, target, policy, place, stream, publish)
        if not known and policy is not None and policy.fallback is not None and policy.fallback.steps:
            self._later.append(
                partial(self._fallback, number, caller, policy.fallback.steps, f"{place}/fallback")
            )
        return number

    def _fallback(self, site: int, caller: Caller, steps: Sequence[Step], place: str) -> None:
        self._fallback_of[site] = len(self.code)
        self._steps(Block(caller, IN_FALLBACK, "a fallback"), steps, place, place, False)
        self._emit(OP_END)


_BARE = {"optional": False, "probability": None, "flag": None}


def _why_not(step: Step, block: Block) -> str:
    if isinstance(step, Think):
        return "only users think, in a journey"
    if block.kinds is IN_FALLBACK and isinstance(step, Work):
        return "give the fallback a latency instead"
    return f"expected one of {', '.join(sorted(block.kinds))}"

"""What would help, in words: what hurts, a table of all that could be done, what is best; and as JSON and CSV."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import IO, Any

from rich.box import SIMPLE_HEAD
from rich.console import Console
from rich.padding import Padding
from rich.table import Table
from rich.text import Text

from sysim.analysis.estimates import Estimate
from sysim.analysis.words import Clock, amount, count, counted, listed, percent, span
from sysim.report.console import PROSE_WIDTH, on_console
from sysim.report.csv_file import write_rows
from sysim.result.result import FORMAT
from sysim.study.moment import Trouble
from sysim.study.whatif import Effect, WhatIf

MOST_TOLD = 4
STYLE = {"better": "green", "worse": "red"}


def show_what_if(found: WhatIf, out: IO[str], brief: bool = False) -> None:
    """Write what was found; the sentences alone when `brief`. Colour and width suit a terminal."""
    on_console(out, lambda console: _show(console, found, brief))


def _show(console: Console, found: WhatIf, brief: bool) -> None:
    width = min(PROSE_WIDTH, console.width)
    if not brief:
        facts = f"from {clock(found)(found.terms.at / 1e9)} to {clock(found)(found.terms.end / 1e9)}"
        console.print(Text.assemble((found.scenario, "bold"), "  ", (f"what if, {facts}", "dim")))
        console.print(_table(found, console.width))
    for sentence in sentences(found):
        console.print(Padding(Text(sentence), (0, 2)), width=width)
    if not brief:
        console.print()
        console.print(Text(method(found), style="dim"), width=width)


def _table(found: WhatIf, width: int) -> Table:
    """Narrow terminals see less: no shares served, then no money."""
    table = Table(box=SIMPLE_HEAD, pad_edge=False)
    table.add_column("", justify="right", no_wrap=True)
    table.add_column("mitigation", justify="left", overflow="fold")
    currencies = list(found.nothing.seen[0].earned) if width >= 90 else []
    served = ["served"] if width >= 110 else []
    for name in ("well again", "customers saved", *(f"{name} saved" for name in currencies), *served):
        table.add_column(name, justify="right", no_wrap=True)
    for effect in found.effects:
        cells = [f"{effect.rank}{'=' if effect.tied else ' '}", effect.name, _well(effect), _saved(effect.saved)]
        cells += [_saved(effect.earned.get(name)) for name in currencies]
        style = "bold" if effect.rank == 1 else "dim" if effect.verdict == "nothing" else ""
        cells += [percent(effect.served) for _ in served]
        table.add_row(*cells, style=STYLE.get(effect.verdict, style))
    return table


def _well(effect: Effect) -> str:
    if not effect.judged:
        return "cannot be told"
    of = f"{effect.recovered} of {effect.judged}"
    if not effect.recovered:
        return "no" if effect.judged == 1 else of
    if effect.after_s is None or effect.after_s == math.inf:
        return of
    when = "at once" if effect.after_s == 0 else f"after {span(effect.after_s)}"
    return when if effect.judged == 1 else f"{of}, {when}"


def _saved(saved: Estimate | None) -> str:
    if saved is None:
        return "–"
    text = f"{saved.mean:+,.0f}" if round(saved.mean) else "0"
    return text if saved.half_width is None else f"{text} ± {saved.half_width:,.0f}"


def clock(found: WhatIf) -> Clock:
    """How the points of time of a result are told."""
    return Clock(found.start, found.terms.end / 1e9, found.zone)


# --- sentences --------------------------------------------------------------------------------------------


def sentences(found: WhatIf) -> tuple[str, ...]:
    """What hurts, what happens if nobody does anything, what is best, what is no use, what makes it worse."""
    told = [_hurts(found), _alone(found), *_best(found)]
    best = {effect.name for effect in found.best}
    rest = [effect for effect in found.effects if effect.name not in best]
    unsure = [effect for effect in rest if effect.verdict == "no difference"]
    some = [effect for effect in unsure if effect.recovered > found.nothing.recovered]
    if some:
        told += [f"Not to be relied on: {_some([f'{effect.name} ({_well(effect)})' for effect in some])}."]
    useless = [effect.name for effect in unsure if effect not in some and effect is not found.nothing]
    if useless:
        told.append(f"No difference to doing nothing can be shown for: {_some(useless)}.")
    worse = [effect for effect in reversed(rest) if effect.verdict == "worse"]
    if worse:
        told.append(f"Worse than doing nothing: {_some([effect.name for effect in worse])}.")
    if found.interrupted:
        told.append(f"Interrupted after {counted(found.replications, 'replication')}.")
    return tuple(told)


def _hurts(found: WhatIf) -> str:
    moment, at = found.moment, clock(found)(found.terms.at / 1e9)
    served = ""
    if moment.served is not None:
        served = f"{percent(moment.served)} of the requests of the last {span(moment.look_s)} are served"
    if not moment.hurts:
        rest = f", and {served}" if served else ""
        return f"At {at} nothing hurts: no fault is active, no service is full{rest}."
    parts = []
    if served:
        before = "" if moment.before is None else f", where {percent(moment.before)} were before the trouble"
        parts.append(f"At {at} {served}{before}.")
    else:
        parts.append(f"At {at} nobody asks for anything.")
    parts += [_trouble(row) for row in moment.services[:MOST_TOLD]]
    if len(moment.services) > MOST_TOLD:
        parts.append(f"So {_is(len(moment.services) - MOST_TOLD)} {len(moment.services) - MOST_TOLD} more.")
    if moment.faults:
        names = list(moment.faults.values())
        parts.append(f"The {'fault' if len(names) == 1 else 'faults'} {listed(names)} {_is(len(names))} active.")
    elif moment.over:
        over = f"{listed(moment.over)} {_is(len(moment.over))} over"
        parts.append(f"No fault is active: {over}, and it is down by itself.")
    else:
        parts.append("No fault has struck.")
    return " ".join(parts)


def _trouble(row: Trouble) -> str:
    parts = []
    if row.busy is not None and row.busy >= 0.95:
        share = "all" if row.busy >= 0.995 else percent(row.busy)
        parts.append(f"{share} of its workers are busy")
    if row.queue >= 1:
        parts.append(f"{count(round(row.queue))} requests wait")
    if row.turned_away >= 1:
        parts.append(f"{count(round(row.turned_away))} a second are turned away")
    if row.down >= 0.5:
        parts.append(f"{counted(round(row.down), 'replica')} {_is(round(row.down))} down")
    return f"{row.service} is in trouble: {listed(parts)}."


def _is(n: int) -> str:
    return "is" if n == 1 else "are"


def _alone(found: WhatIf) -> str:
    nothing, end = found.nothing, clock(found)(found.terms.end / 1e9)
    if not nothing.judged:
        return "Whether it gets well cannot be told: nothing was measured before the trouble to compare with."
    runs = "" if nothing.judged == 1 else f" in {nothing.recovered or 'none'} of {nothing.judged} runs"
    if not nothing.recovers:
        return f"Left alone, it is {'not ' if not runs else ''}well again{runs} by {end}."
    if not found.moment.hurts and nothing.after_s == 0:
        return f"Left alone, it stays well until {end}{runs}."
    return f"Left alone, it is well again {_after(nothing)}{runs}."


def _after(effect: Effect) -> str:
    return "at once" if not effect.after_s else f"after {span(effect.after_s)}"


def _best(found: WhatIf) -> list[str]:
    best, nothing = found.best, found.nothing
    if nothing in best:
        if len(best) == 1:
            return ["Leave it alone: whatever else was tried is worse."]
        if not any(effect.verdict == "better" for effect in best):
            more = "; more replications may tell" if 1 < found.replications < 10 else ""
            return [f"Nothing that was tried can be told to be better than doing nothing{more}."]
    first = min(best, key=lambda effect: (effect is nothing, nothing in best and effect.verdict != "better"))
    told = [f"Best: {_does(found, first)}."]
    # Beside doing nothing, which is as good as the pairs can tell, only those that can be told to help are as good.
    others = [effect.name for effect in best
              if effect not in (first, nothing) and (nothing not in best or effect.verdict == "better")]  # fmt: skip
    if nothing in best:
        told.append("All pairs allowed for, it cannot be told from doing nothing; more replications may tell.")
    if others:
        told.append(f"As good, as far as {counted(found.replications, 'run')} can tell: {_some(others)}.")
    second = next((effect for effect in found.effects if effect.rank > 1 and effect.verdict == "better"), None)
    if second is not None:
        told.append(f"Next: {_does(found, second)}.")
        if _costs(second):
            third = next((effect for effect in found.effects if effect.rank > second.rank
                          and effect.verdict == "better" and not _costs(effect)), None)  # fmt: skip
            if third is not None:
                told.append(f"Next without losing money: {_does(found, third)}.")
    if not first.recovers and first.judged:
        told.append(f"None of them gets it well again in most runs by {clock(found)(found.terms.end / 1e9)}.")
    for currency in first.earned:
        most = max(found.effects, key=lambda effect: effect.earned[currency].mean if effect.earned else 0.0)
        if most not in best and most.earned and most.earned[currency].differs:
            told.append(f"Most money is saved by another: {most.name}, {amount(most.earned[currency].mean, currency)}.")
    return told


def _costs(effect: Effect) -> bool:
    """Whether it can be shown to lose money."""
    return any(one.differs and one.mean < 0 for one in effect.earned.values())


def _does(found: WhatIf, effect: Effect) -> str:
    text = effect.name
    until = found.terms.until
    if effect.mitigation.held:
        end = until >= found.terms.end
        text += " for good" if end else f" until {clock(found)(until / 1e9)}, and then undo that"
    if effect.judged:
        runs = "" if effect.judged == 1 else f" in {effect.recovered or 'none'} of {effect.judged} runs"
        well = f" {_after(effect)}" if effect.recovers else ""
        text += f"; it is {'' if runs or effect.recovered else 'not '}well again{well}{runs}"
    saved = effect.saved
    if saved is not None:
        more = "more" if saved.mean >= 0 else "fewer"
        sure = "" if saved.half_width is None else f" ± {saved.half_width:,.0f}"
        text += f", and {abs(saved.mean):,.0f}{sure} {more} customers are served than if nobody did anything"
    money = [
        f"{amount(abs(one.mean), currency)} {'more' if one.mean > 0 else 'less'}"
        for currency, one in effect.earned.items() if one.mean
    ]  # fmt: skip
    return f"{text} ({listed(money)})" if money else text


def _some(names: Sequence[str]) -> str:
    if len(names) <= MOST_TOLD + 1:
        return "; ".join(names)
    return f"{'; '.join(names[:MOST_TOLD])}; and {len(names) - MOST_TOLD} more"


def method(found: WhatIf) -> str:
    """How the numbers were come by, and how sure they are."""
    n, terms, tell = found.replications, found.terms, clock(found)
    text = f"seed {found.seed}, {counted(n, 'replication')}; all futures share the past until {tell(terms.act / 1e9)}"
    held = [effect for effect in found.effects if effect.mitigation.held]
    if held and terms.until < terms.end:
        text += f"; what is held is held until {tell(terms.until / 1e9)} and then undone"
    if n == 1:
        return f"{text}. One run of each: small differences are chance."
    return (
        f"{text}. Customers saved are differences to doing nothing, run by run, with {found.confidence * 100:.3g} % "
        f"intervals that hold together for {counted(len(found.effects) - 1, 'mitigation')} (Holm). Those marked = "
        f"could not be told apart, all {counted(found.comparisons, 'pair')} allowed for (Bonferroni)."
    )


# --- for programs -----------------------------------------------------------------------------------------


def what_if_dict(found: WhatIf) -> dict[str, Any]:
    """The JSON object of ``sysim what-if --json``."""
    terms, moment = found.terms, found.moment
    return {
        "format": FORMAT,
        "study": "what if",
        "scenario": found.scenario,
        "at_s": terms.at / 1e9,
        "act_s": terms.act / 1e9,
        "until_s": terms.until / 1e9,
        "end_s": terms.end / 1e9,
        "moment": {
            "hurts": moment.hurts,
            "look_s": moment.look_s,
            "served": moment.served,
            "served_before": moment.before,
            "faults": list(moment.faults.values()),
            "faults_over": list(moment.over),
            "services": [
                {"service": row.service, "busy": row.busy, "queue_mean": row.queue,
                 "turned_away_per_s": row.turned_away, "replicas_down": row.down}
                for row in moment.services
            ],
        },
        "mitigations": [_effect(effect) for effect in found.effects],
        "confidence": found.confidence,
        "correction": {"saved": "holm", "ranks": "bonferroni", "pairs": found.comparisons},
        "sentences": list(sentences(found)),
        "seed": found.seed,
        "replications": found.replications,
        **({"interrupted": True} if found.interrupted else {}),
    }  # fmt: skip


def _effect(effect: Effect) -> dict[str, Any]:
    interval = effect.after_interval
    return {
        "rank": effect.rank,
        "tied": effect.tied,
        "name": effect.name,
        "kind": effect.mitigation.kind,
        "held": effect.mitigation.held,
        "recovered": effect.recovered,
        "judged": effect.judged,
        "recovered_after_s": _finite(effect.after_s),
        "recovered_after_interval_s": None if interval is None else [_finite(x) for x in interval],
        "served": effect.served,
        "served_by_load": dict(effect.served_by),
        "saved": _estimate(effect.saved),
        "earned": {currency: _estimate(one) for currency, one in effect.earned.items()},
        "verdict": effect.verdict,
        "runs": [
            {"offered": sum(s.offered.values()), "served": int(s.served), "earned": dict(s.earned),
             "recovered_after_s": _finite(s.well_after_s)}
            for s in effect.seen
        ],
    }  # fmt: skip


def _estimate(one: Estimate | None) -> dict[str, Any] | None:
    if one is None:
        return None
    return {"mean": one.mean, "half_width": one.half_width, "confidence": one.confidence, "p": one.p}


def _finite(x: float | None) -> float | None:
    return None if x is None or x == math.inf else x


def write_what_if(found: WhatIf, path: Path) -> Path:
    """A row for each mitigation, the best first."""
    currencies = list(found.nothing.seen[0].earned)
    head = ["rank", "mitigation", "kind", "recovered", "judged", "recovered_after_s", "saved", "saved_half_width",
            *(f"earned_{name}" for name in currencies), "served", "verdict"]  # fmt: skip
    return write_rows(
        path,
        head,
        (
            [effect.rank, effect.name, effect.mitigation.kind, effect.recovered, effect.judged,
             _finite(effect.after_s), effect.saved.mean if effect.saved else 0.0,
             effect.saved.half_width if effect.saved else None,
             *(effect.earned[name].mean if effect.earned else 0.0 for name in currencies), effect.served,
             effect.verdict]
            for effect in found.effects
        ),
    )  # fmt: skip

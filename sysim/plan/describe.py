"""A plan as a page of text: programs with their labels, call sites, policies, loads, faults, lanes.

Meant for reading and for golden files; hashes are left out, times are written as in a scenario.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable

from sysim.plan import tables as t
from sysim.plan.plan import Plan
from sysim.semantics.kinds import KIND_EMPIRICAL, KIND_MIXTURE, KIND_PERCENTILES, KINDS
from sysim.units import format_duration, format_rate

_JITTERS = ("none", "full", "equal", "decorrelated", "share")
_UNBOUNDED_S = 1e9
_BALANCERS = ("round_robin", "random", "least_request", "least_outstanding")


def describe(plan: Plan) -> str:
    """The listing of a plan."""
    parts: list[tuple[str, Callable[[Plan], Iterable[str]]]] = [
        ("time", _time),
        ("services", _services),
        ("loads", _loads),
        ("programs", _programs),
        ("sites", _sites),
        ("policies", _policies),
        ("faults", _faults),
        ("actions", _actions),
        ("scalers", _scalers),
        ("lanes", _lanes),
    ]
    lines: list[str] = []
    for title, part in parts:
        body = [f"  {line}" for line in part(plan)]
        if body:
            lines += [title, *body, ""]
    return "\n".join(lines)


def _ns(value: int) -> str:
    return "never" if value >= t.NEVER else format_duration(int(value))


def _share(value: float) -> str:
    return f"{100.0 * value:.6g}%"


def _distribution(plan: Plan, number: int) -> str:
    if number < 0:
        return "none"
    row, values = plan.dist[number], plan.distF[number]
    if row[t.D_CONST] >= 0:
        return _ns(row[t.D_CONST])
    kind = row[t.D_KIND]
    first = int(row[t.D_FIRST])
    points = plan.points[first : first + int(row[t.D_COUNT])]
    if kind == KIND_MIXTURE:
        below = [0.0, *points[:, 0]]
        inside = ", ".join(
            f"{_share(share - before)} {_distribution(plan, int(part))}"
            for before, (share, part) in zip(below, points, strict=False)
        )
    elif kind == KIND_EMPIRICAL:
        inside = f"{len(points)} values"
    elif kind == KIND_PERCENTILES:
        inside = ", ".join(f"{_share(share)} {value:g}s" for share, value in points)
    else:
        inside = f"{values[t.D_A]:g}, {values[t.D_B]:g}"
    cap = "" if row[t.D_CAP] >= t.NEVER else f" at most {_ns(row[t.D_CAP])}"
    return f"{KINDS[kind]}({inside}; mean {values[t.D_MEAN]:g}s){cap}"


def _time(plan: Plan) -> Iterable[str]:
    drain = "until done" if plan.drain >= t.NEVER else _ns(plan.drain)
    yield f"duration {_ns(plan.duration)}, warm-up {_ns(plan.warmup)}, drain {drain}"
    yield f"{plan.n_cells} cells, {plan.n_buckets} buckets of {_ns(plan.bucket_ns)}"
    yield f"{plan.n_segments} segments, {plan.n_columns} columns"
    for name, (start, end) in plan.windows.items():
        first, last = plan.window_segments(name)
        yield f"window {name}: {_ns(start)}..{_ns(end)}, segments {first}..{last - 1}"
    for name, value in zip(plan.names.flags, plan.flags, strict=False):
        yield f"flag {name}: {'on' if value else 'off'}"


def _services(plan: Plan) -> Iterable[str]:
    for number, name in enumerate(plan.names.services):
        row, values = plan.svc[number], plan.svcF[number]
        facts = [f"{row[t.S_BEGIN]} replicas from {row[t.S_FIRST]}"]
        if row[t.S_REPLICAS] > row[t.S_BEGIN]:
            facts.append(f"room for {row[t.S_REPLICAS]}")
        facts.append("workers unlimited" if row[t.S_WORKERS] >= t.NEVER else f"workers {row[t.S_WORKERS]}")
        if row[t.S_ASYNC]:
            facts.append("async")
        if row[t.S_CORES] >= 0:
            facts.append(f"cores {values[t.SF_CORES]:g}")
        if row[t.S_CAPACITY] < t.NEVER:
            facts.append(f"queue {row[t.S_CAPACITY]}")
        if row[t.S_DISCIPLINE]:
            facts.append(("fifo", "lifo", "priority", "edf")[row[t.S_DISCIPLINE]])
        if row[t.S_SHARED]:
            facts.append("shared")
        if row[t.S_PATIENCE] >= 0:
            facts.append(f"max_wait {_distribution(plan, row[t.S_PATIENCE])}{_lane(row[t.S_PATIENCE_LANE])}")
        if row[t.S_ADMISSION] < t.NEVER:
            facts.append(f"admission {row[t.S_ADMISSION]}")
        if row[t.S_CANCEL]:
            facts.append(("continue", "drop_queued", "stop")[row[t.S_CANCEL]])
        if row[t.S_STARTUP] >= 0:
            facts.append(f"startup {_distribution(plan, row[t.S_STARTUP])}")
        yield f"{name}: {', '.join(facts)}"


def _loads(plan: Plan) -> Iterable[str]:
    for number, name in enumerate(plan.names.loads):
        row = plan.loads[number]
        if row[t.L_CLOSED]:
            most = "" if row[t.L_STAYS] < 0 else "up to "
            yield f"{name}: {most}{row[t.L_CLIENTS]} users, think {_distribution(plan, row[t.L_THINK])}"
        else:
            kind = ("poisson", "evenly", "batch", "mmpp")[row[t.L_ARRIVALS]]
            rate = plan.rates[row[t.L_FIRST_RATE], t.Q_RATE]
            what = "states" if row[t.L_ARRIVALS] == t.ARRIVALS_MMPP else "pieces"
            pieces = f", {row[t.L_RATES]} {what}" if row[t.L_RATES] > 1 else ""
            noise = ", with noise" if row[t.L_FIRST_RATE] in plan.noise[: plan.n_noise, t.NZ_FIRST] else ""
            yield f"{name}: {kind} from {format_rate(float(rate))}{pieces}{noise}, {row[t.L_CLIENTS]} clients"
        if row[t.L_CLASS]:
            yield f"  class {row[t.L_CLASS]}"
        first = int(row[t.L_FIRST_STREAM])
        for stream in range(first, first + int(row[t.L_STREAMS])):
            share = _share(plan.streamsF[stream, t.TF_CUMULATIVE])
            label, site = plan.names.streams[stream], plan.streams[stream, t.T_SITE]
            yield f"  stream {stream}: {label}, up to {share}, site {site}"


def _headings(plan: Plan) -> dict[int, str]:
    """What begins at an instruction."""
    heads: dict[int, str] = {}
    for number, name in enumerate(plan.names.operations):
        heads[int(plan.ops[number, t.O_PC])] = name
    for number, name in enumerate(plan.names.loads):
        for column, what in ((t.L_PC, "cycle"), (t.L_CALL_PC, "calls")):
            if plan.loads[number, column] >= 0:
                heads[int(plan.loads[number, column])] = f"{name} ({what})"
    for row in plan.code:
        if row[t.I_OP] == t.OP_PARALLEL:
            for branch in range(row[t.I_ARG], row[t.I_ARG] + row[t.I_NEXT]):
                heads[int(plan.branches[branch, t.BR_PC])] = f"branch {branch}"
        elif row[t.I_OP] == t.OP_PUBLISH:
            heads[int(row[t.I_ARG])] = "message"
        elif row[t.I_FALLBACK] >= 0:
            heads[int(row[t.I_FALLBACK])] = f"fallback of site {row[t.I_ARG]}"
    return heads


def _programs(plan: Plan) -> Iterable[str]:
    if not plan.n_operations and not plan.n_loads:
        return
    heads = _headings(plan)
    for number in range(len(plan.code)):
        if number in heads:
            yield f"{heads[number]}:"
        yield f"  {number:>4}  {_instruction(plan, number)}"


def _instruction(plan: Plan, number: int) -> str:
    row = plan.code[number]
    op, arg, following = int(row[t.I_OP]), int(row[t.I_ARG]), int(row[t.I_NEXT])
    optional = " optional" if row[t.I_OPTIONAL] else ""
    value = _share(plan.codeF[number, 0])
    match op:
        case t.OP_WORK:
            return f"work {_distribution(plan, arg)}"
        case t.OP_THINK:
            return f"think {_distribution(plan, arg)}"
        case t.OP_PAUSE:
            return f"pause {_distribution(plan, arg)}, or leave"
        case t.OP_CALL:
            fallback = f", fallback at {row[t.I_FALLBACK]}" if row[t.I_FALLBACK] >= 0 else ""
            return f"call site {arg}: {plan.names.sites[arg]}{optional}{fallback}"
        case t.OP_PUBLISH:
            return f"publish, message at {arg}"
        case t.OP_PARALLEL:
            return f"parallel branches {arg}..{arg + following - 1}{optional}"
        case t.OP_FAIL:
            return f"fail {value}{optional}"
        case t.OP_CHANCE:
            return f"chance {value}, else to {following}"
        case t.OP_FLAG:
            return f"flag {plan.names.flags[arg]}, else to {following}"
        case t.OP_JUMP:
            return f"jump to {following}"
        case _:
            return "end"


def _sites(plan: Plan) -> Iterable[str]:
    for number, label in enumerate(plan.names.sites):
        row = plan.sites[number]
        facts = [f"policy {row[t.C_POLICY]} ({plan.names.policies[row[t.C_POLICY]]})"]
        facts.append(f"scopes from {row[t.C_SCOPE]}")
        if row[t.C_STREAM] >= 0:
            facts.append(f"stream {row[t.C_STREAM]}")
        if row[t.C_PUBLISH]:
            facts.append("publish")
        first, count = int(row[t.C_FAULTS]), int(row[t.C_N_FAULTS])
        if count:
            named = ", ".join(plan.names.faults[fault] for fault in plan.site_faults[first : first + count])
            facts.append(f"faults {named}")
        yield f"{number}: {label}, {', '.join(facts)}"


def _lane(number: int) -> str:
    return f" (lane {number})" if number >= 0 else ""


def _policies(plan: Plan) -> Iterable[str]:
    for number, name in enumerate(plan.names.policies):
        facts = [*_caller_side(plan, number), *_network_side(plan, number)]
        yield f"{number}: {name}: {', '.join(facts)}"


def _outcomes(bits: int) -> str:
    return " ".join(name for number, name in enumerate(t.OUTCOMES) if bits >> number & 1)


def _caller_side(plan: Plan, number: int) -> Iterable[str]:
    row, values = plan.policies[number], plan.policiesF[number]
    if row[t.P_FALLBACK_ON]:
        yield f"fallback on [{_outcomes(int(row[t.P_FALLBACK_ON]))}]"
    if row[t.P_DEADLINE] < t.NEVER:
        propagate = " propagated" if row[t.P_PROPAGATE] else ""
        yield f"deadline {_ns(row[t.P_DEADLINE])}{_lane(row[t.P_DEADLINE_LANE])}{propagate}"
    if row[t.P_DEADLINE_DIST] >= 0:
        yield f"patience {_distribution(plan, row[t.P_DEADLINE_DIST])}"
    if row[t.P_MAX_ATTEMPTS] > 1:
        yield f"{row[t.P_MAX_ATTEMPTS]} tries on [{_outcomes(int(row[t.P_RETRY_ON]))}]"
        if values[t.PF_GIVE_UP]:
            yield f"{_share(values[t.PF_GIVE_UP])} give up each time"
        if row[t.P_BACKOFF] != t.BACKOFF_NONE:
            most = values[t.PF_BACKOFF_MAX]
            cap = f" up to {most:g}s" if most < _UNBOUNDED_S else ""
            yield f"back-off {values[t.PF_BACKOFF_INITIAL]:g}s x {values[t.PF_BACKOFF_MULTIPLIER]:g}{cap}"
            yield f"jitter {_JITTERS[row[t.P_JITTER]]}"
        if row[t.P_BUDGET] == t.BUDGET_RATIO:
            yield f"budget {_share(values[t.PF_BUDGET_RATIO])} over {_ns(row[t.P_BUDGET_WINDOW])}"
        elif row[t.P_BUDGET] == t.BUDGET_BUCKET:
            yield f"budget of {values[t.PF_BUCKET_TOKENS]:g} tokens"
    if row[t.P_HEDGE_MAX] > 1:
        yield f"hedge after {_distribution(plan, row[t.P_HEDGE_DELAY])}, {row[t.P_HEDGE_MAX]} attempts"
    if row[t.P_BREAKER]:
        calls, time = row[t.P_BREAKER_CALLS], row[t.P_BREAKER_TIME]
        window = f"{calls} calls" if calls else _ns(time)
        yield f"breaker at {_share(values[t.PF_BREAKER_FAILURES])} of {window}"
    if row[t.P_RATE_INTERVAL]:
        yield f"rate limit one in {_ns(row[t.P_RATE_INTERVAL])}, burst {row[t.P_RATE_BURST]}"
    if row[t.P_TIMEOUT] < t.NEVER:
        yield f"timeout {_ns(row[t.P_TIMEOUT])}{_lane(row[t.P_TIMEOUT_LANE])}"
    if row[t.P_TIMEOUT_DIST] >= 0:
        yield f"timeout {_distribution(plan, row[t.P_TIMEOUT_DIST])}"
    if row[t.P_BULKHEAD] < t.NEVER:
        wait = f" waiting {_ns(row[t.P_BULKHEAD_WAIT])}" if row[t.P_BULKHEAD_WAIT] else ""
        yield f"bulkhead {row[t.P_BULKHEAD]}{wait}{_lane(row[t.P_BULKHEAD_LANE])}"
    if row[t.P_CANCEL]:
        yield "cancel"


def _network_side(plan: Plan, number: int) -> Iterable[str]:
    row = plan.policies[number]
    yield _BALANCERS[row[t.P_BALANCER]]
    if row[t.P_LATENCY] >= 0:
        yield f"latency {_distribution(plan, row[t.P_LATENCY])}"
    if row[t.P_CROSS_ZONE]:
        yield f"cross-zone {_ns(row[t.P_CROSS_ZONE])}"
    loss = float(plan.policiesF[number, t.PF_LOSS])
    if loss:
        yield f"loss {_share(loss)}"


def _faults(plan: Plan) -> Iterable[str]:
    for number, name in enumerate(plan.names.faults):
        row = plan.faults[number]
        kind = t.FAULTS[row[t.F_KIND]]
        first = int(row[t.F_FIRST_HIT])
        hits = plan.hits[first : first + int(row[t.F_HITS])]
        when = f"at {_ns(row[t.F_AT])}" if row[t.F_AT] < t.NEVER else ""
        if row[t.F_EVERY] >= 0:
            when = f"{when} every {_distribution(plan, row[t.F_EVERY])}".strip()
        lasts = f" for {_distribution(plan, row[t.F_FOR])}" if row[t.F_FOR] >= 0 else ""
        lasts += f" until {_ns(row[t.F_UNTIL])}" if row[t.F_UNTIL] < t.NEVER else ""
        struck = "" if row[t.F_STRIKE] < 0 else f", {row[t.F_STRIKE]} of them"
        share = float(plan.faultsF[number, t.FF_STRIKE])
        struck = f", {_share(share)} of them" if share >= 0 else struck
        operation = f", {plan.names.operations[row[t.F_OP]]} only" if row[t.F_OP] >= 0 else ""
        replicas = " ".join(plan.names.replicas[replica] for replica in hits)
        yield f"{number}: {name}: {kind} {when}{lasts}, on {replicas}{struck}{operation}"


def _actions(plan: Plan) -> Iterable[str]:
    for number, what in enumerate(plan.names.actions):
        row = plan.actions[number]
        when = f"at {_ns(row[t.AC_AT])}"
        if row[t.AC_METRIC] >= 0:
            holds = f" for {_ns(row[t.AC_FOR])}" if row[t.AC_FOR] else ""
            subject = plan.names.services if row[t.AC_METRIC] < t.METRIC_SUCCESS else plan.names.loads
            threshold = f"{t.COMPARISONS[row[t.AC_OP]]} {plan.actionsF[number, t.ACF_THRESHOLD]:g}"
            metric = f"metric {row[t.AC_METRIC]} of {subject[row[t.AC_SUBJECT]]} {threshold}"
            when = f"when {metric}{holds}, every {_ns(row[t.AC_EVERY])}"
            if row[t.AC_SLOTS]:
                when += f" over {row[t.AC_SLOTS]} looks"
        after = f", after {_distribution(plan, row[t.AC_AFTER])}" if row[t.AC_AFTER] >= 0 else ""
        yield f"{number}: {what}: {when}{after}"


def _scalers(plan: Plan) -> Iterable[str]:
    for number, service in enumerate(plan.names.scalers):
        row, floats = plan.scalers[number], plan.scalersF[number]
        every = f" every {_ns(row[t.Z_EVERY])}" if row[t.Z_EVERY] else ""
        if row[t.Z_KIND] == t.SCALER_LINE:
            beside = f", the least of scaler {row[t.Z_BESIDE]}" if row[t.Z_BESIDE] >= 0 else ""
            yield f"{number}: {service}: {row[t.Z_COUNT]} at {_ns(row[t.Z_AT])}{every}{beside}"
        else:
            goal = f"{t.METERS[row[t.Z_METER]]} {floats[t.ZF_TARGET]:g} within {floats[t.ZF_TOLERANCE]:g}"
            bounds = f"{row[t.Z_MIN]} to {row[t.Z_MAX]}, {row[t.Z_SLOTS]} looks hold"
            yield f"{number}: {service}: {goal}{every}, {bounds}, at most {floats[t.ZF_INCREASE]:g} more at a look"


def _lanes(plan: Plan) -> Iterable[str]:
    for number in range(plan.n_lanes):
        yield f"{number}: {_ns(plan.lanes[number])}"

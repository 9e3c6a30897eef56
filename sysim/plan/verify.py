"""What must hold for every plan, so that an engine need not check an index again."""

from __future__ import annotations

import numpy as np

from sysim.plan import tables as t
from sysim.plan.plan import Ints, Plan

_TO_NEXT = (t.OP_CHANCE, t.OP_FLAG, t.OP_JUMP)
_FALLS_THROUGH = (
    t.OP_WORK,
    t.OP_CALL,
    t.OP_PUBLISH,
    t.OP_PARALLEL,
    t.OP_FAIL,
    t.OP_CHANCE,
    t.OP_FLAG,
    t.OP_THINK,
    t.OP_PAUSE,
)
_OF_SERVICES = (
    t.LEVER_CLEAR_QUEUE, t.LEVER_RESTART, t.LEVER_DRAIN, t.LEVER_SCALE, t.LEVER_DEPLOY, t.LEVER_ROLLBACK,
)  # fmt: skip


class InvalidPlan(AssertionError):
    """A plan contradicts itself: an error of a pass, never of a scenario."""


def verify(plan: Plan) -> None:
    """Raise `InvalidPlan` where an index points nowhere, a program has no end or a table can be written."""
    for name, array in plan.arrays().items():
        _check(array.size > 0, f"{name} has no row")
        _check(not array.flags.writeable, f"{name} can be written")
        _check(array.flags.c_contiguous, f"{name} is not contiguous")
    _programs(plan)
    _distributions(plan)
    _services(plan)
    _calls(plan)
    _loads(plan)
    _noise(plan)
    _faults(plan)
    _actions(plan)
    _scalers(plan)
    _cells(plan)


def _check(holds: bool | np.bool_, what: str) -> None:
    if not holds:
        raise InvalidPlan(what)


def _within(values: Ints, count: int, what: str, none: bool = False) -> None:
    """All `values` are numbers below `count`; with `none`, -1 too."""
    if values.size:
        _check(values.min() >= (-1 if none else 0) and values.max() < count, f"{what} points nowhere")


def _spans(first: Ints, length: Ints, size: int, what: str) -> None:
    """All spans of `length` from `first` lie within `size`."""
    if first.size:
        _check(
            first.min() >= 0 and length.min() >= 0 and (first + length).max() <= size,
            f"{what} is out of bounds",
        )


def _programs(plan: Plan) -> None:
    code = plan.code
    size = len(code)
    used = plan.n_operations > 0 or plan.n_loads > 0
    if not used:
        return
    op, arg, following = code[:, t.I_OP], code[:, t.I_ARG], code[:, t.I_NEXT]
    _check(op.min() >= 0 and op.max() <= t.OP_PAUSE, "code has an unknown instruction")
    _within(arg[np.isin(op, (t.OP_WORK, t.OP_THINK, t.OP_PAUSE))], len(plan.dist), "the distribution of an instruction")
    _within(arg[op == t.OP_CALL], plan.n_sites, "the site of a call")
    _within(arg[op == t.OP_PUBLISH], size, "the program of a message")
    _within(arg[op == t.OP_FLAG], plan.n_flags, "the flag of an instruction")
    _within(code[:, t.I_FALLBACK], size, "a fallback", none=True)
    jumps = np.isin(op, _TO_NEXT)
    _within(following[jumps], size, "a jump")
    _check((following[jumps] > np.flatnonzero(jumps)).all(), "a jump goes back")
    parallel = op == t.OP_PARALLEL
    _spans(arg[parallel], following[parallel], len(plan.branches), "a parallel's branches")
    if parallel.any():
        _within(plan.branches[:, t.BR_PC], size, "a branch")
    _check(op[-1] in (t.OP_END, t.OP_JUMP) or op[-1] not in _FALLS_THROUGH, "a program has no end")
    starts = [plan.ops[: plan.n_operations, t.O_PC], arg[op == t.OP_PUBLISH]]
    starts += [code[:, t.I_FALLBACK], plan.branches[:, t.BR_PC] if parallel.any() else np.empty(0, np.int64)]
    starts += [plan.loads[: plan.n_loads, t.L_PC], plan.loads[: plan.n_loads, t.L_CALL_PC]]
    for first in {int(start) for each in starts for start in each if start > 0}:
        _check(op[first - 1] == t.OP_END, f"the program before instruction {first} runs on into it")


def _distributions(plan: Plan) -> None:
    _spans(plan.dist[:, t.D_FIRST], plan.dist[:, t.D_COUNT], len(plan.points), "the points of a distribution")
    _check((plan.dist[:, t.D_CAP] >= 0).all(), "a distribution is cut below zero")


def _services(plan: Plan) -> None:
    svc, replicas = plan.svc[: plan.n_services], plan.replicas[: plan.n_replicas]
    _check((svc[:, t.S_BEGIN] <= svc[:, t.S_REPLICAS]).all(), "a service begins with more replicas than it has")
    _check(svc[:, t.S_REPLICAS].sum() == plan.n_replicas, "the replicas do not add up")
    _check(svc[:, t.S_OPS].sum() == plan.n_operations, "the operations do not add up")
    _spans(svc[:, t.S_FIRST], svc[:, t.S_REPLICAS], plan.n_replicas, "the replicas of a service")
    _spans(svc[:, t.S_FIRST_OP], svc[:, t.S_OPS], plan.n_operations, "the operations of a service")
    for column, what in ((t.S_PATIENCE, "max_wait"), (t.S_STARTUP, "startup")):
        _within(svc[:, column], len(plan.dist), f"the {what} of a service", none=True)
    _within(svc[:, t.S_DISCIPLINE], t.LINE_EDF + 1, "the discipline of a service")
    _within(svc[:, t.S_PATIENCE_LANE], plan.n_lanes, "the lane of a service", none=True)
    _within(replicas[:, t.RP_SVC], plan.n_services, "the service of a replica")
    _within(replicas[:, t.RP_ZONE], plan.n_zones, "the zone of a replica", none=True)
    if plan.n_replicas:
        speeds = replicas[:, t.RP_FIRST_SPEED] + svc[replicas[:, t.RP_SVC], t.S_OPS]
        _check(speeds.max() == plan.n_speeds, "the speeds do not add up")


def _calls(plan: Plan) -> None:
    sites, policies = plan.sites[: plan.n_sites], plan.policies
    scopes = plan.scopes[: plan.n_scopes]
    for column, count, what in (
        (t.C_SVC, plan.n_services, "callee"),
        (t.C_OP, plan.n_operations, "operation"),
        (t.C_POLICY, plan.n_policies, "policy"),
        (t.C_SCOPE, plan.n_scopes, "scope"),
        (t.C_STAT, plan.n_stats, "statistics"),
    ):
        _within(sites[:, column], count, f"the {what} of a site")
    _within(sites[:, t.C_STREAM], plan.n_streams, "the stream of a site", none=True)
    _within(sites[:, t.C_CALLER], plan.n_services, "the caller of a site", none=True)
    inside = sites[sites[:, t.C_CALLER] >= 0]
    _spans(
        inside[:, t.C_SCOPE],
        plan.svc[inside[:, t.C_CALLER], t.S_REPLICAS],
        plan.n_scopes,
        "the scopes of a site",
    )
    _check(
        (plan.scopes[sites[:, t.C_SCOPE], t.K_POLICY] == sites[:, t.C_POLICY]).all(),
        "a scope has another policy",
    )
    _spans(sites[:, t.C_FAULTS], sites[:, t.C_N_FAULTS], len(plan.site_faults), "the faults of a site")
    for column in (t.P_TIMEOUT_LANE, t.P_DEADLINE_LANE, t.P_BULKHEAD_LANE):
        _within(policies[:, column], plan.n_lanes, "the lane of a policy", none=True)
    for column in (t.P_HEDGE_DELAY, t.P_LATENCY, t.P_FALLBACK_LATENCY, t.P_TIMEOUT_DIST, t.P_DEADLINE_DIST):
        _within(policies[:, column], len(plan.dist), "the distribution of a policy", none=True)
    _within(scopes[:, t.K_POLICY], plan.n_policies, "the policy of a scope")
    _within(scopes[:, t.K_STAT], plan.n_stats, "the statistics of a scope")
    _within(scopes[:, t.K_CALLER], plan.n_replicas, "the owner of a scope", none=True)
    _spans(
        scopes[:, t.K_RING],
        policies[scopes[:, t.K_POLICY], t.P_WINDOW_LEN],
        plan.ring_length,
        "a scope's window",
    )
    _within(scopes[:, t.K_OUT], plan.outstanding_length, "a scope's open attempts", none=True)


def _loads(plan: Plan) -> None:
    loads, streams = plan.loads[: plan.n_loads], plan.streams[: plan.n_streams]
    _spans(loads[:, t.L_FIRST_STREAM], loads[:, t.L_STREAMS], plan.n_streams, "the streams of a load")
    _within(streams[:, t.T_LOAD], plan.n_loads, "the load of a stream")
    _within(streams[:, t.T_SITE], plan.n_sites, "the site of a stream")
    _within(loads[:, t.L_CLASS], t.CLASSES, "the class of a load")
    for number, load in enumerate(loads):
        first, count = int(load[t.L_FIRST_RATE]), int(load[t.L_RATES])
        _check((count > 0) == (load[t.L_CLOSED] == 0), f"load {number} has the wrong number of rates")
        _check(first + count <= len(plan.rates), "the rates of a load are out of bounds")
        pieces = plan.rates[first : first + count]
        if load[t.L_ARRIVALS] == t.ARRIVALS_MMPP:
            _check((pieces[:, t.Q_SOJOURN] > 0).all(), f"a state of load {number} lasts no time")
            _check((pieces[:, t.Q_RATE] >= 0).all() and pieces[:, t.Q_RATE].any(), f"load {number} sends nothing")
            pieces = pieces[:0]
        if len(pieces):
            _check(pieces[0, t.Q_START] == 0.0, f"the rate of load {number} begins late")
        _check((np.diff(pieces[:, t.Q_START]) > 0).all(), f"the rate of load {number} goes back in time")
        _check((np.diff(pieces[:, t.Q_CUMULATED]) >= 0).all(), f"the rate of load {number} is negative")
        _check((pieces[:, t.Q_RATE] >= 0).all(), f"the rate of load {number} is negative")
        calls = int(load[t.L_CALL_PC])
        _check((calls >= 0) != (load[t.L_PC] >= 0), f"load {number} has no program, or two")
        if calls >= 0:
            rows = plan.code[calls : calls + 2 * int(load[t.L_STREAMS]), t.I_OP].reshape(-1, 2)
            _check((rows == [t.OP_CALL, t.OP_END]).all(), f"load {number} does not make one call a request")
        else:  # so that no cycle of a user goes by without an entry
            pause = t.OP_THINK if load[t.L_STAYS] < 0 else t.OP_PAUSE
            thinks = plan.code[load[t.L_PC], t.I_OP] == pause
            _check(thinks or load[t.L_CLOSED] == 0, f"the users of load {number} do not think")
    _stays(plan)


def _stays(plan: Plan) -> None:
    loads, stays = plan.loads[: plan.n_loads], plan.stays
    _check((loads[loads[:, t.L_CLOSED] == 0, t.L_STAYS] < 0).all(), "an open load has users")
    _within(loads[:, t.L_STAYS], len(stays), "the first stay of a load", none=True)
    come_and_go = loads[loads[:, t.L_STAYS] >= 0]
    _spans(come_and_go[:, t.L_STAYS], come_and_go[:, t.L_CLIENTS], len(stays), "the stays of a load")
    if not len(come_and_go):
        return
    _within(stays[:, t.Y_NEXT], len(stays), "the next stay of a user", none=True)
    there = stays[stays[:, t.Y_FROM] < t.NEVER]
    _check((there[:, t.Y_FROM] < there[:, t.Y_UNTIL]).all(), "a stay lasts no time")
    again = stays[stays[:, t.Y_NEXT] >= 0]
    _check((again[:, t.Y_UNTIL] < stays[again[:, t.Y_NEXT], t.Y_FROM]).all(), "a user comes before it has left")


def _noise(plan: Plan) -> None:
    noise = plan.noise[: plan.n_noise]
    length = len(plan.rates) if plan.n_noise else 1
    _check(len(plan.noise_slots) == length, "the slots of noise are not those of rates")
    _spans(noise[:, t.NZ_FIRST], noise[:, t.NZ_COUNT], len(plan.rates), "the rates of noise")
    _check((plan.noiseF[: plan.n_noise] >= 0.0).all(), "noise has a negative deviation")


def _faults(plan: Plan) -> None:
    faults = plan.faults[: plan.n_faults]
    _spans(faults[:, t.F_FIRST_HIT], faults[:, t.F_HITS], len(plan.hits), "the replicas of a fault")
    _within(faults[:, t.F_OP], plan.n_operations, "the operation of a fault", none=True)
    for column in (t.F_FOR, t.F_EVERY, t.F_DIST, t.F_RESTART_AFTER):
        _within(faults[:, column], len(plan.dist), "the distribution of a fault", none=True)
    _check(len(set(faults[:, t.F_KEY].tolist())) == len(faults), "two faults have the same key")
    if plan.n_faults:
        _within(plan.hits, plan.n_replicas, "a hit")
    for starts, values, rows, count, what in (
        (plan.fault_sites_at, plan.fault_sites, plan.n_faults, plan.n_sites, "the sites of a fault"),
        (plan.rep_faults_at, plan.rep_faults, plan.n_replicas, plan.n_faults, "the faults of a replica"),
    ):
        _check(
            len(starts) == rows + 1 and starts[0] == 0 and (np.diff(starts) >= 0).all(),
            f"{what} are out of order",
        )
        _check(starts[-1] <= len(values), f"{what} are out of bounds")
        _within(values[: starts[-1]], count, what)


def _actions(plan: Plan) -> None:
    actions, levers = plan.actions[: plan.n_actions], plan.levers
    _spans(actions[:, t.AC_FIRST_LEVER], actions[:, t.AC_LEVERS], len(levers), "the levers of an action")
    _within(actions[:, t.AC_AFTER], len(plan.dist), "the delay of an action", none=True)
    _check(len(set(actions[:, t.AC_KEY].tolist())) == len(actions), "two actions have the same key")
    watched = actions[actions[:, t.AC_METRIC] >= 0]
    _check(((actions[:, t.AC_METRIC] >= 0) == (actions[:, t.AC_AT] >= t.NEVER)).all(), "an action has no moment")
    _check((watched[:, t.AC_EVERY] > 0).all(), "a condition is looked at all the time")
    _check((watched[:, t.AC_OP] < len(t.COMPARISONS)).all(), "a condition compares with nothing known")
    of_loads = watched[:, t.AC_METRIC] >= t.METRIC_SUCCESS
    _within(watched[of_loads, t.AC_SUBJECT], plan.n_loads, "the load of a condition")
    _within(watched[~of_loads, t.AC_SUBJECT], plan.n_services, "the service of a condition")
    latencies = np.isin(watched[:, t.AC_METRIC], (t.METRIC_LATENCY, t.METRIC_LATENCY_ALL))
    counted, timed = watched[of_loads & ~latencies], watched[latencies]
    _check((watched[:, t.AC_SHORT] <= watched[:, t.AC_SLOTS]).all(), "a short window is longer than the long one")
    _check((watched[of_loads, t.AC_SLOTS] > 0).all(), "a condition has no window")
    _spans(counted[:, t.AC_FIRST_SLOT], counted[:, t.AC_SLOTS], plan.n_slots, "what a condition remembers")
    _spans(timed[:, t.AC_FIRST_BINS], timed[:, t.AC_SLOTS] + 1, plan.n_bins, "what a condition remembers")
    if not plan.n_actions:
        return
    kind, arg = levers[:, t.LE_KIND], levers[:, t.LE_ARG]
    _within(kind, len(t.LEVERS), "the kind of a lever")
    for own, count, what in (
        ((t.LEVER_FLAG,), plan.n_flags, "flag"),
        ((t.LEVER_SHED,), plan.n_streams, "stream"),
        (_OF_SERVICES, plan.n_services, "service"),
        ((t.LEVER_SET,), plan.n_policies, "policy"),
    ):
        _within(arg[np.isin(kind, own)], count, f"the {what} of a lever")
    scales = levers[kind == t.LEVER_SCALE]
    room = plan.svc[scales[:, t.LE_ARG], t.S_REPLICAS]
    _check((scales[:, t.LE_VALUE] <= room).all(), "there is no room for the replicas of a lever")
    deploys = kind == t.LEVER_DEPLOY
    room = plan.svc[arg[deploys], t.S_REPLICAS] - 2 * plan.svc[arg[deploys], t.S_BEGIN]
    _check((levers[deploys, t.LE_SURGE] <= room).all(), "there is no room for the surge of a deploy")
    keys = levers[deploys, t.LE_KEY].tolist()
    _check(len(set(keys)) == len(keys), "two versions have the same key")
    _within(levers[kind == t.LEVER_SET, t.LE_COLUMN], t.N_P, "the column of a lever")
    _spans(levers[:, t.LE_FIRST_HIT], levers[:, t.LE_HITS], len(plan.lever_hits), "the replicas of a lever")
    if levers[:, t.LE_HITS].any():
        _within(plan.lever_hits, plan.n_replicas, "a replica of a lever")


def _scalers(plan: Plan) -> None:
    scalers = plan.scalers[: plan.n_scalers]
    _within(scalers[:, t.Z_SVC], plan.n_services, "the service of a scaler")
    _within(scalers[:, t.Z_BESIDE], plan.n_scalers, "the autoscaler beside a schedule", none=True)
    _check(len(set(scalers[:, t.Z_KEY].tolist())) == len(scalers), "two scalers have the same key")
    room = plan.svc[scalers[:, t.Z_SVC], t.S_REPLICAS]
    _check((scalers[:, t.Z_MAX] <= room).all(), "there is no room for the replicas of an autoscaler")
    _check((scalers[:, t.Z_COUNT] <= room).all(), "there is no room for the replicas of a schedule")
    auto = scalers[scalers[:, t.Z_KIND] == t.SCALER_AUTO]
    _check((auto[:, t.Z_EVERY] > 0).all(), "an autoscaler looks all the time")
    _check((auto[:, t.Z_MIN] <= auto[:, t.Z_MAX]).all(), "an autoscaler has bounds that cross")
    _spans(auto[:, t.Z_FIRST_SLOT], auto[:, t.Z_SLOTS], plan.n_recommendations, "what an autoscaler remembers")


def _cells(plan: Plan) -> None:
    edges = plan.cell_edges
    _check(len(edges) == plan.n_cells + 1, "the cells do not add up")
    _check(edges[0] == 0 and edges[-1] == plan.duration and (np.diff(edges) > 0).all(), "the cells have gaps")
    for array, last in (
        (plan.cell_bucket, plan.n_buckets),
        (plan.cell_segment, plan.n_segments),
        (plan.cell_column, plan.n_columns),
    ):
        _check(len(array) == plan.n_cells + 1 and array[-1] == last, "the drain has no cell of its own")
        _check(
            array[0] == 0 and array[-2] == last - 1 and (np.diff(array) >= 0).all(), "a cell belongs nowhere"
        )
    for name, window in plan.windows.items():
        _check(
            np.isin(window, edges).all() and np.isin(window, plan.segment_edges).all(),
            f"window {name} is not cut",
        )

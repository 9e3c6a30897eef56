"""A scenario in plain English: who calls whom, how busy it is before any fault, what its shape implies."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from sysim.analysis.calendar import busiest_hour, told
from sysim.analysis.design import breakers_that_never_trip
from sysim.analysis.levers import pulls
from sysim.analysis.scaling import told as told_scaling
from sysim.analysis.words import count, listed, per_second, percent, span
from sysim.model import (
    AlertCondition,
    CalendarRate,
    CallPolicy,
    Check,
    ClosedLoad,
    ConstantRate,
    ModulatedRate,
    OpenLoad,
    ReplayRate,
    Scenario,
    Service,
    Slo,
    Window,
)
from sysim.model.action import LOAD_CONDITIONS
from sysim.model.demand import mean, mean_rate, offered_rates, peak_of_calendar, peak_rate, utilisation
from sysim.model.distribution import Distribution
from sysim.model.fault import Fault
from sysim.model.graph import (
    critical_paths,
    fan_out,
    finite,
    needs,
    owner,
    service_graph,
    sites,
    worst_amplification,
)
from sysim.model.holding import held
from sysim.model.impatience import pages
from sysim.model.users import Users, mean_users, peak_users
from sysim.units import format_duration
from sysim.zones import abbreviation, local, utc

NS = 1_000_000_000
_LINES = {"lifo": "last come first served", "priority": "queue by priority", "edf": "queue by deadline"}
PEAKY = 1.05
"""How far the peak of a rate must lie above its mean for the peak to be told on its own."""


def explain(scenario: Scenario) -> list[tuple[str, list[str]]]:
    """Sections of the explanation: a title and its lines."""
    sections = [
        ("The system", list(_system(scenario))),
        ("The load", list(_load(scenario))),
        ("How busy it is before any fault", list(_busy(scenario))),
        ("How busy it is with every load at its highest rate", list(_busiest(scenario))),
        ("How replicas follow the load", list(told_scaling(scenario, lambda at: both_ways(scenario, at)))),
        ("Where the time goes", list(_paths(scenario))),
        ("What retries can do at worst", list(_amplification(scenario))),
        ("What everything depends on", list(_needs(scenario))),
        ("Circuit breakers", list(_breakers(scenario))),
        ("What goes wrong", list(_faults(scenario))),
        ("What operators do", list(_actions(scenario))),
        ("Windows", list(_windows(scenario))),
        ("Checks", [_check(check) for check in scenario.checks]),
    ]
    return [(title, lines) for title, lines in sections if lines]


def _check(check: Check) -> str:
    text = check.text
    if check.variants is not None:
        text += f" (only for {listed(check.variants)})"
    return text + (f" (not for {listed(check.except_)})" if check.except_ else "")


def _system(scenario: Scenario) -> Iterator[str]:
    graph = service_graph(scenario)
    for name, body in sorted(scenario.services.items()):
        callees = sorted(graph.successors(name))
        calls = f", calls {listed(callees)}" if callees else ", calls nobody"
        yield f"{name}: {_size(body)}{calls}"


def _size(body: Service) -> str:
    parts = [f"{body.replicas} replica{'s' if body.replicas > 1 else ''}"]
    if body.concurrency is None:
        parts.append("unlimited workers")
    else:
        parts.append(f"{body.concurrency} worker{'s' if body.concurrency > 1 else ''} each")
    if body.cores is not None:
        parts.append(f"{body.cores:g} cores each")
    if body.queue.capacity is not None:
        parts.append(f"a queue of {body.queue.capacity}")
    if body.threading == "async":
        parts.append("async")
    if body.queue.discipline != "fifo":
        parts.append(_LINES[body.queue.discipline])
    kind = "" if body.kind == "service" else f"{body.kind}, "
    return kind + ", ".join(parts)


def _load(scenario: Scenario) -> Iterator[str]:
    rates = offered_rates(scenario)
    many = fan_out(scenario)
    window = scenario.whole
    for name, load in sorted(scenario.load.items()):
        if isinstance(load, OpenLoad):
            average = mean_rate(load.rate, window.start, window.end)
            peak = peak_rate(load.rate, window.start, window.end)
            exact = ""
            if isinstance(load.rate, ReplayRate):
                exact = f"{count(load.rate.between(window.start, window.end))} arrivals replayed, "
            how = exact + per_second(average) + (
                f" on average, {per_second(peak)} at its peak" if peak > average * 1.01 else ""
            )
        else:
            assert isinstance(load, ClosedLoad)
            pause = mean(load.think) / NS
            how = f"{_users(load.users, window)} who think for {span(pause)} and wait for every answer"
        to = (
            listed(sorted(load.mix))
            if load.mix
            else "a journey through "
            + listed(sorted({site.target for site in sites(scenario) if site.caller == name}))
        )
        if isinstance(load, OpenLoad) and isinstance(load.rate, ModulatedRate):
            states = [f"{per_second(state.rate)} for {span(state.mean / NS)}" for state in load.rate.states]
            yield f"{name} comes in bursts: {listed(states)} on average, each time of random length"
        if len({each.priority for each in scenario.load.values()}) > 1:
            how += f", priority {load.priority}"
        if load.policy is not None and load.policy.impatience is not None:
            yield from _people(name, load.policy)
        unit = "request" if load.mix else "cycle"
        yield f"{name}: {how}, to {to}; one {unit} leads to {_calls(many[name])} in all"
        if isinstance(load, OpenLoad) and isinstance(load.rate, CalendarRate):
            yield f"{name} is {told(load.rate, window, lambda at: both_ways(scenario, at))}"
            highest = peak_of_calendar(load.rate, window.start, window.end)[1]
            yield f"{name} is highest at {both_ways(scenario, highest, load.rate.zone)}"
            hour = busiest_hour(load.rate, window)
            if hour is not None:
                begins = both_ways(scenario, hour[1], load.rate.zone)
                yield f"the busiest hour of {name} begins at {begins}: {per_second(hour[0])} on average"
    busy = {target: rate for target, rate in rates.items() if rate > 0}
    quiet = sorted(
        f"{service}.{operation}"
        for service, body in scenario.services.items()
        for operation in body.operations
        if f"{service}.{operation}" not in busy
    )
    if quiet:
        yield f"never called: {listed(quiet)}"


def _users(users: Users, window: Window) -> str:
    average, peak = mean_users(users, window.start, window.end), peak_users(users, window.start, window.end)
    if average > peak * 0.9999:
        return f"{count(peak)} users"
    return f"up to {count(peak)} users, {average:.4g} on average,"


def _calls(number: float) -> str:
    return f"{number:.3g} {'call' if number == 1 else 'calls'}"


def _busy(scenario: Scenario) -> Iterator[str]:
    shares = utilisation(scenario)
    workers = _held(scenario)
    for name in sorted(scenario.services):
        share = shares[name]
        if share is None:
            yield f"{name}: no limit on workers or cores"
            continue
        first = share
        text = (
            f"{name}: {percent(share)} of its capacity"
            if share <= 1
            else f"{name}: {share:.2f} times its capacity"
        )
        most = scenario.services[name].most_scaled
        if most > scenario.services[name].replicas:
            replicas = scenario.services[name].replicas
            text += f" with {replicas} replica{'s' if replicas > 1 else ''}"
            share *= replicas / most
            text += f", {percent(share) if share <= 1 else f'{share:.2f} times it'} with the {most} that it may have"
        if share >= 1:
            text += " — more is offered than it can ever do"
        elif share > 0.8:
            text += " — little headroom"
        waiting = workers.get(name)
        if waiting is not None and waiting > first + 0.01:
            held_for = percent(waiting) if waiting <= 1 else f"{waiting:.2f} times what there are"
            text += f"; with the time they wait for calls, {held_for} of the workers are held"
        yield text


def _people(name: str, policy: CallPolicy) -> Iterator[str]:
    """How long people wait, and what they do then."""
    impatience = policy.impatience
    assert impatience is not None
    if impatience.patience is not None:
        yield f"{name}: who has no answer after {_about(impatience.patience)} leaves"
    if impatience.reload_after is not None and policy.retry is not None:
        times = policy.retry.max_attempts - 1
        some = f", though {percent(impatience.give_up)} leave each time" if impatience.give_up else ""
        asked = pages(times, impatience.give_up)
        yield (
            f"{name}: who has no answer after {_about(impatience.reload_after)} reloads, up to "
            f"{times} time{'s' if times > 1 else ''}{some}; what nobody waits for any more is still done, so when "
            f"nothing is answered in time the load is {asked:.3g} times as high"
        )


def _busiest(scenario: Scenario) -> Iterator[str]:
    """The same at the peaks of the loads, where those are worth telling; the peaks need not come together."""
    start, end = scenario.time.warmup, scenario.time.duration
    at_peak = {}
    for name, load in scenario.load.items():
        if isinstance(load, OpenLoad):
            peak = peak_rate(load.rate, start, end)
            if peak > PEAKY * mean_rate(load.rate, start, end):
                load = load.model_copy(update={"rate": ConstantRate(value=peak)})
        at_peak[name] = load
    if at_peak != scenario.load:
        yield from _busy(scenario.model_copy(update={"load": at_peak}))


def _held(scenario: Scenario) -> dict[str, float]:
    """For blocking services with limited workers: share of workers held, waiting for calls included,
    unloaded.
    """
    return {
        name: workers / ((scenario.services[name].concurrency or 1) * scenario.services[name].replicas)
        for name, workers in held(scenario).items()
    }


def _paths(scenario: Scenario) -> Iterator[str]:
    for load, path in critical_paths(scenario).items():
        total = finite(path.seconds)
        hops = " → ".join(
            f"{hop.target} ({span(finite(hop.work_s))} work"
            + (f", {span(finite(hop.network_s))} network" if hop.network_s else "")
            + ")"
            for hop in path.hops
        )
        yield f"{load}: {span(total)} on average without any waiting, mostly along {hops}"


def _amplification(scenario: Scenario) -> Iterator[str]:
    for service, worst in worst_amplification(scenario).items():
        if worst.factor > 1:
            yield f"{service}: one request can become {worst.factor}, along {' → '.join(worst.path)}"
    for site in sites(scenario):
        retry = site.policy.retry if site.policy else None
        if retry and retry.max_attempts > 1 and retry.budget is None and retry.backoff is None:
            how = f"{retry.max_attempts} attempts without back-off or budget"
            yield f"{site.caller} → {site.target}: {how}"


def _needs(scenario: Scenario) -> Iterator[str]:
    for need in needs(scenario):
        every = need.every_request
        whose = f"{'every request' if every else 'some requests'} of {listed(need.loads)}"
        verb = "needs" if every else "need"
        if need.single:
            yield f"{need.service} is a single point of failure: one replica, and {whose} {verb} it"
        else:
            zones = f" in {need.zones} zones" if need.zones > 1 else ""
            yield f"{need.service}: {whose} {verb} it ({need.replicas} replicas{zones})"


def _breakers(scenario: Scenario) -> Iterator[str]:
    useless = breakers_that_never_trip(scenario)
    named = {(item.caller, item.target) for item in useless}
    for item in useless:
        yield f"{item.caller} → {item.target} can never trip: {item.reason}"
    good = sorted(
        {
            f"{site.caller} → {site.target}"
            for site in sites(scenario)
            if site.policy and site.policy.circuit_breaker and (site.caller, site.target) not in named
        }
    )
    if good:
        yield f"can trip: {listed(good)}"


def _faults(scenario: Scenario) -> Iterator[str]:
    for number, fault in enumerate(scenario.faults):
        name = fault.name or f"fault {number}"
        yield f"{name}: {_when(scenario, fault)}, {_effect(fault)} on {_where(fault)}"


def _actions(scenario: Scenario) -> Iterator[str]:
    for number, action in enumerate(scenario.actions):
        when = action.when
        if when is None:
            moment = f"at {both_ways(scenario, action.at)}"
        elif isinstance(when, AlertCondition):
            moment = f"when {when.text}{f' has gone on for {span(when.lasts / NS)}' if when.lasts else ' fires'}"
            moment += f" ({_alert(scenario.slos[when.slo])})"
        else:
            lasting = f" has held for {span(when.lasts / NS)}" if when.lasts else " holds"
            over = f" over the last {span(when.over / NS)}" if when.metric in LOAD_CONDITIONS else ""
            moment = f"when {when.text}{lasting} (looked at every {span(when.every / NS)}{over})"
        delay = f", {_about(action.after)} later" if action.after is not None else ""
        yield f"{action.name or f'action {number}'}: {moment}{delay}, an operator {pulls(action)}"


def _alert(slo: Slo) -> str:
    alert = slo.alert
    if alert is None:
        return "it has none"
    windows = f"over the last {span(alert.long / NS)} and {span(alert.short / NS)}"
    return f"its budget burns {alert.burn:g} times as fast as it may {windows}"


def _when(scenario: Scenario, fault: Fault) -> str:
    length = f" for {_about(fault.lasts)}" if fault.lasts is not None else ""
    if fault.every is not None:
        start = f"from {both_ways(scenario, fault.at)} on, " if fault.at else ""
        return f"{start}again and again after {_about(fault.every)} of health{length}"
    assert fault.at is not None
    to_the_end = "" if length or fault.effect.kind == "crash" else " to the end"
    return f"at {both_ways(scenario, fault.at)}{length}{to_the_end}"


def _about(distribution: Distribution) -> str:
    text = span(mean(distribution) / NS)
    return text if distribution.kind == "constant" else f"about {text} ({distribution.kind})"


def _effect(fault: Fault) -> str:
    effect = fault.effect
    match effect.kind:
        case "slowdown":
            return f"work takes {effect.factor:g} times as long"
        case "capacity":
            return f"only {percent(effect.share)} of the capacity"
        case "latency":
            return f"{_about(effect.latency)} more latency"
        case "error":
            return f"{percent(effect.share)} errors"
        case "loss":
            return f"{percent(effect.share)} of the messages lost"
        case "crash":
            if effect.restart_after is None:
                return "replicas crash"
            return f"replicas crash and restart after {span(effect.restart_after / NS)}"
        case "pause":
            return "a pause: nothing proceeds"
        case other:
            return other


def _where(fault: Fault) -> str:
    places = []
    for target in fault.on:
        match target.kind:
            case "service":
                places.append(target.service)
            case "operation":
                places.append(f"{target.service}.{target.operation}")
            case "zone":
                places.append(f"zone {target.zone}")
            case "edge":
                ends = [
                    end if operation is None else f"{end}.{operation}"
                    for end, operation in (
                        (target.caller, target.caller_operation),
                        (target.callee, target.callee_operation),
                    )
                ]
                places.append(" → ".join(ends))
    narrowed = ""
    if fault.replicas is not None:
        narrowed = f" ({fault.replicas} replica{'s' if fault.replicas > 1 else ''})"
    elif fault.replica_share is not None:
        narrowed = f" ({percent(fault.replica_share)} of the replicas)"
    return listed(places) + narrowed + (f" in zone {fault.zone}" if fault.zone else "")


def both_ways(scenario: Scenario, instant: int | None, zone: str | None = None) -> str:
    """An instant as elapsed time, and as a calendar moment where the scenario has one, with the name of the zone's time
    then; `zone` is another one whose clock is told too.
    """
    if instant is None:
        return "–"
    text = format_duration(instant)
    if scenario.time.start is None:
        return text
    start, home = datetime.fromisoformat(scenario.time.start), scenario.time.zone
    gone = timedelta(microseconds=instant / 1_000)
    moment = local(start, home, gone)
    told = moment.strftime("%a %Y-%m-%d %H:%M:%S")
    if home is not None:
        told += f" {abbreviation(home, utc(home, start) + gone)}"
        if zone is not None and zone != home:
            told += f", {local(start, zone, gone, home):%a %H:%M} in {zone}"
    return f"{text} ({told})"


def _windows(scenario: Scenario) -> Iterator[str]:
    whole = scenario.whole
    yield f"all: {both_ways(scenario, whole.start)} to {both_ways(scenario, whole.end)}"
    for name, window in sorted(scenario.windows.items(), key=lambda item: (item[1].start, item[1].end)):
        yield f"{name}: {both_ways(scenario, window.start)} to {both_ways(scenario, window.end)}"


__all__ = ["both_ways", "explain", "owner"]

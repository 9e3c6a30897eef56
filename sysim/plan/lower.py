"""`lower`: from the model of a scenario to its plan. The passes do the work; later ones use earlier ones."""

from __future__ import annotations

from collections.abc import Mapping

from sysim.model import Scenario
from sysim.plan.passes.actions import Actions
from sysim.plan.passes.cells import cells
from sysim.plan.passes.distributions import Distributions
from sysim.plan.passes.faults import Faults
from sysim.plan.passes.lanes import Lanes
from sysim.plan.passes.policies import Policies
from sysim.plan.passes.programs import Programs
from sysim.plan.passes.rows import line, table, table_f
from sysim.plan.passes.scalers import Scalers
from sysim.plan.passes.scopes import Caller, Scopes
from sysim.plan.passes.topology import Topology, refuse_cycles
from sysim.plan.passes.traffic import Traffic
from sysim.plan.plan import Names, Plan
from sysim.plan.tables import (
    N_AC,
    N_ACF,
    N_BR,
    N_C,
    N_D,
    N_DF,
    N_F,
    N_FF,
    N_I,
    N_L,
    N_LE,
    N_LEF,
    N_LF,
    N_NZ,
    N_NZF,
    N_O,
    N_P,
    N_PF,
    N_RP,
    N_S,
    N_SF,
    N_T,
    N_TF,
    N_Y,
    N_Z,
    N_ZF,
    NEVER,
    S_ASYNC,
)
from sysim.plan.verify import verify


def lower(scenario: Scenario) -> Plan:
    """The plan of a scenario. Raises `PlanError` where something reads well but cannot be simulated."""
    refuse_cycles(scenario)
    distributions, lanes = Distributions(), Lanes()
    topology = Topology(scenario, distributions, lanes)
    policies = Policies(distributions, lanes)
    scopes = Scopes(policies)
    programs = Programs(topology, distributions, policies, scopes)
    operations = _operations(topology, programs)
    traffic = Traffic(scenario, topology, programs, distributions)
    faults = Faults(scenario, topology, programs, distributions)
    site_faults = faults.link_sites()
    fault_sites, fault_sites_at = faults.by_fault()
    rep_faults, rep_faults_at = faults.by_replica()
    actions = Actions(scenario, topology, traffic, policies, distributions)
    scalers = Scalers(topology)
    time = cells(scenario)

    plan = Plan(
        code=table(programs.linked(), N_I),
        codeF=table_f(programs.code_f, 1),
        branches=table(programs.branches, N_BR),
        dist=table(distributions.rows, N_D),
        distF=table_f(distributions.rows_f, N_DF),
        points=table_f(distributions.points, 2),
        svc=table(topology.svc, N_S),
        svcF=table_f(topology.svc_f, N_SF),
        ops=table(operations, N_O),
        replicas=table(topology.replicas, N_RP),
        sites=table(programs.sites.rows, N_C),
        policies=table(policies.rows, N_P),
        policiesF=table_f(policies.rows_f, N_PF),
        scopes=scopes.table(),
        loads=table(traffic.loads, N_L),
        loadsF=table_f(traffic.loads_f, N_LF),
        rates=traffic.rates(),
        stays=table(traffic.stays, N_Y),
        noise=table(traffic.noise, N_NZ),
        noiseF=table_f(traffic.noise_f, N_NZF),
        noise_slots=traffic.slots(),
        streams=table(traffic.linked(), N_T),
        streamsF=table_f(traffic.streams_f, N_TF),
        faults=table(faults.rows, N_F),
        faultsF=table_f(faults.rows_f, N_FF),
        hits=line(faults.hits),
        site_faults=line(site_faults),
        fault_sites=line(fault_sites),
        fault_sites_at=line(fault_sites_at),
        rep_faults=line(rep_faults),
        rep_faults_at=line(rep_faults_at),
        actions=table(actions.rows, N_AC),
        actionsF=table_f(actions.rows_f, N_ACF),
        levers=table(actions.levers.rows, N_LE),
        leversF=table_f(actions.levers.rows_f, N_LEF),
        lever_hits=line(actions.levers.hits),
        scalers=table(scalers.rows, N_Z),
        scalersF=table_f(scalers.rows_f, N_ZF),
        flags=line(_flags(topology.flags, scenario.flags)),
        lanes=line(lanes.delays),
        cell_edges=time.edges,
        cell_bucket=time.bucket,
        cell_segment=time.segment,
        cell_column=time.column,
        segment_edges=time.segment_edges,
        ring_length=max(1, scopes.ring_length),
        outstanding_length=max(1, scopes.outstanding_length),
        duration=scenario.time.duration,
        warmup=scenario.time.warmup,
        drain=NEVER if scenario.time.drain is None else scenario.time.drain,
        bucket_ns=scenario.time.bucket,
        n_services=len(topology.services),
        n_operations=len(topology.operations),
        n_replicas=len(topology.replicas),
        n_speeds=topology.n_speeds,
        n_sites=len(programs.sites.rows),
        n_stats=len(programs.sites.stats),
        n_policies=len(policies.rows),
        n_scopes=scopes.count,
        n_loads=len(topology.loads),
        n_streams=len(traffic.streams),
        n_noise=len(traffic.noise),
        n_faults=len(faults.rows),
        n_actions=len(actions.rows),
        n_scalers=len(scalers.rows),
        n_recommendations=scalers.slots,
        n_slots=actions.conditions.slots,
        n_bins=actions.conditions.bins,
        n_flags=len(topology.flags),
        n_lanes=len(lanes.delays),
        n_zones=len(topology.zones),
        n_cells=len(time.edges) - 1,
        n_buckets=time.n_buckets,
        n_segments=time.n_segments,
        n_columns=time.n_columns,
        buckets_per_column=time.buckets_per_column,
        windows=time.windows,
        names=Names(
            services=topology.services,
            operations=topology.operations,
            replicas=tuple(topology.replica_names),
            zones=topology.zones,
            flags=topology.flags,
            loads=topology.loads,
            currencies=tuple(traffic.currencies),
            streams=tuple(traffic.stream_names),
            stats=tuple(programs.sites.stats),
            sites=tuple(programs.sites.labels),
            places=tuple(programs.sites.places),
            policies=tuple(policies.labels),
            scopes=tuple(scopes.labels),
            faults=tuple(faults.labels),
            fault_of=tuple(faults.fault_of),
            actions=tuple(actions.labels),
            action_names=tuple(actions.names),
            scalers=tuple(scalers.services),
        ),
    )
    verify(plan)
    return plan


def _operations(topology: Topology, programs: Programs) -> list[list[int]]:
    """Compile all operations; the rows of `ops`."""
    rows = []
    for label in topology.operations:
        name, _, operation = label.partition(".")
        service = topology.service_of[name]
        replicas = topology.replicas_of(service)
        caller = Caller(
            owner=name,
            label=label,
            first=replicas.start,
            count=len(replicas),
            service=service,
            asynchronous=topology.svc[service][S_ASYNC] == 1,
        )
        steps = topology.models[service].operations[operation].steps
        rows.append([service, programs.operation(caller, steps)])
    return rows


def _flags(names: tuple[str, ...], flags: Mapping[str, bool]) -> list[int]:
    return [int(flags[name]) for name in names]

"""WHAT is simulated: frozen pydantic models, one file a concept, without arrays, engines or text positions.

Units: durations and instants are int nanoseconds, rates float per second, shares float in 0..1. In code
the text forms ``"250ms"``, ``"400/s"``, ``"30%"``, ``"3.10 GBP"`` are accepted and converted. Every union
is told apart by the field `kind`. ``D`` below is a distribution, ``?`` a field that may be None.

values        Money(amount, currency)
distribution  Constant(value) Exponential(mean) Uniform(low, high) Normal(mean, sd)
              Lognormal(mean?, cv? | median?, p99?) Gamma(mean, cv? | k?; .shape) Weibull(mean, shape)
              Pareto(min, alpha) Hyperexponential(parts: ExponentialPart(weight, mean))
              Mixture(parts: MixturePart(weight, of: D)) Empirical(values)
              Percentiles(points: PercentilePoint(share, value)); each with max?
topology      Service(kind, replicas, zones, concurrency?, threading, cores?, queue, admission?,
              when_cancelled, slowdown?, startup, cost?, autoscaler?, schedule: ScheduleLine(at, replicas, every?),
              operations: name -> Operation(steps))
              Autoscaler(metric, target, every, min, max, tolerance, stabilise, max_increase)
              Queue(capacity?, discipline, max_wait: D?, shared) Admission(max_in_progress)
              Slowdown(per_concurrent)
steps         each with name?, probability?, flag?, optional:
              Work(duration: D) Call(target, policy?, value?, degraded_value?) Parallel(branches)
              Publish(target, policy?) Fail(share) Repeat(times, steps) Choose(options: Option(weight, steps))
              Think(duration: D)
policy        CallPolicy(name?, place?, timeout?, deadline?, cancel, retry?, hedge?, circuit_breaker?,
              rate_limit?, bulkhead?, balancer, network?, fallback?, impatience?; .scope, .ends)
              Impatience(patience?: D, reload_after?: D, give_up) Deadline(after, propagate)
              Retry(max_attempts, on, backoff?, budget?) ExponentialBackoff(initial, multiplier, max?, jitter)
              ConstantBackoff(value, jitter) RatioBudget(ratio, min_per_second, window)
              BucketBudget(tokens, deposit, cost, deposit_on) Hedge(delay, max_attempts, cancel_losers)
              CircuitBreaker(failure_rate, window: CallWindow(calls) | TimeWindow(time), minimum_calls,
              open_for, half_open_calls, slow_call_rate?, slow_call_duration?) RateLimit(rate, burst)
              Bulkhead(max_concurrent, max_wait) Network(latency: D?, cross_zone: D?, loss)
              Fallback(on, latency: D?, steps) Reloads(reload_after: D, reloads, give_up, on, backoff?; .pages)
              impatient(policy, place, patience, reloads) -> the policy of a load with such people
balancing     RoundRobin() Random() LeastRequest(choices) LeastOutstanding()
workload      OpenLoad(mix | journey, policy?, value?, degraded_value?, zone?, priority, rate, arrivals,
              clients)
              ClosedLoad(mix | journey, policy?, value?, degraded_value?, zone?, priority, users: a number or
              UserSteps(steps: UserStep(at, users)) UserStages(start, stages: UserStage(duration, to)), think: D)
              ConstantRate(value) StepsRate(steps: RateStep(at, rate)) SineRate(mean, amplitude, period,
              phase) StagesRate(start, stages: RateStage(duration, to)) ReplayRate(instants) Poisson() Evenly()
              Batch(size? | geometric?; .mean) ModulatedRate(states: RateState(rate, mean); .mean)
calendar      CalendarRate(base: one of these rates, start?, daily?: DailyCurve(peak_at, peak_to_mean) |
              DailyFactors(factors), weekly?: Weekly(mon .. sun), dates, bursts: Burst(at, duration, factor, ramp,
              every?), growth?: Growth(monthly, since?), noise?: Noise(cv, every), home?, zone?)
fault         Fault(name?, on, effect, at?, lasts: D?, every: D?, replicas?, replica_share?, zone?, each?, until?)
              on: ServiceTarget(service) OperationTarget(service, operation) ZoneTarget(zone)
              EdgeTarget(caller, caller_operation?, callee, callee_operation?)
              effect: PauseFault() SlowdownFault(factor) CapacityFault(share) LatencyFault(latency: D)
              ErrorFault(share, after_work) CrashFault(restart_after?, detection) BlackholeFault()
              RefuseFault() ResetFault() LossFault(share)
slo           Slo(load, success?, quantile?, limit?, period, alert?: Alert(burn, long, short, every))
action        Action(name?, lever, at?, when?, after: D?) Condition(text, metric, subject, op, value, lasts, every,
              over) AlertCondition(slo, lasts); lever: FlagLever(flags) ShedLever(load, share) ClearQueueLever(service)
              RestartLever(service, replicas?, replica_share?, zone?) DrainLever(service?, as a restart) UndrainLever
              ScaleLever(service, replicas) DeployLever(service, max_surge?, max_surge_share?,
              max_unavailable?, max_unavailable_share?, slowdown, error) RollbackLever(service)
              SetLever(settings: Setting(path, scope, key, value))
check         Check(text, name?, negated, metric, subject, window, op?, value?, of_window?, after?,
              after_at?, hold, to, variants?, except_, confidence, share?; .boolean, .applies_to(variant))
planning      Planning(services: name -> SizeRange(least, most), assume: NoFailure() ReplicaLoss() ZoneLoss(zone?)
              SlowService(service?, times), slos, window?, minimise, confidence)
scenario      Time(duration, warmup, drain?, bucket, start?) Window(start, end)
              Scenario(name, description, time, seed, replications, services, policies, load, faults, actions,
              flags, slos, planning?, windows, checks, variants; .whole)

A load's ``call`` becomes a mix of one target. A flag that a step names but `flags` does not list is an error.
`demand` holds the arithmetic on all this: means, offered rates, utilisation.
"""

from sysim.model.action import (
    Action,
    AlertCondition,
    ClearQueueLever,
    Condition,
    DeployLever,
    DrainLever,
    FlagLever,
    Lever,
    RestartLever,
    RollbackLever,
    ScaleLever,
    SetLever,
    Setting,
    SettingKey,
    ShedLever,
    UndrainLever,
)
from sysim.model.autoscaler import Autoscaler, ScheduleLine
from sysim.model.balancing import Balancer, LeastOutstanding, LeastRequest, Random, RoundRobin
from sysim.model.calendar import (
    Burst,
    CalendarRate,
    DailyCurve,
    DailyFactors,
    Growth,
    Noise,
    Weekly,
)
from sysim.model.check import Check
from sysim.model.distribution import (
    Constant,
    Distribution,
    Empirical,
    Exponential,
    ExponentialPart,
    Gamma,
    Hyperexponential,
    Lognormal,
    Mixture,
    MixturePart,
    Normal,
    Pareto,
    PercentilePoint,
    Percentiles,
    Uniform,
    Weibull,
)
from sysim.model.fault import (
    BlackholeFault,
    CapacityFault,
    CrashFault,
    EdgeTarget,
    Effect,
    ErrorFault,
    Fault,
    FaultTarget,
    LatencyFault,
    LossFault,
    OperationTarget,
    PauseFault,
    RefuseFault,
    ResetFault,
    ServiceTarget,
    SlowdownFault,
    ZoneTarget,
)
from sysim.model.impatience import Reloads, impatient
from sysim.model.planning import (
    Assumption,
    NoFailure,
    Planning,
    ReplicaLoss,
    SizeRange,
    SlowService,
    ZoneLoss,
)
from sysim.model.policy import (
    FALLEN_BACK,
    RETRIED,
    Backoff,
    BucketBudget,
    Bulkhead,
    CallPolicy,
    CallWindow,
    CircuitBreaker,
    ConstantBackoff,
    Deadline,
    ExponentialBackoff,
    Fallback,
    Hedge,
    Impatience,
    Network,
    RateLimit,
    RatioBudget,
    Retry,
    RetryBudget,
    TimeWindow,
)
from sysim.model.scenario import Scenario, Time, Window, default_bucket
from sysim.model.shapes import (
    ConstantRate,
    ModulatedRate,
    RateStage,
    RateState,
    RateStep,
    ReplayRate,
    SineRate,
    StagesRate,
    StepsRate,
)
from sysim.model.slo import Alert, Slo
from sysim.model.topology import (
    Admission,
    Call,
    Choose,
    Fail,
    Operation,
    Option,
    Parallel,
    Publish,
    Queue,
    Repeat,
    Service,
    Slowdown,
    Step,
    StepField,
    Think,
    Work,
)
from sysim.model.users import UserStage, UserStages, UserStep, UserSteps, peak_users
from sysim.model.values import FailureOutcome, Model, Money, Outcome
from sysim.model.workload import (
    Arrivals,
    Batch,
    ClosedLoad,
    Evenly,
    Load,
    OpenLoad,
    Poisson,
    RateProfile,
)

# Policies contain fallback steps and steps contain policies: close the circle once all names exist.
_names = {"Step": StepField, "StepField": StepField, "CallPolicy": CallPolicy}
for _model in (Fallback, CallPolicy, Call, Publish, Parallel, Repeat, Option, Choose, Operation, Service):
    _model.model_rebuild(force=True, _types_namespace=_names | {"Option": Option})
for _whole in (OpenLoad, ClosedLoad, Scenario):
    _whole.model_rebuild(force=True)

__all__ = [
    "UserStage",
    "UserStages",
    "UserStep",
    "UserSteps",
    "peak_users",
    "Assumption",
    "NoFailure",
    "Planning",
    "ReplicaLoss",
    "SizeRange",
    "SlowService",
    "ZoneLoss",
    "Autoscaler",
    "ScheduleLine",
    "Burst",
    "CalendarRate",
    "DailyCurve",
    "DailyFactors",
    "Growth",
    "Noise",
    "Weekly",
    "Action",
    "AlertCondition",
    "Alert",
    "Slo",
    "ClearQueueLever",
    "Condition",
    "DeployLever",
    "DrainLever",
    "FlagLever",
    "Lever",
    "RestartLever",
    "RollbackLever",
    "ScaleLever",
    "SetLever",
    "Setting",
    "SettingKey",
    "ShedLever",
    "UndrainLever",
    "FALLEN_BACK",
    "RETRIED",
    "Admission",
    "Arrivals",
    "Backoff",
    "Balancer",
    "Batch",
    "BlackholeFault",
    "BucketBudget",
    "Bulkhead",
    "Call",
    "CallPolicy",
    "CallWindow",
    "CapacityFault",
    "Check",
    "Choose",
    "CircuitBreaker",
    "ClosedLoad",
    "Constant",
    "ConstantBackoff",
    "ConstantRate",
    "CrashFault",
    "Deadline",
    "Distribution",
    "EdgeTarget",
    "Effect",
    "Empirical",
    "ErrorFault",
    "Evenly",
    "Exponential",
    "ExponentialBackoff",
    "ExponentialPart",
    "Fail",
    "FailureOutcome",
    "Fallback",
    "Fault",
    "FaultTarget",
    "Gamma",
    "Hedge",
    "Impatience",
    "Hyperexponential",
    "LatencyFault",
    "LeastOutstanding",
    "LeastRequest",
    "Load",
    "Lognormal",
    "LossFault",
    "Mixture",
    "MixturePart",
    "Model",
    "Money",
    "Network",
    "Normal",
    "OpenLoad",
    "Operation",
    "OperationTarget",
    "Option",
    "Outcome",
    "Parallel",
    "Pareto",
    "PauseFault",
    "PercentilePoint",
    "Percentiles",
    "Poisson",
    "Publish",
    "Queue",
    "Random",
    "RateLimit",
    "RateProfile",
    "ModulatedRate",
    "RateStage",
    "RateState",
    "RateStep",
    "RatioBudget",
    "RefuseFault",
    "Repeat",
    "ReplayRate",
    "ResetFault",
    "Reloads",
    "Retry",
    "RetryBudget",
    "RoundRobin",
    "Scenario",
    "Service",
    "ServiceTarget",
    "SineRate",
    "Slowdown",
    "SlowdownFault",
    "StagesRate",
    "Step",
    "StepsRate",
    "Think",
    "Time",
    "TimeWindow",
    "Uniform",
    "Weibull",
    "Window",
    "Work",
    "ZoneTarget",
    "default_bucket",
    "impatient",
]

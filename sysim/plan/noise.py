"""Noise of calendars: the rates of a plan, drawn for one run.

A plan has the rates without noise, with a row that begins wherever a slot of noise does. Before a run, each engine asks
for the rates of that run: in slot n of a load they are multiplied by an independent lognormal factor of mean 1,

    exp(s z - s^2/2),  s^2 = ln(1 + cv^2),  z = sqrt(-2 ln u) cos(2 pi v)

(Box and Muller, 1958), where u and v are draws 2n and 2n + 1 of a key made of the run's key and the load's name. Slots
are counted on the calendar. Hence the noise of an afternoon is that which it has within its day, runs of one seed and
replication (variants of a scenario, the probes of a search) meet the same noise, and other replications meet another.
"""

from __future__ import annotations

import math
from dataclasses import replace

import numpy as np

from sysim.plan.identity import derived, uniforms
from sysim.plan.plan import Floats, Ints, Plan
from sysim.plan.tables import Q_CUMULATED, Q_RATE, Q_SLOPE, Q_START
from sysim.semantics.salts import SALT_RUN


def drawn(plan: Plan, run_key: int) -> Plan:
    """The plan with the rates that a run of that key (63 bits, from its seed and replication) meets; the plan itself
    where no load has noise.
    """
    if plan.n_noise == 0:
        return plan
    rates = plan.rates.copy()
    for (first, count, key), (deviation,) in zip(plan.noise.tolist(), plan.noiseF.tolist(), strict=True):
        rows = rates[first : first + count]
        by_row = factors(run_key, key, plan.noise_slots[first : first + count], deviation)
        rows[:, Q_RATE] *= by_row
        rows[:, Q_SLOPE] *= by_row
        lengths = np.diff(rows[:, Q_START])
        means = rows[:-1, Q_RATE] + rows[:-1, Q_SLOPE] * lengths / 2.0
        rows[1:, Q_CUMULATED] = np.cumsum(lengths * means)
    return replace(plan, rates=rates)


def run_key(seed: int, replication: int) -> int:
    """The key of a run, from which both engines derive all others."""
    return derived(derived(int(SALT_RUN), seed), replication)


def factors(run_key: int, load_key: int, slots: Ints, deviation: float) -> Floats:
    """The factor of each slot in a run; equal slots have equal ones. `load_key` is ``salt("noise", name)``."""
    key = derived(run_key, load_key)
    numbers, where = np.unique(slots, return_inverse=True)
    # one by one with `math`: numpy's own functions differ in the last bit from machine to machine
    first, second = uniforms(key, 2 * numbers).tolist(), uniforms(key, 2 * numbers + 1).tolist()
    known = [_factor(u, v, deviation) for u, v in zip(first, second, strict=True)]
    return np.array(known)[where]


def _factor(u: float, v: float, deviation: float) -> float:
    normal = math.sqrt(-2.0 * math.log(u)) * math.cos(2.0 * math.pi * v)
    return math.exp(deviation * normal - deviation * deviation / 2.0)

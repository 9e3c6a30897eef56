"""What a monitor sees of a record, look by look, against tables filled by hand."""

from __future__ import annotations

import numpy as np

from sysim.plan import tables as t
from sysim.record.columns import LC_DONE, LC_DONE_OK, LC_OFFERED, LV_BUSY, LV_IN_SYSTEM, LV_QUEUE, LV_UP, N_LC, N_LV
from sysim.record.histogram import BINS, bin_of, lower_edge, middle
from sysim.record.monitor import look

SECOND = 1_000_000_000


def test_middle_of_a_bin():
    for ns in (0, 1, 127, 128, 129, 255, 256, 1000, 10**6, 123_456_789, 2**50 + 3):
        b = int(bin_of(ns))
        upper = lower_edge(b + 1)
        assert middle(b) == (lower_edge(b) + upper) / 2 or ns < 128
        assert abs(middle(b) - ns) <= max(0.004 * ns, 0)


class Bench:
    """One condition on one load with one stream, or on one service."""

    def __init__(self, metric, slots=2, threshold=0.0, op=">", quantile=0.99):
        self.actions = np.zeros((1, t.N_AC), np.int64)
        self.actions[0, [t.AC_METRIC, t.AC_OP, t.AC_EVERY, t.AC_SLOTS]] = (
            metric, t.COMPARISONS.index(op), SECOND, slots,
        )  # fmt: skip
        self.actions_f = np.array([[threshold, quantile]], np.float64)
        self.state = np.zeros((1, t.N_AS), np.int64)
        self.seen = np.zeros((slots, t.N_SEEN), np.int64)
        self.seen_hist = np.zeros((slots + 1, BINS), np.int64)
        self.svc = np.zeros((1, t.N_S), np.int64)
        self.loads = np.zeros((1, t.N_L), np.int64)
        self.loads[0, t.L_STREAMS] = 1
        self.level = np.zeros((1, N_LV), np.int64)
        self.cells = np.zeros((9, N_LC), np.int64)
        self.hist = np.zeros((4, BINS), np.int64)  # two segments
        self.now = 0

    def look(self, cell=0):
        self.state[0, t.AS_SINCE] = t.NEVER
        self.now += SECOND
        return bool(
            look(self.actions, self.actions_f, 0, self.state, self.seen, self.seen_hist, self.svc, self.loads,
                 self.level, self.cells, self.hist, cell, 1, self.now)
        )  # fmt: skip


def test_levels_of_a_service():
    for metric, column in ((t.METRIC_QUEUE, LV_QUEUE), (t.METRIC_IN_SYSTEM, LV_IN_SYSTEM)):
        bench = Bench(metric, threshold=5.0)
        bench.level[0, column] = 5
        assert not bench.look()
        bench.level[0, column] = 6
        assert bench.look()
    bench = Bench(t.METRIC_UTILISATION, threshold=0.75, op=">=")
    bench.svc[0, t.S_WORKERS], bench.level[0, LV_UP], bench.level[0, LV_BUSY] = 2, 2, 3
    assert bench.look()
    bench.level[0, LV_BUSY] = 2
    assert not bench.look()
    bench.level[0, LV_UP] = 0
    bench.actions_f[0, 0] = 0.0
    assert not bench.look()  # of no replica there is none


def test_rates_and_shares_of_a_load_over_the_last_looks():
    rates = Bench(t.METRIC_OFFERED, slots=2, threshold=15.0, op="==")
    rates.cells[0, LC_OFFERED] = 15
    assert rates.look(0)  # only one second has gone by
    rates.cells[1, LC_OFFERED] = 15
    assert rates.look(1)  # 30 in two
    rates.cells[3, LC_OFFERED] = 15
    assert rates.look(3)  # the first second has left the window
    assert not rates.look(3)
    shares = Bench(t.METRIC_SUCCESS, slots=1, threshold=0.5, op="<=")
    assert not shares.look(0)  # nothing has ended
    shares.cells[0, [LC_DONE, LC_DONE_OK]] = 4, 2
    assert shares.look(0)
    assert not shares.look(1)  # nothing new
    shares.cells[1, [LC_DONE, LC_DONE_OK]] = 4, 3
    assert not shares.look(1)
    shares.cells[1, LC_DONE] += 2
    assert shares.look(2)
    goodput = Bench(t.METRIC_GOODPUT, slots=1, threshold=7.0, op=">=")
    goodput.cells[0, [LC_DONE, LC_DONE_OK]] = 9, 7
    assert goodput.look(0)
    assert not goodput.look(0)


def test_quantiles_of_a_load():
    fast, slow = int(bin_of(SECOND // 10)), int(bin_of(SECOND))
    of_good = Bench(t.METRIC_LATENCY, slots=1, threshold=0.5, quantile=0.9)
    assert not of_good.look()
    of_good.hist[0, fast] = 90
    of_good.hist[2, slow] = 10  # another segment
    assert not of_good.look()  # the 90th of 100 is fast
    of_good.hist[0, fast] += 89
    of_good.hist[2, slow] += 11
    assert of_good.look()
    of_good.hist[1, slow] += 1000  # failures do not count here
    of_good.hist[0, fast] += 1
    assert not of_good.look()
    of_all = Bench(t.METRIC_LATENCY_ALL, slots=2, threshold=0.5, quantile=0.5)
    of_all.hist[1, slow] = 3
    of_all.hist[0, fast] = 2
    assert of_all.look()
    of_all.hist[0, fast] += 2
    assert not of_all.look()  # 4 fast, 3 slow in both looks
    of_all.hist[1, slow] += 3
    assert of_all.look()  # 2 fast, 3 slow in the last two

"""What a monitor sees of a record, look by look, against tables filled by hand."""

from __future__ import annotations

import numpy as np

from sysim.plan import tables as t
from sysim.record.columns import (
    LC_DONE,
    LC_DONE_OK,
    LC_DONE_SLOW,
    LC_OFFERED,
    LV_BUSY,
    LV_IN_SYSTEM,
    LV_QUEUE,
    LV_UP,
    N_LC,
    N_LV,
)
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
        self.actions_f = np.zeros((1, t.N_ACF), np.float64)
        self.actions_f[0, [t.ACF_THRESHOLD, t.ACF_QUANTILE]] = threshold, quantile
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


class Alert(Bench):
    """The alert of an slo of 99.9 %, looked at every second; two columns of what has ended."""

    def __init__(self, long, short, failing=0.001, slow=0.0, burn=14.4):
        super().__init__(t.METRIC_ALERT, long, burn, ">=")
        self.actions[0, t.AC_SHORT] = short
        self.actions_f[0, [t.ACF_FAILING, t.ACF_SLOW]] = failing, slow

    def ends(self, good=0, bad=0, slow=0):
        self.cells[0, LC_DONE] += good + bad
        self.cells[0, LC_DONE_OK] += good
        self.cells[0, LC_DONE_SLOW] += slow
        return self.look()


def test_an_alert_pages_after_the_time_in_which_an_outage_burns_its_share_of_the_budget():
    """A total outage: 14.4 x 0.1 % of an hour is 51.84 s, if the history is without an error and traffic constant."""
    for history in (1, 400, 700):  # long before, there is nothing: taken to have been as it was since
        alert = Alert(3600, 300)
        assert not any(alert.ends(good=10) for _ in range(history))
        pages = [alert.ends(bad=10) for _ in range(60)]
        assert pages.index(True) + 1 == 52
    tier = Alert(6 * 3600, 1800, burn=6.0)
    tier.ends(good=10)
    assert [tier.ends(bad=10) for _ in range(140)].index(True) + 1 == 130  # 6 x 0.1 % of six hours: 129.6 s


def test_an_alert_ends_soon_after_the_outage_as_the_short_window_forgets_it():
    alert = Alert(600, 20)
    assert [alert.ends(bad=10) for _ in range(30)][-1]
    still = [alert.ends(good=10) for _ in range(40)]
    assert still[0] and not any(still[20:])
    assert still.index(False) == 19  # 1 bad second of 20 is 5 %, 50 times the budget; none is none


def test_an_alert_on_latency_looks_at_the_share_of_slow_successes():
    alert = Alert(100, 10, failing=0.0, slow=0.01, burn=5.0)
    assert not any(alert.ends(good=98, bad=100, slow=4) for _ in range(200))
    assert any(alert.ends(good=98, bad=100, slow=8) for _ in range(200))
    assert not Alert(10, 10, burn=1.0).ends()  # nothing has ended: nothing burns

"""Users who come and go: when each of them is there."""

from __future__ import annotations

from sysim.model.users import Users, changes
from sysim.plan.tables import NEVER, NONE, Y_FROM, Y_NEXT, Y_UNTIL


def stays(users: Users, duration: int, base: int) -> tuple[int, list[list[int]]]:
    """How many different users there are before `duration` (ns), and the rows of their stays, the first of which will
    be row `base`. No rows if all of them are there all the time.
    """
    table = [(at, count) for at, count in changes(users) if at < duration]
    most = max(1, *(count for _, count in table))
    if table == [(0, most)]:
        return most, []
    rows = [[NEVER, NEVER, NONE] for _ in range(most)]
    latest = list(range(most))
    there = 0
    for at, count in table:
        for user in range(there, count):
            if rows[latest[user]][Y_FROM] != NEVER:
                rows[latest[user]][Y_NEXT] = base + len(rows)
                latest[user] = len(rows)
                rows.append([NEVER, NEVER, NONE])
            rows[latest[user]][Y_FROM] = at
        for user in range(count, there):
            rows[latest[user]][Y_UNTIL] = at
        there = count
    return most, rows

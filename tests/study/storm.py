"""A retry storm small enough to be run hundreds of times: 50 requests a second served, 40 asked for, tried three
times after half a second each. By the published law it is vulnerable from 50/3 a second on.
"""

from __future__ import annotations

import sysim

MU, LAM, ATTEMPTS = 50.0, 40.0, 3
TEXT = """
sysim: 1
name: storm
time: {duration: 40s, bucket: 1s}
services:
  api: {concurrency: 1, operations: {get: [{work: {exponential: 20ms}}]}}
load:
  clients:
    call: api.get
    rate: 40/s
    value: 2 GBP
    policy: {timeout: 500ms, retry: {max_attempts: 3}}
faults:
  - {name: stall, at: 20s, for: 2s, on: api, pause: true}
"""


def storm(**changes: object) -> sysim.Scenario:
    """The scenario, with values set at paths (dots written as two underscores)."""
    return sysim.loads(TEXT, set={path.replace("__", "."): value for path, value in changes.items()})

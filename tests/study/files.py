"""Scenarios for studies that an engine is done with in a blink."""

STALL = """
sysim: 1
name: stall
time: {duration: 20s, bucket: 1s}
services: {api: {concurrency: 1, operations: {get: [{work: {exponential: 6ms}}]}}}
load: {web: {call: api.get, rate: 40/s, value: 2 GBP, policy: {timeout: 100ms, retry: {max_attempts: 2}}}}
faults: [{name: stall, at: 3s, for: 500ms, on: api, pause: true}]
windows: {before: ..3s, after: 6s..}
variants:
  baseline: null
  patient: {load.web.policy.timeout: 2s}
  slow: {services.api.operations.get.0.work: {exponential: 9ms}}
checks:
  - {expect: success(web) >= 60%, except: [slow]}
  - {expect: p99(web) during after < 80% of variant baseline, variants: [slow]}
  - success(web) during after >= variant patient
"""

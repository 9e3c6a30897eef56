"""Capacity: how many replicas hold a promise, what breaks first beyond that, and what it costs."""

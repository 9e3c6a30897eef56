"""The reference engine: the story of every request, told by a generator, on SimPy."""

from sysim.engine.reference.run import simulate

__all__ = ["simulate"]

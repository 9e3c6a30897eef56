"""Load that was written for other tools, or logged by them. Nothing is executed, and what is lost is told."""

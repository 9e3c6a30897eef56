"""``python -m sysim.cli``."""

from sysim.cli import main

main()

"""Pure functions from counts to numbers: latency, amplification, recovery, money, checks, and a plain-English
account.

Nothing here runs an engine; nothing here changes what it is given.
"""

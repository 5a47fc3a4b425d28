"""Faults injected into a real service, and the one oracle that all of them end with.

`Service` runs, stops and kills `tassei serve` on any database; `Load` sends to it and remembers
what was acknowledged; `oracle.assert_laws` says whether the numbers held.
"""

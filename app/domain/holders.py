"""Who had the role when it counted: the credit that stays where the work was done.

A deal that was won in March and handed over in May moves March's revenue, unless its metric says
that it stays. Then the past of the activity is asked, and the past too is decided by stamps: a
report that comes late takes its place in it, so that any order of arrival credits the same people.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from enum import StrEnum

from app.domain.activities import State
from app.domain.errors import Invalid
from app.domain.instants import instant


class Holder(StrEnum):
    """Who is credited of those who had the role in turn.

    CURRENT: who has it now, so that what was done moves with it. AT_TIME: who had it when the
    activity came to count where it counts now; it stays with them.
    """

    CURRENT = "current"
    AT_TIME = "at_time"


def held(
    state: State, earlier: Sequence[State], time: str, at: int, is_about: Callable[[State], bool]
) -> State:
    """The state whose people are credited: the first since which it counts at that instant.

    What it is worth may be corrected afterwards, and who looks after it may change; only where it
    did not count in between, or at another time, was it done anew.

    earlier: what it was before, in order; time: the field that says when it counts
    """
    found = state
    for before in reversed(earlier):
        if not (is_about(before) and _lies_at(before, time, at)):
            break
        found = before
    return found


def _lies_at(state: State, time: str, at: int) -> bool:
    moment = state.fields.get(time)
    try:
        return isinstance(moment, str) and instant(moment) == at
    except Invalid:  # a field that no kind types
        return False

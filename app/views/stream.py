"""Progress as it moves: server-sent events (the WHATWG's text/event-stream).

A reader holds one document. `snapshot` is the whole of it. `goals` are the goals that changed
since, in one event, so that a connection cut in the middle leaves the reader where it was or
where it should be, never between. `activity` rings a bell and carries no state: whoever misses
one misses a sound. What is said of state comes before what rings.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import Any, NotRequired, TypedDict

from app.domain.quantities import written
from app.views.progress_documents import (
    GoalDocument,
    ProgressDocument,
    ScopeDocument,
)

MEDIA_TYPE = "text/event-stream"
# A line that readers skip: it keeps the proxies between us from closing what seems asleep.
COMMENT = b":\n\n"

# When it was looked, not what was seen: no reason to send the whole again.
_FLEETING = frozenset({"as_of", "known_at", "generated_at", "next_change_at"})
_TREES = frozenset({"root", "breakdown"})


class ChangedGoal(TypedDict):
    """A goal with all its members but `children`: a child that changed is an entry of its own.

    scope: which entry of the document's breakdown it stands in; absent for the document's root
    """

    scope: NotRequired[ScopeDocument]
    goal: dict[str, Any]


@dataclass(frozen=True, slots=True)
class Activity:
    """A goal's actual rose or fell by somebody's doing; member is None where nobody is known."""

    kind: str
    member: str | None
    goal: str
    delta: Fraction


def event(name: str, data: bytes, identity: int | None = None) -> bytes:
    """One event. `data` is JSON, which has no line breaks outside its escapes."""
    head = f"event: {name}\n" if identity is None else f"id: {identity}\nevent: {name}\n"
    return head.encode() + b"data: " + data + b"\n\n"


def retry(milliseconds: int) -> bytes:
    """How long a reader shall wait before it connects again."""
    return b"retry: %d\n\n" % milliseconds


def goals_event(changed: list[ChangedGoal], identity: int) -> bytes:
    """The goals that changed, as one event."""
    return event("goals", _json(changed), identity)


def activity_events(activities: Iterable[Activity], identity: int) -> bytes:
    """One event an activity."""
    return b"".join(event("activity", _json(_told(one)), identity) for one in activities)


def changed_goals(before: ProgressDocument, after: ProgressDocument) -> list[ChangedGoal] | None:
    """The goals that differ; None where more than goals does and only the whole will do.

    More than goals is the plan's version, its people, and the working days that are over: so in
    working hours each minute brings the whole once.
    """
    if _frame(before) != _frame(after):
        return None
    old, new = dict(_goals(before)), dict(_goals(after))
    if old.keys() != new.keys():
        return None
    return [changed for place, changed in new.items() if changed != old[place]]


def _frame(document: ProgressDocument) -> tuple[object, ...]:
    """Everything but the goals."""
    parts = document.get("breakdown", [])
    around = {k: v for k, v in document.items() if k not in _FLEETING and k not in _TREES}
    return (around, [(part["scope"], part["name"], part["working_days"]) for part in parts])


Place = tuple[int, str, tuple[str, ...]]


def _goals(document: ProgressDocument) -> Iterator[tuple[Place, ChangedGoal]]:
    """Every goal by its place: the tree it stands in, its key, its children's keys."""
    yield from _tree(0, None, document["root"])
    for number, part in enumerate(document.get("breakdown", []), 1):
        yield from _tree(number, part["scope"], part["root"])


def _tree(
    number: int, scope: ScopeDocument | None, goal: GoalDocument
) -> Iterator[tuple[Place, ChangedGoal]]:
    own = {name: value for name, value in goal.items() if name != "children"}
    entry: ChangedGoal = {"goal": own} if scope is None else {"scope": scope, "goal": own}
    yield (number, goal["key"], tuple(child["key"] for child in goal["children"])), entry
    for child in goal["children"]:
        yield from _tree(number, scope, child)


def _told(activity: Activity) -> dict[str, str | None]:
    return {
        "kind": activity.kind,
        "member": activity.member,
        "goal": activity.goal,
        "delta": written(activity.delta),
    }


# `json.dumps` makes an encoder each time that it is asked for anything but its defaults.
_encoded = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode


def _json(value: object) -> bytes:
    return _encoded(value).encode()

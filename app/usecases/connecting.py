"""Connecting a sender from the command line, and hearing what becomes of its first events.

It works on the service's own database: what the service takes or refuses meanwhile is found there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from app.domain.activities import Outcome
from app.domain.errors import Fault, Invalid
from app.domain.plans import is_key
from app.domain.progress import Reason
from app.intake.registry import PROVIDERS
from app.intake.requests import Step
from app.store import activities, deliveries, documents, quarantine, refusals
from app.store.deliveries import Stored
from app.store.documents import Document
from app.store.transactions import Reading
from app.usecases.context import Context
from app.usecases.organisation import SOURCE
from app.usecases.saving import ANY, Precondition
from app.usecases.source_mapping import MAPPING_VERSION
from app.usecases.source_status import AMONG, advice
from app.usecases.sources import SECRETS_VERSION, Connected, put_source
from app.usecases.tracing import trace

AUTHOR = "command line"
INTERVAL_SECONDS = 1.0
# Of one delivery so many items are told.
TOLD = 10
_SEEN_AT_ONCE = 50
_OWN = frozenset({SECRETS_VERSION, MAPPING_VERSION})

# Waits for so many seconds; whether to go on.
Pause = Callable[[float], bool]
# Checks the body of a PUT and makes it a document.
Read = Callable[[dict[str, Any]], dict[str, Any]]


@dataclass(frozen=True, slots=True)
class Wish:
    """What is asked for. What is None, or not in the document, stays or is the provider's own.

    document: fields of the body of PUT /v1/sources/{key}, credentials among them
    """

    provider: str
    key: str
    counts: Sequence[str] | None = None
    document: Mapping[str, Any] = field(default_factory=dict)


def connect(context: Context, workspace: str, wish: Wish, read: Read) -> Connected:
    """Make a source, or change the one that is there. Raises as `put_source` does, and `read`."""
    if not is_key(wish.key):
        raise Invalid("not_a_key")
    if wish.provider not in PROVIDERS:
        allowed = {"allowed": ", ".join(sorted(PROVIDERS))}
        raise Invalid("unknown_provider", Fault("/provider", "unknown_provider", allowed))
    with context.read() as reading:
        before = documents.get(reading, workspace, SOURCE, wish.key)
    standing = before if before is not None and not before.archived else None
    body = read(_body(wish, standing))
    credentials = body.pop("credentials", None)
    seen = Precondition(None if standing is None else frozenset({ANY}))
    return put_source(context, workspace, wish.key, body, credentials, seen, AUTHOR)


def _body(wish: Wish, standing: Document | None) -> dict[str, Any]:
    body: dict[str, Any] = {"name": wish.provider}
    if standing is not None:
        body = {name: value for name, value in standing.body.items() if name not in _OWN}
    body |= {**wish.document, "provider": wish.provider}
    if wish.counts is not None:
        body["counts"] = list(wish.counts)
    return body


def news(context: Context, workspace: str, key: str, pause: Pause) -> Iterator[Step]:
    """What comes from a source from now on, told as it comes, until the pause says to end."""
    with context.read() as reading:
        last = max((one.id for one in _latest(reading, workspace, key)), default=0)
        refused = {one.code: one.number for one in refusals.of_source(reading, workspace, key)}
    while pause(INTERVAL_SECONDS):
        with context.read() as reading:
            came = [one for one in _latest(reading, workspace, key) if one.id > last]
            found = refusals.of_source(reading, workspace, key)
        for one in sorted(found, key=lambda one: one.last_at):
            if one.number != refused.get(one.code):
                refused[one.code] = one.number
                yield advice(one)
        for delivery in reversed(came):
            last = max(last, delivery.id)
            yield from _told(context, workspace, key, delivery)


def _latest(reading: Reading, workspace: str, key: str) -> list[Stored]:
    return deliveries.latest(reading, workspace, key, AMONG, _SEEN_AT_ONCE)


def _told(context: Context, workspace: str, key: str, delivery: Stored) -> Iterator[Step]:
    """What became of a delivery."""
    with context.read() as reading:
        commit = deliveries.commit_of(delivery.id)
        new = activities.brought_by(reading, workspace, delivery.id, commit, TOLD)
        strays = quarantine.of_delivery(reading, workspace, delivery.id, TOLD)
    for source, activity in new:
        if source == key:
            yield _counted(context, workspace, source, activity)
    for stray in strays:
        yield Step("came_quarantined", {"code": stray.code})
    outcomes = delivery.outcomes
    if waiting := outcomes.get(Outcome.PENDING, 0):
        yield Step("came_named", {"number": waiting})
    known = sum(outcomes.get(one, 0) for one in (Outcome.DUPLICATE, Outcome.STALE))
    more = sum(outcomes.get(one, 0) for one in (Outcome.ACCEPTED, Outcome.REVISED)) - len(new)
    if more > 0:
        yield Step("came_more", {"number": more})
    if known and not new:
        yield Step("came_again", {"number": known})
    if not any(outcomes.values()):
        yield Step("came_of_no_interest", {})


def _counted(context: Context, workspace: str, source: str, key: str) -> Step:
    """Which metrics an activity moved, and whose it is."""
    found = trace(context, workspace, source, key)
    kind = found.activity.state.kind
    counted = [count for count in found.counts if count.cells]
    told = {"kind": kind, "key": key}
    if not counted:
        reasons = [count.reason for count in found.counts if count.reason is not None]
        why = next((one for one in reasons if one.code != "filtered"), None) or next(
            iter(reasons), Reason("kind_not_counted")
        )
        return Step("came_uncounted", {**why.params, **told, "source": source, "code": why.code})
    metrics = ", ".join(count.metric for count in counted)
    member = next((cell.whose.member for count in counted for cell in count.cells), None)
    told["metrics"] = metrics
    if member is None:
        return Step("came_counted_unassigned", told)
    return Step("came_counted", told | {"member": member})

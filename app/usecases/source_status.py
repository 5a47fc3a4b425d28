"""How a source is doing: what it was refused for, and why what it sends may not count."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from app.domain.activities import Outcome
from app.domain.errors import Conflict, Invalid, NotFound, TooLarge, Unreadable
from app.domain.instants import DAY
from app.intake.registry import PROVIDERS
from app.intake.requests import Step
from app.intake.source_settings import standing_settings
from app.store import actors, deliveries, refusals
from app.store.deliveries import Stored
from app.store.documents import Document
from app.store.refusals import Refusal
from app.store.transactions import Reading
from app.usecases.context import Context
from app.usecases.organisation import SOURCE
from app.usecases.people import strangers
from app.usecases.replaying import read_kept
from app.usecases.saving import standing
from app.usecases.source_secrets import ADDRESS_REPLACED, held
from app.usecases.sources import Connected, Showing

RECENT = 20
# Looked for among so many deliveries of the workspace, however many there are.
AMONG = 2_000
# What a delivery came to where something of it stands, or is on its way to.
_GOOD = frozenset(Outcome) - {Outcome.QUARANTINED, Outcome.REJECTED}


@dataclass(frozen=True, slots=True)
class Status:
    """A source, its refusals and its last deliveries, the latest first, and what to do about them.

    findings: what is wrong or will be, in words for whoever connects it
    """

    connected: Connected
    refused: tuple[Refusal, ...]
    recent: tuple[Stored, ...]
    findings: tuple[Step, ...]


def source_status(context: Context, workspace: str, key: str) -> Status:
    """How a source is doing. Raises NotFound."""
    with context.read() as reading:
        document = standing(reading, workspace, SOURCE, key)
        if document is None:
            raise NotFound("unknown_source", source=key)
        secrets = held(context, reading, workspace, key)
        connected = Showing(context, reading, workspace).connected(document, secrets)
        refused = tuple(refusals.of_source(reading, workspace, key))
        recent = tuple(deliveries.latest(reading, workspace, key, AMONG, RECENT))
        findings = (
            *_of_refusals(refused, recent, context.clock()),
            *_of_deliveries(context, reading, workspace, connected, recent),
            *_of_people(context, reading, workspace, key),
        )
    return Status(connected, refused, recent, findings)


def advice(refused: Refusal) -> Step:
    """What to do about a refusal."""
    return Step(f"refused_{refused.code}", refused.params)


def _of_refusals(refused: Sequence[Refusal], recent: Sequence[Stored], now: int) -> Iterable[Step]:
    """Of those that nothing was taken after: earlier ones were mended.

    What comes at another address mends no call of a replaced one, so that is told for a day.
    """
    taken = recent[0].received_at if recent else 0
    mended = {ADDRESS_REPLACED: min(taken, now - DAY)}
    return [advice(one) for one in refused if one.last_at > mended.get(one.code, taken)]


def _of_deliveries(
    context: Context,
    reading: Reading,
    workspace: str,
    connected: Connected,
    recent: Sequence[Stored],
) -> Iterable[Step]:
    document = connected.document
    if not recent:
        never = connected.last_received_at is None and connected.hook_url
        return [Step("nothing_arrived", {})] if never else []
    came = Counter[str]()
    for one in recent:
        came.update(one.outcomes)
    if came[Outcome.QUARANTINED]:
        return [Step("recent_quarantined", {"number": came[Outcome.QUARANTINED]})]
    if any(came[outcome] for outcome in _GOOD):
        return []
    left_out = _left_out(context, reading, workspace, document, recent)
    code = "left_out_by_settings" if left_out else "nothing_of_interest"
    return [Step(code, {"number": len(recent)})]


def _left_out(
    context: Context,
    reading: Reading,
    workspace: str,
    document: Document,
    recent: Sequence[Stored],
) -> bool:
    """Whether the last delivery would count something without the source's settings.

    They say whose account it is, and which of its lists and numbers count.
    """
    settings = PROVIDERS[document.body["provider"]].settings
    whole = deliveries.get(reading, workspace, recent[0].id)
    if whole is None or not document.body.get("settings"):
        return False
    optional = {one.name for one in settings if not one.required}
    bare = {k: v for k, v in document.body["settings"].items() if k not in optional}
    try:
        found = read_kept(context, reading, workspace, whole, standing_settings(settings, bare))
    except (Conflict, Invalid, TooLarge, Unreadable):
        return False
    return bool(found.items)


def _of_people(context: Context, reading: Reading, workspace: str, key: str) -> Iterable[Step]:
    found = context.organisations.at(reading, workspace)
    known = actors.all_actors(reading, workspace)
    own = {number: who for number, who in known.items() if who.source == key}
    number = actors.count_within(reading, workspace, strangers(own, found))
    return [Step("unknown_people", {"number": number})] if number else []

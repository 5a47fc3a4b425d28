"""Calendly webhooks: every booking of an invitee is a meeting that was booked.

Cancelling, rescheduling and not showing up are the invitee's in Calendly and not the event's, so
the invitee is the activity: of a group event each of them is one. Rescheduling brings two events in
any order: the old invitee is canceled with `rescheduled`, a new one names it as `old_invitee`. Both
withdraw the old one, so that one booking stands, whichever comes first or is lost.
"""

from __future__ import annotations

from collections.abc import Mapping

from app.domain.activities import KIND, RETRACTED, JsonValue
from app.domain.deliveries import About, Delivery, Item
from app.domain.errors import Invalid, Unreadable
from app.domain.instants import DAY, instant
from app.domain.kinds import RawValue
from app.domain.revisions import of_instant
from app.intake.credentials import Absence, Secret
from app.intake.proofs import header_bytes, require_recent, stamped_signatures, verify_hmac
from app.intake.reading import read_json
from app.intake.records import Record, record_of
from app.intake.requests import (
    Connecting,
    Hook,
    HookRequest,
    Provider,
    Step,
    body_text,
    fields_of,
    hook_delivery,
    hook_report,
    refusal,
)

Fields = dict[str, JsonValue]

# Raised with every change of what an event comes to.
MAPPING = 1
# It tries for a day, and whether it signs anew each time is not known.
_TOLERANCE = DAY + DAY // 24
_CREATED, _CANCELED = "invitee.created", "invitee.canceled"
_NO_SHOW, _SHOWED = "invitee_no_show.created", "invitee_no_show.deleted"
_EVENTS = (_CREATED, _CANCELED, _NO_SHOW, _SHOWED)
_ORIGINS = {
    "status": "status",
    "booked_at": "created_at",
    "starts_at": "scheduled_event/start_time",
    "counterpart": "email",
    "booked_by": "scheduled_event/event_memberships",
    "organizer": "scheduled_event/event_memberships",
}


def _verify(request: HookRequest) -> None:
    stamp, signatures = stamped_signatures(request.headers.get("calendly-webhook-signature"))
    require_recent(stamp, request.received_at, tolerance=_TOLERANCE)
    keys = [secret.encode() for secret in request.credentials.get("signing_key", ())]
    verify_hmac(signatures, header_bytes(f"{stamp}.") + request.body, keys)


def _read(request: HookRequest) -> Delivery:
    about = None
    try:
        event = record_of(read_json(request.body))
        if event.required("event") not in _EVENTS:
            return hook_delivery(request)
        invitee = event.record("payload")
        about = _about(event, invitee)
        items = _items(event, invitee, about, request)
    except (Unreadable, Invalid) as error:
        content = body_text(request.body)
        return hook_delivery(request, refused=(refusal(request, error, content, about=about),))
    return hook_delivery(request, *items)


def _about(event: Record, invitee: Record) -> About:
    """The invitee and the moment of the event.

    A no-show is an object of its own at Calendly, which names its invitee; so it is understood
    whether the event carries that or the invitee.
    """
    label = "invitee" if invitee.given("invitee") else "uri"
    at = event.required_time("created_at")
    return About(invitee.required_name(label), of_instant(instant(at)))


def _items(event: Record, invitee: Record, about: About, request: HookRequest) -> list[Item]:
    told = [(about.key, _fields(event, invitee, request.received_at))]
    if event.values["event"] == _CREATED and invitee.given("old_invitee"):
        old = invitee.required_name("old_invitee")
        told += [(old, _withdrawn())] if old != about.key else []
    return [_item(n, key, about.revision, fields, request) for n, (key, fields) in enumerate(told)]


def _item(index: int, key: str, revision: str, fields: Fields, request: HookRequest) -> Item:
    # Only the invitee as a whole says everything; the others say one thing of it.
    full = RETRACTED not in fields and "starts_at" in fields
    report = hook_report(request, key, revision, fields, full=full, mapping=MAPPING)
    return Item(index, key, report)


def _withdrawn() -> Fields:
    return {KIND: "meeting", RETRACTED: True}


def _fields(event: Record, invitee: Record, now: int) -> Fields:
    name = event.values["event"]
    if name == _CANCELED and invitee.flag("rescheduled"):
        return _withdrawn()
    status = "no_show" if name == _NO_SHOW else _status(name, invitee)
    values: dict[str, RawValue] = {"status": status}
    meeting = invitee.record("scheduled_event")
    if meeting.values:
        host = _host(meeting)
        starts = meeting.required_time("start_time")
        values |= {
            "booked_at": invitee.time("created_at"),
            "starts_at": starts,
            "counterpart": invitee.text("email"),
            "booked_by": host,
            "organizer": host,
        }
    elif name in (_CREATED, _CANCELED):
        raise invitee.fault("scheduled_event", "required")
    known = {label: value for label, value in values.items() if value is not None}
    places: Mapping[str, str] = {
        label: f"{invitee.pointer}/{place}" for label, place in _ORIGINS.items()
    }
    return fields_of("meeting", known, places, now)


def _status(name: RawValue, invitee: Record) -> str:
    if name == _CANCELED or invitee.text("status") == "canceled":
        return "canceled"
    # A mark that is there counts, unless this is the news that it was taken away.
    return "no_show" if name != _SHOWED and invitee.record("no_show").values else "booked"


def _host(meeting: Record) -> str | None:
    """The first of the hosts: Calendly names no other as the one who got the booking."""
    hosts = meeting.records("event_memberships")
    if not hosts:
        return None
    return hosts[0].text("user_email") or hosts[0].text("user")


def _next_steps(connecting: Connecting) -> tuple[Step, ...]:
    events = ", ".join(_EVENTS)
    return (Step("subscribe_calendly", {"url": connecting.hook_url, "events": events}),)


PROVIDER = Provider(
    name="calendly",
    counts=("meeting",),
    secrets=(
        Secret(
            "signing_key",
            "The signing_key of the webhook subscription, chosen by you; made if not given.",
            absence=Absence.GENERATED,
        ),
    ),
    hook=Hook(_verify, _read, _next_steps),
)

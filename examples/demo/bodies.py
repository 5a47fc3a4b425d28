"""Request bodies as Twilio, Pipedrive (webhooks v2) and a CloudEvents sender write them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from random import Random
from typing import Any, Literal
from uuid import UUID

from examples.demo.team import TWILIO_NUMBER, Person

Door = Literal["twilio", "pipedrive", "booking"]
Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Post:
    """One request: when it leaves in the story, through which door, and what it carries.

    `id` names the delivery where the provider has such a name: a retry has the same one.
    """

    leaves_at: datetime
    door: Door
    id: str
    body: Json | list[Json]


@dataclass(frozen=True, slots=True)
class Call:
    """A telephone call as it was: seconds of ringing, then of talk unless nobody answered."""

    person: Person
    started_at: datetime
    outbound: bool
    ended: Literal["completed", "no-answer", "busy", "failed", "canceled"]
    ring: int
    talk: int


def sid(random: Random) -> str:
    """A Twilio call's identifier."""
    return f"CA{random.getrandbits(128):032x}"


def number(random: Random) -> str:
    """A customer's number, in the block that is never given out for real customers here."""
    return f"+8150{random.randrange(90_000_000, 99_999_999)}"


def call_posts(call: Call, random: Random) -> list[Post]:
    """Two status callbacks: the leg to the first party, and the leg that <Dial> opened."""
    root, child, customer = sid(random), sid(random), number(random)
    lasted = call.ring + (call.talk if call.ended == "completed" else 0)
    over = call.started_at + timedelta(seconds=lasted)
    ends = {"From": call.person.client, "To": customer, "Direction": "inbound"}
    if not call.outbound:
        ends |= {"From": customer, "To": TWILIO_NUMBER}
    root_leg = {"CallSid": root, "CallStatus": "completed", "CallDuration": str(lasted)} | ends
    dialled = customer if call.outbound else call.person.client
    child_leg = {
        "CallSid": child,
        "ParentCallSid": root,
        "CallStatus": call.ended,
        "CallDuration": str(call.talk if call.ended == "completed" else 0),
        "From": TWILIO_NUMBER if call.outbound else customer,
        "To": dialled,
        "Direction": "outbound-dial",
    }
    return [_callback(root_leg, over, random), _callback(child_leg, over, random)]


def _callback(leg: dict[str, str], at: datetime, random: Random) -> Post:
    seconds = int(leg["CallDuration"])
    form = leg | {
        "AccountSid": "AC" + "0" * 32,
        "ApiVersion": "2010-04-01",
        "CallbackSource": "call-progress-events",
        "SequenceNumber": "0",
        "Timestamp": format_datetime(at.astimezone(UTC)),
        "Called": leg["To"],
        "Caller": leg["From"],
        # Minutes, rounded up for the bill: the trap beside CallDuration.
        "Duration": str(-(-seconds // 60)),
    }
    return Post(at, "twilio", str(UUID(int=random.getrandbits(128))), form)


def booked(
    key: str,
    revision: int,
    at: datetime,
    actor: str,
    data: Json,
    *,
    retracted: bool = False,
) -> Json:
    """A CloudEvent of the booking tool about one meeting."""
    event = {
        "specversion": "1.0",
        "id": f"{key}-{revision}",
        "source": "booking",
        "type": "meeting",
        "subject": key,
        "time": at.isoformat(timespec="seconds"),
        "datacontenttype": "application/json",
        "revision": str(revision),
        "actor": actor,
        "data": data,
    }
    return event | ({"retracted": True} if retracted else {})


def pipedrive_change(
    entity: Literal["deal", "activity"],
    data: Json,
    previous: Json | None,
    at: datetime,
    random: Random,
) -> Post:
    """A creation or change: the whole entity, and of the previous state what changed."""
    action = "create" if previous is None else "change"
    meta = _meta(entity, str(data["id"]), action, at, random) | {"user_id": _owner(data)}
    body = {"data": data, "previous": previous, "meta": meta}
    return Post(at, "pipedrive", str(meta["id"]), body)


def pipedrive_delete(
    entity: Literal["deal", "activity"], last: Json, at: datetime, random: Random
) -> Post:
    """A deletion: no data, and the whole last state as the previous one."""
    meta = _meta(entity, str(last["id"]), "delete", at, random) | {"user_id": _owner(last)}
    body = {"data": None, "previous": last, "meta": meta}
    return Post(at, "pipedrive", str(meta["id"]), body)


def again(post: Post, after: timedelta) -> Post:
    """The provider's retry of a delivery: the same content, one attempt later."""
    body = json.loads(json.dumps(post.body))
    if post.door == "pipedrive":
        body["meta"]["attempt"] += 1
    return Post(post.leaves_at + after, post.door, post.id, body)


def deal(number: int, person: Person, title: str, value: int, created: datetime) -> Json:
    """An open deal."""
    return {
        "id": number,
        "title": title,
        "owner_id": person.owner_id,
        "person_id": number + 7000,
        "org_id": number + 3000,
        "pipeline_id": 1,
        "stage_id": 2,
        "value": value,
        "currency": "JPY",
        "status": "open",
        "add_time": _utc(created),
        "update_time": _utc(created),
        "won_time": None,
        "lost_time": None,
        "close_time": None,
        "probability": None,
        "is_deleted": False,
        "custom_fields": {},
    }


def won(deal: Json, at: datetime) -> Json:
    """The deal after it was won."""
    return deal | {
        "status": "won",
        "update_time": _utc(at),
        "won_time": _utc(at),
        "close_time": _utc(at),
    }


def reopened(deal: Json, at: datetime) -> Json:
    """The deal after somebody took the win back."""
    return deal | {
        "status": "open",
        "update_time": _utc(at),
        "won_time": None,
        "close_time": None,
    }


def repriced(deal: Json, value: int, at: datetime) -> Json:
    """The deal with another amount."""
    return deal | {"value": value, "update_time": _utc(at)}


def activity(
    number: int, person: Person, kind: Literal["call", "meeting"], made: datetime, due: datetime
) -> Json:
    """A planned call or meeting."""
    in_utc = due.astimezone(UTC)
    return {
        "id": number,
        "type": kind,
        "subject": "初回商談" if kind == "meeting" else "架電メモ",
        "owner_id": person.owner_id,
        "creator_user_id": person.owner_id,
        "done": False,
        "due_date": f"{in_utc:%Y-%m-%d}",
        "due_time": f"{in_utc:%H:%M}",
        "duration": "01:00",
        "busy": True,
        "add_time": _utc(made),
        "update_time": _utc(made),
        "marked_as_done_time": None,
        "is_deleted": False,
    }


def _meta(entity: str, key: str, action: str, at: datetime, random: Random) -> Json:
    return {
        "action": action,
        "entity": entity,
        "entity_id": key,
        "id": str(UUID(int=random.getrandbits(128), version=4)),
        "company_id": "1900000",
        "timestamp": at.astimezone(UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z"),
        "attempt": 1,
        "change_source": "app",
        "is_bulk_edit": False,
        "type": "general",
        "version": "2.0",
        "webhook_id": "501",
    }


def _owner(entity: Json) -> str:
    return str(entity["owner_id"])


def _utc(moment: datetime) -> str:
    return moment.astimezone(UTC).isoformat(timespec="seconds").replace("+00:00", "Z")

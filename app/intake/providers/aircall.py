"""Aircall: calls, by whatever event tells of one that is over.

Every event carries the call as it was at the event's `timestamp`, so each is a report about the
call's id; of a call that still rings or goes on nothing is told. Reports are partial, because some
events leave out the user whom others name. Times have whole seconds: within one, the telling that
knows more (a voicemail that was left, an answer) is the later one.

Nothing is signed. The body carries the webhook's token, which is cut before anything is kept. A
transfer to a teammate stays the same call; of one to a number Aircall makes a second call, and
nothing joins the two.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import replace

from app.domain.activities import Report
from app.domain.deliveries import About, Delivery, Item, Refused
from app.domain.errors import Invalid, Unreadable
from app.domain.instants import SECOND, written_instant
from app.domain.kinds import RawValue
from app.domain.revisions import of_instant
from app.intake.credentials import Absence, Secret, Use, for_asking
from app.intake.proofs import verify_claimed
from app.intake.reading import read_json, written
from app.intake.records import Record, record_of
from app.intake.redaction import json_without
from app.intake.requests import (
    Connecting,
    Hook,
    HookRequest,
    Provider,
    Step,
    as_fetched,
    body_text,
    fields_of,
    hook_delivery,
    hook_report,
    refusal,
    usable_name,
)
from app.intake.source_settings import Settings, text_setting, texts_setting

SETTINGS = (
    texts_setting(
        "internal_numbers",
        "Numbers of your own, and those that calls are passed on to: a call whose other side is "
        "one of them counts as nothing.",
    ),
    text_setting("api_url", "Address of the API (https).", default="https://api.aircall.io"),
)

# Raised with every change of what a call comes to: only then does a replay supersede.
MAPPING = 1
_ID = re.compile(r"[0-9]{1,20}", re.ASCII)
_DECORATION = re.compile(r"[\s().-]")
_NUMBER = re.compile(r"\+?[0-9]{3,20}", re.ASCII)
_DIRECTIONS = ("inbound", "outbound")
_THOUSAND = 1_000
# Each of them lets whoever has the address hear the call.
_MEDIA = ("asset", "recording", "recording_short_url", "voicemail", "voicemail_short_url")
# Which of two tellings of one second knows more.
_KNOWS = {"voicemail": 1, "connected": 2}
_ORIGINS = {
    "direction": "direction",
    "outcome": "answered_at",
    "started_at": "started_at",
    "ended_at": "ended_at",
    "duration_seconds": "ended_at",
    "talk_seconds": "ended_at",
    "counterpart": "raw_digits",
    "agent": "user/email",
}


def _verify(request: HookRequest) -> None:
    verify_claimed(request.body, "token", request.credentials.get("token", ()))


def _kept(request: HookRequest) -> HookRequest:
    return replace(request, body=json_without(request.body, "token", *_MEDIA))


def _read(request: HookRequest) -> Delivery:
    id_, about = None, None
    try:
        event = record_of(read_json(request.body))
        name = event.required("event")
        if not name.startswith("call."):
            return hook_delivery(request)
        call = event.record("data")
        id_ = _id(call)
        at = _required(event, "timestamp")
        about = About(id_, of_instant(at))
        report = _report(call, at, request, over=name == "call.ended")
    except (Unreadable, Invalid) as error:
        content = body_text(request.body)
        return hook_delivery(request, refused=(refusal(request, error, content, id_, about),))
    return hook_delivery(request, *([Item(0, id_, report)] if report else []))


def _report(call: Record, at: int, request: HookRequest, *, over: bool) -> Report | None:
    """What a call reports as of an instant; None while it is not over, and for one among ours."""
    done = over or call.text("status") == "done" or call.given("ended_at")
    if not done or _is_ours(call, request.settings):
        return None
    values = _values(call)
    known = {label: value for label, value in values.items() if value is not None}
    places = {label: f"{call.pointer}/{place}" for label, place in _ORIGINS.items()}
    fields = fields_of("call", known, places, request.received_at)
    revision = of_instant(at + _KNOWS.get(str(values["outcome"]), 0))
    return hook_report(request, _id(call), revision, fields, full=False, mapping=MAPPING)


def _values(call: Record) -> dict[str, RawValue]:
    direction = call.required("direction")
    if direction not in _DIRECTIONS:
        raise call.fault("direction", "unknown_value", allowed=", ".join(_DIRECTIONS))
    started = _required(call, "started_at")
    answered, ended = _seconds(call, "answered_at"), _seconds(call, "ended_at")
    agent = _agent(call)
    outcome = _outcome(call, answered, agent)
    return {
        "direction": direction,
        "outcome": outcome,
        "started_at": written_instant(started),
        "ended_at": None if ended is None else written_instant(ended),
        "duration_seconds": _between(started, ended),
        # Aircall's own duration counts from the first ring.
        "talk_seconds": _between(answered, ended) if outcome == "connected" else _none(outcome),
        "counterpart": _number(call),
        "agent": agent,
    }


def _outcome(call: Record, answered: int | None, agent: str | None) -> str | None:
    if answered is None:
        return "voicemail" if call.given("voicemail") else "no_answer"
    # What answers an inbound call need not be a person, and nobody is named who did.
    nobody = call.text("direction") == "inbound" and agent is None
    return None if nobody else "connected"


def _none(outcome: str | None) -> int | None:
    """Nobody talked, or it is not known whether anybody did."""
    return None if outcome is None else 0


def _between(begun: int | None, ended: int | None) -> int | None:
    return None if begun is None or ended is None else max(0, ended - begun) // SECOND


def _agent(call: Record) -> str | None:
    """Who made or took the call; an address where there is one, else the id."""
    user = call.record("user")
    number = user.values.get("id")
    if user.given("email") or not _is_id(number):
        return user.text("email")
    return str(number)


def _number(call: Record) -> str | None:
    """The other side's number as it is dialled; None for one that is withheld."""
    found = _bare(call.text("raw_digits") or "")
    return found if _NUMBER.fullmatch(found) else None


def _is_ours(call: Record, settings: Settings) -> bool:
    number = _number(call)
    return number is not None and number in map(_bare, settings.texts("internal_numbers"))


def _bare(number: str) -> str:
    return _DECORATION.sub("", number)


def _id(call: Record) -> str:
    value = call.values.get("id")
    if not _is_id(value):
        raise call.fault("id", "not_an_id")
    return str(value)


def _is_id(value: RawValue) -> bool:
    """Ids have 64 bits, and come as numbers or as digits."""
    return not isinstance(value, bool | None) and _ID.fullmatch(str(value)) is not None


def _required(record: Record, label: str) -> int:
    at = _seconds(record, label)
    if at is None:
        raise record.fault(label, "required")
    return at


def _seconds(record: Record, label: str) -> int | None:
    """Microseconds of a time that is written as seconds since 1970."""
    seconds = record.whole(label)
    if seconds is None:
        return None
    # Read once as a time, so that what is none is refused with its place.
    Record({label: seconds * _THOUSAND}, record.pointer).time(label)
    return seconds * SECOND


def read_fetched(
    object_kind: str,
    fetched: Mapping[str, RawValue],
    settings: Settings,
    *,
    source: str,
    now: int,
    changes: int = 0,
) -> Item | Refused | None:
    """A call of the API, which writes it as events do; its end is when it last changed."""
    if object_kind != "call":
        return None
    request = as_fetched(source, settings, now, changes)
    call, id_ = Record(fetched), usable_name(str(fetched.get("id")))
    try:
        ended = _seconds(call, "ended_at")
        report = None if ended is None else _report(call, ended, request, over=True)
    except Invalid as error:
        return refusal(request, error, written(dict(fetched)), id_)
    return Item(0, report.key, report) if report else None


def _next_steps(connecting: Connecting) -> tuple[Step, ...]:
    events = "call.hungup, call.ended, call.voicemail_left"
    return (
        Step("add_aircall_webhook", {"url": connecting.hook_url, "events": events}),
        Step("copy_aircall_token", {}),
    )


def _no_colon(id_: str) -> None:
    if ":" in id_:  # Basic authentication ends the user there
        raise Invalid("colon_in_user")


PROVIDER = Provider(
    name="aircall",
    counts=("call",),
    secrets=(
        Secret("token", "The webhook's token, which Aircall makes and sends along in each body."),
        Secret(
            "api_id",
            "API ID (Integrations & API > API keys), to read what events missed. Left out: "
            "nothing is asked.",
            absence=Absence.OPTIONAL,
            check=_no_colon,
            use=Use.ASKING,
        ),
        for_asking("api_token", "The API token that belongs to `api_id`."),
    ),
    hook=Hook(_verify, _read, _next_steps, kept=_kept),
    settings=SETTINGS,
)

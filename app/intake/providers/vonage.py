"""Vonage Voice API: the legs of a conversation, joined to one call by who is at their far end.

Every leg is told on its own and none says whether the call began with it. What it is to the call
is seen from its far end: one of ours (an agent's number, an app's user, a SIP address) or else the
customer. Only legs to or from a customer make a call; those of ours say who talked and how long.
All are partial reports about the conversation, whose revision begins with how well such a leg
knows:

    1  an app's user who calls out, about the whole call     (until a better leg is heard)
    2  a leg to a customer, about the whole call
    3  a leg from a customer, about the whole call           (then whom it rings is no customer)
    4  a leg to one of ours that nobody answered, about outcome and talk time
    5  a leg to one of ours that was answered, about the same, and who it was
    6  the end of a leg to a customer that never began to talk, about outcome and talk time
    7  a leg to a customer of which is said why not, about the same
    8  a leg to a customer that was answered, about the same
    9  a machine that answered for the customer, about the same; an app's user, about who called

That a leg from somewhere "completed" says only that the platform had answered it. After the rank
come the event's time and a number made from the leg's id.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from app.domain.activities import Report
from app.domain.deliveries import Delivery, Item
from app.domain.errors import Invalid, Unauthenticated, Unreadable
from app.domain.instants import DAY, SECOND, instant, written_instant
from app.domain.kinds import RawValue
from app.domain.revisions import of_number
from app.intake.credentials import Secret
from app.intake.proofs import (
    bearer,
    claimed,
    jwt_payload,
    require_match,
    require_recent,
    verify_claimed,
    verify_jwt,
)
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
from app.intake.source_settings import Settings, choice_setting, text_setting, texts_setting

Values = Mapping[str, RawValue]

CONVERSATION, LEG = "conversation", "leg"
SETTINGS = (
    texts_setting(
        "agents",
        "Numbers and SIP addresses of your people, on which calls reach them or from which they "
        "call. Users of the Client SDK are taken for yours without being named.",
    ),
    texts_setting("own_numbers", "Your Vonage numbers: a leg to one of them makes no call."),
    choice_setting(
        "count_by",
        "What one call is: a conversation; or each leg to or from a customer, for a dialler that "
        "brings many customers into one conversation.",
        (CONVERSATION, LEG),
        default=CONVERSATION,
    ),
    text_setting("application_id", "The application whose events are taken; without it any."),
)

# Raised with every change of what an event comes to: only then does a replay supersede.
MAPPING = 1
# Whether a repetition is signed anew is not known, nor how long it goes on.
_TOLERANCE = DAY
_COMPLETED, _MACHINE = "completed", "machine"
_OUTCOMES = {
    "busy": "busy",
    "cancelled": "canceled",
    "unanswered": "no_answer",
    "timeout": "no_answer",
    "rejected": "failed",
    "failed": "failed",
}
_STATUSES = (*_OUTCOMES, _COMPLETED, _MACHINE)
_DIRECTIONS = ("inbound", "outbound")
_NUMBER = re.compile(r"\+?([0-9]{3,20})", re.ASCII)
_SOCKETS, _SIP = ("ws:", "wss:"), ("sip:", "sips:")
_LONGEST = 10**6  # seconds: no call lasts days
_ORIGINS = {
    "direction": "/direction",
    "outcome": "/status",
    "started_at": "/start_time",
    "ended_at": "/end_time",
    "duration_seconds": "/duration",
    "talk_seconds": "/duration",
    "counterpart": "/from",
    "agent": "/to",
}


class _Kind(StrEnum):
    """Who is at the far end of a leg."""

    CUSTOMER = "customer"
    OURS = "ours"
    NOBODY = "nobody"


@dataclass(frozen=True, slots=True)
class _Party:
    """name: a number with its plus, or the name of an app's user; None where it is withheld."""

    kind: _Kind
    name: str | None


@dataclass(frozen=True, slots=True)
class _Leg:
    """A leg that has ended, or of which a machine was heard.

    far: who is at its far end; near: the number that it came in on or that is shown to the far end
    app: whether an app's user called in on it; at: the event's time in microseconds
    """

    event: Record
    id: str
    key: str
    status: str
    inbound: bool
    far: _Party
    near: _Party
    app: bool
    at: int
    seconds: int

    @property
    def answered(self) -> bool:
        """Whether anybody talked. That it completed is said of legs that only rang, too."""
        return self.status == _COMPLETED and self.seconds > 0


def _verify(request: HookRequest) -> None:
    token = bearer(request.headers)
    verify_jwt(token, [key.encode() for key in request.credentials.get("signature_secret", ())])
    try:
        claims = claimed(jwt_payload(token or ""))
    except Invalid:
        raise Unauthenticated("signature_mismatch") from None
    # The token alone proves nothing of the body: whoever saw one could send it with another.
    digest = hashlib.sha256(request.body).hexdigest()
    require_match([str(claims.get("payload_hash"))], [digest.encode()])
    require_recent(str(claims.get("iat")), request.received_at, tolerance=_TOLERANCE)
    application = request.settings.text("application_id")
    if application:
        verify_claimed(jwt_payload(token or ""), "application_id", [application])


def _read(request: HookRequest) -> Delivery:
    id_ = None
    try:
        event = record_of(read_json(request.body))
        status = str(event.values.get("status")).casefold()
        if status not in _STATUSES:
            return hook_delivery(request)
        # Of the detection of machines it is told under another name, and without a direction.
        id_ = event.required_name("call_uuid" if status == _MACHINE else "uuid")
        leg = _leg(event, id_, status, request.settings)
        ranked = _of_ours(leg) if leg.far.kind is _Kind.OURS else _of_customer(leg)
        reports = [_report(leg, rank, values, request) for rank, values in ranked]
    except (Unreadable, Invalid) as error:
        content = body_text(request.body)
        return hook_delivery(request, refused=(refusal(request, error, content, id_),))
    return hook_delivery(request, *(Item(n, id_, report) for n, report in enumerate(reports)))


def _leg(event: Record, id_: str, status: str, settings: Settings) -> _Leg:
    direction = "outbound" if status == _MACHINE else event.required("direction")
    if direction not in _DIRECTIONS:
        raise event.fault("direction", "unknown_value", allowed=", ".join(_DIRECTIONS))
    inbound, app = direction == "inbound", event.given("from_user")
    caller = _party(event.text("from_user" if app else "from"), settings, named=app)
    called = _party(event.text("to"), settings, named=True)
    far, near = (caller, called) if inbound else (called, caller)
    key = id_
    if settings.text("count_by") == LEG:
        # Each leg is a call of its own: one of ours is none, nor part of any.
        far = far if far.kind is _Kind.CUSTOMER else _Party(_Kind.NOBODY, None)
    elif event.given("conversation_uuid"):
        key = event.required_name("conversation_uuid")
    at = instant(event.required_time("timestamp"))
    return _Leg(event, id_, key, status, inbound, far, near, app, at, _seconds(event))


def _party(text: str | None, settings: Settings, *, named: bool) -> _Party:
    """Who is meant by what stands in `from` or `to`.

    named: whether a text that is no number is an app's user; of who called it says that the
    number is withheld.
    """
    if text is None:
        return _Party(_Kind.NOBODY if named else _Kind.CUSTOMER, None)
    number, plain = _NUMBER.fullmatch(text), _plain(text)
    name = f"+{number[1]}" if number else text
    if text.casefold().startswith(_SOCKETS) or plain in map(_plain, settings.texts("own_numbers")):
        return _Party(_Kind.NOBODY, None)
    if text.casefold().startswith(_SIP):
        return _Party(_Kind.OURS, text.partition(":")[2].partition(";")[0].partition("@")[0])
    if plain in map(_plain, settings.texts("agents")) or (named and not number):
        return _Party(_Kind.OURS, name)
    return _Party(_Kind.CUSTOMER, name if number else None)


def _plain(text: str) -> str:
    """A number as Vonage writes it, whatever stands between its digits; else the text."""
    bare = re.sub(r"[\s().-]", "", text)
    number = _NUMBER.fullmatch(bare)
    return number[1] if number else text


def _of_customer(leg: _Leg) -> Iterator[tuple[int, Values]]:
    """What a leg to or from a customer says of its call; nothing where there is none at its end."""
    if leg.far.kind is not _Kind.CUSTOMER:
        return
    if leg.inbound:
        yield 3, _whole(leg, "inbound", leg.far)
    elif leg.status == _MACHINE:
        yield 9, {"outcome": "voicemail", "talk_seconds": 0}
    else:
        caller = leg.near.name if leg.near.kind is _Kind.OURS else None
        yield 2, {**_whole(leg, "outbound", leg.far), "agent": caller}
        if leg.answered:
            yield 8, {"outcome": "connected", "talk_seconds": leg.seconds}
        else:
            outcome = _OUTCOMES.get(leg.status)
            yield (7 if outcome else 6), {"outcome": outcome or "no_answer", "talk_seconds": 0}


def _of_ours(leg: _Leg) -> Iterator[tuple[int, Values]]:
    if leg.status == _MACHINE:
        return
    if not leg.inbound:
        if leg.answered:
            yield (
                5,
                {"outcome": "connected", "talk_seconds": leg.seconds, "agent": leg.far.name},
            )
        else:
            # Of those who are rung none has missed the call more than another.
            yield 4, {"outcome": "no_answer", "talk_seconds": 0}
    elif leg.near.kind is not _Kind.OURS:
        if leg.app and leg.near.kind is _Kind.CUSTOMER:
            yield 1, _whole(leg, "outbound", leg.near)
        yield 9, {"agent": leg.far.name}


def _whole(leg: _Leg, direction: str, customer: _Party) -> Values:
    told = written_instant(leg.at)
    return {
        "direction": direction,
        "started_at": leg.event.time("start_time") or told,
        "ended_at": leg.event.time("end_time") or told,
        "duration_seconds": leg.seconds,
        "counterpart": customer.name,
    }


def _report(leg: _Leg, rank: int, values: Values, request: HookRequest) -> Report:
    known = {label: value for label, value in values.items() if value is not None}
    fields = fields_of("call", known, _ORIGINS, request.received_at)
    tie = int.from_bytes(hashlib.sha256(leg.id.encode()).digest()[:6], "big")
    revision = of_number(f"{rank}{leg.at:018}{tie:015}")
    return hook_report(request, leg.key, revision, fields, full=False, mapping=MAPPING)


def _seconds(event: Record) -> int:
    """How long it was talked on a leg; a text, and absent where nobody did."""
    seconds = event.whole("duration")
    if seconds is None:
        begun, ended = event.time("start_time"), event.time("end_time")
        seconds = max(0, instant(ended) - instant(begun)) // SECOND if begun and ended else 0
    if seconds > _LONGEST:
        raise event.fault("duration", "out_of_range", low=0, high=_LONGEST)
    return seconds


def _next_steps(connecting: Connecting) -> tuple[Step, ...]:
    return (
        Step("set_vonage_event_url", {"url": connecting.hook_url}),
        Step("sign_vonage_webhooks", {}),
        Step("name_vonage_agents", {}),
    )


PROVIDER = Provider(
    name="vonage",
    counts=("call",),
    secrets=(
        Secret(
            "signature_secret",
            "API Dashboard > API settings > Signature secret, of the account.",
        ),
    ),
    hook=Hook(_verify, _read, _next_steps),
    settings=SETTINGS,
)

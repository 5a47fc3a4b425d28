"""3CX: calls by call journaling; docs/senders/threecx/tassei-3cx.xml tells 3CX what to post.

3CX names no call: its journal has no id. What identifies one is when it began, to the second, who
was called or calling, and which way; of a call out also who of ours called, for two people can
call one number at once. Of a call in it is not: if 3CX tells of everyone that a queue rang, all of
them are one call. Each telling is a partial report whose revision begins with whether that
person answered (2) or not (1), then the end, and a number made from what it says.

A variable that 3CX does not fill arrives as its own name in brackets, or as a time in the year 1.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping

from app.domain.activities import Report, canonical_json
from app.domain.deliveries import Delivery, Item
from app.domain.errors import Invalid, Unreadable
from app.domain.instants import SECOND, instant, written_instant
from app.domain.kinds import RawValue
from app.domain.revisions import of_number
from app.intake.credentials import Absence, Secret
from app.intake.proofs import bearer, verify_token
from app.intake.reading import read_json
from app.intake.records import Record, record_of
from app.intake.requests import (
    Answer,
    Connecting,
    Hook,
    HookRequest,
    Provider,
    Step,
    always,
    body_text,
    fields_of,
    hook_delivery,
    hook_report,
    refusal,
    usable_name,
)

Values = Mapping[str, RawValue]

# Raised with every change of what a call comes to: only then does a replay supersede.
MAPPING = 1
_TYPES = {
    "inbound": ("inbound", "connected"),
    "missed": ("inbound", "no_answer"),
    "outbound": ("outbound", "connected"),
    "notanswered": ("outbound", "no_answer"),
}
# .NET writes the separator of the switch's language for ":", and "." in some.
_TIME = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d)[:.](\d\d)[:.](\d\d)Z", re.ASCII)
_DURATION = re.compile(r"(?:(\d{1,3})\.)?(\d{1,2})[:.](\d\d)[:.](\d\d)(?:\.\d+)?", re.ASCII)
_NEVER = "0001-"
_ORIGINS = {
    "direction": "/call_type",
    "outcome": "/call_type",
    "started_at": "/started_at",
    "ended_at": "/ended_at",
    "talk_seconds": "/duration",
    "counterpart": "/number",
    "agent": "/agent",
}


def _verify(request: HookRequest) -> None:
    verify_token(bearer(request.headers), request.credentials.get("token", ()))


def _read(request: HookRequest) -> Delivery:
    id_ = None
    try:
        call = record_of(read_json(request.body))
        if not call.has("call_type"):
            return hook_delivery(request)  # a caller whom 3CX asks about
        report = _report(call, request)
        id_ = usable_name(report.key)
    except (Unreadable, Invalid) as error:
        content = body_text(request.body)
        return hook_delivery(request, refused=(refusal(request, error, content, id_),))
    return hook_delivery(request, Item(0, id_ or report.key, report))


def _report(call: Record, request: HookRequest) -> Report:
    kind = (_filled(call, "call_type") or "").lower()
    if kind not in _TYPES:
        raise call.fault("call_type", "unknown_value", allowed=", ".join(_TYPES))
    direction, outcome = _TYPES[kind]
    started, ended = _time(call, "started_at"), _time(call, "ended_at")
    if started is None:
        raise call.fault("started_at", "required")
    agent, number = _filled(call, "agent"), _filled(call, "number")
    talk = _talk(call, ended) if outcome == "connected" else 0
    values: Values = {
        "direction": direction,
        "outcome": outcome,
        "started_at": written_instant(started),
        "ended_at": None if ended is None else written_instant(ended),
        "talk_seconds": talk,
        "counterpart": number,
        "agent": agent,
    }
    known = {label: value for label, value in values.items() if value is not None}
    fields = fields_of("call", known, _ORIGINS, request.received_at)
    rank = 2 if outcome == "connected" else 1
    order = (started if ended is None else ended) // SECOND
    revision = of_number(f"{rank}{order:012}{_number(canonical_json(fields)):015}")
    caller = agent if direction == "outbound" else None
    key = _key(started // SECOND, direction, number or "", caller or "")
    return hook_report(request, key, revision, fields, full=False, mapping=MAPPING)


def _key(second: int, direction: str, number: str, agent: str) -> str:
    """The call's identity. A digest, because a number is nothing for an address."""
    parts = canonical_json([second, direction, number, agent])
    return hashlib.sha256(parts.encode()).hexdigest()[:32]


def _number(text: str) -> int:
    return int.from_bytes(hashlib.sha256(text.encode(errors="replace")).digest()[:6], "big")


def _filled(call: Record, label: str) -> str | None:
    """A text, unless 3CX left the variable as it was."""
    text = call.text(label)
    return None if text is None or text.startswith("[") else text.strip() or None


def _time(call: Record, label: str) -> int | None:
    """A moment in UTC as our template has it written; None for one that 3CX does not know."""
    text = _filled(call, label)
    if text is None or text.startswith(_NEVER):
        return None
    found = _TIME.fullmatch(text)
    if found is None:
        raise call.fault(label, "not_a_time")
    try:
        return instant(f"{found[1]}T{found[2]}:{found[3]}:{found[4]}Z")
    except Invalid as error:
        raise call.fault(label, error.code) from None


def _talk(call: Record, ended: int | None) -> int | None:
    """Seconds from the answer to the end, else what 3CX says the call lasted."""
    answered = _time(call, "answered_at")
    if answered is not None and ended is not None and ended >= answered:
        return (ended - answered) // SECOND
    text = _filled(call, "duration")
    if text is None:
        return None
    found = _DURATION.fullmatch(text)
    if found is None:
        raise call.fault("duration", "not_hours_minutes_seconds")
    days, hours, minutes, seconds = (int(part or 0) for part in found.groups())
    return ((days * 24 + hours) * 60 + minutes) * 60 + seconds


def _next_steps(connecting: Connecting) -> tuple[Step, ...]:
    return (
        Step("upload_3cx_template", {"file": "tassei-3cx.xml"}),
        Step("enter_3cx_parameters", {"url": connecting.hook_url}),
    )


PROVIDER = Provider(
    name="threecx",
    counts=("call",),
    secrets=(
        Secret(
            "token",
            "Goes into the field of the 3CX template; made if absent, shown once.",
            absence=Absence.GENERATED,
        ),
    ),
    # 3CX reads every answer as JSON, also that there is nobody whom it asked about.
    hook=Hook(
        _verify,
        _read,
        _next_steps,
        answer=always(Answer(200, "application/json", b'{"contacts": []}')),
    ),
)

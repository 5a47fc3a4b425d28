"""FreeSWITCH: calls by mod_json_cdr, which posts a record of every leg when the leg ends.

A call is the leg that came first (the a-leg) and the legs dialled for it, which name it. Every leg
sends a partial report about the a-leg's uuid; the revision begins with how well it knows:

    1  the a-leg, about the whole call
    2  a dialled leg that nobody answered, about outcome and talk time
    3  an a-leg that ended in the mailbox, about the same
    4  a dialled leg that was answered outside, about the same
    5  a leg that one of ours answered, about the same, and who it was

After the rank come the leg's end, its answer and a number made from its uuid, equal for every
repetition. Only the a-leg says that there was a call, which way and when: a leg that is dialled by
a transfer can name another leg than the call's first, and would be a second call.
"""

from __future__ import annotations

import hashlib
from base64 import b64decode
from collections.abc import Iterator
from dataclasses import replace
from urllib.parse import unquote

from app.domain.activities import Report
from app.domain.deliveries import Delivery, Item
from app.domain.errors import Invalid, Unreadable
from app.domain.instants import SECOND, written_instant
from app.domain.revisions import of_number
from app.intake.credentials import Absence, Secret
from app.intake.extensions import extensions_setting
from app.intake.proofs import verify_basic
from app.intake.providers.freeswitch.legs import (
    Leg,
    Values,
    dialled_talk,
    leg_of,
    our_callee,
    own_talk,
    picked_up_talk,
    queue_agent,
    sides_of,
)
from app.intake.reading import read_json
from app.intake.records import record_of
from app.intake.redaction import json_without
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

# Raised with every change of what a record comes to: only then does a replay supersede.
MAPPING = 1
_USER = "tassei"
_FORM = "application/x-www-form-urlencoded"
_BASE64 = "application/x-www-form-base64-encoded"
_LABEL = b"cdr="
# A gateway's and a mailbox's password can be variables of a leg.
_SECRETS = ("sip_auth_password", "vm_password")
_ORIGINS = {
    "direction": "/variables/direction",
    "outcome": "/variables/hangup_cause",
    "started_at": "/variables/start_epoch",
    "ended_at": "/variables/end_epoch",
    "duration_seconds": "/variables/end_epoch",
    "talk_seconds": "/variables/billsec",
    "counterpart": "/callflow",
    "agent": "/callflow",
}


def _verify(request: HookRequest) -> None:
    verify_basic(request.headers, (_USER,), request.credentials.get("password", ()))


def _kept(request: HookRequest) -> HookRequest:
    """The record itself, however it was wrapped: inside a form no secret could be found."""
    try:
        body = _unwrapped(request)
    except ValueError:
        return request  # what cannot be unwrapped is no JSON, and refused by the reader
    headers = {**request.headers, "content-type": "application/json"}
    return replace(request, body=json_without(body, *_SECRETS), headers=headers)


def _unwrapped(request: HookRequest) -> bytes:
    """The record's text, as UTF-8. Raises ValueError for base64 that is none.

    A caller's name has the bytes that the carrier sent, and none of them counts for anything.
    """
    media = request.headers.get("content-type", "").partition(";")[0].strip().lower()
    body = request.body.strip()
    if media in (_FORM, _BASE64) and body.startswith(_LABEL):
        text = body.removeprefix(_LABEL)
        # Neither is a form: "+" is a digit of base64, and the switch writes a blank as %20.
        if media == _BASE64:
            body = b64decode(text.translate(None, b"\r\n"), validate=True)
        else:
            body = unquote(text.decode("latin-1")).encode()
    return body.decode(errors="replace").encode()


def _read(request: HookRequest) -> Delivery:
    id_ = None
    try:
        cdr = record_of(read_json(request.body))
        leg = leg_of(cdr, request.settings, request.received_at)
        id_ = usable_name(leg.uuid)
        reports = list(_reports(leg, request))
    except (Unreadable, Invalid) as error:
        content = body_text(request.body)
        return hook_delivery(request, refused=(refusal(request, error, content, id_),))
    return hook_delivery(request, *(Item(n, id_ or r.key, r) for n, r in enumerate(reports)))


def _reports(leg: Leg, request: HookRequest) -> Iterator[Report]:
    """What a leg says of its call; nothing for a call among ours."""
    if leg.far_end:
        return
    if leg.parent is None:
        yield from _first_leg(leg, request)
        return
    talk = picked_up_talk(leg) if leg.picked_up else dialled_talk(leg)
    if talk is not None:
        yield _report(leg.parent, leg, _rank(leg, talk), talk, request)


def _first_leg(leg: Leg, request: HookRequest) -> Iterator[Report]:
    sides = sides_of(leg)
    if sides is None:
        return
    talk = own_talk(leg, outbound=sides["direction"] == "outbound")
    yield _report(leg.uuid, leg, 1, {**_times(leg), **sides, **talk}, request)
    if talk["outcome"] == "voicemail":
        yield _report(leg.uuid, leg, 3, talk, request)


def _rank(leg: Leg, talk: Values) -> int:
    if talk["outcome"] != "connected":
        return 2
    ours = leg.picked_up or our_callee(leg) or queue_agent(leg)
    return 5 if ours else 4


def _report(key: str, leg: Leg, rank: int, values: Values, request: HookRequest) -> Report:
    known = {label: value for label, value in values.items() if value not in (None, "")}
    fields = fields_of("call", known, _ORIGINS, request.received_at)
    tie = int.from_bytes(hashlib.sha256(leg.uuid.encode()).digest()[:6], "big")
    digits = f"{rank}{leg.ended:012}{leg.answered:012}{tie:015}"
    return hook_report(request, key, of_number(digits), fields, full=False, mapping=MAPPING)


def _times(leg: Leg) -> Values:
    return {
        "started_at": written_instant(leg.started * SECOND),
        "ended_at": written_instant(leg.ended * SECOND),
        "duration_seconds": max(0, leg.ended - leg.started),
    }


def _next_steps(connecting: Connecting) -> tuple[Step, ...]:
    return (
        Step("set_freeswitch_json_cdr", {"url": connecting.hook_url, "user": _USER}),
        Step("set_freeswitch_legs", {}),
    )


PROVIDER = Provider(
    name="freeswitch",
    counts=("call",),
    secrets=(
        Secret(
            "password",
            "Goes into json_cdr.conf.xml as cred, tassei:<password>; made if absent, shown once.",
            absence=Absence.GENERATED,
        ),
    ),
    hook=Hook(
        _verify,
        _read,
        _next_steps,
        # Older releases take nothing but 200 for an answer.
        answer=always(Answer(200, "text/plain", b"ok")),
        kept=_kept,
    ),
    settings=(
        extensions_setting(
            "extensions",
            "Your own extensions, each as it is or with an X for any digit, and the numbers of "
            "your queues and groups. They decide who calls whom.",
        ),
    ),
)

"""CallRail: calls by the post-call and the call-modified webhook.

Each has the whole call, so it is a full report. CallRail numbers no states and its times are those
of the call, so what is known decides: a call that has ended stands over one that still rings (the
pre-call webhook calls every call missed), and a modified one over the first telling. CallRail
never sends twice: what could not be taken is lost at CallRail.
"""

from __future__ import annotations

from dataclasses import replace

from app.domain.activities import Report
from app.domain.deliveries import Delivery, Item
from app.domain.errors import Invalid, Unreadable
from app.domain.instants import SECOND, instant, written_instant
from app.domain.kinds import RawValue
from app.domain.revisions import of_number
from app.intake.credentials import Arity, Secret
from app.intake.proofs import Algorithm, Encoding, verify_hmac
from app.intake.reading import read_json
from app.intake.records import Record, record_of
from app.intake.redaction import json_without
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
    usable_name,
)

# Raised with every change of what a call comes to: only then does a replay supersede.
MAPPING = 1
_LONGEST = 10**6  # seconds: no call lasts days
_CALL_PREFIX = "CAL"
_DIRECTIONS = ("inbound", "outbound")
# Each has a key in its query with which the recording can be heard.
_RECORDINGS = ("recording", "recording_player")
_ORIGINS = {
    "direction": "/direction",
    "outcome": "/answered",
    "started_at": "/start_time",
    "ended_at": "/duration",
    "duration_seconds": "/duration",
    "talk_seconds": "/duration",
    "counterpart": "/customer_phone_number",
    "agent": "/agent_email",
}


def _verify(request: HookRequest) -> None:
    keys = [key.encode() for key in request.credentials.get("signing_keys", ())]
    verify_hmac(
        request.headers.get("signature"),
        request.body,
        keys,
        algorithm=Algorithm.SHA1,
        encoding=Encoding.BASE64,
    )


def _kept(request: HookRequest) -> HookRequest:
    return replace(request, body=json_without(request.body, *_RECORDINGS))


def _read(request: HookRequest) -> Delivery:
    id_ = None
    try:
        call = record_of(read_json(request.body))
        id_ = usable_name(call.values.get("resource_id"))
        if not _is_call(call):
            return hook_delivery(request)
        report = _report(call, request)
    except (Unreadable, Invalid) as error:
        content = body_text(request.body)
        return hook_delivery(request, refused=(refusal(request, error, content, id_),))
    return hook_delivery(request, Item(0, id_ or report.key, report))


def _is_call(event: Record) -> bool:
    """Text messages and forms have webhooks of their own, with ids of their own."""
    id_ = event.values.get("resource_id")
    if isinstance(id_, str) and id_:
        return id_.startswith(_CALL_PREFIX)
    return event.has("start_time")


def _report(call: Record, request: HookRequest) -> Report:
    # A text in CallRail's webhooks, a number in its API.
    seconds = call.whole("duration")
    if seconds is not None and seconds > _LONGEST:
        raise call.fault("duration", "out_of_range", low=0, high=_LONGEST)
    outcome = _outcome(call)
    values = _values(call, outcome, seconds)
    known = {label: value for label, value in values.items() if value not in (None, "")}
    fields = fields_of("call", known, _ORIGINS, request.received_at)
    ended = outcome != "no_answer" or bool(seconds)
    rank = 2 if call.given("changes") else int(ended)
    revision = of_number(f"{rank + 1}{seconds or 0:07}")
    return hook_report(request, _key(call), revision, fields, full=True, mapping=MAPPING)


def _values(call: Record, outcome: str, seconds: int | None) -> dict[str, RawValue]:
    started = call.required_time("start_time")
    direction = call.required("direction")
    if direction not in _DIRECTIONS:
        raise call.fault("direction", "unknown_value", allowed=", ".join(_DIRECTIONS))
    return {
        "direction": direction,
        "outcome": outcome,
        "started_at": started,
        "ended_at": _ended_at(started, seconds),
        "duration_seconds": seconds,
        "talk_seconds": seconds if outcome == "connected" else 0,
        "counterpart": call.text("customer_phone_number"),
        "agent": call.text("agent_email"),
    }


def _ended_at(started: str, seconds: int | None) -> str | None:
    return None if seconds is None else written_instant(instant(started) + seconds * SECOND)


def _outcome(call: Record) -> str:
    if call.flag("voicemail"):
        return "voicemail"
    return "connected" if call.flag("answered") else "no_answer"


def _key(call: Record) -> str:
    """The id that both the webhooks and the API have; the numeric one ended in 2021."""
    key = call.text("resource_id")
    if key is None:
        number = call.whole("id")
        if number is None:
            raise call.fault("resource_id", "required")
        key = str(number)
    return key


def _next_steps(connecting: Connecting) -> tuple[Step, ...]:
    return (
        Step("set_callrail_webhooks", {"url": connecting.hook_url}),
        Step("copy_callrail_signing_key", {}),
    )


PROVIDER = Provider(
    name="callrail",
    counts=("call",),
    secrets=(
        Secret(
            "signing_keys",
            "Settings > Integrations > Webhooks > Signing key; one for each company.",
            arity=Arity.SEVERAL,
        ),
    ),
    hook=Hook(_verify, _read, _next_steps, kept=_kept),
)

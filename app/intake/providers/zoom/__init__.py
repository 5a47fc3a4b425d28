"""Zoom: calls of Zoom Phone by call elements, and meetings that were scheduled.

`calls.py` says what the elements of a call come to together, `meetings.py` the events of a
meeting. Here is what both share: the proof, the question whether the secret is known, the accounts.
"""

from __future__ import annotations

import hmac
import json

from app.domain.deliveries import Delivery
from app.domain.errors import Invalid, TasseiError, Unreadable
from app.domain.instants import MINUTE
from app.intake.credentials import Arity, Secret
from app.intake.proofs import header_bytes, require_recent, verify_hmac
from app.intake.providers.zoom import calls, meetings
from app.intake.reading import read_json
from app.intake.records import Record, record_of
from app.intake.requests import (
    Answer,
    Connecting,
    Hook,
    HookRequest,
    Provider,
    Step,
    body_text,
    echoed,
    hook_delivery,
    refusal,
)
from app.intake.source_settings import texts_setting

# The last repetition comes 85 minutes after the first, and it is not said that it is signed anew.
_TOLERANCE = 180 * MINUTE
_VALIDATION = "endpoint.url_validation"
ACCOUNTS = texts_setting(
    "account_ids",
    "Only events of these accounts count (`account_id`); without any, those of all.",
)


def _verify(request: HookRequest) -> None:
    _signing_secret(request)


def _signing_secret(request: HookRequest) -> str:
    """The secret token that signed the request. Raises Unauthenticated."""
    stamp = request.headers.get("x-zm-request-timestamp", "")
    # The bytes as they came: Zoom's own samples write the JSON anew, which is the same only while
    # it has no blanks.
    signed = b"v0:" + header_bytes(stamp) + b":" + request.body
    given = request.headers.get("x-zm-signature")
    tokens = request.credentials.get("secret_tokens", ())
    verify_hmac(given, signed, [token.encode() for token in tokens], prefix="v0=")
    require_recent(stamp, request.received_at, tolerance=_TOLERANCE)
    proofs = {f"v0={hmac.digest(t.encode(), signed, 'sha256').hex()}": t for t in tokens}
    return proofs[str(given)]


def _handshake(request: HookRequest) -> Answer | None:
    """Zoom asks at saving, and again from time to time, whether the secret token is known here."""
    if b"url_validation" not in request.body:
        return None
    try:
        event = record_of(read_json(request.body))
        if event.values.get("event") != _VALIDATION:
            return None
        plain = event.record("payload").text("plainToken")
    except TasseiError:
        return None
    secret = _signing_secret(request)
    proof = hmac.digest(secret.encode(), echoed(plain).encode(), "sha256").hex()
    body = json.dumps({"plainToken": plain, "encryptedToken": proof})
    return Answer(200, "application/json", body.encode())


def _read(request: HookRequest) -> Delivery:
    try:
        event = record_of(read_json(request.body))
        told = event.record("payload")
        if not _is_ours(told, request):
            return hook_delivery(request)
        label = event.text("event") or ""
        if label in calls.EVENTS:
            items, refused = calls.read_elements(label, told.record("object"), request)
            return hook_delivery(request, *items, refused=tuple(refused))
        if label in meetings.EVENTS:
            return hook_delivery(request, *meetings.read_meeting(label, event, request))
    except (Unreadable, Invalid) as error:
        return hook_delivery(request, refused=(refusal(request, error, body_text(request.body)),))
    return hook_delivery(request)


def _is_ours(told: Record, request: HookRequest) -> bool:
    """One app signs alike for every account that it is installed in."""
    accounts = request.settings.texts(ACCOUNTS.name)
    return not accounts or told.text("account_id") in accounts


def _next_steps(connecting: Connecting) -> tuple[Step, ...]:
    return (
        Step("set_zoom_endpoint", {"url": connecting.hook_url}),
        Step(
            "subscribe_zoom_events",
            {
                "calls": "phone.caller_call_element_completed, phone.callee_call_element_completed",
                "meetings": "meeting.created, meeting.updated, meeting.deleted, meeting.ended",
            },
        ),
        Step("activate_zoom_app", {}),
    )


PROVIDER = Provider(
    name="zoom",
    counts=("call", "meeting"),
    secrets=(
        Secret(
            "secret_tokens",
            "The app's Features > Access > Secret Token; while it is changed, the old and the new.",
            arity=Arity.SEVERAL,
        ),
    ),
    hook=Hook(_verify, _read, _next_steps, handshake=_handshake),
    settings=(ACCOUNTS, meetings.SHORTEST),
)

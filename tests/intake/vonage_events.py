"""What Vonage sends: its shapes with invented contents, signed by PyJWT as Vonage signs."""

from __future__ import annotations

import hashlib
import json
from typing import Any

import jwt

from app.domain.instants import SECOND
from app.intake.requests import HookRequest
from app.intake.source_settings import Settings
from tests.intake.senders import HOOK, NOW

SECRET = "f0E1d2C3b4A5968778695a4B3c2D1e0Fzyxwvutsrqponmlkjihgfedcba98765432"
OLD = "the-signature-secret-that-was-changed-an-hour-ago"
APPLICATION = "aaaaaaaa-bbbb-cccc-dddd-0123456789ab"
CON = "CON-4bf66420-d6cb-46e0-9ba9-f7eede9a7301"
LEG, OTHER, THIRD = (f"688fd94b-d0e1-4f59-8c36-a4cbd36312{n}" for n in ("f1", "f2", "f3"))
CUSTOMER, LINE, SATO, SUZUKI = "819012345678", "81312340000", "818011110001", "818011110002"
OURS = Settings({"agents": ("+81 80-1111-0001", SUZUKI), "own_numbers": (f"+{LINE}",)})


def event(status: str, **more: Any) -> dict[str, Any]:
    """Of a leg from our line to a customer, at 14:30:20 in Tokyo unless told otherwise."""
    told = {
        "headers": {},
        "from": LINE,
        "to": CUSTOMER,
        "uuid": LEG,
        "conversation_uuid": CON,
        "status": status,
        "direction": "outbound",
        "timestamp": "2026-12-10T05:30:20.000Z",
    }
    return told | more


def completed(**more: Any) -> dict[str, Any]:
    """The end of that leg after 95 seconds of talk."""
    told = {
        "start_time": "2026-12-10T05:30:12.000Z",
        "end_time": "2026-12-10T05:31:47.000Z",
        "duration": "95",
        "rate": "0.00450000",
        "price": "0.00712500",
        "network": "JP-FIXED",
        "timestamp": "2026-12-10T05:31:46.712Z",
    }
    return event("completed", **(told | more))


def unanswered(**more: Any) -> dict[str, Any]:
    """The end of a leg that only rang."""
    told = {"start_time": None, "end_time": None, "duration": "0", "price": "0"}
    return completed(**(told | {"timestamp": "2026-12-10T05:30:21.000Z"} | more))


def signed(
    document: Any,
    *,
    body: bytes | None = None,
    key: str = SECRET,
    settings: Settings = OURS,
    algorithm: str = "HS256",
    **claims: Any,
) -> HookRequest:
    plain = json.dumps(document, ensure_ascii=False, separators=(",", ":"))
    sent = plain.encode() if body is None else body
    told = {
        "iat": NOW // SECOND,
        "jti": "c6ba8f24-1a14-4c10-bfdf-3fbe8ce511b5",
        "iss": "Vonage",
        "payload_hash": hashlib.sha256(sent).hexdigest(),
        "api_key": "abcd1234",
        "application_id": APPLICATION,
    } | claims
    token = jwt.encode({k: v for k, v in told.items() if v is not None}, key, algorithm=algorithm)
    headers = {"content-type": "application/json", "authorization": f"Bearer {token}"}
    credentials = {"signature_secret": (OLD, SECRET)}
    return HookRequest(
        "default", "vg", HOOK, "POST", headers, sent, credentials, NOW, settings=settings
    )

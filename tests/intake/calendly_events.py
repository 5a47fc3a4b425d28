"""Events as Calendly sends them, signed by the documented formula written out once more."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any

from app.intake.requests import HookRequest
from tests.intake.senders import HOOK, NOW

KEY = "calendly-signing-key-of-our-choice"
OLDER = "calendly-signing-key-from-before"
MEETING = "https://api.calendly.com/scheduled_events/GBGBDCAADAEDCRZ2"
ANA = f"{MEETING}/invitees/AAAAAAAAAAAAAAAA"
BEN = f"{MEETING}/invitees/BBBBBBBBBBBBBBBB"
INVITEE: dict[str, Any] = {
    "uri": ANA,
    "email": "ana@customer.example",
    "name": "Ana",
    "status": "active",
    "created_at": "2026-12-01T02:00:00.123456Z",
    "updated_at": "2026-12-01T02:00:00.123456Z",
    "event": MEETING,
    "rescheduled": False,
    "old_invitee": None,
    "new_invitee": None,
    "no_show": None,
    "cancellation": None,
    "scheduled_event": {
        "uri": MEETING,
        "name": "30 minutes",
        "status": "active",
        "start_time": "2026-12-10T05:00:00.000000Z",
        "end_time": "2026-12-10T05:30:00.000000Z",
        "event_memberships": [
            {
                "user": "https://api.calendly.com/users/HOST0001",
                "user_email": "Sato@example.co.jp",
            }
        ],
    },
}


def event(
    name: str = "invitee.created",
    at: str = "2026-12-01T02:00:01.000000Z",
    payload: Any = None,
    **more: Any,
) -> dict[str, Any]:
    return {
        "event": name,
        "created_at": at,
        "created_by": "https://api.calendly.com/users/ADMIN001",
        "payload": payload if payload is not None else INVITEE | more,
    }


def signed(
    stamp: str, body: bytes, key: str = KEY, algorithm: str = "sha256", label: str = "v1"
) -> str:
    digest = hmac.new(key.encode(), stamp.encode() + b"." + body, getattr(hashlib, algorithm))
    return f"t={stamp},{label}={digest.hexdigest()}"


def calendly(document: Any, *, away: int = 0, **how: str) -> HookRequest:
    body = json.dumps(document, ensure_ascii=False).encode()
    header = signed(str(NOW // 1_000_000 + away), body, **how)
    headers = {"content-type": "application/json", "calendly-webhook-signature": header}
    credentials = {"signing_key": (OLDER, KEY)}
    return HookRequest("default", "ca", HOOK, "POST", headers, body, credentials, NOW)

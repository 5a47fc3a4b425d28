"""What Aircall sends; the shape is its, the contents invented, the token in the body."""

from __future__ import annotations

import json
from typing import Any

from app.domain.instants import SECOND, instant
from app.intake.requests import HookRequest
from app.intake.source_settings import NO_SETTINGS, Settings
from tests.intake.senders import HOOK, NOW

TOKEN = "45c1e8d2a7f34b6091d5e3a8f7c2b604"
CALL_ID = 2_812_345_678
SATO = {
    "id": 901,
    "direct_link": "https://api.aircall.io/v1/users/901",
    "name": "佐藤 一郎",
    "email": "Sato@example.co.jp",
    "available": True,
    "availability_status": "available",
}
SUZUKI = SATO | {"id": 902, "name": "鈴木 花子", "email": "suzuki@example.co.jp"}


def seconds(text: str) -> int:
    return instant(text) // SECOND


STARTED = seconds("2026-12-10T05:30:00Z")
ANSWERED, ENDED = STARTED + 12, STARTED + 107


def call(**more: Any) -> dict[str, Any]:
    """A call that Sato made, that was answered after 12 seconds, and is over."""
    return {
        "id": CALL_ID,
        "direct_link": f"https://api.aircall.io/v1/calls/{CALL_ID}",
        "direction": "outbound",
        "call_uuid": "CA3b1d5f7092a4c6e8f0123456789abcde",
        "status": "done",
        "missed_call_reason": None,
        "started_at": STARTED,
        "answered_at": ANSWERED,
        "ended_at": ENDED,
        "duration": ENDED - STARTED,
        "cost": "0.0420",
        "hangup_cause": None,
        "voicemail": None,
        "recording": "https://assets.aircall.example/calls/1/recording?sig=f00dfeed",
        "asset": "https://assets.aircall.example/calls/1/recording",
        "raw_digits": "+81 90-1234-5678",
        "participants": [
            {"phone_number": "+81 90-1234-5678", "type": "external"},
            {"id": 901, "name": "佐藤 一郎", "type": "user"},
        ],
        "user": SATO,
        "contact": None,
        "archived": False,
        "assigned_to": None,
        "transferred_by": None,
        "transferred_to": None,
        "teams": [],
        "tags": [],
        "comments": [],
        "number": {"id": 77, "name": "東京", "digits": "+81 3-1234-0000"},
    } | more


def inbound(**more: Any) -> dict[str, Any]:
    return call(direction="inbound", **more)


def event(name: str, data: Any, at: int = ENDED + 30, **more: Any) -> dict[str, Any]:
    told = {"resource": "call", "event": name, "timestamp": at, "token": TOKEN, "data": data}
    return told | more


def posted(
    document: Any, *, body: bytes | None = None, settings: Settings = NO_SETTINGS
) -> HookRequest:
    sent = json.dumps(document, ensure_ascii=False).encode() if body is None else body
    headers = {"content-type": "application/json"}
    credentials = {"token": ("the-token-of-an-older-webhook", TOKEN)}
    return HookRequest(
        "default", "air", HOOK, "POST", headers, sent, credentials, NOW, settings=settings
    )


def told(name: str, data: Any, at: int = ENDED + 30, **more: Any) -> HookRequest:
    return posted(event(name, data, at, **more))

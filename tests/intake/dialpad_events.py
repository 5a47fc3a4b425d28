"""What Dialpad sends: its shapes with invented contents, signed by PyJWT as Dialpad signs."""

from __future__ import annotations

from typing import Any

import jwt

from app.domain.instants import instant
from app.intake.requests import HookRequest
from tests.intake.senders import HOOK, NOW

SECRET = "7c1e5a90d3b84f26a1c8e0f7b2d94635aa01bb02cc03dd04ee05ff0617283940"
OLD = "the-secret-of-before-that-is-still-taken-for-a-while"
# Beyond 2^53: a reader that knows doubles only makes another id of it.
ROOT = 5_635_304_278_851_585 * 2
LEG_A, LEG_B, LEG_C = ROOT + 101, ROOT + 202, ROOT + 303
CUSTOMER = "+819012345678"


def ms(text: str) -> int:
    return instant(text) // 1_000


STARTED = ms("2026-12-10T05:30:00.250Z")
CONNECTED, ENDED = STARTED + 12_000, STARTED + 107_750
SATO = {"id": 901, "type": "user", "email": "Sato@example.co.jp", "name": "佐藤", "phone": "+813"}
SUZUKI = SATO | {"id": 902, "email": "suzuki@example.co.jp", "name": "鈴木"}
TANAKA = SATO | {"id": 903, "email": "", "name": "田中"}
QUEUE = {"id": 77, "type": "callcenter", "email": "", "name": "営業", "phone": "+81312340000"}


def event(state: str = "hangup", **more: Any) -> dict[str, Any]:
    """A customer called Sato, who answered after 12 seconds and talked for 95.75."""
    told = {
        "call_id": ROOT,
        "state": state,
        "direction": "inbound",
        "date_started": STARTED,
        "date_rang": STARTED + 500,
        "date_connected": CONNECTED,
        "date_ended": ENDED,
        "duration": 95750.00000000001,
        "total_duration": 107750.12300000002,
        "talk_time": 95750,
        "hold_time": 0,
        "event_timestamp": ENDED + 180,
        "external_number": CUSTOMER,
        "internal_number": "+81312340000",
        "contact": {"id": 11, "type": "local", "email": "", "phone": CUSTOMER, "name": "顧客"},
        "target": SATO,
        "entry_point_call_id": None,
        "entry_point_target": {},
        "operator_call_id": None,
        "proxy_target": {},
        "group_id": None,
        "master_call_id": None,
        "is_internal": False,
        "is_transferred": "FALSE",
        "transferred_from": {},
        "was_recorded": "TRUE",
        "voicemail_link": None,
        "voicemail_recording_id": None,
        "call_recording_ids": [],
        "recording_details": [{"id": "r1", "url": "https://dialpad.example/r/1?key=f00dfeed"}],
        "public_call_review_share_link": "https://dialpad.example/shared/call/f00dfeed",
        "transcription_text": None,
        "labels": [],
        "mos_score": 4.41,
    }
    return told | more


def unanswered(state: str = "hangup", **more: Any) -> dict[str, Any]:
    return event(state, date_connected=None, duration=0, talk_time=0, **more)


def signed(document: Any, *, key: str = SECRET, **options: Any) -> HookRequest:
    token = jwt.encode(document, key, **({"algorithm": "HS256"} | options))
    return posted(token.encode())


def posted(body: bytes) -> HookRequest:
    headers = {"content-type": "text/plain; charset=utf-8"}
    credentials = {"secret": (OLD, SECRET)}
    return HookRequest("default", "dp", HOOK, "POST", headers, body, credentials, NOW)

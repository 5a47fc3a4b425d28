"""What CallRail sends; the shape is its, the contents invented, the signature by its formula."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from typing import Any

from app.intake.requests import HookRequest
from tests.intake.senders import HOOK, NOW

KEY = "0d4c7a1be98f4d2fa6350e71bb2c9d84"
CALL_ID = "CALb14811eb573645c6989000cf426b9772"


def call(**more: Any) -> dict[str, Any]:
    return {
        "resource_id": CALL_ID,
        "answered": True,
        "call_type": "first_call",
        "company_resource_id": "COM8154748ae6bd4e278a7cddd38a662f4f",
        "company_time_zone": "Asia/Tokyo",
        "created_at": "2026-12-10T14:30:00.252+09:00",
        "customer_name": "名古屋支店",
        "customer_phone_number": "+819012345678",
        "direction": "inbound",
        "duration": "95",
        "formatted_duration": "1m 35s",
        "agent_email": "Sato@example.co.jp",
        "recording": "https://app.callrail.com/calls/1/recording/redirect?access_key=f00dfeedbeef",
        "recording_player": "https://app.callrail.com/calls/1/recording?access_key=f00dfeedbeef",
        "start_time": "2026-12-10T14:30:00.236+09:00",
        "tags": [],
        "tracking_phone_number": "+81312340000",
        "value": "",
        "voicemail": False,
        "timestamp": "2026-12-10T14:30:00.236+09:00",
    } | more


def posted(document: Any, *, body: bytes | None = None, key: str = KEY) -> HookRequest:
    sent = json.dumps(document, ensure_ascii=False).encode() if body is None else body
    proof = base64.b64encode(hmac.new(key.encode(), sent, hashlib.sha1).digest()).decode()
    headers = {"content-type": "application/json", "signature": proof}
    url = f"{HOOK}?callernum=%2B819012345678&duration=95"
    credentials = {"signing_keys": ("another-company-of-the-account", KEY)}
    return HookRequest("default", "cr", url, "POST", headers, sent, credentials, NOW)

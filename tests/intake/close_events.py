"""Events as Close sends them, signed by the documented formula written out once more."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any

from app.intake.requests import HookRequest
from app.intake.source_settings import NO_SETTINGS, Settings
from tests.intake.senders import HOOK, NOW

KEY = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08"
OLDER = "2c26b46b68ffc68ff99b453c1d30413413422d706483bfa0f98a5e886266e7ae"
STAMP = str(NOW // 1_000_000)
DEAL: dict[str, Any] = {
    "id": "oppo_7H4sjNso7FyBFaeR3RXi5PM",
    "date_created": "2026-12-01T01:00:00.120000+00:00",
    "date_updated": "2026-12-08T06:00:01.500000+00:00",
    "date_won": "2026-12-08",
    "status_type": "won",
    "status_label": "Won",
    "user_id": "user_N6KhMpzH",
    "value": 100000,
    "value_currency": "USD",
    "value_formatted": "$1,000",
    "value_period": "one_time",
}
CALL: dict[str, Any] = {
    "id": "acti_Call0001",
    "date_created": "2026-12-08T05:30:00+00:00",
    "date_updated": "2026-12-08T05:33:00+00:00",
    "direction": "outbound",
    "disposition": "answered",
    "duration": 125,
    "phone": "+819012345678",
    "status": "completed",
    "user_id": "user_N6KhMpzH",
}
MEETING: dict[str, Any] = {
    "id": "acti_Meet0001",
    "date_created": "2026-12-02T02:00:00+00:00",
    "date_updated": "2026-12-02T02:00:00+00:00",
    "starts_at": "2026-12-20T05:00:00+00:00",
    "status": "upcoming",
    "user_id": "user_N6KhMpzH",
}


def event(
    data: dict[str, Any] | None,
    kind: str = "opportunity",
    action: str = "updated",
    at: str = "2026-12-08T06:00:02.395000",
    **more: Any,
) -> dict[str, Any]:
    told = {
        "id": "ev_2sYKRjcrA79yKxi3S4Crd7",
        "date_created": "2026-12-08T05:00:00.000000",
        "date_updated": at,
        "action": action,
        "object_type": kind,
        "object_id": (data or DEAL)["id"],
        "data": data,
        "previous_data": {},
        "changed_fields": [],
        "organization_id": "orga_XbVPx5fF",
    }
    return {"event": told | more, "subscription_id": "whsub_1"}


def signature(key: bytes, stamp: str, body: bytes, algorithm: str = "sha256") -> str:
    return hmac.new(key, stamp.encode() + body, getattr(hashlib, algorithm)).hexdigest()


def close(
    document: Any,
    *,
    key: bytes | None = None,
    stamp: str = STAMP,
    algorithm: str = "sha256",
    settings: Settings = NO_SETTINGS,
) -> HookRequest:
    body = json.dumps(document, ensure_ascii=False).encode()
    proof = signature(key or bytes.fromhex(KEY), stamp, body, algorithm)
    headers = {
        "content-type": "application/json",
        "close-sig-hash": proof,
        "close-sig-timestamp": stamp,
    }
    credentials = {"signature_key": (OLDER, KEY)}
    return HookRequest("default", "cl", HOOK, "POST", headers, body, credentials, NOW, settings)

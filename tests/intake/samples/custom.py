"""A sender without code, by each authentication that proves something."""

from __future__ import annotations

import hashlib
import hmac
import json
from base64 import b64encode
from typing import Any
from urllib.parse import urlencode

from app.intake.mapping import body_mapping_of
from app.intake.providers.custom import SETTINGS
from app.intake.requests import HookRequest
from app.intake.source_settings import read_settings
from tests.intake.senders import FORM, HOOK, NOW

SECRET = "a secret of the sender's own"
MAPPING: dict[str, Any] = {
    "when": "kind == 'won'",
    "each": "deals",
    "activity": {
        "kind": "deal",
        "key": "id",
        "revision": {"select": "at", "of": "payload"},
        "actor": "owner",
    },
    "fields": {
        "status": {"constant": "won"},
        "amount": {"select": "cents", "type": "money", "unit": "minor"},
        "currency": "currency",
        "won_at": {"select": "won", "type": "time", "unit": "milliseconds"},
    },
}
BODY: dict[str, Any] = {
    "kind": "won",
    "at": "2026-12-11T06:00:00Z",
    "deals": [
        {"id": 7, "owner": "Sato@x.jp", "cents": 45050, "currency": "USD", "won": 1765432800000},
        {"id": 8, "owner": "abe@x.jp", "cents": 45050, "currency": "JPY", "won": 1765432800000},
        {"id": 9, "owner": "abe@x.jp", "cents": "?", "currency": "JPY", "won": "yesterday"},
    ],
}
HEX = {"authentication": "hmac", "header": "X-Signature", "prefix": "sha256="}
STAMPED = {
    "authentication": "hmac",
    "header": "X-Signature",
    "label": "v1",
    "signed": "{timestamp}.{body}",
    "algorithm": "sha512",
    "encoding": "base64",
}
BEARER = {"authentication": "header", "prefix": "Bearer "}
BASIC = {"authentication": "basic"}


def custom(
    body: bytes,
    settings: dict[str, Any],
    headers: dict[str, str],
    *,
    mapping: dict[str, Any] | None = None,
    media_type: str = "application/json",
    url: str = HOOK,
    method: str = "POST",
) -> HookRequest:
    credentials: dict[str, tuple[str, ...]] = {"secret": ("an older secret of theirs", SECRET)}
    if settings["authentication"] == "basic":
        credentials["user"] = ("tassei",)
    return HookRequest(
        "default",
        "own",
        url,
        method,
        {"content-type": media_type, **headers},
        body,
        credentials,
        NOW,
        read_settings(SETTINGS, settings),
        0,
        body_mapping_of(mapping or MAPPING),
    )


def hexed(body: bytes, **more: Any) -> HookRequest:
    proof = hmac.new(SECRET.encode(), body, hashlib.sha256).hexdigest()
    return custom(body, HEX, {"x-signature": f"sha256={proof}"}, **more)


def stamped(body: bytes, at: int = NOW // 1_000_000) -> HookRequest:
    digest = hmac.new(SECRET.encode(), str(at).encode() + b"." + body, hashlib.sha512).digest()
    header = f"t={at},v1={b64encode(digest).decode()},v1=other"
    return custom(body, STAMPED, {"x-signature": header})


def bearer(body: bytes, **more: Any) -> HookRequest:
    return custom(body, BEARER, {"authorization": f"Bearer {SECRET}"}, **more)


def basic(body: bytes) -> HookRequest:
    token = b64encode(f"tassei:{SECRET}".encode()).decode()
    return custom(body, BASIC, {"authorization": f"Basic {token}"})


CALL: dict[str, Any] = {
    "activity": {"kind": "call", "key": "id"},
    "fields": {
        "direction": {"constant": "outbound"},
        "started_at": {"select": "at", "type": "time", "zone": "Asia/Tokyo"},
    },
}
FORM_BODY = urlencode({"id": "c1", "at": "2026-12-11 10:00"})

SAMPLES = [
    hexed(json.dumps(BODY).encode()),
    hexed(json.dumps(BODY | {"kind": "lost"}).encode()),
    hexed(b"{"),
    stamped(json.dumps(BODY).encode()),
    bearer(json.dumps(BODY).encode()),
    basic(json.dumps(BODY).encode()),
    bearer(FORM_BODY.encode(), mapping=CALL, media_type=FORM),
    bearer(b"", mapping=CALL, url=f"{HOOK}?{FORM_BODY}", method="GET"),
]

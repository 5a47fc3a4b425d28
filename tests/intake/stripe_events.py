"""Events as Stripe sends them, signed by its own SDK; the contents are invented."""

from __future__ import annotations

import json
from typing import Any

from stripe import WebhookSignature

from app.domain.instants import SECOND, instant
from app.intake.requests import HookRequest
from app.intake.source_settings import NO_SETTINGS, Settings
from tests.intake.senders import HOOK, NOW

SECRET = "whsec_Xp4dKq0Zr8vN2mLs6TyHb1Wc9Jf3Ga7E"
OLDER = "whsec_an0lderSecret0fTheSameEndp0int000"
CHARGE: dict[str, Any] = {
    "id": "ch_3QxA1bC2dE3fG4h",
    "object": "charge",
    "amount": 120050,
    "amount_captured": 120050,
    "amount_refunded": 0,
    "captured": True,
    "created": instant("2026-12-08T06:00:00Z") // SECOND,
    "currency": "usd",
    "metadata": {"sales_rep": "sato@example.co.jp"},
    "paid": True,
    "payment_intent": "pi_3QxA1bC2dE3fG4h",
    "refunded": False,
    "status": "succeeded",
}


def event(
    charge: Any, kind: str = "charge.succeeded", at: str = "2026-12-08T06:00:01Z", **more: Any
) -> dict[str, Any]:
    return {
        "id": "evt_3QxA1bC2dE3fG4h",
        "object": "event",
        "api_version": "2025-09-30.clover",
        "created": instant(at) // SECOND,
        "data": {"object": charge},
        "livemode": True,
        "pending_webhooks": 1,
        "type": kind,
    } | more


def header(body: bytes, secret: str = SECRET, away: int = 0) -> str:
    made: str = WebhookSignature.generate_signature_header(
        body.decode(), secret, NOW // SECOND + away
    )
    return made


def stripe(
    document: Any, *, secret: str = SECRET, away: int = 0, settings: Settings = NO_SETTINGS
) -> HookRequest:
    body = json.dumps(document, ensure_ascii=False).encode()
    headers = {"content-type": "application/json", "stripe-signature": header(body, secret, away)}
    credentials = {"signing_secret": (OLDER, SECRET)}
    return HookRequest("default", "st", HOOK, "POST", headers, body, credentials, NOW, settings)

"""Notifications as HubSpot sends them, signed by its own SDK; the contents are invented."""

from __future__ import annotations

import json
from typing import Any

from hubspot.utils.signature import Signature

from app.domain.instants import instant
from app.intake.requests import HookRequest
from app.intake.source_settings import NO_SETTINGS, Settings
from tests.intake.senders import HOOK, NOW

SECRET = "3f0e5c1a-77aa-4c1e-9f5d-2b6a0c9d8e7f"
OLDER = "an-older-client-secret-of-the-app-xx"
AT = "2026-12-08T06:00:00Z"
STAMP = str(NOW // 1_000)


def milliseconds(at: str) -> int:
    return instant(at) // 1_000


def event(subscription: str, at: str = AT, **more: Any) -> dict[str, Any]:
    """A notification; None takes a member away."""
    told = {
        "eventId": 3181526809,
        "subscriptionId": 1160452,
        "portalId": 7801234,
        "appId": 54321,
        "occurredAt": milliseconds(at),
        "subscriptionType": subscription,
        "attemptNumber": 0,
        "objectId": 512,
        "changeSource": "CRM_UI",
        "sourceId": "userId:901",
    } | more
    return {label: value for label, value in told.items() if value is not None}


def hubspot(
    events: Any,
    *,
    secret: str = SECRET,
    stamp: str = STAMP,
    version: str = "v3",
    url: str = HOOK,
    signed_url: str | None = None,
    settings: Settings = NO_SETTINGS,
) -> HookRequest:
    text = json.dumps(events, ensure_ascii=False)
    signature = Signature.get_signature(
        secret, text, version, http_uri=signed_url or url, http_method="POST", timestamp=stamp
    )
    headers = {
        "content-type": "application/json",
        "x-hubspot-signature-v3": signature,
        "x-hubspot-request-timestamp": stamp,
    }
    credentials = {"client_secret": (OLDER, SECRET)}
    return HookRequest(
        "default", "hs", url, "POST", headers, text.encode(), credentials, NOW, settings
    )

"""Requests as the providers send them; the shapes are theirs, the contents invented."""

from __future__ import annotations

import json
from base64 import b64encode
from datetime import UTC, datetime
from email.utils import format_datetime
from typing import Any
from urllib.parse import urlencode

from standardwebhooks import Webhook
from twilio.request_validator import RequestValidator

from app.domain.deliveries import Delivery
from app.domain.instants import SECOND, instant
from app.intake.events import read_events
from app.intake.requests import HookRequest
from app.intake.signatures import written_webhook_secret

NOW = instant("2026-12-14T09:00:00Z")
SECRET = written_webhook_secret(b"0123456789abcdef0123456789abcdef")
TOKEN = "5f1c9a3b7d2e4f60819a2b3c4d5e6f70"
HOOK = "https://tassei.example.co.jp/v1/hooks/h_default_s3cr3t"
FORM = "application/x-www-form-urlencoded; charset=UTF-8"
ROOT = "CA3b1d5f7092a4c6e8f0123456789abcde"


def webhook(body: bytes, *, secret: str = SECRET, message: str = "msg_1") -> HookRequest:
    signature = Webhook(secret).sign(
        message, datetime.fromtimestamp(NOW // SECOND, UTC), body.decode()
    )
    headers = {
        "content-type": "application/json",
        "webhook-id": message,
        "webhook-timestamp": str(NOW // SECOND),
        "webhook-signature": signature,
    }
    credentials = {"secret": (SECRET,)}
    return HookRequest("default", "crm", HOOK, "POST", headers, body, credentials, NOW)


def twilio(form: dict[str, str], *, method: str = "POST", url: str = HOOK) -> HookRequest:
    if method == "GET":
        url, signed, body, kind = f"{url}?{urlencode(form)}", {}, b"", {}
    else:
        signed, body, kind = form, urlencode(form).encode(), {"content-type": FORM}
    signature = RequestValidator(TOKEN).compute_signature(url, signed)
    headers = kind | {"x-twilio-signature": signature, "i-twilio-idempotency-token": "t-1"}
    credentials = {"auth_tokens": ("an-older-token-of-32-characters-x", TOKEN)}
    return HookRequest("default", "phone", url, method, headers, body, credentials, NOW)


def leg(sid: str, status: str, at: str, **more: str) -> dict[str, str]:
    """A status callback of a root leg; `at` is the moment it tells of."""
    moment = datetime.fromisoformat(at).astimezone(UTC)
    return {
        "AccountSid": "AC00aa11bb22cc33dd44ee55ff66778899",
        "ApiVersion": "2010-04-01",
        "CallSid": sid,
        "CallStatus": status,
        "CallbackSource": "call-progress-events",
        "SequenceNumber": "0",
        "Timestamp": format_datetime(moment),
        "Direction": "inbound",
        "From": "+819012345678",
        "To": "+81312340000",
        "Called": "+81312340000",
        "Caller": "+819012345678",
    } | more


def pipedrive(
    data: dict[str, Any] | None,
    *,
    at: str,
    entity: str = "deal",
    number: str = "123",
    action: str = "change",
    previous: dict[str, Any] | None = None,
    attempt: int = 1,
    **meta: Any,
) -> HookRequest:
    event = {
        "meta": {
            "action": action,
            "attempt": attempt,
            "change_source": "app",
            "company_id": "7801234",
            "correlation_id": "0b0e5d0e-7f0a-4d58-9c0b-2f2c27b1d001",
            "entity": entity,
            "entity_id": number,
            "host": "example.pipedrive.com",
            "id": "4f9f9d9e-2c9c-4a8b-9d57-7b1f0f6f9c11",
            "is_bulk_edit": False,
            "timestamp": at,
            "type": "general",
            "user_id": "901",
            "version": "2.0",
            "webhook_id": "55",
        }
        | meta,
        "data": data,
        "previous": previous,
    }
    return pipedrive_body(json.dumps(event, ensure_ascii=False).encode())


def pipedrive_body(body: bytes) -> HookRequest:
    token = b64encode("tassei:ひみつの合言葉".encode()).decode()
    headers = {"content-type": "application/json", "authorization": f"Basic {token}"}
    credentials = {"user": ("tassei",), "password": ("ひみつの合言葉", "previous-password")}
    return HookRequest("default", "pd", HOOK, "POST", headers, body, credentials, NOW)


def reading(
    body: object,
    media_type: str = "application/cloudevents+json",
    headers: dict[str, str] | None = None,
) -> Delivery:
    """What the direct API makes of a body; anything but bytes is written as JSON."""
    raw = body if isinstance(body, bytes) else json.dumps(body).encode()
    return read_events(raw, media_type, headers or {}, workspace="w", now=NOW)

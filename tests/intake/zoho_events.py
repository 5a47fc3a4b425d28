"""Notifications as Zoho CRM sends them; the contents are invented."""

from __future__ import annotations

import json
from typing import Any

from app.domain.instants import instant
from app.intake.requests import HookRequest
from tests.intake.senders import HOOK, NOW

TOKEN = "kD8v-2mQz7RtYw0xN5pLs4bHc1Ja9fGe3UiOoTqVh6E"
OLDER = "an-older-token-of-the-channel"
DEAL_ID = "5725767000000524157"
AT = instant("2026-12-08T06:00:00Z") // 1_000


def notification(
    module: str | None = "Deals",
    operation: str | None = "update",
    ids: Any = (DEAL_ID,),
    **more: Any,
) -> dict[str, Any]:
    return {
        "query_params": {},
        "module": module,
        "resource_uri": f"https://www.zohoapis.jp/crm/v8/{module}",
        "ids": list(ids) if isinstance(ids, tuple) else ids,
        "operation": operation,
        "channel_id": "1000000068001",
        "server_time": AT,
        "affected_fields": [{DEAL_ID: ["Stage"]}],
        "token": TOKEN,
    } | more


def zoho(document: Any) -> HookRequest:
    body = json.dumps(document, ensure_ascii=False).encode()
    headers = {"content-type": "application/json"}
    credentials = {"token": (OLDER, TOKEN)}
    return HookRequest("default", "zo", HOOK, "POST", headers, body, credentials, NOW)

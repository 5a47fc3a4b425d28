"""What MiiTel sends; the shape is that of its published schema, the contents invented."""

from __future__ import annotations

import json
from typing import Any

from app.intake.requests import HookRequest
from tests.intake.senders import HOOK, NOW

TOKEN = "8c2f1d5e9b704a63bd10c4f7e2a95d38"
CALL = "60e7d534-6d27-40a4-9d3a-385a648e5b28"
AGENT = "sato@example.co.jp"


def person(side: str, login: str | None = None) -> dict[str, Any]:
    return {
        "id": f"018c14d2-5a39-97a5-dcc4-{side.lower():x<12}",
        "from_to": side,
        "name": None if login is None else "佐藤 昇",
        "company_name": None,
        "login_id": login,
        "analysis": None,
    }


def leg(**more: Any) -> dict[str, Any]:
    """A leg of a call: an answered one that goes out, unless said otherwise."""
    return {
        "id": CALL,
        "dial_starts_at": "2026-12-10T07:26:18+00:00",
        "dial_answered_at": "2026-12-10T07:26:23+00:00",
        "dial_ends_at": "2026-12-10T07:29:34+00:00",
        "queueing_starts_at": None,
        "queueing_answered_at": None,
        "queueing_ends_at": None,
        "call_type": "OUTGOING_CALL",
        "circuit_number": "05000000000",
        "circuit_name": "本社",
        "from_number": None,
        "to_number": "09000000000",
        "previous_id": None,
        "dtmf": None,
        "analysis": None,
        "participants": [person("FROM", AGENT), person("TO")],
        "tags": [],
        "comments": [],
        "keywords": [],
        "phrases": [],
        "speech_recognition": {"raw": "", "summary": ""},
    } | more


def history(*details: dict[str, Any], **more: Any) -> HookRequest:
    call = {"id": CALL, "tenant_code": "example", "details": list(details)}
    return posted({"call": call, "ip_restricted": True} | more)


def meeting(**more: Any) -> HookRequest:
    video = {
        "id": "018c23b3-52bc-d32d-d8e6-162491d7ee60",
        "tenant_code": "example",
        "title": "初回商談",
        "platform": "zoom",
        "starts_at": "2026-12-10T04:45:00+00:00",
        "ends_at": "2026-12-10T05:01:45.480000+00:00",
        "access_permission": "EVERYONE",
        "host": {"user_name": "佐藤 昇", "login_id": AGENT},
        "analysis": {"overlap_count": None, "silence_count": 27},
        "participants": [],
        "speech_recognition": {"raw": "", "summary": ""},
    }
    return posted({"video": video | more})


def posted(document: Any, token: str | None = TOKEN) -> HookRequest:
    headers = {"content-type": "application/json; charset=utf-8", "user-agent": "MiiTel-Webhook/v1"}
    if token is not None:
        headers["authorization"] = f"Bearer {token}"
    body = json.dumps(document, ensure_ascii=False).encode()
    credentials = {"token": ("an-older-token-of-this-source", TOKEN)}
    return HookRequest("default", "mii", HOOK, "POST", headers, body, credentials, NOW)

"""What Zoom sends; the shapes are its, the contents invented, the signature by its formula."""

from __future__ import annotations

import hashlib
import hmac
import json
from typing import Any

from app.domain.instants import SECOND, instant
from app.intake.registry import PROVIDERS
from app.intake.requests import HookRequest
from app.intake.source_settings import read_settings
from tests.intake.senders import HOOK, NOW

TOKEN = "Zq4xT0mSecretTokenOfTheApp"
CALL = "7350871442133469123"
HISTORY = "20261214-9f8e7d6c-51b2-4a77-8c1e-3f0a9b2d4e6f"


def posted(
    event: Any,
    *,
    body: bytes | None = None,
    at: int = NOW // SECOND,
    token: str = TOKEN,
    **settings: Any,
) -> HookRequest:
    sent = body
    if sent is None:
        sent = json.dumps(event, ensure_ascii=False, separators=(",", ":")).encode()
    proof = hmac.new(token.encode(), b"v0:%d:" % at + sent, hashlib.sha256).hexdigest()
    headers = {
        "content-type": "application/json; charset=utf-8",
        "x-zm-signature": f"v0={proof}",
        "x-zm-request-timestamp": str(at),
    }
    credentials = {"secret_tokens": ("an-older-secret-token", TOKEN)}
    read = read_settings(PROVIDERS["zoom"].settings, settings)
    return HookRequest("default", "zm", HOOK, "POST", headers, sent, credentials, NOW, read)


def event(label: str, payload: dict[str, Any], at: str = "2026-12-14T01:02:03Z") -> dict[str, Any]:
    return {"event": label, "event_ts": instant(at) // 1000, "payload": payload}


def element(number: int, **more: Any) -> dict[str, Any]:
    """A customer's call to a member, who talks for 80 seconds."""
    return {
        "call_element_id": f"20261214-0a1b2c3d-{number:04}",
        "call_history_uuid": HISTORY,
        "call_id": CALL,
        "connect_type": "external",
        "call_type": "general",
        "direction": "inbound",
        "caller_did_number": "+819012345678",
        "caller_name": "名古屋支店",
        "caller_number_type": "external_pstn",
        "callee_ext_id": "xk3Q",
        "callee_name": "佐藤",
        "callee_email": "Sato@example.co.jp",
        "callee_did_number": "+81312340000",
        "callee_ext_number": "801",
        "callee_ext_type": "user",
        "callee_number_type": "zoom_pstn",
        "start_time": "2026-12-14T01:00:10Z",
        "answer_time": "2026-12-14T01:00:20Z",
        "end_time": "2026-12-14T01:01:40Z",
        "event": "incoming",
        "result": "answered",
        "talk_time": 80,
        "hold_time": 0,
        "wait_time": 10,
    } | more


def outgoing(number: int, **more: Any) -> dict[str, Any]:
    """A member's call to a customer."""
    ours = {
        "direction": "outbound",
        "event": "outgoing",
        "result": "connected",
        "caller_email": "sato@example.co.jp",
        "caller_ext_number": "801",
        "caller_ext_type": "user",
        "caller_did_number": "+81312340000",
        "caller_number_type": "zoom_pstn",
        "callee_did_number": "+819012345678",
        "callee_number_type": "external_pstn",
    }
    theirs = dict.fromkeys(
        ("callee_email", "callee_ext_number", "callee_ext_type", "callee_ext_id")
    )
    return {k: v for k, v in (element(number) | theirs | ours | more).items() if v is not None}


def told(*elements: dict[str, Any], side: str = "callee") -> HookRequest:
    payload = {
        "account_id": "abC1",
        "object": {"user_id": "uS3r", "call_elements": list(elements)},
    }
    return posted(event(f"phone.{side}_call_element_completed", payload))


def meeting(
    label: str,
    at: str = "2026-12-14T01:02:03Z",
    extra: dict[str, Any] | None = None,
    settings: dict[str, Any] | None = None,
    **more: Any,
) -> HookRequest:
    object_ = {
        "uuid": "4444AAAiAAAAAiAiAiiAii==",
        "id": 91234567890,
        "host_id": "hOst1",
        "topic": "初回商談",
        "type": 2,
        "start_time": "2026-12-14T05:00:00Z",
        "duration": 60,
        "timezone": "Asia/Tokyo",
    } | more
    payload: dict[str, Any] = {"account_id": "abC1"}
    if label != "ended":
        payload |= {"operator": "Suzuki@example.co.jp", "operator_id": "u2"}
    payload |= extra or {}
    sent = event(f"meeting.{label}", {**payload, "object": object_}, at)
    return posted(sent, **settings or {})


def moved(at: str, starts: str, **extra: Any) -> HookRequest:
    """A change of a meeting's time: it has the id and what was changed."""
    changed = {"id": 91234567890, "start_time": starts}
    payload = {"account_id": "abC1", "operator": "Suzuki@example.co.jp", "operator_id": "u2"}
    old = {"id": 91234567890, "start_time": "2026-12-14T05:00:00Z"}
    sent = {**payload, "object": changed, "old_object": old, "scope": "all", **extra}
    return posted(event("meeting.updated", sent, at))


def session(uuid: str, began: str, ended: str, **more: Any) -> HookRequest:
    """A session of a meeting that has ended; of such the id is a text."""
    times = {"start_time": began, "end_time": ended, "id": "91234567890"}
    return meeting("ended", ended, uuid=uuid, **times | more)


def older(one: dict[str, Any]) -> dict[str, Any]:
    """An element as the generation before tells it: the same ids under other names."""
    told = dict(one)
    told["id"], told["call_path_id"] = told.pop("call_element_id"), told.pop("call_history_uuid")
    return told


VALIDATION = event("endpoint.url_validation", {"plainToken": "qgg8vlvZRS6UYooatFL8Aw"})

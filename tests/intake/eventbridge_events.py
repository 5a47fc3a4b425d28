"""What comes through Amazon EventBridge; the shapes are the senders', the contents invented."""

from __future__ import annotations

import json
from typing import Any

from app.intake.requests import HookRequest
from tests.intake.senders import HOOK, NOW

API_KEY = "b1946ac92492d2347c6235b4d2611184"
CONTACT = "11111111-2222-3333-4444-555555555555"
INSTANCE = (
    "arn:aws:connect:ap-northeast-1:111122223333:instance/0b89d1f7-ab32-48f8-9870-67be7409181f"
)
CONVERSATION = "c3a1f0d2-55f0-4a3e-8d0a-0a6a1f6b7c11"


def event(
    detail: dict[str, Any], source: str, kind: str, at: str, *, key: str | None = API_KEY
) -> HookRequest:
    document = {
        "version": "0",
        "id": "abcabcab-abca-abca-abca-abcabcabcabc",
        "detail-type": kind,
        "source": source,
        "account": "111122223333",
        "time": at,
        "region": "ap-northeast-1",
        "resources": [],
        "detail": detail,
    }
    headers = {
        "content-type": "application/json; charset=utf-8",
        "user-agent": "Amazon/EventBridge",
    }
    if key is not None:
        headers["x-api-key"] = key
    body = json.dumps(document, ensure_ascii=False).encode()
    credentials = {"api_key": ("an-older-key-of-this-source-1", API_KEY)}
    return HookRequest("default", "cc", HOOK, "POST", headers, body, credentials, NOW)


def agent(user: str, connected: str | None = None) -> dict[str, Any]:
    told: dict[str, Any] = {
        "agentArn": f"{INSTANCE}/agent/{user}",
        "connectedToAgentTimestamp": connected,
        "hierarchyGroups": {},
    }
    return {label: value for label, value in told.items() if value is not None}


def contact(kind: str, *, contact: str = CONTACT, **detail: Any) -> HookRequest:
    """A contact event of a call that came in, unless said otherwise."""
    told: dict[str, Any] = {
        "eventType": kind,
        "contactId": contact,
        "channel": "VOICE",
        "instanceArn": INSTANCE,
        "initiationMethod": "INBOUND",
        "initiationTimestamp": "2026-12-10T01:00:00.000Z",
    } | detail
    told = {label: value for label, value in told.items() if value is not None}
    return event(told, "aws.connect", "Amazon Connect Contact Event", "2026-12-10T01:05:00Z")


def conversation(whose: str, at: int, **body: Any) -> HookRequest:
    """The end of a customer's or a user's session; `at` in milliseconds."""
    told: dict[str, Any] = {
        "eventTime": at,
        "conversationId": CONVERSATION,
        "participantId": f"participant-of-{whose}",
        "sessionId": f"session-of-{whose}",
        "disconnectType": "PEER",
        "mediaType": "VOICE",
        "provider": "Edge",
        "direction": "INBOUND",
        "ani": "tel:+819012345678",
        "dnis": "tel:+81312340000",
    } | body
    detail: dict[str, Any] = {
        "topicName": f"v2.detail.events.conversation.{CONVERSATION}.{whose}.end",
        "version": "2",
        "timestamp": "2026-12-10T01:05:01.000Z",
        "eventBody": told,
        "metadata": {"CorrelationId": "f0e1"},
    }
    source = "aws.partner/genesys.com/cloud/0f0f0f0f-1111-2222-3333-444444444444/tassei"
    return event(detail, source, "conversation detail", "2026-12-10T01:05:01Z")

"""What RingCentral sends; the shapes are those of its published streams, the contents invented."""

from __future__ import annotations

import json
from typing import Any

from app.intake.registry import PROVIDERS
from app.intake.requests import HookRequest
from app.intake.source_settings import read_settings
from tests.intake.senders import HOOK, NOW

TOKEN = "7c1e5b0a94d2f3861c0b7e5a9d4f2c18"
ACCOUNT = "400131426008"
SESSION = "s-718107795d564867a6f635fd81e89940"
CUSTOMER, OURS = "+819012345678", "+81312340000"
MENU, QUEUE = "62242421016", "62242433016"
SATO, TANAKA, SUZUKI = "809646016", "979428016", "809650016"

End = dict[str, Any]


def outside(number: str | None = CUSTOMER) -> End:
    return {} if number is None else {"phoneNumber": number}


def inside(extension: str, number: str = OURS) -> End:
    return {"phoneNumber": number, "name": "佐藤", "extensionId": extension}


def party(
    number: int,
    direction: str,
    code: str,
    source: End,
    target: End,
    *,
    extension: str | None = None,
    reason: str | None = None,
    **more: Any,
) -> dict[str, Any]:
    status: dict[str, Any] = {"code": code, "rcc": False}
    if reason is not None:
        status["reason"] = reason
    told: dict[str, Any] = {
        "accountId": ACCOUNT,
        "id": f"p-{SESSION[2:]}-{number}",
        "direction": direction,
        "to": target,
        "from": source,
        "status": status,
        "park": {},
        "missedCall": False,
        "standAlone": False,
        "muted": False,
    }
    return told | ({} if extension is None else {"extensionId": extension}) | more


def event(sequence: int, at: str, *parties: dict[str, Any], **body: Any) -> dict[str, Any]:
    """An event; `at` is a clock time of 2026-12-14, UTC."""
    extension = parties[0].get("extensionId") if parties else None
    path = f"/restapi/v1.0/account/{ACCOUNT}"
    path += f"/extension/{extension}" if extension else ""
    return {
        "uuid": str(4_654_793_329_359_724_000 + sequence),
        "event": f"{path}/telephony/sessions",
        "timestamp": "2026-12-14T01:05:44.013Z",
        "subscriptionId": "2461434a-276a-4073-bd26-34089effbad5",
        "ownerId": ACCOUNT,
        "body": {
            "sequence": sequence,
            "sessionId": "429180487016",
            "telephonySessionId": SESSION,
            "serverId": "10.13.22.27.TAM",
            "eventTime": f"2026-12-14T{at}Z",
            "parties": list(parties),
            "origin": {"type": "Call"},
        }
        | body,
    }


def posted(
    told: Any, *, body: bytes | None = None, token: str | None = TOKEN, **settings: Any
) -> HookRequest:
    sent = json.dumps(told, ensure_ascii=False).encode() if body is None else body
    headers = {"content-type": "application/json; charset=UTF-8"}
    headers |= {"user-agent": "RingCentral-Webhook/8.3"}
    headers |= {} if token is None else {"verification-token": token}
    credentials = {"verification_token": ("an-older-verification-token", TOKEN)}
    read = read_settings(PROVIDERS["ringcentral"].settings, settings)
    return HookRequest("default", "rc", HOOK, "POST", headers, sent, credentials, NOW, read)


def asked(challenge: str, **headers: str) -> HookRequest:
    """The request at subscribing: a token, and no body."""
    request = posted({}, body=b"", token=None)
    named = {label.replace("_", "-"): value for label, value in headers.items()}
    told = {**request.headers, "validation-token": challenge, **named}
    return HookRequest("default", "rc", HOOK, "POST", told, b"", request.credentials, NOW)


def caller(code: str, **more: Any) -> dict[str, Any]:
    """The customer's own party in a call to us."""
    return party(1, "Outbound", code, outside(), inside(MENU), **more)


def rung(number: int, extension: str, code: str, **more: Any) -> dict[str, Any]:
    """One of ours whom a customer's call reaches."""
    return party(number, "Inbound", code, outside(), inside(extension), extension=extension, **more)


# A customer reaches a menu and then Sato, who puts the call on hold once: "Answered" three times.
INBOUND = [
    event(2, "01:05:43.940", party(1, "Outbound", "Setup", outside(), {"phoneNumber": OURS})),
    event(3, "01:05:43.964", rung(2, MENU, "Setup")),
    event(4, "01:05:44.083", caller("Answered")),
    event(5, "01:05:52.627", rung(2, MENU, "Disconnected")),
    event(6, "01:05:52.627", rung(3, SATO, "Setup")),
    event(7, "01:05:52.656", rung(3, SATO, "Proceeding")),
    event(8, "01:06:00.001", rung(3, SATO, "Answered")),
    event(9, "01:06:04.601", rung(3, SATO, "Hold")),
    event(10, "01:06:06.994", rung(3, SATO, "Answered")),
    event(11, "01:06:14.808", rung(3, SATO, "Disconnected")),
    event(12, "01:06:14.812", caller("Disconnected")),
]


def dialler(code: str, **more: Any) -> dict[str, Any]:
    """Sato's own party in a call to a customer."""
    source = {"phoneNumber": OURS, "extensionId": SATO, "deviceId": "210074565016"}
    return party(1, "Outbound", code, source, outside(), extension=SATO, **more)


def called(code: str, **more: Any) -> dict[str, Any]:
    """The customer's party in a call of Sato's."""
    return party(2, "Inbound", code, inside(SATO), outside(), **more)


OUTBOUND = [
    event(2, "01:19:21.627", dialler("Setup")),
    event(3, "01:19:21.663", called("Proceeding")),
    event(4, "01:19:25.166", dialler("Proceeding")),
    event(5, "01:19:28.872", called("Answered")),
    event(6, "01:19:28.900", dialler("Answered")),
    event(7, "01:19:35.590", dialler("Hold")),
    event(8, "01:19:38.865", dialler("Answered")),
    event(9, "01:19:45.018", dialler("Disconnected")),
    event(10, "01:19:45.032", called("Disconnected")),
]


def internal(number: int, code: str, *, known: bool = True) -> dict[str, Any]:
    """Tanaka calls Sato by a short number."""
    source = inside(TANAKA, "11104")
    target = inside(SATO, "11101") if known else {"phoneNumber": "11101"}
    if number == 1:
        return party(1, "Outbound", code, source, target, extension=TANAKA)
    return party(2, "Inbound", code, source, target, extension=SATO)


INTERNAL = [
    event(2, "01:17:14.330", internal(1, "Setup", known=False)),
    event(3, "01:17:14.349", internal(2, "Setup")),
    event(4, "01:17:14.388", internal(1, "Answered")),
    event(5, "01:17:14.410", internal(2, "Proceeding")),
    event(6, "01:17:21.084", internal(2, "Answered")),
    event(7, "01:17:25.015", internal(1, "Hold")),
    event(9, "01:17:35.051", internal(1, "Disconnected")),
    event(10, "01:17:35.061", internal(2, "Disconnected")),
]

"""Notifications and events as Google Calendar has them; the contents are invented."""

from __future__ import annotations

from typing import Any
from urllib.parse import quote

from app.intake.providers.google_calendar import PROVIDER
from app.intake.requests import HookRequest
from app.intake.source_settings import read_settings
from tests.intake.senders import HOOK, NOW

TOKEN = "398348u3tu83ut8uu38"
OLDER = "an-older-token-of-the-channels"
SATO, SUZUKI = "sato@example.co.jp", "suzuki@example.co.jp"
CLIENT = "tanaka@client.example.com"
SETTINGS: dict[str, Any] = {"calendars": [SATO, SUZUKI], "domains": ["example.co.jp"]}


def google(
    state: str = "exists", calendar: str | None = SATO, token: str | None = TOKEN, **settings: Any
) -> HookRequest:
    """A notification: all of it is in its headers."""
    place = quote(calendar or "", safe="")
    address = f"https://www.googleapis.com/calendar/v3/calendars/{place}/events?alt=json"
    headers = {
        "x-goog-channel-id": "4ba78bf0-6a47-11e2-bcfd-0800200c9a66",
        "x-goog-channel-expiration": "Tue, 15 Dec 2026 06:00:00 GMT",
        "x-goog-resource-id": "ret08u3rv24htgh289g",
        "x-goog-resource-uri": address,
        "x-goog-resource-state": state,
        "x-goog-message-number": "10",
    }
    headers |= {} if token is None else {"x-goog-channel-token": token}
    if calendar is None:
        del headers["x-goog-resource-uri"]
    credentials = {"token": (OLDER, TOKEN)}
    told = read_settings(PROVIDER.settings, SETTINGS | settings)
    return HookRequest("default", "cal", HOOK, "POST", headers, b"", credentials, NOW, told)


def guest(address: str, response: str = "needsAction", **more: Any) -> dict[str, Any]:
    return {"email": address, "responseStatus": response} | more


def event(**changes: Any) -> dict[str, Any]:
    """An appointment with somebody from outside, as its organizer's calendar has it."""
    return {
        "id": "1h0r6t3p0g1q2k3m4n5b6v7c8x",
        "etag": '"3593419200000000"',
        "status": "confirmed",
        "created": "2026-12-07T01:00:00.000Z",
        "updated": "2026-12-08T05:00:00.123Z",
        "summary": "【商談】ご提案",
        "creator": {"email": SATO, "self": True},
        "organizer": {"email": SATO, "self": True},
        "start": {"dateTime": "2026-12-10T15:00:00+09:00", "timeZone": "Asia/Tokyo"},
        "attendees": [
            guest(SATO, "accepted", organizer=True),
            guest(SUZUKI),
            guest("room-3@resource.calendar.google.com", "accepted", resource=True),
            guest(CLIENT),
        ],
        "eventType": "default",
        "calendar": SATO,
    } | changes

"""Aircall: what to enter at the provider."""

from __future__ import annotations

from collections.abc import Mapping

# code -> (English, Japanese)
SENTENCES: Mapping[str, tuple[str, str]] = {
    "add_aircall_webhook": (
        "At Aircall (Integrations & API > Webhook), add a webhook to {url} with {events}.",
        "Aircall の Integrations & API > Webhook で、{url} への Webhook を {events} で追加。",
    ),
    "copy_aircall_token": (
        "Put the token that Aircall shows for this webhook into this source's credentials.",
        "この Webhook の token を、このソースの credentials に登録してください。",
    ),
}

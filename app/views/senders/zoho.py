"""Zoho CRM: what to enter at the provider."""

from __future__ import annotations

from collections.abc import Mapping

# code -> (English, Japanese)
SENTENCES: Mapping[str, tuple[str, str]] = {
    "enable_zoho_notifications": (
        "By Zoho's API, enable notifications of {events} to {url}, with this token.",
        "Zoho の API で、この token を付けて {events} の通知を {url} に有効化してください。",
    ),
    "renew_zoho_channel": (
        "Renew the channel before its channel_expiry: after it Zoho sends nothing.",
        "channel_expiry の前にチャネルを更新してください。過ぎると Zoho は何も送りません。",
    ),
}

"""Vonage: what to enter at the provider."""

from __future__ import annotations

from collections.abc import Mapping

# code -> (English, Japanese)
SENTENCES: Mapping[str, tuple[str, str]] = {
    "set_vonage_event_url": (
        "At Vonage, set the application's event URL of the voice capability to {url}, by POST.",
        "Vonage のアプリケーションで、Voice の Event URL を {url}（POST）にしてください。",
    ),
    "sign_vonage_webhooks": (
        "Let the application use signed webhooks, and give the account's signature secret here.",
        "署名付き Webhook を有効にし、アカウントの signature secret を登録してください。",
    ),
    "name_vonage_agents": (
        "Name your people's numbers in agents and your Vonage numbers in own_numbers.",
        "担当者の番号を agents に、Vonage の番号を own_numbers に登録してください。",
    ),
}

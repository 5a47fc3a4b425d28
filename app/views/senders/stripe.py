"""Stripe: what to enter at the provider."""

from __future__ import annotations

from collections.abc import Mapping

# code -> (English, Japanese)
SENTENCES: Mapping[str, tuple[str, str]] = {
    "add_stripe_endpoint": (
        "In Stripe's Workbench, add a webhook endpoint {url} with the snapshot events {events}.",
        "Stripe に Webhook エンドポイント {url} を追加し、スナップショットの {events} を選択。",
    ),
}

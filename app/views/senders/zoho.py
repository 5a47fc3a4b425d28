"""Zoho CRM: what to enter at the provider."""

from __future__ import annotations

from collections.abc import Mapping

# code -> (English, Japanese)
SENTENCES: Mapping[str, tuple[str, str]] = {
    "create_zoho_client": (
        "In Zoho's API console make a self client, and a refresh token for {scopes} of it.",
        "Zoho API Console の Self Client で {scopes} のリフレッシュトークンを取得してください。",
    ),
    "zoho_notifies_by_itself": (
        "With it, client_id and client_secret, notifications to {url} are enabled and kept so.",
        "それと client_id、client_secret があれば、{url} への通知を自動で有効にし更新します。",
    ),
}

"""HubSpot: what to enter at the provider."""

from __future__ import annotations

from collections.abc import Mapping

# code -> (English, Japanese)
SENTENCES: Mapping[str, tuple[str, str]] = {
    "set_hubspot_target": (
        "In the HubSpot app's webhook settings, set the target URL {url}.",
        "HubSpot アプリの Webhook 設定で、ターゲット URL を {url} にしてください。",
    ),
    "subscribe_hubspot_events": (
        "Subscribe to {objects}: created, deleted, restored, merged, and every property used here.",
        "{objects} の作成・削除・復元・統合と、利用する各プロパティの変更を購読してください。",
    ),
}

"""Amazon EventBridge, by which several senders reach us: what to enter there."""

from __future__ import annotations

from collections.abc import Mapping

# code -> (English, Japanese)
SENTENCES: Mapping[str, tuple[str, str]] = {
    "create_eventbridge_connection": (
        "At EventBridge, create a connection with an API key: {header} with the api_key shown.",
        "EventBridge で API キーの接続を作成し、{header} に表示された api_key を入れてください。",
    ),
    "create_eventbridge_destination": (
        "With it, create an API destination that POSTs to {url}",
        "その接続で {url} へ POST する API 送信先を作成してください。",
    ),
    "keep_eventbridge_dead_letters": (
        "Give its rule a dead-letter queue: after 24 hours EventBridge gives up.",
        "ルールにデッドレターキューを付けてください。24 時間後に再送は終わります。",
    ),
}

"""Amazon Connect: what to enter at the provider."""

from __future__ import annotations

from collections.abc import Mapping

# code -> (English, Japanese)
SENTENCES: Mapping[str, tuple[str, str]] = {
    "add_amazon_connect_rule": (
        "At EventBridge, add a rule for the source {source} and the detail type {type}.",
        "EventBridge で、ソース {source}、詳細タイプ {type} のルールを作成してください。",
    ),
}

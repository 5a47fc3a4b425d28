"""Genesys Cloud: what to enter at the provider."""

from __future__ import annotations

from collections.abc import Mapping

# code -> (English, Japanese)
SENTENCES: Mapping[str, tuple[str, str]] = {
    "add_genesys_eventbridge_source": (
        "At Genesys Cloud, add the integration Amazon EventBridge Source with: {topics}",
        "Genesys Cloud で Amazon EventBridge Source を追加し、トピックに {topics} を。",
    ),
    "add_genesys_rule": (
        "At EventBridge, associate the partner source and add a rule for {source}",
        "EventBridge でパートナーソースを関連付け、{source} のルールを作成してください。",
    ),
}

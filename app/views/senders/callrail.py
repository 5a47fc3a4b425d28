"""CallRail: what to enter at the provider."""

from __future__ import annotations

from collections.abc import Mapping

# code -> (English, Japanese)
SENTENCES: Mapping[str, tuple[str, str]] = {
    "set_callrail_webhooks": (
        "At CallRail, set the webhooks Post-Call and Call Modified of each company to {url}",
        "CallRail の各会社で、Webhook の Post-Call と Call Modified を {url} に。",
    ),
    "copy_callrail_signing_key": (
        "Copy the company's signing key from the same page into signing_keys.",
        "同じ画面の署名キーを signing_keys に登録してください。",
    ),
}

"""Dialpad: what to enter at the provider."""

from __future__ import annotations

from collections.abc import Mapping

# code -> (English, Japanese)
SENTENCES: Mapping[str, tuple[str, str]] = {
    "create_dialpad_webhook": (
        "By Dialpad's API, create a webhook with hook_url {url} and the secret shown.",
        "Dialpad の API で、hook_url を {url}、secret を表示された値にして webhook を作成。",
    ),
    "subscribe_dialpad_calls": (
        "Subscribe that webhook to the call events of the whole company: {states}",
        "その webhook を、会社全体の通話イベント {states} に購読させてください。",
    ),
}

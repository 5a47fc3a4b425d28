"""Senders of Standard Webhooks: what to enter at the provider, and what cannot be read."""

from __future__ import annotations

from collections.abc import Mapping

# code -> (English, Japanese)
SENTENCES: Mapping[str, tuple[str, str]] = {
    "send_cloudevents_to": (
        "Send CloudEvents, one or a batch, to {url}",
        "CloudEvents を 1 件ずつ、またはまとめて {url} に送ってください。",
    ),
    "sign_with_standard_webhooks": (
        "Sign each request as Standard Webhooks describes, with the secret shown once.",
        "各リクエストに Standard Webhooks の方式で、一度だけ表示された secret で署名してください。",
    ),
}

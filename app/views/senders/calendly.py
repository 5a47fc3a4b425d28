"""Calendly: what to enter at the provider."""

from __future__ import annotations

from collections.abc import Mapping

# code -> (English, Japanese)
SENTENCES: Mapping[str, tuple[str, str]] = {
    "subscribe_calendly": (
        "By Calendly's API, subscribe {url} to {events}, with this signing_key.",
        "Calendly の API で、この signing_key により {url} を {events} に購読させてください。",
    ),
}

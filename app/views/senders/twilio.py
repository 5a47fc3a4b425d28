"""Twilio voice: what to enter at the provider, and what cannot be read."""

from __future__ import annotations

from collections.abc import Mapping

# code -> (English, Japanese)
SENTENCES: Mapping[str, tuple[str, str]] = {
    "set_twilio_status_callback": (
        "At Twilio, set the status callback of your calls to {url}",
        "Twilio で通話の status callback を {url} に設定してください。",
    ),
    "set_twilio_dial_status_callback": (
        "For calls passed on by Dial, set its statusCallback to {url} and its event to {event}",
        "Dial での転送には statusCallback に {url}、イベントに {event} を設定してください。",
    ),
}

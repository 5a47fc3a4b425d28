"""Zoom: what to enter at the provider."""

from __future__ import annotations

from collections.abc import Mapping

# code -> (English, Japanese)
SENTENCES: Mapping[str, tuple[str, str]] = {
    "set_zoom_endpoint": (
        "In the app's event subscription, enter {url} as the notification endpoint and validate it",
        "アプリの Event Subscription で通知先 URL に {url} を入力し、Validate を押してください。",
    ),
    "subscribe_zoom_events": (
        "Subscribe to {calls} for calls, and to {meetings} for meetings",
        "通話には {calls}、会議には {meetings} を購読してください。",
    ),
    "activate_zoom_app": (
        "Save and activate the app: before that Zoom sends nothing",
        "保存してアプリを有効化（Activate）してください。それまで Zoom からは何も届きません。",
    ),
}

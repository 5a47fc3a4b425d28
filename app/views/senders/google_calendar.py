"""Google Calendar: what to enter at the provider."""

from __future__ import annotations

from collections.abc import Mapping

# code -> (English, Japanese)
SENTENCES: Mapping[str, tuple[str, str]] = {
    "create_google_client": (
        "In Google Cloud enable the Calendar API, and make an OAuth client with {scope}.",
        "Google Cloud で Calendar API を有効にし、{scope} の OAuth クライアントを作ってください。",
    ),
    "share_google_calendars": (
        "Share with its user, with all details of events: {calendars}.",
        "次のカレンダーを「予定の詳細」まで、そのユーザーと共有してください：{calendars}",
    ),
    "google_notifies_by_itself": (
        "With client_id, client_secret and refresh_token, {url} is notified by itself.",
        "client_id、client_secret、refresh_token があれば、{url} への通知は自動で設定されます。",
    ),
}

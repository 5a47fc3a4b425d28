"""Google Calendar's notifications: a change, a channel that was opened, another calendar."""

from __future__ import annotations

from tests.intake.google_events import OLDER, SUZUKI, event, google

SAMPLES = [
    google(),
    google("sync"),
    google("not_exists", SUZUKI, token=OLDER),
    google(calendar="somebody@else.example.com"),
    google(calendar=None),
]

FETCHED = [
    ("events", event()),
    ("events", event(status="cancelled")),
    ("events", event(start={"date": "2026-12-10"}, end={"date": "2026-12-11"})),
]

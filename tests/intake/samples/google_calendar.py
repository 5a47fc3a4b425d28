"""Google Calendar's notifications: a change, a channel that was opened, another calendar."""

from __future__ import annotations

from tests.intake.google_events import OLDER, SUZUKI, google

SAMPLES = [
    google(),
    google("sync"),
    google("not_exists", SUZUKI, token=OLDER),
    google(calendar="somebody@else.example.com"),
    google(calendar=None),
]

"""Calendly's events: booked, canceled, rescheduled, not shown up, another, a broken one."""

from __future__ import annotations

from tests.intake.calendly_events import ANA, BEN, calendly, event

SAMPLES = [
    calendly(event()),
    calendly(event("invitee.canceled", "2026-12-02T00:00:00Z", status="canceled")),
    calendly(event(at="2026-12-03T00:00:00Z", uri=BEN, old_invitee=ANA)),
    calendly(event("invitee_no_show.created", payload={"uri": "https://x/1", "invitee": ANA})),
    calendly(event("routing_form_submission.created", payload={"uri": "https://x/2"})),
    calendly(event(scheduled_event=None)),
]

"""A sender that posts to /v1/events with an API key: no hook, no secret of its own."""

from __future__ import annotations

from app.intake.requests import Provider

PROVIDER = Provider(name="events", counts=None)

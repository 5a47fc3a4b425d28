"""Files: what was exported elsewhere and is imported by the mapping of its source."""

from __future__ import annotations

from app.intake.requests import Provider

PROVIDER = Provider(name="csv", counts=None)

"""Files: what was exported elsewhere and is imported by the mapping of its source."""

from __future__ import annotations

from app.intake.requests import Maps, Provider

PROVIDER = Provider(name="csv", counts=None, maps=Maps.ROWS)

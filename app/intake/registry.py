"""Every sender that can be connected, by the name that a source's document uses."""

from __future__ import annotations

from collections.abc import Mapping

from app.domain.errors import Invalid
from app.domain.kinds import RawValue
from app.intake.providers import pipedrive, standard_webhooks, twilio
from app.intake.requests import Provider

# Posts to /v1/events with an API key: no hook, no secret of its own.
EVENTS = Provider(name="events", counts=None)
# Files: what was exported elsewhere and is imported by a mapping.
CSV = Provider(name="csv", counts=None)

PROVIDERS: Mapping[str, Provider] = {
    provider.name: provider
    for provider in (EVENTS, CSV, standard_webhooks.PROVIDER, twilio.PROVIDER, pipedrive.PROVIDER)
}


def provider_named(text: RawValue) -> Provider:
    """The provider of that name. Raises Invalid (unknown_provider)."""
    found = PROVIDERS.get(text) if isinstance(text, str) else None
    if found is None:
        raise Invalid("unknown_provider", allowed=", ".join(PROVIDERS))
    return found

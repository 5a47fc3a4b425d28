"""Any sender that signs as Standard Webhooks says; the body is a CloudEvent or an array of them.

The content type does not matter: what a body starts with says which of the two it is. `webhook-id`
names the delivery only, so a batch sent again under another id counts once all the same. Binary
mode is not accepted: the signature does not cover its headers.
"""

from __future__ import annotations

from app.domain.deliveries import Delivery
from app.domain.errors import Invalid, Unreadable
from app.domain.kinds import RawValue
from app.intake.cloudevents import read_event
from app.intake.credentials import Absence, Secret
from app.intake.events import MAX_ITEMS, delivery
from app.intake.reading import read_json
from app.intake.requests import (
    Connecting,
    Hook,
    HookRequest,
    Provider,
    Step,
    body_text,
    hook_delivery,
    refusal,
)
from app.intake.signatures import verify_standard_webhook, webhook_key, written_webhook_secret


def _verify(request: HookRequest) -> None:
    secrets = request.credentials.get("secret", ())
    verify_standard_webhook(request.body, request.headers, secrets, request.received_at)


def _read(request: HookRequest) -> Delivery:
    try:
        events = _events(request.body)
    except (Unreadable, Invalid) as error:
        return hook_delivery(request, refused=(refusal(request, error, body_text(request.body)),))
    # The secret proves this source and no other: an event cannot speak for somebody else's.
    read = [
        read_event(event, index, request.received_at, source=request.source)
        for index, event in enumerate(events)
    ]
    return delivery(request.workspace, request.received_at, read, quarantines=True)


def _events(body: bytes) -> list[RawValue]:
    value = read_json(body)
    events: list[RawValue] = value if isinstance(value, list) else [value]
    if len(events) > MAX_ITEMS:
        raise Invalid("too_many_items", limit=MAX_ITEMS)
    return events


def _next_steps(connecting: Connecting) -> tuple[Step, ...]:
    return (
        Step("send_cloudevents_to", {"url": connecting.hook_url}),
        Step("sign_with_standard_webhooks", {}),
    )


PROVIDER = Provider(
    name="standard_webhooks",
    counts=None,
    secrets=(
        Secret(
            "secret",
            "`whsec_` and base64 of 24 to 64 bytes; left out, one is made and shown once.",
            absence=Absence.GENERATED,
            check=webhook_key,
            written=written_webhook_secret,
        ),
    ),
    hook=Hook(_verify, _read, _next_steps),
)

"""What comes from Amazon EventBridge through an API destination: one event a request, as JSON.

A rule forwards the whole matched event; its connection sends an API key in a header that we name.
EventBridge delivers at least once and in any order, and repeats for 24 hours with the same `id`.
"""

from __future__ import annotations

from app.domain.kinds import RawValue
from app.intake.credentials import Absence, Secret
from app.intake.proofs import verify_token
from app.intake.reading import read_json
from app.intake.records import Record, record_of
from app.intake.requests import Connecting, HookRequest, Step

API_KEY_HEADER = "x-api-key"

API_KEY = Secret(
    "api_key",
    f"Value of the header {API_KEY_HEADER} in the connection of the API destination; made if "
    "absent, shown once.",
    absence=Absence.GENERATED,
)


def verify_api_key(request: HookRequest) -> None:
    """The connection's API key. Raises Unauthenticated."""
    verify_token(request.headers.get(API_KEY_HEADER), request.credentials.get("api_key", ()))


def read_envelope(body: bytes) -> Record:
    """The event's envelope. Raises Invalid, Unreadable."""
    return record_of(read_json(body))


def is_from(envelope: Record, source: str) -> bool:
    """Whether an event is of this source; partners' names go on after it with a slash."""
    found: RawValue = envelope.values.get("source")
    return isinstance(found, str) and (found == source or found.startswith(f"{source}/"))


def destination_steps(connecting: Connecting) -> tuple[Step, ...]:
    """How an API destination is made that sends to this source."""
    return (
        Step("create_eventbridge_connection", {"header": API_KEY_HEADER}),
        Step("create_eventbridge_destination", {"url": connecting.hook_url}),
        Step("keep_eventbridge_dead_letters", {}),
    )

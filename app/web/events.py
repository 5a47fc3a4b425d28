"""POST /v1/events: the direct door. A bare ASGI app: every microsecond here is paid per call.

The body is received within limits by the layers around it, read once, and committed together
with what others sent meanwhile; the answer is given after the fsync.
"""

from __future__ import annotations

from collections import Counter

from starlette.requests import Request
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from app.domain.activities import Outcome
from app.domain.deliveries import ItemResult
from app.intake.events import MAX_ITEMS, refuse_repeated
from app.telemetry import Counters
from app.usecases.recording import record_events
from app.web.auth import admitted
from app.web.problems import language_of, problem
from app.web.resources import Json, encoded
from app.web.routes import refuse_unknown_parameters

PATH = "/v1/events"
_COUNTED = (
    Outcome.ACCEPTED,
    Outcome.REVISED,
    Outcome.DUPLICATE,
    Outcome.STALE,
    Outcome.QUARANTINED,
)


class EventsDoor:
    """The endpoint, past Starlette's request and response, of which it needs nothing.

    The layers around it have received the body whole, so it comes as one message.
    """

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One result an item: counts of what went well, a list of what did not."""
        principal = await admitted(scope, "ingest")
        if scope["query_string"]:
            refuse_unknown_parameters(Request(scope))
        state = scope["app"].state
        headers = {name.decode("latin-1"): v.decode("latin-1") for name, v in scope["headers"]}
        body = (await receive()).get("body", b"")
        media_type = headers.get("content-type", "")
        if len(headers) != len(scope["headers"]):
            refuse_repeated((name.decode("latin-1") for name, _ in scope["headers"]), media_type)
        waiting = record_events(state.context, principal.workspace, body, media_type, headers)
        results = await state.arrivals.of(waiting)
        count(state.platform.counters, results)
        await _answer(send, encoded(summary(results, language_of(scope))))


async def _answer(send: Send, body: bytes) -> None:
    headers = [
        (b"content-length", str(len(body)).encode()),
        (b"content-type", b"application/json"),
    ]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def count(counters: Counters, results: list[ItemResult]) -> None:
    """Tell the service's own metrics what became of items."""
    for outcome, number in Counter(result.outcome for result in results).items():
        counters.counted(outcome, number)


def summary(results: list[ItemResult], language: str) -> Json:
    """The answer about each item: numbers of what went well, a list of what did not."""
    numbers = Counter(result.outcome for result in results)
    told: Json = {outcome.value: numbers[outcome] for outcome in _COUNTED}
    told["pending"] = 0  # every sender there is so far sends whole activities
    for name, outcome in (("rejected", Outcome.REJECTED), ("conflicts", Outcome.CONFLICT)):
        told[name] = [_told(result, language) for result in results if result.outcome is outcome]
    return told


def _told(result: ItemResult, language: str) -> Json:
    told: Json = {"index": result.index, "id": result.id}
    if result.error is not None:
        told["problem"] = problem(result.error, language, None)
    return told


_EVENT = {"$ref": "#/components/schemas/CloudEvent"}
_ATTRIBUTES = "specversion id type source subject time actor revision merge retracted".split()
_MEDIA_TYPES: Json = {
    "application/cloudevents+json": {"schema": _EVENT},
    "application/cloudevents-batch+json": {
        "schema": {"type": "array", "items": _EVENT, "maxItems": MAX_ITEMS}
    },
    "application/x-ndjson": {
        "schema": {"type": "string", "description": "One CloudEvent a line, as in a batch."}
    },
    "application/json": {"schema": {"$ref": "#/components/schemas/EventData"}},
}
DOCUMENT: Json = {
    "operationId": "post_events",
    "tags": ["events"],
    "summary": "Report activities",
    "description": "CloudEvents 1.0: structured, a batch of them, binary (the body is the `data`, "
    "the attributes are in `ce-` headers), or NDJSON with one structured event a line. `subject`, "
    "else `id`, is the key of the activity; `revision`, `actor`, `retracted`, `merge` are "
    "extension attributes. The answer is given once everything is on disk, and is about each item: "
    "one that cannot be used is rejected alone. Sending again is harmless.",
    "security": [{"key": ["ingest"]}],
    "parameters": [
        {
            "name": f"ce-{attribute}",
            "in": "header",
            "schema": {"type": "string"},
            "description": "Binary mode only: the attribute of this name, percent-encoded UTF-8.",
        }
        for attribute in _ATTRIBUTES
    ],
    "requestBody": {"required": True, "content": _MEDIA_TYPES},
    "responses": {
        "200": {
            "description": "What became of the items.",
            "content": {
                "application/json": {"schema": {"$ref": "#/components/schemas/EventsAnswer"}}
            },
        },
        # Of the query alone: what is wrong with an event is told in the answer's items.
        "422": {"$ref": "#/components/responses/Problem422"},
    },
}
DOOR = EventsDoor()
ROUTE = Route(PATH, DOOR, methods=["POST"], include_in_schema=False)

"""POST /v1/events: the direct door. A bare ASGI app: every microsecond here is paid per call.

The body is received within limits by the layers around it, read once, and committed together
with what others sent meanwhile; the answer is given after the fsync.
"""

from __future__ import annotations

import asyncio
from collections import Counter
from functools import cache

from starlette.requests import Request
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from app.domain.activities import Outcome
from app.domain.deliveries import ItemResult
from app.domain.errors import Invalid
from app.intake.events import MAX_ITEMS, refuse_repeated
from app.intake.tables import MEDIA_TYPE, is_table
from app.telemetry import Counters
from app.usecases.context import Context
from app.usecases.recording import Results, record_events, record_table
from app.views.messages import DEFAULT_LANGUAGE
from app.web.auth import admitted
from app.web.middleware import SETTLED, at_once
from app.web.problems import language_of, problem
from app.web.resources import Json, encoded
from app.web.routes import refuse_unknown_parameters

PATH = "/v1/events"
SOURCE = "source"
# What a key must be allowed to.
SCOPE = "ingest"
_COUNTED = (
    Outcome.ACCEPTED,
    Outcome.REVISED,
    Outcome.DUPLICATE,
    Outcome.STALE,
    Outcome.QUARANTINED,
    Outcome.PENDING,
)


class EventsDoor:
    """The endpoint, past Starlette's request and response, of which it needs nothing.

    The layers around it have received the body whole, so it comes as one message.
    """

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One result an item: counts of what went well, a list of what did not."""
        if SETTLED in scope:
            await self._tell(scope, send)
            return
        principal = await admitted(scope, SCOPE)
        source = _source(Request(scope)) if scope["query_string"] else None
        state = scope["app"].state
        media_type, headers = described(scope)
        body = (await receive()).get("body", b"")
        if source is not None or is_table(media_type):
            rows = await _table(state.context, principal.workspace, source, body, media_type)
            results = await state.arrivals.of(rows)
        else:
            arrival = state.arrivals.expected()
            context, workspace = state.context, principal.workspace
            record_events(context, workspace, body, media_type, headers, arrival)
            results = await arrival.here
        count(state.platform.counters, results)
        told = answer(results, scope)
        if state.platform.cors_origins or not at_once(scope, told):
            await _answer(send, told)

    async def _tell(self, scope: Scope, send: Send) -> None:
        settled = scope[SETTLED]
        if isinstance(settled, BaseException):
            raise settled
        count(scope["app"].state.platform.counters, settled)
        await _answer(send, answer(settled, scope))


def described(scope: Scope) -> tuple[str, dict[str, str]]:
    """The media type, and the headers that may say something of an event."""
    media_type, given = b"", []
    for name, value in scope["headers"]:
        if name == b"content-type":
            media_type = value
        elif name.startswith(b"ce-"):
            given.append((name.decode("latin-1"), value.decode("latin-1")))
    if not given:
        return media_type.decode("latin-1"), {}
    headers = dict(given)
    if len(headers) != len(given):
        refuse_repeated((name for name, _ in given), media_type.decode("latin-1"))
    return media_type.decode("latin-1"), headers


def _source(request: Request) -> str | None:
    refuse_unknown_parameters(request)
    return request.query_params.get(SOURCE)


async def _table(
    context: Context, workspace: str, source: str | None, body: bytes, media_type: str
) -> Results:
    """Rows are many and want the store for their mapping: a thread reads them."""
    if not is_table(media_type):
        raise Invalid("source_only_for_tables", expected=MEDIA_TYPE)
    if not source:
        raise Invalid("source_required")
    return await asyncio.to_thread(record_table, context, workspace, source, body, media_type)


async def _answer(send: Send, body: bytes) -> None:
    headers = [
        (b"content-length", str(len(body)).encode()),
        (b"content-type", b"application/json"),
    ]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


def count(counters: Counters, results: list[ItemResult]) -> None:
    """Tell the service's own metrics what became of items."""
    if len(results) == 1:
        counters.counted(results[0].outcome)
        return
    for outcome, number in Counter([result.outcome for result in results]).items():
        counters.counted(outcome, number)


def answer(results: list[ItemResult], scope: Scope) -> bytes:
    """The answer about all items; nearly always about one of which nothing is to be explained."""
    if len(results) == 1 and results[0].error is None:
        return _plain(results[0].outcome)
    return encoded(summary(results, language_of(scope)))


@cache
def _plain(outcome: Outcome) -> bytes:
    return encoded(summary([ItemResult(0, None, outcome)], DEFAULT_LANGUAGE))


def summary(results: list[ItemResult], language: str) -> Json:
    """The answer about each item: numbers of what went well, a list of what did not."""
    numbers = Counter(result.outcome for result in results)
    told: Json = {outcome.value: numbers[outcome] for outcome in _COUNTED}
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
    MEDIA_TYPE: {
        "schema": {
            "type": "string",
            "description": "A header and a row an activity, separated by commas, in UTF-8 with or "
            "without byte order mark; read by the mapping of the source.",
        }
    },
}
_PARAMETERS: list[Json] = [
    {
        "name": SOURCE,
        "in": "query",
        "schema": {"type": "string"},
        "description": "CSV only, and required there: the source whose mapping says what the "
        "columns mean.",
    }
]
_PARAMETERS += [
    {
        "name": f"ce-{attribute}",
        "in": "header",
        "schema": {"type": "string"},
        "description": "Binary mode only: the attribute of this name, percent-encoded UTF-8.",
    }
    for attribute in _ATTRIBUTES
]
DOCUMENT: Json = {
    "operationId": "post_events",
    "tags": ["events"],
    "summary": "Report activities",
    "description": "CloudEvents 1.0: structured, a batch of them, binary (the body is the `data`, "
    "the attributes are in `ce-` headers), or NDJSON with one structured event a line. `subject`, "
    "else `id`, is the key of the activity; `revision`, `actor`, `retracted`, `merge` are "
    "extension attributes. CSV is read by the mapping of the source that `source` names: the index "
    "of an item is the number of its row, as a spreadsheet shows it (the header is row 1), and a "
    "fault points at its cell (`/row/17/close_date`). The answer is given once everything is on "
    "disk, and is about each item: one that cannot be used is rejected alone. Sending again is "
    "harmless.",
    "security": [{"key": [SCOPE]}],
    "parameters": _PARAMETERS,
    "requestBody": {"required": True, "content": _MEDIA_TYPES},
    "responses": {
        "200": {
            "description": "What became of the items.",
            "content": {
                "application/json": {"schema": {"$ref": "#/components/schemas/EventsAnswer"}}
            },
        },
        # Of a table's source.
        "404": {"$ref": "#/components/responses/Problem404"},
        "409": {"$ref": "#/components/responses/Problem409"},
        # Of the query and of a table's header: what is wrong with an event is told in the items.
        "422": {"$ref": "#/components/responses/Problem422"},
    },
}
DOOR = EventsDoor()
ROUTE = Route(PATH, DOOR, methods=["POST"], include_in_schema=False)

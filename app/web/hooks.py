"""POST /v1/hooks/{hook}: a provider's webhook, answered the way this provider expects.

The address itself is a secret: a wrong one is unknown, not forbidden. Whoever guesses addresses
meets the same limit as whoever guesses keys. One that was replaced is unknown when it has had its
time; but whoever calls it guesses nothing, and shares its addresses with senders that are right.
"""

from __future__ import annotations

import asyncio

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app.domain.activities import Outcome
from app.domain.errors import NotFound, TasseiError
from app.intake.requests import Answer, Step
from app.telemetry import logger
from app.usecases.context import Context
from app.usecases.receiving import Connection, Connections, HookCall, Taken, record_hook
from app.usecases.source_secrets import ADDRESS_REPLACED
from app.web.auth import Attempts, client_address
from app.web.events import count
from app.web.problems import MethodNotAllowed

PATH = "/v1/hooks/{hook}"
# Bodies up to this many bytes are read faster than a thread is woken.
SMALL = 32 * 1024


async def receive_hook(request: Request) -> Response:
    """Prove, store, then say thanks in the provider's own words."""
    app, scope = request.app, request.scope
    connection = await _connection(request)
    context: Context = app.state.context
    if connection.has_ended(context.clock()):
        _note(context, connection, ADDRESS_REPLACED)
        raise NotFound("unknown_hook")
    if request.method not in connection.hook.methods:
        _note(context, connection, "method_not_allowed")
        raise MethodNotAllowed(connection.hook.methods)
    query = scope["query_string"].decode("latin-1")
    target = request.url.path + (f"?{query}" if query else "")
    call = HookCall(request.method, target, dict(request.headers), await request.body())
    # A mapping is the customer's, and what it costs is bounded but not small: not on the loop.
    costly = connection.mapping is not None or len(call.body) > SMALL
    taking = (context, connection, call)
    met = await asyncio.to_thread(record_hook, *taking) if costly else record_hook(*taking)
    return _answered(await _stored(request, connection, met) if isinstance(met, Taken) else met)


def _note(context: Context, connection: Connection, code: str) -> None:
    context.refusals.note(connection.workspace, connection.source, code, lambda: Step(code, {}))


async def _stored(request: Request, connection: Connection, taken: Taken) -> Answer:
    """What the provider is told, once its delivery is on disk or could not be stored."""
    app = request.app
    try:
        results = await app.state.arrivals.of(taken.results)
    except TasseiError as error:
        if taken.failed is None:
            raise
        logger(__name__).warning("not stored", source=connection.source, code=error.code)
        return taken.failed
    counters = app.state.platform.counters
    count(counters, results)
    if taken.pending:
        counters.counted(Outcome.PENDING, taken.pending)
    return taken.answer


def _answered(answer: Answer) -> Response:
    # Past Starlette's own `media_type`, which would add a character set to texts.
    told = dict(answer.headers)
    if answer.media_type is not None:
        told["content-type"] = answer.media_type
    return Response(answer.body, answer.status, told)


async def _connection(request: Request) -> Connection:
    state, token = request.app.state, request.path_params["hook"]
    connections: Connections = state.connections
    attempts: Attempts = state.attempts
    connection = connections.remembered(token)
    if connection is not None:
        return connection
    address = client_address(request.scope)
    attempts.check(address)
    try:
        return await asyncio.to_thread(connections.find, token)
    except NotFound:
        attempts.failed(address)
        raise


_DOCUMENT = {
    "tags": ["hooks"],
    "summary": "A provider's webhook",
    "description": "The address comes from PUT /v1/sources/{key}; providers call it, clients do "
    "not. Proof, media type and method are each provider's own (docs/senders). What is authentic "
    "is acknowledged once it is on disk, also where it is of no interest or cannot be counted "
    "(then it is in /v1/quarantine); anything else is refused. A provider that expects more than "
    "an empty 204 gets what it expects: a challenge sent back, or an acknowledgement in XML.",
    "security": [],
    "parameters": [
        {
            "name": "hook",
            "in": "path",
            "required": True,
            "schema": {"type": "string"},
            "description": "The last part of the source's `hook_url`. It is a secret.",
        }
    ],
    "responses": {
        "204": {"description": "Stored."},
        "2XX": {
            "description": "Stored, or a handshake, as this provider expects it.",
            "content": {"*/*": {"schema": {}}},
        },
        "401": {"$ref": "#/components/responses/Problem401"},
        "429": {"$ref": "#/components/responses/Problem429"},
    },
}
_BODY = {
    "required": True,
    "content": {
        "application/json": {"schema": {"description": "As the provider sends it."}},
        "application/x-www-form-urlencoded": {
            "schema": {
                "type": "object",
                "additionalProperties": {"type": "string"},
                "description": "As the provider sends it.",
            }
        },
    },
}
DOCUMENTS = {
    "post": _DOCUMENT | {"operationId": "receive_hook", "requestBody": _BODY},
    "get": _DOCUMENT | {"operationId": "receive_hook_by_get"},
}
ROUTE = Route(PATH, receive_hook, methods=["POST", "GET"], include_in_schema=False)

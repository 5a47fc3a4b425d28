"""POST /v1/hooks/{hook}: a provider's webhook, answered the way this provider expects.

The address itself is a secret: a wrong one is unknown, not forbidden. Whoever guesses addresses
meets the same limit as whoever guesses keys.
"""

from __future__ import annotations

import asyncio

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app.domain.errors import NotFound
from app.usecases.recording import Connection, Connections, HookCall, record_hook
from app.web.auth import Attempts, client_address
from app.web.events import count

PATH = "/v1/hooks/{hook}"


async def receive_hook(request: Request) -> Response:
    """Prove, store, then say thanks."""
    app, scope = request.app, request.scope
    connection = await _connection(request)
    query = scope["query_string"].decode("latin-1")
    target = request.url.path + (f"?{query}" if query else "")
    call = HookCall(request.method, target, dict(request.headers), await request.body())
    waiting, thanks = record_hook(app.state.context, connection, call)
    count(app.state.platform.counters, await app.state.arrivals.of(waiting))
    return Response(thanks.body, thanks.status, media_type=thanks.media_type)


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
    "not. The signature travels as each provider has it: `webhook-id`, `webhook-timestamp` and "
    "`webhook-signature` (Standard Webhooks), `X-Twilio-Signature`, or Basic authentication "
    "(Pipedrive). What is authentic is acknowledged once it is on disk, also where it is of no "
    "interest or cannot be counted (then it is in /v1/quarantine); anything else is refused.",
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

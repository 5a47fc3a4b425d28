"""POST /v1/hooks/{hook}: a provider's webhook, answered the way this provider expects.

The address itself is a secret: a wrong one is unknown, not forbidden. Whoever guesses addresses
meets the same limit as whoever guesses keys.
"""

from __future__ import annotations

import asyncio

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app.usecases.recording import Connections, HookCall, record_hook
from app.web.events import count

PATH = "/v1/hooks/{hook}"


async def receive_hook(request: Request) -> Response:
    """Prove, store, then say thanks."""
    app, scope = request.app, request.scope
    connections: Connections = app.state.connections
    token = request.path_params["hook"]
    connection = connections.remembered(token)
    if connection is None:
        with app.state.attempts.guarded(scope):
            connection = await asyncio.to_thread(connections.find, token)
    query = scope["query_string"].decode("latin-1")
    target = request.url.path + (f"?{query}" if query else "")
    call = HookCall(request.method, target, dict(request.headers), await request.body())
    waiting, thanks = record_hook(app.state.context, connection, call)
    count(app.state.platform.counters, await asyncio.wrap_future(waiting))
    return Response(thanks.body, thanks.status, media_type=thanks.media_type)


ROUTE = Route(PATH, receive_hook, methods=["POST", "GET"], include_in_schema=False)

"""The way past the framework for the one request that comes thousands of times a second.

FastAPI's own layers and its router took more time than reading the event and waiting for the
disk. So a door's requests go through our layers (observing, limits) straight to the endpoint. It
is a route of the app all the same: other methods, the document and the metrics know it.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from starlette.middleware import Middleware
from starlette.types import ASGIApp, Receive, Scope, Send

from app.domain.errors import TasseiError
from app.web.problems import response


class Shortcuts:
    """POST requests to exact paths, each answered by its endpoint inside the given layers."""

    def __init__(self, doors: Mapping[str, ASGIApp], layers: Sequence[Middleware]) -> None:
        self._doors = doors
        app: ASGIApp = _called
        for layer, args, kwargs in reversed(layers):
            app = layer(app, *args, **kwargs)
        self._app = app

    def of(self, scope: Scope) -> ASGIApp | None:
        """The way to the endpoint; None for every request that goes the usual way."""
        if scope["type"] != "http" or scope["method"] != "POST":
            return None
        door = self._doors.get(scope["path"])
        if door is None:
            return None
        scope["endpoint"] = door
        return self._app


async def _called(scope: Scope, receive: Receive, send: Send) -> None:
    try:
        await scope["endpoint"](scope, receive, send)
    except TasseiError as error:
        await response(scope, error)(scope, receive, send)

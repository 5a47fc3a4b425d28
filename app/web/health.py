"""The probes.

/livez asks the process alone: a database that is down must not restart every replica. /readyz
asks for whatever the service needs, and says no while it drains.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from app.domain.errors import TasseiError, Unavailable
from app.telemetry import logger

Check = Callable[[], None]


class Drain:
    """Whether the service is on its way out."""

    def __init__(self) -> None:
        self.begun = False
        self._listeners: list[Callable[[], None]] = []

    def listen(self, listener: Callable[[], None]) -> None:
        """Tell it when it begins; it is called from a signal handler, and has to be quick."""
        self._listeners.append(listener)

    def begin(self) -> None:
        """From now on /readyz says no."""
        self.begun = True
        for listener in self._listeners:
            listener()


def probes(check: Check, drain: Drain) -> list[Route]:
    """/livez and /readyz. `check` runs in a thread and raises Unavailable with what is lacking."""

    async def livez(_request: Request) -> Response:
        return JSONResponse({"status": "live"})

    async def readyz(_request: Request) -> Response:
        if drain.begun:
            raise Unavailable("draining")
        try:
            await run_in_threadpool(check)
        except TasseiError:
            raise
        except Exception:  # noqa: BLE001 - whatever is broken, the answer is "not ready"
            logger("tassei.web").exception("readiness check failed")
            raise Unavailable("not_ready") from None
        return JSONResponse({"status": "ready"})

    return [Route("/livez", livez), Route("/readyz", readyz)]


def _document(name: str, summary: str, description: str, status: str) -> dict[str, Any]:
    schema = {
        "type": "object",
        "required": ["status"],
        "properties": {"status": {"const": status}},
        "additionalProperties": False,
    }
    content = {"application/json": {"schema": schema}}
    return {
        "operationId": name,
        "tags": ["operations"],
        "summary": summary,
        "description": description,
        "security": [],
        "responses": {"200": {"description": "Yes.", "content": content}},
    }


DOCUMENTS = {
    "/livez": _document(
        "livez",
        "Whether the process answers",
        "Asks the process alone, never the database.",
        "live",
    ),
    "/readyz": _document(
        "readyz",
        "Whether the service can work",
        "503 while the database does not answer, and while the service shuts down.",
        "ready",
    ),
}

"""The probes.

/livez asks the process alone: a database that is down must not restart every replica. /readyz
asks for whatever the service needs, and says no while it drains. A database that can be read and
not written to leaves it ready: reads are answered, and senders are told when to try again, which
nobody would do for a service taken away. What writes lack is said beside it.
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
# Why writes are refused; None while they are taken.
Refusing = Callable[[], str | None]


def taking() -> None:
    """Where nothing is written, nothing is refused."""


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


def probes(check: Check, refusing: Refusing, drain: Drain) -> list[Route]:
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
        why = refusing()
        return JSONResponse({"status": "ready"} | ({"writes": why} if why else {}))

    return [Route("/livez", livez), Route("/readyz", readyz)]


_WRITES = {
    "writes": {
        "type": "string",
        "description": "Only while writes are refused: why, as in their problem's type "
        "(`disk_is_full`, `database_is_read_only`, `database_is_locked`, ...).",
    }
}


def _document(
    name: str, summary: str, description: str, status: str, more: dict[str, Any] | None = None
) -> dict[str, Any]:
    schema = {
        "type": "object",
        "required": ["status"],
        "properties": {"status": {"const": status}} | (more or {}),
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
        "503 while the database does not answer, and while the service shuts down. While it can "
        "be read and not written to, reads are answered, so the service is ready, and says so.",
        "ready",
        _WRITES,
    ),
}

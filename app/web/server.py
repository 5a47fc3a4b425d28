"""The server: uvicorn with our protocol, stopped cleanly."""

from __future__ import annotations

import gc
import os
import socket
import sys
from functools import partial
from types import FrameType
from typing import Any

import uvicorn
from starlette.types import ASGIApp, Receive, Scope, Send

from app.telemetry import logger
from app.web.direct import Direct
from app.web.health import Drain
from app.web.listener import GuardedProtocol

DRAIN_SECONDS = 20
COLLECT_AFTER = (50_000, 20, 20)
# How long another thread may keep the interpreter from the event loop, a fifth of Python's own: who
# writes waits for every one of these while progress is evaluated.
TURN_SECONDS = 0.001


class Server(uvicorn.Server):
    """Stops cleanly on SIGTERM: readiness says no, requests under way end, the exit code is 0.

    A second signal ends the process there and then. Whatever was answered is on disk by then.
    """

    def __init__(self, config: uvicorn.Config, drain: Drain) -> None:
        super().__init__(config)
        self._drain = drain

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:  # noqa: ARG002 - uvicorn's signature
        """Unlike uvicorn's, remembers no signal to raise again once all is done."""
        if self.should_exit:
            # Not by uvicorn's loop, which may itself be what hangs; nor by the signal's default,
            # from which the kernel spares the first process of a container.
            os._exit(128 + sig)
        self._drain.begin()
        self.should_exit = True


class ByPort:
    """Sends what comes in by the metrics port to an app of its own."""

    def __init__(self, app: ASGIApp, metrics: ASGIApp, metrics_port: int) -> None:
        self.app = app
        self.metrics = metrics
        self._port = metrics_port

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        arrived_at = scope.get("server")
        by_metrics = arrived_at is not None and arrived_at[1] == self._port
        await (self.metrics if by_metrics else self.app)(scope, receive, send)


def serve(
    app: ASGIApp,
    drain: Drain,
    sockets: list[socket.socket],
    direct: Direct | None = None,
    **config: Any,  # noqa: ANN401 - uvicorn's
) -> None:
    """Serves until SIGTERM or SIGINT. The sockets are open already.

    direct: what may answer a request that is whole, past the app
    """
    for listening in sockets:
        host, port = listening.getsockname()[:2]
        logger().info("listening", host=host, port=port)
    server_config = uvicorn.Config(
        app,
        **{
            "http": partial(GuardedProtocol, direct=direct),
            "loop": "uvloop",
            "ws": "none",
            "workers": 1,
            "log_config": None,
            "access_log": False,
            "server_header": False,
            "timeout_graceful_shutdown": DRAIN_SECONDS,
            **config,
        },
    )
    if direct is not None and server_config.proxy_headers:
        direct.believe(server_config.forwarded_allow_ips)
    _settle_memory()
    sys.setswitchinterval(TURN_SECONDS)
    Server(server_config, drain).run(sockets)
    # All that is left is the end of the process. Python would first go through every object once
    # more, which takes longer than everything before it, for memory that is given back anyway.
    gc.freeze()


def _settle_memory() -> None:
    """What was made so far lives as long as the process: the collector need not look at it again.

    What comes after is mostly without cycles and freed at once. At Python's own 700 objects the
    collector would run some times in each commit, and find nothing.
    """
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECT_AFTER)


def listen(host: str, port: int) -> socket.socket:
    """A listening socket; OSError when the address is not free."""
    family, kind, _, _, address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0]
    listening = socket.socket(family, kind)
    listening.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listening.bind(address)
    listening.set_inheritable(False)
    return listening

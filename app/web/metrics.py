"""GET /metrics: what Prometheus scrapes."""

from __future__ import annotations

import hmac
from collections.abc import Callable, Sequence

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from app.domain.errors import Unauthenticated
from app.telemetry import Counters

# Families in the text format that both of Prometheus's formats share: HELP, TYPE, samples.
Families = Callable[[], bytes]
_END = b"# EOF\n"


def metrics_route(counters: Counters, token: str | None, families: Sequence[Families]) -> Route:
    """The route; `families` add text that others hold ready, such as the goals' gauges."""

    def rendered(accept: str) -> Response:
        own, media_type = counters.exposition(accept)
        end = _END if own.endswith(_END) else b""
        body = own.removesuffix(_END) + b"".join(family() for family in families) + end
        return Response(body, headers={"Content-Type": media_type})

    async def metrics(request: Request) -> Response:
        sent = request.headers.get("authorization", "").removeprefix("Bearer ")
        if token is not None and not hmac.compare_digest(sent.encode(), token.encode()):
            raise Unauthenticated("metrics_token")
        # A thousand series take 14 ms: not on the event loop, where every request waits.
        return await run_in_threadpool(rendered, request.headers.get("accept", ""))

    return Route("/metrics", metrics, include_in_schema=False)

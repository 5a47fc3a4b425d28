"""The application factory: the one place where the parts meet, and where the clock is."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from importlib.metadata import version

from fastapi import APIRouter, FastAPI
from starlette.applications import Starlette
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Lifespan

from app.settings import Settings
from app.telemetry import Counters
from app.web.auth import Gate
from app.web.health import Check
from app.web.metrics import metrics_route
from app.web.server import ByPort
from app.web.service import Platform, Service, assembled

Clock = Callable[[], int]


def wall_clock() -> int:
    """Microseconds since 1970 UTC."""
    return time.time_ns() // 1000


def create_app(
    settings: Settings,
    *,
    clock: Clock = wall_clock,
    gate: Gate | None = None,
    check: Check = lambda: None,
    routers: Sequence[APIRouter] = (),
    doors: Sequence[BaseRoute] = (),
    lifespan: Lifespan[FastAPI] | None = None,
) -> Service:
    """The service. Tests hand in the clock; without a gate no key is known and none is let in."""
    platform = Platform(
        version=version("tassei"),
        clock=clock,
        monotonic=time.monotonic,
        counters=Counters(version("tassei")),
        check=check,
        gate=gate,
        public_url=settings.public_url,
        cors_origins=settings.cors_origins,
        metrics_port=settings.metrics_port,
        metrics_token=settings.metrics_token.get_secret_value() if settings.metrics_token else None,
    )
    return assembled(platform, routers=routers, doors=doors, lifespan=lifespan)


def by_port(app: Service) -> ASGIApp:
    """The app as it is served: with a metrics port, /metrics is there and only there."""
    platform: Platform = app.state.platform
    if platform.metrics_port is None:
        return app
    route = metrics_route(platform.counters, platform.metrics_token, platform.families)
    return ByPort(app, Starlette(routes=[route]), platform.metrics_port)

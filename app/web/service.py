"""The service as one ASGI app: routes, errors, layers, document."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from fastapi import APIRouter, FastAPI
from fastapi.exceptions import RequestValidationError
from fastapi.routing import APIRoute
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute
from starlette.types import ASGIApp, Lifespan, Receive, Scope, Send

from app.domain.errors import TasseiError
from app.web import health
from app.web.arrivals import Arrivals
from app.web.direct import Direct
from app.web.examples import recorded
from app.web.faults import of_http, refused
from app.web.health import Drain
from app.web.metrics import metrics_route
from app.web.middleware import Cors, Guarded, Observed, Told
from app.web.openapi import completed
from app.web.platform import Platform
from app.web.problems import MethodNotAllowed, response
from app.web.routes import QueryNames, ResourceRoute, Templates, query_names
from app.web.shortcuts import Shortcuts


class Service(FastAPI):
    """FastAPI, knowing its whole templates and its complete document."""

    _shortcuts: Shortcuts | None = None
    _templates: Templates | None = None
    _raw: Mapping[str, Any] | None = None
    _names: QueryNames

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """The usual way, or the short one."""
        short = self._shortcuts.of(scope) if self._shortcuts else None
        if short is None:
            await super().__call__(scope, receive, send)
        else:
            scope["app"] = self
            await short(scope, receive, send)

    def shorten(self, doors: Mapping[str, ASGIApp]) -> None:
        """Answer POST at these exact paths past the framework, inside the same layers."""
        self._shortcuts = Shortcuts(doors, self.user_middleware)

    def openapi(self) -> dict[str, Any]:
        """FastAPI's document, completed; made anew when the routes change."""
        raw = super().openapi()
        if raw is not self._raw:
            self._raw = raw
            self._document = completed(raw, self.state.documents, recorded())
            self._names = query_names(self._document)
        return self._document

    def templates(self) -> Templates:
        """Every route by its whole template, as of the first request."""
        if self._templates is None:
            self._templates = Templates(self.routes)
        return self._templates

    def query_names(self, scope: Scope) -> Mapping[str, bool]:
        """The documented query parameters of a routed request."""
        self.openapi()
        return self._names.get((scope["method"], self.templates().of(scope)), {})


def router(prefix: str, tag: str) -> APIRouter:
    """A router for resources: strict in what it takes. Use no other."""
    return APIRouter(
        prefix=prefix,
        tags=[tag],
        route_class=ResourceRoute,
        generate_unique_id_function=_operation_id,
    )


def assembled(
    platform: Platform,
    *,
    routers: Sequence[APIRouter] = (),
    doors: Sequence[BaseRoute] = (),
    lifespan: Lifespan[FastAPI] | None = None,
) -> Service:
    """The app.

    `doors` are raw Starlette routes. They stand before FastAPI's routes and pay nothing for them,
    yet inside the same layers, error handlers and metrics.
    """
    drain = Drain()
    own = health.probes(platform.check, platform.refusing, drain)
    if platform.metrics_port is None:
        own.append(metrics_route(platform.counters, platform.metrics_token, platform.families))
    app = Service(
        title="Tassei",
        version=platform.version,
        routes=[*doors, *own],
        servers=[{"url": platform.public_url or "/"}],
        docs_url=None,
        redoc_url=None,
        redirect_slashes=False,
        # One name a body, whether it is sent or shown: a generated client has one type for both.
        separate_input_output_schemas=False,
        lifespan=lifespan,
        # Its logs would carry exception texts, and with them customers' data.
        telemetry={"tracing": False, "metrics": False, "logs": False},
    )
    app.state.platform = platform
    app.state.gate = platform.gate
    app.state.drain = drain
    app.state.arrivals = Arrivals()
    app.state.documents = {path: {"get": doc} for path, doc in health.DOCUMENTS.items()}
    for resource in routers:
        # As they are: including a router makes each of its routes anew at the first request, which
        # then waits for a tenth of a second.
        app.router.routes.extend(resource.routes)
    told = Told(platform.counters, app.templates)
    _add_layers(app, platform, told)
    app.state.direct = Direct(app, platform, told)
    _add_handlers(app)
    return app


def _operation_id(route: APIRoute) -> str:
    return route.name


def _add_layers(app: Service, platform: Platform, told: Told) -> None:
    app.user_middleware = [
        Middleware(Observed, told, platform.monotonic),
        Middleware(Guarded, platform.limits),
    ]
    if platform.cors_origins:
        cors = Middleware(
            Cors,
            allow_origins=platform.cors_origins,
            allow_methods=("GET", "HEAD", "POST", "PUT", "PATCH", "DELETE"),
            allow_headers=(
                "Authorization",
                "Content-Type",
                "If-Match",
                "If-None-Match",
                "Last-Event-ID",
            ),
            expose_headers=("ETag", "Retry-After", "X-Request-Id"),
        )
        app.user_middleware.insert(1, cors)


def _add_handlers(app: Service) -> None:
    async def of_ours(request: Request, error: Exception) -> Response:
        assert isinstance(error, TasseiError)  # noqa: S101 - Starlette looks handlers up by class
        return response(request.scope, error)

    async def of_fastapi(request: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)  # noqa: S101 - as above
        return response(request.scope, refused(error))

    async def of_starlette(request: Request, error: Exception) -> Response:
        assert isinstance(error, HTTPException)  # noqa: S101 - as above
        if error.status_code == 405:
            # Starlette's Allow names the first route's methods only.
            return response(request.scope, MethodNotAllowed(app.templates().allowed(request.scope)))
        return response(request.scope, of_http(error))

    app.add_exception_handler(TasseiError, of_ours)
    app.add_exception_handler(RequestValidationError, of_fastapi)
    app.add_exception_handler(HTTPException, of_starlette)

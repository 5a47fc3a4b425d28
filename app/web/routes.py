"""What stands between Starlette's router and a route of ours.

Routes are the app's own, never included: an included router would be a node without a path, whose
routes are made anew. Everything that needs a template asks here.
"""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Iterable, Mapping
from typing import Any

from fastapi import FastAPI
from fastapi.routing import APIRoute
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route, compile_path
from starlette.types import Scope

from app.domain.errors import Fault, Invalid, UnsupportedMedia
from app.intake.reading import read_json

UNMATCHED = "unmatched"
_JSON = "application/json"
_PATCHES = frozenset({"application/merge-patch+json", _JSON})


class Templates:
    """Every route of an app by its whole template."""

    def __init__(self, routes: Iterable[BaseRoute]) -> None:
        self._methods: dict[str, set[str]] = {}
        self._of_endpoint: dict[object, str] = {}
        for route in routes:
            if not isinstance(route, Route):
                raise TypeError(f"not a route of ours: {route}")
            self._methods.setdefault(route.path_format, set()).update(route.methods or ())
            known = self._of_endpoint.setdefault(route.endpoint, route.path_format)
            if known != route.path_format:
                raise ValueError(f"one endpoint at two addresses: {known}, {route.path_format}")
        self._patterns = {template: compile_path(template)[0] for template in self._methods}

    def of(self, scope: Scope) -> str:
        """The template of a routed request, or "unmatched"."""
        return self._of_endpoint.get(scope.get("endpoint"), UNMATCHED)

    def allowed(self, scope: Scope) -> set[str]:
        """Every method that some route answers at this path; HEAD wherever GET."""
        path = scope["path"]
        matching = (m for t, m in self._methods.items() if self._patterns[t].match(path))
        methods = set[str]().union(*matching)
        return methods | {"HEAD"} if "GET" in methods else methods


class _StrictRequest(Request):
    """Reads JSON by our rules, once: FastAPI's own reader keeps the last of repeated names."""

    async def json(self) -> Any:  # noqa: ANN401 - Starlette's signature
        if not hasattr(self, "_strict"):
            self._strict = read_json(await self.body())
        return self._strict


class ResourceRoute(APIRoute):
    """A route that takes only what it documents: its media type, its query, strict JSON."""

    def get_route_handler(self) -> Callable[[Request], Coroutine[Any, Any, Response]]:
        """Wraps FastAPI's handler, which would read the body before any dependency could object."""
        handle = super().get_route_handler()

        async def strictly(plain: Request) -> Response:
            request = _StrictRequest(plain.scope, plain.receive)
            refuse_unknown_parameters(request)
            if self.body_field is not None and await request.body():
                _refuse_other_media(request)
                # Read here, outside FastAPI's handler, which turns any error into its own 400.
                await request.json()
            return await handle(request)

        return strictly


def _refuse_other_media(request: Request) -> None:
    kind, _, parameters = request.headers.get("content-type", "").lower().partition(";")
    charset = parameters.replace(" ", "").replace('"', "")
    # A merge patch that is sent by PUT would replace the whole by a part of it.
    known = _PATCHES if request.method == "PATCH" else {_JSON}
    if kind.strip() not in known or charset not in ("", "charset=utf-8"):
        raise UnsupportedMedia("unsupported_media_type", expected=", ".join(sorted(known)))


def refuse_unknown_parameters(request: Request) -> None:
    """Invalid unless each query parameter is documented for this operation and given once.

    Documented is what OpenAPI says: one truth for readers and for the service. A misspelt filter
    that is ignored answers another question than the one that was asked; a key in a query string
    ends in logs.
    """
    if not request.url.query:
        return
    names = [name for name, _ in request.query_params.multi_items()]
    known = request.app.query_names(request.scope)
    if not known.keys() >= set(names):
        told = ", ".join(sorted(known)) or "-"
        raise Invalid("invalid_request", Fault("", "unknown_parameter", {"known": told}))
    for name, text in request.query_params.multi_items():
        if "\0" in text:
            # Nothing here is called so, and PostgreSQL takes no text that is.
            params = {"pattern": r"^[^\x00]*$", "parameter": name}
            raise Invalid("invalid_request", Fault("", "malformed", params))
    for name in names:
        if names.count(name) > 1 and not known[name]:
            fault = Fault("", "repeated_parameter", {"parameter": name})
            raise Invalid("invalid_request", fault)


QueryNames = Mapping[tuple[str, str], Mapping[str, bool]]


def query_names(schema: Mapping[str, Any]) -> QueryNames:
    """(method, template) -> the documented query parameters, and whether each may repeat."""
    return {
        (method.upper(), template): {
            parameter["name"]: _repeats(parameter.get("schema", {}))
            for parameter in operation.get("parameters", ())
            if parameter.get("in") == "query"
        }
        for template, operations in schema["paths"].items()
        for method, operation in operations.items()
    }


def _repeats(schema: Mapping[str, Any]) -> bool:
    return any(form.get("type") == "array" for form in (schema, *schema.get("anyOf", ())))


def documented(app: FastAPI, path: str, method: str, operation: Mapping[str, Any]) -> None:
    """Adds a raw route's operation to the OpenAPI document that the app serves."""
    app.state.documents.setdefault(path, {})[method.lower()] = dict(operation)

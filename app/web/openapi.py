"""The OpenAPI document: FastAPI's, completed with what FastAPI cannot know.

Raw routes, the problems that every operation can answer with, the headers, and examples. FastAPI's
own 422 goes: it describes a body that this service never sends.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import models_json_schema

from app.domain.errors import (
    Conflict,
    Fault,
    Forbidden,
    Invalid,
    NotFound,
    PreconditionFailed,
    PreconditionRequired,
    TasseiError,
    TooLarge,
    TooMany,
    TooSlow,
    Unauthenticated,
    Unavailable,
    Unreadable,
    UnsupportedMedia,
)
from app.views.messages import DEFAULT_LANGUAGE
from app.web.examples import Examples, illustrate
from app.web.problems import MEDIA_TYPE, Crash, problem, status_of
from app.web.schemas.answers_events import EventsAnswer, Problem
from app.web.schemas.cloudevents import CloudEvent, EventData

Schema = dict[str, Any]
_METHODS = frozenset("get put post delete options head patch trace".split())
_INSTANCE = "4f9c2a7b8d1e4c3f9a6b5d8e7f0a1b2c"

# One refusal of each status, as the service would write it: the examples cannot be wrong.
_REFUSALS: tuple[tuple[str, TasseiError], ...] = (
    ("The request cannot be read.", Unreadable("not_json")),
    ("No key, or one that is not valid.", Unauthenticated("unknown_key")),
    ("The key lacks the scope.", Forbidden("scope_missing", scope="write")),
    ("There is no such thing.", NotFound("no_such_route")),
    ("The body did not arrive in time.", TooSlow("body_too_slow", seconds=15)),
    ("It contradicts what stands.", Conflict("exists_already")),
    ("It was changed meanwhile.", PreconditionFailed("changed_meanwhile")),
    ("The body is too large.", TooLarge("body_too_large", limit=1048576)),
    (
        "The body has another media type.",
        UnsupportedMedia("unsupported_media_type", expected="application/json"),
    ),
    ("A rule forbids it.", Invalid("invalid_request", Fault("/name", "required"))),
    ("The version must be named.", PreconditionRequired("if_match_required")),
    ("Too many failed attempts.", TooMany("too_many_attempts", 6, seconds=6)),
    ("A fault of the service.", Crash("internal_error")),
    ("Try again later.", Unavailable("not_ready")),
)
_BODY = (408, 413, 415)
_KEYED = (401, 403, 429)
_WRITES = (409, 412, 428)

# What raw routes speak of; the models of the others come through FastAPI.
_DOORS: tuple[type[BaseModel], ...] = (Problem, EventsAnswer, CloudEvent, EventData)

_DESCRIPTION = """\
Goals of sales teams, back-calculated, counted from what really happened, and evaluated at any
moment.

- **Quantities** are decimal text (`"258.62069"`): at most six fractional digits, exact inside.
- **Times** are RFC 3339 with offset, days half-open; `+` in a query travels as `%2B`.
- **Writing**: clients choose keys. PUT creates or replaces whole; changing what stands wants its
  ETag as `If-Match`. The same PUT again changes nothing. DELETE archives, history stays.
- **Refusals** are problems (RFC 9457). Codes are stable; sentences speak the language of
  `Accept-Language` (`en`, `ja`).
- **Safety**: every answer carries `X-Request-Id`, which the log has too. Unknown fields and
  parameters are refused. HEAD is answered wherever GET is.
"""
_TAGS = {
    "workspace": "The workspace, its calendar, its API keys.",
    "people": "Teams, members, absences, and identities that are nobody's yet.",
    "sources": "Senders: how they are connected and whether they speak.",
    "metrics": "What is measured, and its numbers over time.",
    "plans": "Goal trees and their progress.",
    "events": "What happened: reporting it, and what became of the reports.",
    "hooks": "Where providers deliver.",
    "operations": "For those who run the service.",
}
_HEADERS: Schema = {
    "ETag": {
        "description": "Names this version. Send it as If-Match to change it; where 304 is "
        "answered, send it as If-None-Match to hear only of news.",
        "required": True,
        "schema": {"type": "string"},
        "example": '"1"',
    },
    "Retry-After": {
        "description": "Seconds to wait.",
        "required": True,
        "schema": {"type": "string", "pattern": "^[0-9]+$"},
        "example": "6",
    },
    "WWW-Authenticate": {
        "description": "How to say who you are.",
        "schema": {"type": "string"},
        "example": 'Bearer realm="tassei"',
    },
}
_TOLD_BY = {401: "WWW-Authenticate", 429: "Retry-After", 503: "Retry-After"}
_IF_NONE_MATCH: Schema = {
    "name": "If-None-Match",
    "in": "header",
    "required": False,
    "schema": {"type": "string"},
    "description": "The ETag you have; if it still holds, the answer is 304 without a body.",
}


def completed(
    schema: Schema, documents: Mapping[str, Mapping[str, Schema]], examples: Examples
) -> Schema:
    """The document that is served and committed. Changes nothing that it was given."""
    result: Schema = json.loads(json.dumps(schema))
    result["info"]["description"] = _DESCRIPTION
    for path, operations in documents.items():
        result["paths"].setdefault(path, {}).update(json.loads(json.dumps(operations)))
    for path, operation in _operations(result):
        _add_problems(path, operation, raw=path in documents)
        _finish(operation)
    used = {tag for _, operation in _operations(result) for tag in operation["tags"]}
    result["tags"] = [{"name": n, "description": d} for n, d in _TAGS.items() if n in used]
    components = result.setdefault("components", {})
    components["headers"] = _HEADERS
    components["responses"] = dict(_responses(examples))
    schemas = components.setdefault("schemas", {})
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    schemas.update(_door_schemas())
    illustrate(result, examples)
    return result


def _operations(schema: Schema) -> Iterator[tuple[str, Schema]]:
    for path, item in schema["paths"].items():
        for method, operation in item.items():
            if method in _METHODS:
                yield path, operation


def _add_problems(path: str, operation: Schema, *, raw: bool) -> None:
    responses = operation.setdefault("responses", {})
    if "HTTPValidationError" in json.dumps(responses.get("422", {})):
        del responses["422"]
    for status in _statuses(path, operation, raw=raw):
        responses[str(status)] = {"$ref": f"#/components/responses/Problem{status}"}


def _statuses(path: str, operation: Schema, *, raw: bool) -> list[int]:
    statuses = {400, 500, 503}
    parameters = operation.get("parameters", ())
    if "{" in path:
        statuses.add(404)
    if "requestBody" in operation:
        statuses.update(_BODY)
    # A raw route reads what it is sent item by item, and has no rules for the whole.
    if not raw and ("requestBody" in operation or parameters):
        statuses.add(422)
    if operation.get("security"):
        statuses.update(_KEYED)
    if any(p["name"].lower() == "if-match" for p in parameters):
        statuses.update(_WRITES)
    responses = [status for status in operation["responses"] if status.isdigit()]
    # Those that the route announces, since nothing in its shape tells of them.
    statuses.update(int(status) for status in responses if status >= "400")
    return sorted(statuses)


def _finish(operation: Schema) -> None:
    """What FastAPI writes double or cannot see."""
    for answer in operation["responses"].values():
        for content in answer.get("content", {}).values():
            if "$ref" in content.get("schema", {}):
                # FastAPI merges the function's own annotation, a plain dict, into the model.
                content["schema"] = {"$ref": content["schema"]["$ref"]}
    if "304" in operation["responses"]:
        operation.setdefault("parameters", []).append(dict(_IF_NONE_MATCH))
    operation["responses"] = dict(sorted(operation["responses"].items()))


def _door_schemas() -> Schema:
    _, found = models_json_schema(
        [(model, "validation") for model in _DOORS], ref_template="#/components/schemas/{model}"
    )
    schemas: Schema = found["$defs"]
    return schemas


def _responses(examples: Examples) -> Iterator[tuple[str, Schema]]:
    for description, error in _REFUSALS:
        status = status_of(error)
        shown = {error.code: {"value": problem(error, DEFAULT_LANGUAGE, _INSTANCE)}}
        for value in examples.problems.get(str(status), ()):
            shown[value["type"].rpartition(":")[2].replace("-", "_")] = {"value": value}
        content = {"schema": {"$ref": "#/components/schemas/Problem"}, "examples": shown}
        response: Schema = {"description": description, "content": {MEDIA_TYPE: content}}
        if status in _TOLD_BY:
            header = _TOLD_BY[status]
            response["headers"] = {header: {"$ref": f"#/components/headers/{header}"}}
        yield f"Problem{status}", response


def written(schema: Schema) -> str:
    """The text of openapi/openapi.json."""
    return json.dumps(schema, indent=1, ensure_ascii=False, sort_keys=False) + "\n"

"""The OpenAPI document: FastAPI's, completed with what FastAPI cannot know.

Raw routes, the problems that every operation can answer with, the key it asks for. FastAPI's own
422 goes: it describes a body that this service never sends.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

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
from app.web.problems import MEDIA_TYPE, Crash, problem, status_of

Schema = dict[str, Any]
_METHODS = frozenset("get put post delete options head patch trace".split())

# One refusal of each status, as the service would write it: the examples cannot be wrong.
_EXAMPLES: tuple[tuple[str, TasseiError], ...] = (
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
_BODY = (408, 413, 415, 422)
_KEYED = (401, 403, 429)
_WRITES = (409, 412, 428)

PROBLEM: Schema = {
    "title": "Problem",
    "description": "RFC 9457. `type` is stable, `title` constant per type, `detail` is for people.",
    "type": "object",
    "required": ["type", "title", "status", "detail"],
    "properties": {
        "type": {"type": "string", "format": "uri"},
        "title": {"type": "string"},
        "status": {"type": "integer"},
        "detail": {"type": "string"},
        "instance": {"type": "string", "description": "The request's id, also in the log."},
        "params": {"type": "object"},
        "errors": {
            "type": "array",
            "items": {
                "type": "object",
                "required": ["pointer", "code", "params", "message"],
                "properties": {
                    "pointer": {"type": "string", "description": "RFC 6901, into the body."},
                    "code": {"type": "string"},
                    "params": {"type": "object"},
                    "message": {"type": "string"},
                },
            },
        },
    },
}


def completed(schema: Schema, documents: Mapping[str, Mapping[str, Schema]]) -> Schema:
    """The document that is served and committed. Changes nothing that it was given."""
    result: Schema = json.loads(json.dumps(schema))
    for path, operations in documents.items():
        result["paths"].setdefault(path, {}).update(operations)
    for path, operation in _operations(result):
        _add_problems(path, operation)
    components = result.setdefault("components", {})
    components["responses"] = dict(_responses())
    schemas = components.setdefault("schemas", {})
    for name in ("HTTPValidationError", "ValidationError"):
        schemas.pop(name, None)
    schemas["Problem"] = PROBLEM
    return result


def _operations(schema: Schema) -> Iterator[tuple[str, Schema]]:
    for path, item in schema["paths"].items():
        for method, operation in item.items():
            if method in _METHODS:
                yield path, operation


def _add_problems(path: str, operation: Schema) -> None:
    responses = operation.setdefault("responses", {})
    if "HTTPValidationError" in json.dumps(responses.get("422", {})):
        del responses["422"]
    for status in _statuses(path, operation):
        responses.setdefault(str(status), {"$ref": f"#/components/responses/Problem{status}"})


def _statuses(path: str, operation: Schema) -> list[int]:
    statuses = {400, 500, 503}
    if "{" in path:
        statuses.add(404)
    if "requestBody" in operation:
        statuses.update(_BODY)
    if operation.get("parameters"):
        statuses.add(422)
    if operation.get("security"):
        statuses.update(_KEYED)
    if any(p["name"].lower() == "if-match" for p in operation.get("parameters", ())):
        statuses.update(_WRITES)
    return sorted(statuses)


def _responses() -> Iterator[tuple[str, Schema]]:
    reference = {"$ref": "#/components/schemas/Problem"}
    for description, error in _EXAMPLES:
        example = problem(error, DEFAULT_LANGUAGE, "4f9c2a7b8d1e4c3f9a6b5d8e7f0a1b2c")
        content = {MEDIA_TYPE: {"schema": reference, "example": example}}
        yield f"Problem{status_of(error)}", {"description": description, "content": content}


def written(schema: Schema) -> str:
    """The text of openapi/openapi.json."""
    return json.dumps(schema, indent=1, ensure_ascii=False, sort_keys=False) + "\n"

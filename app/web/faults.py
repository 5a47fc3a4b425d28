"""FastAPI's and Starlette's own errors, put into our words.

pydantic says what is wrong in its own types, with the input beside it. Ours are stable codes that
outlive pydantic, and the input stays out.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError
from starlette.exceptions import HTTPException

from app.domain.errors import (
    Fault,
    Forbidden,
    Invalid,
    NotFound,
    TasseiError,
    TooLarge,
    Unauthenticated,
    Unreadable,
    UnsupportedMedia,
)
from app.web.problems import Crash

# A name that is safe to repeat: no more than a programmer would choose for a field.
_NAME = re.compile(r"[A-Za-z0-9_.@-]{1,64}", re.ASCII)

# pydantic's type -> our code, and which of its parameters we pass on under which name.
_CODES: Mapping[str, tuple[str, Mapping[str, str]]] = {
    "missing": ("required", {}),
    "extra_forbidden": ("unknown_field", {}),
    "string_type": ("not_a_text", {}),
    "string_too_short": ("too_short", {"min_length": "limit"}),
    "string_too_long": ("too_long", {"max_length": "limit"}),
    "string_pattern_mismatch": ("malformed", {"pattern": "pattern"}),
    "int_type": ("not_an_integer", {}),
    "int_parsing": ("not_an_integer", {}),
    "int_parsing_size": ("not_an_integer", {}),
    "int_from_float": ("not_an_integer", {}),
    "bool_type": ("not_a_boolean", {}),
    "bool_parsing": ("not_a_boolean", {}),
    "list_type": ("not_a_list", {}),
    "tuple_type": ("not_a_list", {}),
    "dict_type": ("not_an_object", {}),
    "model_type": ("not_an_object", {}),
    "model_attributes_type": ("not_an_object", {}),
    "too_short": ("too_few_items", {"min_length": "limit"}),
    "too_long": ("too_many_items", {"max_length": "limit"}),
    "greater_than": ("too_small", {"gt": "limit"}),
    "greater_than_equal": ("too_small", {"ge": "limit"}),
    "less_than": ("too_large", {"lt": "limit"}),
    "less_than_equal": ("too_large", {"le": "limit"}),
    "enum": ("not_one_of", {"expected": "allowed"}),
    "literal_error": ("not_one_of", {"expected": "allowed"}),
    "union_tag_invalid": ("not_one_of", {"expected_tags": "allowed"}),
    "date_type": ("not_a_date", {}),
    "date_parsing": ("not_a_date", {}),
    "date_from_datetime_parsing": ("not_a_date", {}),
    "date_from_datetime_inexact": ("not_a_date", {}),
    "datetime_type": ("not_a_time", {}),
    "datetime_parsing": ("not_a_time", {}),
    "datetime_from_date_parsing": ("not_a_time", {}),
    "timezone_aware": ("time_without_offset", {}),
}


def refused(error: RequestValidationError) -> TasseiError:
    """What FastAPI found wrong: not JSON at all, or fields that break a rule."""
    found = error.errors()
    if any(fault["type"] == "json_invalid" for fault in found):
        return Unreadable("not_json")
    return Invalid("invalid_request", *(_fault(fault, error.body) for fault in found))


def in_body(error: ValidationError, body: object) -> RequestValidationError:
    """A body that was put together here, refused as if it had come in."""
    faults = [{**fault, "loc": ("body", *fault["loc"])} for fault in error.errors()]
    return RequestValidationError(faults, body=body)


def _fault(fault: Mapping[str, Any], body: object) -> Fault:
    code, names = _CODES.get(fault["type"], ("invalid_value", {}))
    context = fault.get("ctx") or {}
    params = {ours: _plain(context[theirs]) for theirs, ours in names.items() if theirs in context}
    place, *path = fault["loc"]
    if place == "body":
        return Fault(pointer(path, body), code, params)
    # Not a place in the body, so the pointer has nothing to point into.
    return Fault("", code, params | {"in": str(place), "parameter": str(path[0]) if path else ""})


def _plain(value: object) -> str | int:
    return value if isinstance(value, int) else str(value)


def pointer(path: Sequence[str | int], body: object) -> str:
    """The RFC 6901 pointer of a place in the body.

    pydantic's path also names the members of a union, which the body knows nothing of: only steps
    that the body can take count, and at the end a name that is missing. A step that looks like
    anything but a name ends the pointer at its parent.
    """
    steps: list[str] = []
    for step in path:
        if isinstance(body, Mapping):
            if step not in body and step != path[-1]:
                continue
            body = body.get(step)
        elif isinstance(body, list) and isinstance(step, int) and step < len(body):
            body = body[step]
        else:
            continue
        if not _NAME.fullmatch(str(step)):
            break
        steps.append(str(step))
    return "".join(f"/{step}" for step in steps)


_OF_STATUS: Mapping[int, Callable[[], TasseiError]] = {
    400: lambda: Unreadable("bad_request"),
    401: lambda: Unauthenticated("no_key"),
    403: lambda: Forbidden("scope_missing"),
    404: lambda: NotFound("no_such_route"),
    413: lambda: TooLarge("body_too_large"),
    415: lambda: UnsupportedMedia("unsupported_media_type"),
}


def of_http(error: HTTPException) -> TasseiError:
    """What Starlette and FastAPI raise on their own; its text is theirs and stays behind."""
    return _OF_STATUS.get(error.status_code, lambda: Crash("internal_error"))()

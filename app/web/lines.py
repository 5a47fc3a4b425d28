"""Bodies of many lines: each line is one JSON document, refused where it stands."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, TypeVar

from fastapi.exceptions import RequestValidationError
from pydantic import ValidationError

from app.web.schemas.common import Body

NDJSON = "application/x-ndjson"
Line = TypeVar("Line", bound=Body)


def read_each(model: type[Line], values: Sequence[object]) -> list[Line]:
    """Every value as a body; the faults of all lines at once, pointers beginning with the line."""
    read: list[Line] = []
    faults: list[dict[str, Any]] = []
    for place, value in enumerate(values):
        try:
            read.append(model.model_validate(value))
        except ValidationError as error:
            faults += [
                {**fault, "loc": ("body", place, *fault["loc"])}
                for fault in error.errors(include_url=False, include_input=False)
            ]
    if faults:
        raise RequestValidationError(faults, body=values)
    return read


def body_of_lines(model: type[Body]) -> dict[str, Any]:
    """What OpenAPI is told of such a body: the schema of a line."""
    schema = model.model_json_schema(ref_template="#/components/schemas/{model}")
    schema.pop("$defs", None)  # they are components already, through the body of one
    lines = {
        "type": "string",
        "description": "One JSON document a line; `contentSchema` is that of a line.",
        "contentMediaType": NDJSON,
        "contentSchema": schema,
    }
    return {"requestBody": {"required": True, "content": {NDJSON: {"schema": lines}}}}

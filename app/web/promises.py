"""What an operation promises to answer when all is well, for the OpenAPI document.

Given to FastAPI as `responses`, which describes and does nothing else: FastAPI neither builds nor
checks an answer by them.
"""

from __future__ import annotations

from typing import Any

from pydantic import BaseModel

Model = type[BaseModel]
Responses = dict[int | str, dict[str, Any]]

_ETAG = {"ETag": {"$ref": "#/components/headers/ETag"}}


def answers(model: Model, description: str = "As it stands.", status: int = 200) -> Responses:
    """An operation with one good answer."""
    return {status: {"model": model, "description": description}}


def reads(model: Model) -> Responses:
    """A conditional GET."""
    return {
        200: {"model": model, "description": "As it stands.", "headers": _ETAG},
        304: {"description": "As If-None-Match says you know it.", "headers": _ETAG},
    }


def shows(model: Model) -> Responses:
    """A GET of what is derived as well: its ETag is for changing it, not for hearing of news."""
    return {200: reads(model)[200]}


def saves(model: Model) -> Responses:
    """A PUT of a resource."""
    return {
        200: {
            "model": model,
            "description": "Replaced; or the same as before, and nothing happened.",
            "headers": _ETAG,
        },
        201: {"model": model, "description": "Created.", "headers": _ETAG},
    }


def replaces(model: Model) -> Responses:
    """A PUT of a resource that is always there."""
    return {200: saves(model)[200]}


def creates(model: Model) -> Responses:
    """A POST that makes a resource and says where it is."""
    location = {"description": "The path of what was made.", "schema": {"type": "string"}}
    headers = _ETAG | {"Location": location}
    return {201: {"model": model, "description": "Created.", "headers": headers}}


def refuses(*statuses: int) -> Responses:
    """Refusals that nothing in the shape of the operation tells of."""
    return {status: {"description": "A problem."} for status in statuses}


def removes(description: str = "Archived.") -> Responses:
    """A DELETE."""
    return {204: {"description": description}}

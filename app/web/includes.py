"""What a reader of progress may ask for beside it: `include`, names split by commas."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated

from fastapi import Query

from app.domain.errors import Fault, Invalid


class Include(StrEnum):
    """What may be included."""

    TODAY = "today"
    EVIDENCE = "evidence"


Included = Annotated[
    str | None,
    Query(
        max_length=100,
        description="What else to tell of every goal, split by commas. `today`: what the day "
        "asks, as `/today` lists it; `evidence`: the figures behind `rate.drift`.",
        examples=["today"],
    ),
]


def included(text: str | None) -> frozenset[Include]:
    """What the parameter names. Raises Invalid for anything that is not there."""
    try:
        return frozenset(map(Include, text.split(",") if text else ()))
    except ValueError:
        allowed = ", ".join(Include)
        params = {"allowed": allowed, "parameter": "include"}
        raise Invalid("invalid_request", Fault("", "not_one_of", params)) from None

"""Which deliveries to read again."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from app.web.schemas.common import Body

_Moment = Annotated[
    str,
    Field(
        max_length=40,
        json_schema_extra={"format": "date-time"},
        examples=["2026-12-01T00:00:00+09:00"],
    ),
]
# As a sender wrote it: it may be no source that there is.
SourceName = Annotated[str, Field(max_length=255, pattern=r"^[^\x00]*$")]


class ReplayBody(Body):
    """A span of receipt, half-open, and whose items; `cursor` goes on where an answer ended."""

    from_: _Moment = Field(alias="from")
    to: _Moment
    source: SourceName | None = None
    limit: Annotated[int, Field(ge=1, le=5_000, description="Deliveries in one request.")] = 1_000
    cursor: Annotated[str, Field(max_length=1024)] | None = None

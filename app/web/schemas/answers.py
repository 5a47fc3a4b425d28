"""What all answers share. These models describe; no answer is built from them or checked by them.

The routes write their answers themselves, once, from values that were checked when they came in.
That the description is true is a matter for the tests: they hold every answer of a whole month
against it.
"""

from __future__ import annotations

from typing import Annotated, Any, Generic, TypeVar

from pydantic import BaseModel, ConfigDict, Field

Item = TypeVar("Item")

Quantity = Annotated[
    str,
    Field(
        pattern=r"^(0|-?[1-9][0-9]*|-?(0|[1-9][0-9]*)\.[0-9]{0,5}[1-9])$",
        description="A quantity as decimal text: at most six fractional digits, rounded half to "
        "even, no exponent, no trailing zeros.",
        examples=["258.62069"],
    ),
]
Tallied = Annotated[
    int | Quantity,
    Field(description="An integer; of a metric whose `credit` is shared a quantity as text."),
]
Moment = Annotated[
    str,
    Field(
        json_schema_extra={"format": "date-time"},
        description="RFC 3339 with offset.",
        examples=["2026-12-14T18:00:00+09:00"],
    ),
]
Version = Annotated[
    int,
    Field(ge=1, description="Counts the changes. The ETag is this number in quotes.", examples=[1]),
]
Params = Annotated[
    dict[str, str | int], Field(description="What the code leaves open, by name; for programs.")
]


def _left_out_or_there(schema: dict[str, Any]) -> None:
    """A field that an answer may leave out is never null there, and has no default."""
    required = schema.get("required", ())
    for name, shape in schema.get("properties", {}).items():
        if name in required:
            continue
        shape.pop("default", None)
        forms = [form for form in shape.pop("anyOf", ()) if form.get("type") != "null"]
        if forms:
            shape.update(forms[0] if len(forms) == 1 else {"anyOf": forms})


class Answer(BaseModel):
    """Has these fields and no others. A field with a default may be missing, and is never null."""

    model_config = ConfigDict(extra="forbid", json_schema_extra=_left_out_or_there)


class Told(Answer):
    """Something said to people and programs: a stable code, and the sentence it stands for."""

    code: Annotated[str, Field(description="Stable, in English.")]
    params: Params
    message: Annotated[str, Field(description="In the language of Accept-Language (en, ja).")]


class Page(Answer, Generic[Item]):
    """A part of a collection, stable under inserts."""

    items: list[Item]
    next: Annotated[
        str | None,
        Field(description="The `cursor` of the page that follows; null on the last page."),
    ]

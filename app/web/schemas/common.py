"""Types that every body shares. Strict: "7" is no number, 1 is no true, no field goes unknown."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar

from pydantic import BaseModel, ConfigDict, Field, model_validator

Key = Annotated[
    str,
    Field(pattern=r"^[a-z0-9][a-z0-9_.-]{0,62}$", examples=["east"]),
]
Name = Annotated[
    str,
    Field(
        min_length=1,
        max_length=200,
        pattern=r"^[^\x00-\x1f\x7f]*[^\s\x00-\x1f\x7f][^\x00-\x1f\x7f]*$",
        examples=["東日本チーム"],
    ),
]
Reason = Annotated[str, Field(min_length=1, max_length=2000, pattern=r"^[^\x00]*$")]
LocalDate = Annotated[
    str,
    Field(
        pattern=r"^\d{4}-\d{2}-\d{2}$",
        json_schema_extra={"format": "date"},
        examples=["2026-12-01"],
    ),
]
ClockTime = Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d$", examples=["09:00"])]
DecimalText = Annotated[
    str,
    Field(
        pattern=r"^-?(0|[1-9][0-9]{0,29})(\.[0-9]{1,12})?$",
        description="A decimal number as text: exact, without exponent.",
        examples=["0.05"],
    ),
]


class Body(BaseModel):
    """A request body: unknown fields are refused, types are not guessed."""

    model_config = ConfigDict(strict=True, extra="forbid", populate_by_name=False)

    def document(self) -> dict[str, Any]:
        """The canonical JSON document of this body: defaults written out, nulls left out."""
        return self.model_dump(mode="json", by_alias=True, exclude_none=True)


def _read_only(schema: dict[str, Any], model: type[BaseModel]) -> None:
    assert issubclass(model, Resource)  # noqa: S101 - the one class with this in its config
    told = {"readOnly": True, "description": "As GET answers it; not looked at here."}
    schema["properties"] |= dict.fromkeys(sorted(model.answered), told)


class Resource(Body):
    """A body that may be what GET answered, changed or not.

    `answered` names what an answer has beside the resource itself. It is left aside whatever it
    says: which version is meant stands in If-Match.
    """

    model_config = ConfigDict(json_schema_extra=_read_only)
    answered: ClassVar[frozenset[str]] = frozenset({"key", "version"})

    @model_validator(mode="before")
    @classmethod
    def _without_answered(cls, given: object) -> object:
        if not isinstance(given, dict):
            return given
        return {name: value for name, value in given.items() if name not in cls.answered}


class DateRange(Body):
    """Half-open: `from` belongs to it, `to` does not; null means without end."""

    from_: LocalDate | None = Field(default=None, alias="from")
    to: LocalDate | None = None

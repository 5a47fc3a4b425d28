"""What the columns of a table mean, as a source carries it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, GetJsonSchemaHandler
from pydantic.json_schema import JsonSchemaValue

from app.web.schemas.common import Body, Key, Name

Column = Annotated[str, Field(min_length=1, examples=["close_date"])]
KindName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_.-]{0,62}$", examples=["deal"])]
Constant = str | bool | int


class CellBody(Body):
    """Where a value comes from: either a column or a constant."""

    column: Column | None = None
    constant: Constant | None = None
    type: Annotated[
        Literal["text", "date", "time", "decimal", "integer", "boolean"] | None,
        Field(description="How the column's text is read; left out: as text."),
    ] = None
    zone: Annotated[
        str | None,
        Field(
            examples=["Asia/Tokyo"],
            description="IANA. A `time` without offset is read in it; a `date` becomes its noon.",
        ),
    ] = None
    map: Annotated[
        dict[str, Constant] | None,
        Field(description="What texts of the column stand for; others stand for themselves."),
    ] = None
    when: Annotated[
        dict[str, str] | None,
        Field(description="Texts that other columns must hold, else there is no value."),
    ] = None


# The name of a column alone is the column, read as text.
Cell = Column | CellBody


class ActivityMapping(Body):
    """What an activity is, apart from its fields."""

    kind: Annotated[
        KindName | CellBody, Field(description="A text is the kind itself, not a column.")
    ]
    key: Cell
    revision: Cell | None = None
    actor: Cell | None = None


class SourceMapping(Body):
    """The source as a mapping file names it: may be left out, and must agree with this one."""

    key: Key | None = None
    provider: Literal["csv"] | None = None
    name: Name | None = None


class MappingBody(Body):
    """What the columns mean: the mapping file of docs/import.md as JSON."""

    source: SourceMapping | None = None
    activity: ActivityMapping
    fields: Annotated[
        dict[str, Cell], Field(max_length=200, description="By the name of the activity's field.")
    ]


class _Described:
    """Anything, described as a mapping.

    The reader of mapping files checks it: one set of codes for both, and pointers without the
    branches of unions.
    """

    def __get_pydantic_json_schema__(
        self, _schema: object, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return handler(MappingBody.__pydantic_core_schema__)


MappingDocument = Annotated[
    Any,
    _Described(),
    Field(
        description="Only for the provider `csv`: how rows that are posted as text/csv are read. "
        "Left out: none. A change holds for what comes next and for what is replayed."
    ),
]

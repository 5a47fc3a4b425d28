"""What the columns of a table or the bodies of a sender mean, as a source carries it."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import Field, GetJsonSchemaHandler, TypeAdapter
from pydantic.json_schema import JsonSchemaValue

from app.web.schemas.common import Body, Key, Name

Column = Annotated[str, Field(min_length=1, examples=["close_date"])]
KindName = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_.-]{0,62}$", examples=["deal"])]
Constant = str | bool | int


Selector = Annotated[
    str,
    Field(
        min_length=1,
        max_length=500,
        description="JMESPath; of functions there are contains, ends_with, join, keys, length, "
        "not_null, starts_with, to_string and values.",
        examples=["data.id"],
    ),
]


class CellBody(Body):
    """Where a value comes from: a column, a selector, or a constant."""

    column: Column | None = None
    select: Selector | None = None
    constant: Constant | None = None
    of: Annotated[
        Literal["payload"] | None,
        Field(description="The selector looks at the whole body, where `each` took it apart."),
    ] = None
    type: Annotated[
        Literal["text", "date", "time", "decimal", "integer", "boolean", "duration", "money"]
        | None,
        Field(
            description="How it is read; left out: as it is. A duration is whole seconds, also of "
            "a clock like 1:02:03."
        ),
    ] = None
    unit: Annotated[
        Literal["seconds", "milliseconds", "minutes", "major", "minor"] | None,
        Field(
            description="What a number counts: of a time or a duration (times since 1970), of "
            "money. `minor` needs the field `currency`."
        ),
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
        Field(description="What texts stand for; others stand for `others`, or for themselves."),
    ] = None
    others: Annotated[
        Constant | None, Field(description="What every text stands for that `map` does not have.")
    ] = None
    default: Annotated[
        Constant | None, Field(description="What stands where there is nothing.")
    ] = None
    minus: Annotated[
        Column | CellBody | None,
        Field(description="A duration that is taken from a time: a start of an end."),
    ] = None
    source: Annotated[
        Key | None,
        Field(
            description="Of the field `origin` only: the source whose activity it grew from; left "
            "out: the same source."
        ),
    ] = None
    when: Annotated[
        dict[str, str] | Selector | None,
        Field(
            description="Texts that other columns must hold, or a selector that must find "
            "something, else there is no value."
        ),
    ] = None


# A text alone is a selector; of the provider `csv` a column.
Cell = Column | CellBody


class ActivityMapping(Body):
    """What an activity is, apart from its fields."""

    kind: Annotated[KindName | CellBody, Field(description="A text is the kind itself.")]
    key: Annotated[
        Cell | None,
        Field(
            description="What names it for ever; required. Of kintone, where the record is the "
            "key: a word that tells its other activities apart, left out for the record itself."
        ),
    ] = None
    revision: Cell | None = None
    actor: Cell | None = None
    merge: Annotated[
        bool | Cell | None, Field(description="Only the fields given change; others stay.")
    ] = None
    retracted: Annotated[
        bool | Cell | None, Field(description="It is gone; what is known of it stays known.")
    ] = None


class SourceMapping(Body):
    """The source as a mapping file names it: may be left out, and must agree with this one."""

    key: Key | None = None
    provider: Annotated[str, Field(max_length=63)] | None = None
    name: Name | None = None


_Fields = Annotated[
    dict[str, Cell], Field(max_length=200, description="By the name of the activity's field.")
]


class RuleBody(Body):
    """What one activity is made of."""

    when: Annotated[
        Selector | None, Field(description="What must be found, else this makes nothing.")
    ] = None
    each: Annotated[
        Selector | None, Field(description="A list whose elements are one activity each.")
    ] = None
    activity: ActivityMapping
    fields: _Fields


class MappingBody(RuleBody):
    """What columns or bodies mean: the mapping file of docs/import.md as JSON."""

    source: SourceMapping | None = None


class RulesBody(Body):
    """Several rules about one body; each makes what it makes."""

    source: SourceMapping | None = None
    rules: Annotated[list[RuleBody], Field(min_length=1, max_length=20)]


AnyMapping = MappingBody | RulesBody


class _Described:
    """Anything, described as a mapping.

    The reader of mapping files checks it: one set of codes for both, and pointers without the
    branches of unions.
    """

    def __get_pydantic_json_schema__(
        self, _schema: object, handler: GetJsonSchemaHandler
    ) -> JsonSchemaValue:
        return handler(TypeAdapter(AnyMapping).core_schema)


MappingDocument = Annotated[
    Any,
    _Described(),
    Field(
        description="How bodies are read (provider `custom`; `kintone`: its records, without "
        "`each`, `revision` and `merge`), or rows that are posted as text/csv (`csv`; there a text "
        "alone is a column, and `when`, `each` and `rules` are not). Left out: none. A change "
        "holds for what comes next and for what is replayed."
    ),
]

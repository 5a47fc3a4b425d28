"""The oracle for metrics of one's own: what a definition says of a pile of reports, the slow way.

Reads the definition as the document that people write, never as the program's own value.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from fractions import Fraction
from typing import Any

from app.domain.activities import Report
from tests.store.recount import fields_of, piles

Document = dict[str, Any]


@dataclass(frozen=True)
class Entry:
    """A person's part of one activity in one metric.

    until: when it leaves a stock; stamp: that of its value; share: 1 unless credit is shared
    """

    source: str
    who: str
    at: int
    until: int | None
    currency: str
    value: Any
    stamp: Any
    share: Fraction


def micros(text: str) -> int:
    moment = datetime.fromisoformat(text)
    return int(moment.timestamp()) * 10**6 + moment.microsecond


def entries(document: Document, reports: Iterable[Report], home: str = "JPY") -> list[Entry]:
    return [one for pile in piles(reports).values() for one in _entries(document, pile, home)]


def _entries(document: Document, pile: list[Report], home: str) -> Iterator[Entry]:
    fields = fields_of(pile)
    at, measured = fields.get(document["time"]), document["aggregation"] != "count"
    value = fields.get(document["value"]) if measured else None
    if not _concerns(document, fields) or at is None or (measured and value is None):
        return
    leaves = _leaves(document.get("stock"), fields, micros(at))
    if leaves == "unknown":
        return
    had = _then(document, pile) if document.get("holder") == "at_time" else fields
    who = next((had[role] for role in document["roles"] if had.get(role)), "")
    currency = (fields.get("currency") or home) if document.get("unit") == "money" else ""
    if _too_great_to_share(document, value, currency):
        return
    said = [one.stamp for one in pile if one.full or document.get("value") in one.fields]
    shared = had.get("credits") if document.get("credit") == "shared" else None
    for named in shared or [{"identity": who, "share": "1"}]:
        yield Entry(
            pile[0].source, named["identity"], micros(at), leaves, currency, value,
            max(said, default=None), Fraction(named["share"]),
        )  # fmt: skip


def _too_great_to_share(document: Document, value: Any, currency: str) -> bool:
    """An amount that is shared is added up in millionths, and must leave room in 64 bits."""
    if document.get("credit") != "shared" or document["aggregation"] not in {"sum", "average"}:
        return False
    digits = 2 if currency == "USD" else int(document.get("decimals", 0))
    return abs(Decimal(str(value)).scaleb(digits)) * 10**6 > (2**63 - 1) // 8


def _then(document: Document, pile: list[Report]) -> Mapping[str, Any]:
    """What the activity was when it came to count where it counts, revision by revision."""
    was = [
        fields_of(one for one in pile if one.stamp.revision <= revision)
        for revision in sorted({one.stamp.revision for one in pile})
    ]
    at = was[-1][document["time"]]
    counts = [_concerns(document, fields) and fields.get(document["time"]) == at for fields in was]
    return next(fields for place, fields in enumerate(was) if all(counts[place:]))


def _concerns(document: Document, fields: Mapping[str, Any]) -> bool:
    return (
        fields["@kind"] == document["kind"]
        and fields.get("@retracted") is not True
        and all(_holds(one, fields) for one in document.get("where", ()))
        and not any(_holds(one, fields) for one in document.get("unless", ()))
    )


def _holds(condition: Mapping[str, Any], fields: Mapping[str, Any]) -> bool:
    value = fields.get(condition["field"])
    return (condition.get("default") if value is None else value) in condition["in"]


def _leaves(stock: Mapping[str, Any] | None, fields: Mapping[str, Any], came: int) -> Any:
    if stock is None or all(_holds(one, fields) for one in stock["open_while"]):
        return None
    gone = [fields[name] for name in stock["until"] if fields.get(name) is not None]
    return max(came, micros(gone[0])) if gone else "unknown"


def answer(document: Document, found: list[Entry]) -> Fraction | None:
    """The metric's value of some entries."""
    numbers = [Fraction(Decimal(str(one.value))) for one in found if _is_number(document)]
    parts = [one.share * number for one, number in zip(found, numbers, strict=False)]
    number = number_of(found)
    whole: Mapping[str, Callable[[], Any]] = {
        "count": lambda: number,
        "sum": lambda: sum(parts),
        "unique": lambda: len({one.value for one in found}),
    }
    of_some: Mapping[str, Callable[[], Any]] = {
        "average": lambda: sum(parts) / number,
        "min": lambda: min(numbers),
        "max": lambda: max(numbers),
        "latest": lambda: Decimal(
            str(max(found, key=lambda one: (one.at, one.stamp, Decimal(one.value))).value)
        ),
    }
    aggregation = document["aggregation"]
    if aggregation in whole:
        return Fraction(whole[aggregation]())
    return Fraction(of_some[aggregation]()) if found else None


def number_of(found: list[Entry]) -> Fraction:
    """How many activities some entries are."""
    return sum((one.share for one in found), Fraction(0))


def _is_number(document: Document) -> bool:
    return document["aggregation"] not in {"count", "unique"}


def within(document: Document, found: list[Entry], start: int, end: int) -> list[Entry]:
    """The entries that a range is about: those that lie in it, or stand at its end."""
    if "stock" in document:
        return [one for one in found if one.at < end and (one.until is None or one.until >= end)]
    return [one for one in found if start <= one.at < end]

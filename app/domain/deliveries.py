"""What one request brought, after reading and before counting."""

from __future__ import annotations

from dataclasses import dataclass

from app.domain.activities import Outcome, Report
from app.domain.errors import Invalid, TasseiError


@dataclass(frozen=True, slots=True)
class Item:
    """A readable item: its place in the request, the sender's id for it, and its report."""

    index: int
    id: str
    report: Report


@dataclass(frozen=True, slots=True)
class Refused:
    """An authentic item that no report could be made of. `content` is its text, redacted."""

    index: int
    id: str | None
    source: str | None
    error: Invalid
    content: str


@dataclass(frozen=True, slots=True)
class Delivery:
    """One request's items.

    A provider's hook cannot be told about one bad item, so what it cannot use is kept
    (`quarantines`); the direct API answers per item instead.
    """

    workspace: str
    received_at: int
    quarantines: bool
    items: tuple[Item, ...]
    refused: tuple[Refused, ...] = ()


@dataclass(frozen=True, slots=True)
class ItemResult:
    """What became of one item; `error` where it was rejected, quarantined or conflicts."""

    index: int
    id: str | None
    outcome: Outcome
    error: TasseiError | None = None

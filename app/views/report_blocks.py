"""What a page of a report is made of, before it is Markdown or HTML."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

from app.domain.trajectory import Point


class Paragraph(NamedTuple):
    """A sentence or more; strong: what is to be read first."""

    text: str
    strong: bool = False


class Bullets(NamedTuple):
    """Sentences side by side; a line break in one is meant."""

    items: Sequence[str]


class Bar(NamedTuple):
    """How far a goal is and should be, 0 to 1, what that is in words, and its verdict."""

    share: float
    due: float
    text: str
    verdict: str


class Table(NamedTuple):
    """Rows of texts; all columns but the first are figures. bars: one a row, where a page can."""

    head: Sequence[str]
    rows: Sequence[Sequence[str]]
    bars: Sequence[Bar] = ()
    foot: Sequence[str] = ()


class Chart(NamedTuple):
    """The final goal day by day; `labels` names its lines."""

    title: str
    points: Sequence[Point]
    target: Fraction
    unit: str
    labels: dict[str, str]
    days: Sequence[str]
    top: str


Block = Paragraph | Bullets | Table | Chart


@dataclass(frozen=True, slots=True)
class Section:
    """What is said of one question."""

    title: str
    blocks: tuple[Block, ...]


@dataclass(frozen=True, slots=True)
class Page:
    """The whole."""

    language: str
    title: str
    facts: tuple[str, ...]
    sections: tuple[Section, ...]
    foot: str

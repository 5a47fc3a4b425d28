"""Reading a JSON document whose shape the door has checked, and saying where it is wrong.

A `Node` is a value with its RFC 6901 pointer, so that a rule far inside a tree can still name the
place that breaks it. Types are checked here as well: a document also comes from older versions.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from fractions import Fraction
from typing import TypeVar

from app.domain.errors import Fault, Invalid
from app.domain.quantities import exact

S = TypeVar("S")
T = TypeVar("T")
_DAY = re.compile(r"\d{4}-\d\d-\d\d", re.ASCII)


def step(name: str) -> str:
    """The step of an RFC 6901 pointer to a member."""
    return "/" + name.replace("~", "~0").replace("/", "~1")


@dataclass(frozen=True, slots=True)
class Node:
    """A JSON value and where it stands. An absent member is a node whose value is None."""

    value: object
    pointer: str = ""

    @property
    def given(self) -> bool:
        """Whether there is anything here; null and absence say the same."""
        return self.value is not None

    def at(self, name: str) -> Node:
        """The member of that name; Invalid `not_an_object` where there can be none."""
        if not isinstance(self.value, dict):
            raise self.refused("not_an_object")
        return Node(self.value.get(name), self.pointer + step(name))

    def items(self) -> list[Node]:
        """The elements of a list; none where it is absent."""
        if self.value is None:
            return []
        if not isinstance(self.value, list):
            raise self.refused("not_a_list")
        return [Node(value, f"{self.pointer}/{index}") for index, value in enumerate(self.value)]

    def text(self) -> str:
        """A text that is not empty."""
        if not isinstance(self.value, str) or not self.value:
            raise self.refused("not_a_text")
        return self.value

    def day(self) -> date:
        """A calendar day, YYYY-MM-DD."""
        if isinstance(self.value, str) and _DAY.fullmatch(self.value):
            try:
                return date.fromisoformat(self.value)
            except ValueError:
                pass
        raise self.refused("not_a_date")

    def decimal(self) -> Fraction:
        """The exact quantity of a decimal string."""
        try:
            return exact(self.text())
        except Invalid:
            raise self.refused("not_a_decimal") from None

    def integer(self) -> int:
        """A JSON integer; true and false are none."""
        if isinstance(self.value, bool) or not isinstance(self.value, int):
            raise self.refused("not_an_integer")
        return self.value

    def flag(self) -> bool:
        """A JSON boolean; absence is false."""
        if self.value is not None and not isinstance(self.value, bool):
            raise self.refused("not_a_boolean")
        return self.value is True

    def refused(self, code: str, **params: str | int) -> Invalid:
        """The error that refuses this value."""
        return Invalid(code, Fault(self.pointer, code, params), **params)


def gathered(nodes: Iterable[S], read: Callable[[S], T]) -> tuple[T, ...]:
    """Everything as read, or one Invalid with the faults of all: nobody mends them one by one."""
    found: list[T] = []
    refused: list[Invalid] = []
    for node in nodes:
        try:
            found.append(read(node))
        except Invalid as error:
            refused.append(error)
    raise_any(refused)
    return tuple(found)


def raise_any(refused: list[Invalid]) -> None:
    """Raise what was refused: a single error as it is, several as `several_faults`."""
    if len(refused) == 1:
        raise refused[0]
    if refused:
        raise Invalid("several_faults", *(fault for error in refused for fault in error.faults))

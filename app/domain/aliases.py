"""What plans are called: a key each for good, and an alias that stays from period to period.

Keys and aliases are one namespace, so that a name means one plan whoever asks, and on any day an
alias belongs to one plan at most.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from itertools import pairwise

from app.domain.documents import Node
from app.domain.errors import Conflict, Fault, Invalid, NotFound
from app.domain.periods import period_name, period_of
from app.domain.plans import alias_of, is_key
from app.domain.spans import Span


@dataclass(frozen=True, slots=True)
class Naming:
    """A plan's key and alias, and the days on which the alias is this plan's."""

    key: str
    alias: str
    span: Span


def naming_of(key: str, document: Mapping[str, object], fiscal_year_start_month: int) -> Naming:
    """How the plan of a document is called. Raises Invalid as `plan_of` does."""
    node = Node(document)
    span = period_of(node.at("period"), fiscal_year_start_month)
    return Naming(key, alias_of(node.at("alias"), key), span)


def check_naming(new: Naming, others: Iterable[Naming]) -> None:
    """Refuse a name that would mean two plans.

    Raises Conflict: alias_is_a_key, key_is_an_alias, alias_overlaps (in time).
    """
    for other in others:
        if new.alias == other.key:
            raise Conflict("alias_is_a_key", plan=other.key)
        if new.key == other.alias:
            raise Conflict("key_is_an_alias", plan=other.key)
        if new.alias == other.alias and new.span.overlaps(other.span):
            raise Conflict("alias_overlaps", plan=other.key)


def clash(namings: Iterable[Naming]) -> tuple[Naming, Naming] | None:
    """Two plans that have one alias on the same day; None where all is well."""
    # In order of their first days, any plan that overlaps one overlaps its neighbour.
    ordered = sorted(namings, key=lambda naming: (naming.alias, naming.span.first))
    for one, other in pairwise(ordered):
        if one.alias == other.alias and one.span.overlaps(other.span):
            return one, other
    return None


def key_on(day: date, alias: str, plans: Iterable[Naming]) -> str:
    """The key of the plan that an alias means on a day.

    Raises NotFound: unknown_plan where nothing has that alias, no_plan_then where nothing has it
    on that day.
    """
    named = [plan for plan in plans if plan.alias == alias]
    if not named:
        raise NotFound("unknown_plan", plan=alias)
    current = [plan.key for plan in named if day in plan.span]
    if not current:
        raise NotFound("no_plan_then", plan=alias)
    return current[0]


def following_key(naming: Naming, period: Node, following: Node) -> str:
    """The key of a plan's copy for another period: 2026-12-new becomes 2027-01-new.

    A key that does not hold its own period's name gets the new one behind the alias: dec, copied
    to January, becomes dec-2027-01. Raises Invalid `not_a_key` where that is too long.
    """
    old, new = period_name(period), period_name(following)
    in_place = naming.key.replace(old, new, 1)
    key = in_place if old in naming.key else f"{naming.alias}-{new}"
    if not is_key(key):
        raise Invalid("not_a_key", Fault("/key", "not_a_key"))
    return key

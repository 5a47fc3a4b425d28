"""What two senders saw: activities of different sources that look like one.

A CRM logs the call that the phone system reports as well, and both count it. Nothing here merges
anything: two activities that look alike may well be two, and a count that guessed could never be
explained. It only tells, so that somebody lets one of the sources alone count the kind.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_left
from collections import defaultdict
from collections.abc import Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from datetime import date
from enum import StrEnum
from itertools import combinations
from typing import NamedTuple

from app.domain.activities import JsonValue, State
from app.domain.directory import Directory
from app.domain.errors import Invalid
from app.domain.freshness import Source
from app.domain.instants import SECOND, instant
from app.domain.kinds import kind_of
from app.domain.people import IdentityKind, guessed_kind

# Clocks of two systems differ, and one of them may note when it rang, the other when it was asked.
APART = 120 * SECOND
# When a thing itself was, in the words of its kind; else when it was counted.
TIMES: Mapping[str, tuple[str, ...]] = {
    "call": ("started_at",),
    "meeting": ("starts_at",),
    "deal": ("won_at", "created_at"),
    "payment": ("paid_at",),
    "lead": ("created_at",),
}
_NUMBER = re.compile(r"[+(0-9][0-9\s().\-/]*", re.ASCII)
_NOT_DIGITS = re.compile(r"\D", re.ASCII)
_FEWEST_DIGITS = 7
_BLANKS = re.compile(r"\s+")


class Agreement(StrEnum):
    """What two reports have in common beside their time."""

    MEMBER = "member"
    IDENTITY = "identity"
    COUNTERPART = "counterpart"
    AMOUNT = "amount"


class Counterpart(NamedTuple):
    """The other side: a telephone number by its digits, or any other text, folded."""

    text: str
    is_number: bool


class Sighting(NamedTuple):
    """An activity as far as it can be compared.

    members: whom its roles mean; addresses: e-mail addresses and numbers of roles that mean
    nobody yet, which say the same in every source; what is not known is empty or None
    """

    source: str
    key: str
    at: int
    members: frozenset[str] = frozenset()
    addresses: frozenset[str] = frozenset()
    counterpart: Counterpart | None = None
    amount: tuple[str, str] | None = None
    direction: str | None = None


class Pair(NamedTuple):
    """Two activities that look like one, the smaller source first, and what they agree in."""

    one: Sighting
    other: Sighting
    agrees: frozenset[Agreement]

    @property
    def apart(self) -> int:
        """Microseconds between their times."""
        return abs(self.one.at - self.other.at)


class Overlap(NamedTuple):
    """A kind that two sources count, the smaller key first."""

    kind: str
    one: str
    other: str


def overlaps(sources: Iterable[Source], kinds: Iterable[str]) -> list[Overlap]:
    """Every pair of sources that count one of these kinds, by kind and keys."""
    ordered = sorted(sources, key=lambda source: source.key)
    return [
        Overlap(kind, one.key, other.key)
        for kind in sorted(set(kinds))
        for one, other in combinations(ordered, 2)
        if one.feeds(kind) and other.feeds(kind)
    ]


def without(counts: AbstractSet[str] | None, kind: str, kinds: Iterable[str]) -> list[str]:
    """What a source counts that counts one kind less.

    kinds: all there are, for one that counts every kind
    """
    return sorted((set(kinds) if counts is None else set(counts)) - {kind})


def time_of(state: State, counted_at: int) -> int:
    """When an activity was, by the first time of its kind that it has; else when it counts."""
    for name in TIMES.get(state.kind, ()):
        value = state.fields.get(name)
        if isinstance(value, str):
            try:
                return instant(value)
            except Invalid:  # of a kind that was not typed when it came
                continue
    return counted_at


def sighting(
    source: str, key: str, state: State, at: int, people: Directory, day: date
) -> Sighting:
    """An activity as it is compared.

    day: on which its identities mean people
    """
    fields = state.fields
    named = [fields.get(role) for role in kind_of(state.kind).roles]
    identities = [text for text in named if isinstance(text, str)]
    known = {text: people.who(source, text, day) for text in identities}
    return Sighting(
        source,
        key,
        at,
        frozenset(member for member in known.values() if member is not None),
        frozenset(text for text, member in known.items() if member is None and _is_address(text)),
        _counterpart(fields.get("counterpart")),
        _amount(fields),
        _text(fields.get("direction")),
    )


def _is_address(identity: str) -> bool:
    return guessed_kind(identity) in {IdentityKind.EMAIL, IdentityKind.PHONE}


def _text(value: JsonValue) -> str | None:
    return value if isinstance(value, str) else None


def _amount(fields: Mapping[str, JsonValue]) -> tuple[str, str] | None:
    amount = fields.get("amount")
    return (amount, _text(fields.get("currency")) or "") if isinstance(amount, str) else None


def _counterpart(value: JsonValue) -> Counterpart | None:
    if not isinstance(value, str) or not value.strip():
        return None
    text = _BLANKS.sub(" ", unicodedata.normalize("NFKC", value).casefold().strip())
    # Trunk and international prefixes are zeros: +81 3 and 03 are one number from 3 on.
    digits = _NOT_DIGITS.sub("", text).lstrip("0")
    if _NUMBER.fullmatch(text) and len(digits) >= _FEWEST_DIGITS:
        return Counterpart(digits, is_number=True)
    return Counterpart(text, is_number=False)


def same_counterpart(one: Counterpart, other: Counterpart) -> bool:
    """Whether two spellings mean one number, or are one text.

    Of numbers the one without its country is the end of the other.
    """
    if one.is_number and other.is_number:
        return one.text.endswith(other.text) or other.text.endswith(one.text)
    return one == other


def agreement(one: Sighting, other: Sighting) -> frozenset[Agreement]:
    """What two activities have in common; nothing where they contradict each other.

    What only one of them knows is no contradiction, and neither are two names of a company: one
    system has it as it is registered, the other as it is called.
    """
    if _contradict(one, other):
        return frozenset()
    found = set[Agreement]()
    if one.members & other.members:
        found.add(Agreement.MEMBER)
    if one.addresses & other.addresses:
        found.add(Agreement.IDENTITY)
    if (
        one.counterpart
        and other.counterpart
        and same_counterpart(one.counterpart, other.counterpart)
    ):
        found.add(Agreement.COUNTERPART)
    if one.amount and one.amount == other.amount:
        found.add(Agreement.AMOUNT)
    return frozenset(found)


def _contradict(one: Sighting, other: Sighting) -> bool:
    mine, theirs = one.counterpart, other.counterpart
    return bool(
        (one.members and other.members and not one.members & other.members)
        or (one.amount and other.amount and one.amount != other.amount)
        or (one.direction and other.direction and one.direction != other.direction)
        or (
            mine
            and theirs
            and mine.is_number
            and theirs.is_number
            and not same_counterpart(mine, theirs)
        )
    )


def pairs(ones: Sequence[Sighting], others: Sequence[Sighting]) -> list[Pair]:
    """The activities of two sources that look like one, each in one pair at most, by their time.

    They are at most APART from each other, agree in something and contradict each other in
    nothing. Where one looks like several, that which agrees in more has it, then the nearer one,
    then the one of the smaller keys.
    """
    compared = _Compared(ones, others)
    mine, theirs = set[int](), set[int]()
    found: list[Pair] = []
    for *_, place, other in sorted(compared.alike()):
        if place not in mine and other not in theirs:
            mine.add(place)
            theirs.add(other)
            found.append(Pair(ones[place], others[other], compared.agreement(place, other)))
    return sorted(found, key=lambda pair: (pair.one.at, pair.one.key))


class _Compared:
    """The activities of two sources, by their places.

    Where times are dates, thousands are alike in all but the key: what is the same is compared
    once only.
    """

    def __init__(self, ones: Sequence[Sighting], others: Sequence[Sighting]) -> None:
        self._ones, self._others = ones, others
        numbers: dict[Sighting, int] = {}
        self._mine, self._theirs = (
            [
                numbers.setdefault(one._replace(source="", key="", at=0), len(numbers))
                for one in some
            ]
            for some in (ones, others)
        )
        self._faces = list(numbers)
        self._known: dict[tuple[int, int], frozenset[Agreement]] = {}

    def agreement(self, place: int, other: int) -> frozenset[Agreement]:
        faces = (self._mine[place], self._theirs[other])
        found = self._known.get(faces)
        if found is None:
            found = self._known[faces] = agreement(self._faces[faces[0]], self._faces[faces[1]])
        return found

    def alike(self) -> Iterator[tuple[int, int, str, str, int, int]]:
        """How little two agree in, how far they are apart, their keys and their places."""
        index = self._index()
        for place, one in enumerate(self._ones):
            for number in self._near(index, one):
                other = self._others[number]
                agrees = self.agreement(place, number)
                if agrees:
                    apart = abs(one.at - other.at)
                    yield -len(agrees), apart, one.key, other.key, place, number

    def _index(self) -> Mapping[tuple[str, str], list[tuple[int, int]]]:
        index: dict[tuple[str, str], list[tuple[int, int]]] = defaultdict(list)
        for place, other in enumerate(self._others):
            for mark in _marks(other):
                index[mark].append((other.at, place))
        for held in index.values():
            held.sort()
        return index

    def _near(
        self, index: Mapping[tuple[str, str], list[tuple[int, int]]], one: Sighting
    ) -> set[int]:
        """The others of about its time that have something in common with it."""
        found: set[int] = set()
        for mark in _marks(one):
            held = index.get(mark, [])
            begin = bisect_left(held, (one.at - APART, -1))
            end = bisect_left(held, (one.at + APART + 1, -1))
            found.update(place for _, place in held[begin:end])
        return found


def _marks(seen: Sighting) -> Iterator[tuple[str, str]]:
    """What two that agree in something have at least one of in common."""
    for member in seen.members:
        yield "member", member
    for address in seen.addresses:
        yield "identity", address
    if seen.counterpart is not None:
        text, is_number = seen.counterpart
        yield "counterpart", text[-_FEWEST_DIGITS:] if is_number else f" {text}"
    if seen.amount is not None:
        yield "amount", " ".join(seen.amount)

"""What senders say: deals and calls, new, corrected, partial and taken back."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from app.domain.activities import KIND, RETRACTED, Report, make_report
from app.domain.instants import DAY, written_instant
from app.domain.revisions import of_number
from app.main import wall_clock
from tests.faults.service import SOURCE

# Inside the plan that shows it, and in the past however a clock is turned by an hour.
AT = written_instant(wall_clock() - DAY)
_PEOPLE = 5


@dataclass(frozen=True)
class Event:
    """One report of one activity. `number` is its revision, so no two are of the same."""

    number: int
    key: str
    kind: str
    full: bool
    fields: tuple[tuple[str, Any], ...]
    retracted: bool = False

    @property
    def place(self) -> tuple[str, str]:
        return self.key, of_number(str(self.number))

    @property
    def cloud(self) -> dict[str, Any]:
        """As a sender writes it."""
        said = {
            "specversion": "1.0",
            "id": f"e-{self.number}",
            "source": SOURCE,
            "type": self.kind,
            "subject": self.key,
            "revision": str(self.number),
        }
        if self.retracted:
            return said | {"retracted": True}
        return said | {"data": dict(self.fields)} | ({} if self.full else {"merge": True})

    @property
    def report(self) -> Report:
        """What it means."""
        fields = {KIND: self.kind} | ({RETRACTED: True} if self.retracted else dict(self.fields))
        return make_report(SOURCE, self.key, self.place[1], fields, full=self.full)


def events(seed: int, first: int = 1) -> Iterator[Event]:
    """Deals and calls without end: new ones, corrections, partial ones, and some taken back."""
    number = first
    while True:
        dice = random.Random(f"{seed}/{number}")
        turn = number // 2
        key = f"{seed}-{dice.randint(max(0, turn - 40), turn)}"
        yield _event(dice, number, key, "deal" if hash_of(key) else "call")
        number += 1


def hash_of(key: str) -> int:
    return random.Random(key).randint(0, 1)


def _event(dice: random.Random, number: int, key: str, kind: str) -> Event:
    person = f"p{dice.randint(0, _PEOPLE)}"
    match kind, dice.randint(0, 9):
        case _, 0:
            return Event(number, key, kind, full=False, fields=(), retracted=True)
        case "deal", 1 | 2:
            return Event(number, key, kind, False, (("amount", str(dice.randint(1, 10**6))),))
        case "call", 1 | 2:
            return Event(number, key, kind, False, (("talk_seconds", dice.randint(0, 900)),))
        case "deal", _:
            told: dict[str, Any] = {"status": "won", "won_at": AT, "owner": person}
            told |= {"amount": str(dice.randint(1, 10**6)), "currency": "JPY"}
        case _:
            told = {"direction": "outbound", "outcome": "connected", "started_at": AT}
            told |= {"talk_seconds": dice.randint(0, 900), "agent": person}
    return Event(number, key, kind, full=True, fields=tuple(told.items()))

"""Senders that remember: what they sent, and what was acknowledged."""

from __future__ import annotations

import http.client
import random
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from app.domain.activities import KIND, RETRACTED, Report, make_report
from app.domain.revisions import of_number
from tests.faults.service import SOURCE, Answer, Service, asked

_AT = "2024-05-01T03:00:00Z"
_WORKERS = 6
_PEOPLE = 5
_PATIENCE_SECONDS = 180


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
            told: dict[str, Any] = {"status": "won", "won_at": _AT, "owner": person}
            told |= {"amount": str(dice.randint(1, 10**6)), "currency": "JPY"}
        case _:
            told = {"direction": "outbound", "outcome": "connected", "started_at": _AT}
            told |= {"talk_seconds": dice.randint(0, 900), "agent": person}
    return Event(number, key, kind, full=True, fields=tuple(told.items()))


class Load:
    """What was sent, and what of it was acknowledged. `refused` counts answers by status."""

    def __init__(self, service: Service, seed: int = 1, batch: int = 5) -> None:
        self.sent: list[Event] = []
        self.acked: set[Event] = set()
        self.answers: Counter[int] = Counter()
        self.cut = 0
        self.faults: list[str] = []
        self._service = service
        self._source = events(seed)
        self._batch = batch
        self._lock = threading.Lock()

    @contextmanager
    def pouring(self, workers: int = _WORKERS) -> Iterator[Load]:
        """Send without a pause until the end of the block, through whatever happens in it."""
        ended = threading.Event()
        threads = [threading.Thread(target=self._pour, args=(ended,)) for _ in range(workers)]
        for thread in threads:
            thread.start()
        try:
            yield self
        finally:
            ended.set()
            for thread in threads:
                thread.join(60)
        assert not self.faults, self.faults[:3]

    def send(self, number: int) -> None:
        """So many more events, one request at a time."""
        for _ in range(0, number, self._batch):
            self.deliver(self.next())

    def resend(self) -> None:
        """Everything ever sent once more, in another order, until it is acknowledged."""
        everything = list(self.sent)
        random.Random(len(everything)).shuffle(everything)
        for start in range(0, len(everything), 500):
            assert self.deliver(everything[start : start + 500]).status == 200
        assert self.acked == set(self.sent)

    def deliver(self, chosen: Sequence[Event]) -> Answer:
        # Patient: behind a full queue the answer takes as long as the queue does.
        body = [event.cloud for event in chosen]
        answer = self._service.ask("POST", "/v1/events", body, seconds=_PATIENCE_SECONDS)
        self._note(answer, chosen)
        return answer

    def next(self) -> list[Event]:
        """What the next request says; from now on it counts as sent."""
        with self._lock:
            chosen = [next(self._source) for _ in range(self._batch)]
            self.sent += chosen
        return chosen

    def _pour(self, ended: threading.Event) -> None:
        connection = http.client.HTTPConnection("127.0.0.1", self._service.port, timeout=30)
        while not ended.is_set():
            chosen = self.next()
            try:
                answer = asked(connection, "POST", "/v1/events", [event.cloud for event in chosen])
            except (OSError, http.client.HTTPException):
                # Cut off: stored or not, nobody knows; a sender sends it again some day.
                self.cut += 1
                connection.close()
                ended.wait(0.02)
            else:
                self._note(answer, chosen)
        connection.close()

    def _note(self, answer: Answer, chosen: Sequence[Event]) -> None:
        with self._lock:
            self.answers[answer.status] += 1
            if answer.status == 200:
                told = answer.json()
                if told["rejected"] or told["conflicts"] or told["quarantined"]:
                    self.faults.append(str(told))
                self.acked.update(chosen)
            elif answer.status != 503 or "retry-after" not in answer.headers:
                self.faults.append(f"{answer.status} {answer.body!r}")

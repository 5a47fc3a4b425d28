"""Senders that remember: what they sent, and what was acknowledged."""

from __future__ import annotations

import http.client
import random
import threading
from collections import Counter
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from tests.faults.events import Event, events
from tests.faults.oracle import Told
from tests.faults.service import KEYS, OTHER, Answer, Service
from tests.store.worlds import W

_WORKERS = 6
_PATIENCE_SECONDS = 180


class Load:
    """What was sent, and what of it was acknowledged. `answers` counts answers by status.

    With several services, whoever is refused or cut off by one asks the next one. Beside the
    load on the workspace `default` there is one on its neighbour, of another size.
    """

    def __init__(
        self, *services: Service, seed: int = 1, batch: int = 5, workspace: str = W
    ) -> None:
        self.sent: list[Event] = []
        self.acked: set[Event] = set()
        self.answers: Counter[int] = Counter()
        self.cut = 0
        self.faults: list[str] = []
        self.services = services
        self._workspace = workspace
        self._source = events(seed)
        self._batch = batch
        self._lock = threading.Lock()
        self.beside = (
            Load(*services, seed=seed + 7_000, batch=3, workspace=OTHER) if workspace == W else None
        )

    @property
    def told(self) -> list[Told]:
        """What every workspace was told up to now."""
        with self._lock:
            own = Told(tuple(self.sent), frozenset(self.acked), self._workspace)
        return [own, *(self.beside.told if self.beside else ())]

    @contextmanager
    def pouring(self, workers: int = _WORKERS, pause: float = 0) -> Iterator[Load]:
        """Send until the end of the block, through whatever happens in it."""
        ended = threading.Event()
        threads = [
            threading.Thread(target=self._pour, args=(ended, place, pause))
            for place in range(workers)
        ]
        if self.beside:
            threads.append(
                threading.Thread(target=self.beside._pour, args=(ended, 0, pause or 0.02))
            )
        for thread in threads:
            thread.start()
        try:
            yield self
        finally:
            ended.set()
            for thread in threads:
                thread.join(_PATIENCE_SECONDS)
        assert not any(thread.is_alive() for thread in threads)
        assert not self.faults, self.faults[:3]

    def send(self, number: int) -> None:
        """So many more events, one request at a time."""
        for _ in range(0, number, self._batch):
            self.deliver(self.next())
        if self.beside:
            self.beside.send(3)

    def resend(self) -> None:
        """Everything ever sent once more, in another order, until it is acknowledged."""
        everything = list(self.sent)
        random.Random(len(everything)).shuffle(everything)
        for start in range(0, len(everything), 500):
            assert self.deliver(everything[start : start + 500]).status == 200
        assert self.acked == set(self.sent)
        if self.beside:
            self.beside.send(3)
            self.beside.resend()

    def deliver(self, chosen: Sequence[Event], place: int = 0) -> Answer:
        """One request to one service."""
        # Patient: behind a full queue the answer takes as long as the queue does.
        body = [event.cloud for event in chosen]
        service = self.services[place % len(self.services)]
        answer = service.ask("POST", "/v1/events", body, self._key, seconds=_PATIENCE_SECONDS)
        self._note(answer, chosen)
        return answer

    def next(self) -> list[Event]:
        """What the next request says; from now on it counts as sent."""
        with self._lock:
            chosen = [next(self._source) for _ in range(self._batch)]
            self.sent += chosen
        return chosen

    @property
    def _key(self) -> dict[str, str]:
        return {"authorization": f"Bearer {KEYS[self._workspace]}"}

    def _pour(self, ended: threading.Event, place: int, pause: float) -> None:
        connections = [
            http.client.HTTPConnection("127.0.0.1", service.port, timeout=30)
            for service in self.services
        ]
        while not ended.is_set():
            chosen = self.next()
            while not self._taken(connections, place, chosen) and not ended.is_set():
                ended.wait(0.02)
                if len(connections) == 1:
                    break  # a sender sends it again some day
                place += 1
            ended.wait(pause)
        for connection in connections:
            connection.close()

    def _taken(
        self,
        connections: Sequence[http.client.HTTPConnection],
        place: int,
        chosen: Sequence[Event],
    ) -> bool:
        at = place % len(connections)
        body = [event.cloud for event in chosen]
        try:
            answer = self.services[at].asked(connections[at], "POST", "/v1/events", body, self._key)
        except (OSError, http.client.HTTPException):
            # Cut off: stored or not, nobody knows.
            connections[at].close()
            with self._lock:
                self.cut += 1
            return False
        self._note(answer, chosen)
        return answer.status == 200

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

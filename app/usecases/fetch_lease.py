"""Holding a source while it is asked: the lease, the tokens, and how the visit ended."""

from __future__ import annotations

import json
import random
import time
from concurrent.futures import Future
from threading import Event
from typing import Any

from app.domain.deliveries import Delivery, ItemResult
from app.domain.errors import Unavailable
from app.domain.instants import SECOND
from app.intake.reading import read_json
from app.outbound.api import Tokens
from app.outbound.errors import Away, CallError
from app.outbound.sessions import Account, Means, Session
from app.store import fetchers
from app.store.fetchers import State as Stands
from app.usecases.context import Context
from app.usecases.fetch_subjects import Subject
from app.usecases.vault import Held

LEASE = 60 * SECOND
# One call takes 35 seconds at most: a lease of that age outlives it.
RENEWED = 20 * SECOND
_FIRST_SECONDS, _LONGEST_SECONDS = 2, 3_600
_QUEUE_FULL_SECONDS = 0.2


class Lost(Exception):
    """The lease is another's: whatever this visit would still do is done there."""


def backoff(failures: int) -> int:
    """How long to wait after so many failures in a row, in microseconds: not all at once."""
    seconds = min(_FIRST_SECONDS << min(failures, 20), _LONGEST_SECONDS)
    return round(seconds * SECOND * random.uniform(0.5, 1))  # noqa: S311 - no secret


class Holder:
    """Who holds a source. `stands` is how it stood when it was taken."""

    def __init__(self, context: Context, subject: Subject, stands: Stands, ended: Event) -> None:
        self.stands = stands
        self._context, self._subject, self._ended = context, subject, ended
        self._renewed = context.clock()

    def session(self) -> Session:
        vault, known = self._context.vault, None
        if self.stands.tokens is not None:
            try:
                known = Tokens(**json.loads(vault.opened(self.stands.tokens).secrets["tokens"][0]))
            except (Unavailable, KeyError, ValueError, TypeError):
                known = None  # sealed with another key, or by another version: begun anew
        subject = self._subject
        account = Account(subject.settings.values, subject.proofs, known, self._keep)
        means = Means(self._context.callers, read_json, self._context.clock, self._pause)
        return Session(subject.api, account, means)

    def _keep(self, tokens: Tokens) -> None:
        text = json.dumps(tokens._asdict())
        self.write(tokens=self._context.vault.seal(Held({"tokens": (text,)})))

    def _pause(self, seconds: float) -> bool:
        return not self._ended.wait(seconds)

    def write(self, **values: Any) -> None:  # noqa: ANN401 - of several columns
        self._renewed = self._context.clock()
        values |= {"lease_until": self._renewed + LEASE}
        subject, fence = self._subject, self.stands.fence
        with self._context.store.transaction() as connection:
            held = fetchers.change(connection, subject.workspace, subject.source, fence, values)
        if not held:
            raise Lost

    def go_on(self) -> None:
        """Before each call: hold the lease for longer than it can take. Raises Lost, Away."""
        if self._ended.is_set():
            raise Away("stopping")
        if self._context.clock() - self._renewed > RENEWED:
            self.write()

    def leave(self, failed: CallError | None) -> None:
        now = self._context.clock()
        values: dict[str, Any] = {"lease_until": 0}
        if failed is None:
            values |= {"failures": 0, "retry_at": 0, "code": None, "succeeded_at": now}
        elif failed.code != "stopping":
            wait = (failed.retry_after or 0) * SECOND
            wait = max(wait, backoff(self.stands.failures))
            values |= {"failures": self.stands.failures + 1, "retry_at": now + wait}
            values |= {"code": failed.code}
        subject, fence = self._subject, self.stands.fence
        with self._context.store.transaction() as connection:
            values |= {"tried_at": now}
            fetchers.change(connection, subject.workspace, subject.source, fence, values)

    def submitted(self, delivery: Delivery) -> Future[list[ItemResult]]:
        """Queue it behind what senders wait for; a full queue is theirs first."""
        while True:
            try:
                return self._context.committer.submit(delivery)
            except Unavailable as error:
                if error.code != "queue_full":
                    raise
                time.sleep(_QUEUE_FULL_SECONDS)

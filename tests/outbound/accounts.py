"""A service's inside that asks a simulated account, at a clock that the test turns."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any, Generic

import pytest

from app.domain.activities import State
from app.domain.instants import written_instant
from app.main import opened, random_token
from app.settings import Settings
from app.store import fetchers, fetches, ledger, states
from app.usecases import fetching, workspaces
from app.usecases.context import Context
from app.usecases.fetch_subjects import Subject, subjects_of
from app.usecases.fetch_visit import Visit
from app.usecases.receiving import Connection, HookCall, Taken, connection_of, record_hook
from app.usecases.saving import Precondition, standing
from app.usecases.sources import put_source
from tests import engines
from tests.intake.senders import pipedrive as event
from tests.outbound.serving import TOKEN, AnyAccount
from tests.outbound.simulator import Pipedrive
from tests.outbound.truths import differing, of_pipedrive
from tests.web.service import ADMIN, Clock

W, SOURCE = "default", "crm"


@dataclass
class Connected(Generic[AnyAccount]):
    """A source that was connected to an account; `found` is what asking told of."""

    context: Context
    account: AnyAccount
    clock: Clock
    found: list[tuple[str, str]]

    @property
    def subject(self) -> Subject:
        with self.context.read() as reading:
            (subject,) = subjects_of(self.context, reading, W)
        return subject

    def visit(self) -> bool:
        return fetching.visit(self.context, self.subject, lambda *told: self.found.append(told))

    def connection(self) -> Connection:
        with self.context.read() as reading:
            document = standing(reading, W, "source", SOURCE)
            assert document is not None
            found = connection_of(self.context, reading, W, document)
        assert found is not None
        return found

    def deliver(self, headers: Mapping[str, str], body: bytes) -> None:
        """A request at the source's hook, taken and counted."""
        call = HookCall("POST", "/v1/hooks/x", headers, body)
        taken = record_hook(self.context, self.connection(), call)
        assert isinstance(taken, Taken)
        taken.results.result(30)

    def pending(self) -> int:
        with self.context.read() as reading:
            found = fetches.pending(reading, W).get(SOURCE)
        return found.count if found else 0

    def fetcher(self) -> fetchers.State:
        with self.context.read() as reading:
            return fetchers.state(reading, W, SOURCE)

    def standing(self, keys: Iterable[str]) -> dict[str, State]:
        """The states at some keys."""
        with self.context.read() as reading:
            return states.load(reading, W, SOURCE, keys)


@contextmanager
def dying_at_mark(number: int) -> Iterator[None]:
    """Meanwhile whoever asks dies between a page that is taken in and its mark: that one's."""
    marked, passed = Visit._set, count(1)

    def dying(self: Visit, name: str, mark: Any) -> None:
        if next(passed) == number:
            raise KeyboardInterrupt
        marked(self, name, mark)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(Visit, "_set", dying)
        with pytest.raises(KeyboardInterrupt):
            yield


@dataclass
class World(Connected[Pipedrive]):
    """A source of Pipedrive that was connected to the account."""

    def push(self, entity: str, data: dict[str, Any], at: int, *, action: str = "change") -> None:
        """The event that Pipedrive makes of a change, which bears a time of its own."""
        sent = event(
            data, at=written_instant(at), entity=entity, number=str(data["id"]), action=action
        )
        self.deliver(sent.headers, sent.body)

    def states(self) -> dict[str, State]:
        """What stands of every object of the account."""
        keys = {f"{entity}:{number}" for entity, number in self.account.truth}
        with self.context.read() as reading:
            return states.load(reading, W, SOURCE, keys)

    def assert_true(self) -> None:
        """What stands is the account's, by the account itself and not by any reader of ours."""
        assert differing(of_pipedrive(self.account), self.states()) == {}
        assert ledger.verify(self.context.store, W) == []


@contextmanager
def world(folder: Path, account: Pipedrive, clock: Clock) -> Iterator[World]:
    """The account connected, and the committer at work."""
    body = {"provider": "pipedrive", "name": "CRM", "settings": {"api_url": account.url}}
    credentials: Any = {"user": "tassei", "password": "ひみつの合言葉", "api_token": TOKEN}
    with inside(folder, clock) as context:
        put_source(context, W, SOURCE, body, credentials, Precondition(None, None), "test")
        yield World(context, account, clock, [])


@contextmanager
def inside(folder: Path, clock: Clock, **settings: Any) -> Iterator[Context]:
    """A service without its web, which may ask this machine."""
    chosen = Settings(data_dir=folder, database_url=engines.url(folder, migrated=True), **settings)
    context = opened(chosen, clock=clock, loopback=True)
    workspaces.first_start(context.store, clock(), random_token, ADMIN)
    context.committer.start()
    context.watch.start()
    try:
        yield context
    finally:
        context.committer.stop()
        context.watch.stop()
        context.store.close()

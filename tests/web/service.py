"""A whole service in the test's process, at a clock that the test turns."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any

from starlette.testclient import TestClient

from app.domain.instants import instant
from app.main import Token, create_app, opened, random_token
from app.settings import Settings
from app.store import ledger
from app.store.engine import Store
from app.store.tables import METADATA
from app.usecases import workspaces
from tests import engines

ADMIN = "tsk_default_" + "A" * 40
_documents: dict[str, dict[str, Any]] = {}


@dataclass
class Clock:
    now: int

    def set(self, text: str) -> None:
        self.now = instant(text)

    def __call__(self) -> int:
        return self.now


@dataclass
class Reading:
    """A progress answer, with its goals by key."""

    body: dict[str, Any]
    goals: dict[str, dict[str, Any]] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self._gather(self.body["root"])

    def _gather(self, goal: dict[str, Any]) -> None:
        self.goals[goal["key"]] = goal
        for child in goal["children"]:
            self._gather(child)

    def goal(self, key: str) -> dict[str, Any]:
        return self.goals[key]


class Service:
    """What a client does, in few words."""

    def __init__(self, client: TestClient, clock: Clock, store: Store, folder: Path) -> None:
        self.client = client
        self.clock = clock
        self.store = store
        self.folder = folder
        self.planned: Any = None

    def with_key(self, token: str) -> Service:
        """The same service, asked with another key."""
        headers = {"authorization": f"Bearer {token}"}
        client = TestClient(self.client.app, base_url=str(self.client.base_url), headers=headers)
        return Service(client, self.clock, self.store, self.folder)

    def key(self, *scopes: str) -> Service:
        """The same service, asked with a new key of these scopes."""
        answer = self.client.post("/v1/keys", json={"name": "k", "scopes": list(scopes)})
        assert answer.status_code == 201, answer.text
        return self.with_key(answer.json()["token"])

    def workspace(self, key: str) -> Service:
        """The same service, asked by the admin of a new workspace."""
        issued = workspaces.create(self.store, key, self.clock(), random_token, None)
        return self.with_key(issued.token)

    def dump(self) -> str:
        """Everything that is stored, as text: to see that nothing changed.

        But for the counts of refusals, which are written some seconds after them.
        """
        with self.store.read() as reading:
            rows = [
                repr((table.name, tuple(row)))
                for table in METADATA.sorted_tables
                if table.name != "refusal"
                for row in reading.connection.execute(table.select())
            ]
        return "\n".join(sorted(rows))

    def get(self, path: str, **headers: str) -> Any:
        return self.client.get(path, headers=headers)

    def put(self, path: str, body: Any, **headers: str) -> Any:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.put(path, json=body, headers=named)

    def replace(self, path: str, body: Any) -> Any:
        """Change what stands there, as someone who has just read it."""
        answer = self.put(path, body, if_match=self.get(path).headers["etag"])
        assert answer.status_code == 200, answer.text
        return answer

    def post_events(self, events: list[dict[str, Any]]) -> Any:
        kind = "application/cloudevents-batch+json"
        answer = self.client.post("/v1/events", json=events, headers={"content-type": kind})
        assert answer.status_code == 200, answer.text
        return answer

    def counts(self, events: list[dict[str, Any]]) -> dict[str, int]:
        """Post a batch; the outcomes that are not zero."""
        answer = self.post_events(events).json()
        assert answer.pop("rejected") == []
        assert answer.pop("conflicts") == []
        return {word: number for word, number in answer.items() if number}

    def progress(self, plan: str, as_of: str | None = None, **query: str) -> Reading:
        asked = query | ({"as_of": as_of} if as_of else {})
        answer = self.client.get(f"/v1/plans/{plan}/progress", params=asked)
        assert answer.status_code == 200, answer.text
        return Reading(answer.json())

    def mismatches(self) -> list[ledger.Mismatch]:
        """What a recount from the reports finds wrong."""
        return ledger.verify(self.store, "default")


@contextmanager
def started(
    at: str, *, token: Token = random_token, loopback: bool = False, **settings: Any
) -> Iterator[Service]:
    """A service with the workspace `default`, its admin's client, and its clock.

    loopback: whether it may ask providers on this machine
    """
    with (
        TemporaryDirectory() as folder,
        started_in(Path(folder), at, token=token, loopback=loopback, **settings) as service,
    ):
        yield service


@contextmanager
def started_in(
    folder: Path,
    at: str,
    *,
    token: Token = random_token,
    loopback: bool = False,
    **settings: Any,
) -> Iterator[Service]:
    """The same on a data folder, which may hold what an earlier service left."""
    clock = Clock(instant(at))
    if "database_url" not in settings:
        address = engines.url(folder, migrated=True)
        if engines.chosen() != engines.SQLITE:  # a file lies where it is looked for
            settings["database_url"] = address
    chosen = Settings(data_dir=folder, **settings)
    context = opened(chosen, clock=clock, token=token, loopback=loopback)
    workspaces.first_start(context.store, clock(), token, ADMIN)
    app = create_app(chosen, context)
    address = app.servers[0]["url"]
    # Apps of one address have one document, and it takes longer to make than most tests.
    app.openapi_schema = _documents.get(address)
    headers = {"authorization": f"Bearer {ADMIN}"}
    with TestClient(app, base_url="http://tassei.test", headers=headers) as client:
        yield Service(client, clock, context.store, folder)
    if app.openapi_schema is not None:
        _documents[address] = app.openapi_schema

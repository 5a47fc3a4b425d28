"""A small company, a listening service, and a reader of its streams that is not ours."""

from __future__ import annotations

import json
import queue
import signal
import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, cast

import httpx
import sseclient
import uvicorn

from app.domain.instants import instant, moment_of
from app.main import create_app, opened, random_token
from app.settings import Settings
from app.usecases import workspaces
from app.usecases.context import Context
from app.web.listener import GuardedProtocol
from app.web.server import Server, listen
from app.web.streams import Streams
from tests.patience import HANG_SECONDS
from tests.web.service import ADMIN, Clock

PEOPLE = {"sato": "301", "suzuki": "302"}
PLAN = "new"
WORKSPACE = {
    "name": "Example K.K.",
    "time_zone": "Asia/Tokyo",
    "currency": "JPY",
    "locale": "ja-JP",
    "fiscal_year_start_month": 4,
    "calendar": {
        "holidays": None,
        "weekdays": ["mon", "tue", "wed", "thu", "fri"],
        "working_hours": {"from": "09:00", "to": "18:00"},
        "closures": [],
        "extra_working_days": [],
    },
}
FUNNEL = [
    {"metric": "deals_won", "target": "4"},
    {"metric": "appointments", "rate": "0.1"},
    {"metric": "calls", "rate": "0.2"},
]
FLEETING = ("as_of", "known_at", "generated_at", "next_change_at")


def headers(key: str = ADMIN) -> dict[str, str]:
    return {"authorization": f"Bearer {key}"}


def company(client: Any, month: str, alias: str = PLAN) -> None:
    """Two people who call, and a plan for their team, by any client of the API."""
    seen = client.get("/v1/workspace")
    put(client, "/v1/workspace", WORKSPACE, **{"if-match": seen.headers["etag"]})
    put(client, "/v1/teams/east", {"name": "East"})
    put(client, "/v1/sources/phone", {"provider": "events", "name": "Phone", "counts": ["call"]})
    for key, extension in PEOPLE.items():
        identity = {"source": "phone", "kind": "extension", "value": extension}
        hooked = {"source": "crm", "kind": "extension", "value": extension}
        member = {
            "name": key,
            "capacity": "1",
            "memberships": [{"team": "east", "from": "2026-04-01", "to": None}],
            "identities": [identity, hooked],
        }
        put(client, f"/v1/members/{key}", member)
    put(client, f"/v1/plans/{alias}", plan(month))


def plan(month: str) -> dict[str, Any]:
    return {
        "name": "New business",
        "period": {"month": month},
        "funnel": FUNNEL,
        "assignments": [{"team": "east"}],
        "allow_unmeasured": True,
        "reason": "monthly plan",
    }


def put(client: Any, path: str, body: Any, **headers: str) -> Any:
    answer = client.put(path, json=body, headers=headers)
    assert answer.status_code in (200, 201), answer.text
    return answer.json()


def call(number: int | str, who: str, at: int) -> dict[str, Any]:
    started = moment_of(at).isoformat()
    return {
        "specversion": "1.0",
        "id": f"call-{number}",
        "source": "phone",
        "type": "call",
        "time": started,
        "actor": PEOPLE.get(who, who),
        "data": {"direction": "outbound", "outcome": "no_answer", "started_at": started},
    }


def send(client: Any, *events: dict[str, Any]) -> None:
    kind = {"content-type": "application/cloudevents-batch+json"}
    answer = client.post("/v1/events", json=list(events), headers=kind)
    assert answer.status_code == 200, answer.text
    assert answer.json()["accepted"] == len(events), answer.text


class Recorded:
    """Bytes on their way, kept for those who look at bytes."""

    def __init__(self, chunks: Iterator[bytes]) -> None:
        self._chunks = chunks
        self.raw = b""

    def __iter__(self) -> Recorded:
        return self

    def __next__(self) -> bytes:
        chunk = next(self._chunks)
        self.raw += chunk
        return chunk


class Reader:
    """Reads one stream in a thread: sseclient tells the events, httpx how it ended."""

    def __init__(self, url: str, key: str = ADMIN, **more: str) -> None:
        self._url = url
        self._headers = headers(key) | {k.replace("_", "-"): v for k, v in more.items()}
        self._events: queue.Queue[Any] = queue.Queue()
        self._recorded = Recorded(iter(()))
        self._started = threading.Event()
        self.answer: httpx.Response | None = None
        self.complete: bool | None = None
        threading.Thread(target=self._read, daemon=True).start()
        assert self._started.wait(HANG_SECONDS), "no answer"

    @property
    def raw(self) -> bytes:
        return self._recorded.raw

    def next(self, seconds: float = HANG_SECONDS) -> Any:
        """The next event; None at the end. Queue.Empty when none comes in time."""
        return self._events.get(timeout=seconds)

    def named(self, *names: str) -> Any:
        """The next event with one of these names."""
        while (event := self.next()) is not None:
            if event.event in names:
                return event
        raise AssertionError("the stream ended")

    def rest(self) -> list[str]:
        """The names of all events up to the end."""
        names = []
        while (event := self.next()) is not None:
            names.append(event.event)
        return names

    def silent(self, seconds: float) -> bool:
        """Whether no event comes within some seconds."""
        try:
            self.next(seconds)
        except queue.Empty:
            return True
        return False

    def _read(self) -> None:
        try:
            with httpx.stream(
                "GET", self._url, headers=self._headers, timeout=HANG_SECONDS
            ) as answer:
                self.answer = answer
                if answer.status_code != 200:
                    answer.read()
                    return
                self._recorded = Recorded(answer.iter_raw())
                self._started.set()
                for event in sseclient.SSEClient(self._recorded).events():
                    self._events.put(event)
            self.complete = True
        except httpx.HTTPError:
            self.complete = False
        finally:
            self._started.set()
            self._events.put(None)


class Copy:
    """What a client holds: the last snapshot, with the goals that came since put into it."""

    def __init__(self) -> None:
        self.document: dict[str, Any] = {}

    def take(self, name: str, data: str | bytes) -> None:
        if name == "snapshot":
            self.document = json.loads(data)
        elif name == "goals":
            for entry in json.loads(data):
                self._tree(entry.get("scope"), entry["goal"]["key"]).update(entry["goal"])

    def _tree(self, scope: dict[str, str] | None, key: str) -> dict[str, Any]:
        root = self.document["root"]
        if scope is not None:
            (root,) = (p["root"] for p in self.document["breakdown"] if p["scope"] == scope)
        found = root
        while found["key"] != key:
            (found,) = found["children"]
        result: dict[str, Any] = found
        return result

    def lasting(self) -> dict[str, Any]:
        return lasting(self.document)

    def follow(self, reader: Reader, actual: str) -> None:
        """Take events until the calls are so many."""
        while not self.document or self._tree(None, "calls")["actual"] != actual:
            event = reader.next()
            assert event is not None
            self.take(event.event, event.data)


def lasting(document: dict[str, Any]) -> dict[str, Any]:
    """A document without the times at which it was looked."""
    return {name: value for name, value in document.items() if name not in FLEETING}


@dataclass
class Live:
    """A service that listens, in this process, at a clock that the test turns."""

    port: int
    clock: Clock
    context: Context
    streams: Streams
    server: Server
    client: httpx.Client
    calls: int = 0
    readers: list[Reader] = field(default_factory=list)

    def url(self, plan: str = PLAN, **query: str) -> str:
        words = "&".join(f"{name}={value}" for name, value in query.items())
        return f"http://127.0.0.1:{self.port}/v1/plans/{plan}/stream" + (f"?{words}" * bool(words))

    def reader(self, plan: str = PLAN, key: str = ADMIN, last: str = "", **query: str) -> Reader:
        more = {"last-event-id": last} if last else {}
        return Reader(self.url(plan, **query), key, **more)

    def call(self, who: str = "sato", number: int = 1) -> None:
        """So many calls by somebody, now, in one request."""
        self.calls += number
        numbers = range(self.calls - number, self.calls)
        send(self.client, *(call(n, who, self.clock()) for n in numbers))

    def progress(self, plan: str = PLAN, **query: str) -> dict[str, Any]:
        answer = self.client.get(f"/v1/plans/{plan}/progress", params=query)
        assert answer.status_code == 200, answer.text
        document: dict[str, Any] = answer.json()
        return document

    def key(self, *scopes: str) -> dict[str, Any]:
        answer = self.client.post("/v1/keys", json={"name": "k", "scopes": scopes})
        issued: dict[str, Any] = answer.json()
        return issued


@contextmanager
def listening(at: str, protocol: type[GuardedProtocol] = GuardedProtocol) -> Iterator[Live]:
    """A service with the company in it, behind a real listener."""
    with (
        TemporaryDirectory() as folder,
        served(Settings(data_dir=Path(folder)), Clock(instant(at)), protocol) as live,
    ):
        company(live.client, at[:7])
        yield live


@contextmanager
def served(
    settings: Settings, clock: Clock, protocol: type[GuardedProtocol] = GuardedProtocol
) -> Iterator[Live]:
    """A service behind a real listener, on whatever its database holds."""
    context = opened(settings, clock=clock)
    workspaces.first_start(context.store, clock(), random_token, ADMIN)
    app = create_app(settings, context)
    socket_ = listen("127.0.0.1", 0)
    port = socket_.getsockname()[1]
    config = uvicorn.Config(
        app,
        # As it is served: uvicorn only ever calls it.
        http=cast("Any", partial(protocol, direct=app.state.direct)),
        ws="none",
        log_config=None,
        access_log=False,
        loop="uvloop",
    )
    app.state.direct.believe(config.forwarded_allow_ips)
    server = Server(config, app.state.drain)
    thread = threading.Thread(target=server.run, args=([socket_],), daemon=True)
    thread.start()
    wait(lambda: server.started)
    base = f"http://127.0.0.1:{port}"
    try:
        with httpx.Client(base_url=base, headers=headers(), timeout=HANG_SECONDS) as client:
            yield Live(port, clock, context, app.state.streams, server, client)
    finally:
        # A second one would end the process of the tests at once.
        if not server.should_exit:
            server.handle_exit(signal.SIGTERM, None)
        thread.join(HANG_SECONDS)
    assert not thread.is_alive()


def wait(condition: Callable[[], bool], seconds: float = HANG_SECONDS) -> None:
    """Until it holds."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it did not come to hold"
        time.sleep(0.005)


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port

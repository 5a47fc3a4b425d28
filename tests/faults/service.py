"""A real `tassei serve` that can be stopped, killed and started again on what it left behind."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from app.settings import PREFIX
from app.store.engine import Store
from tests import engines
from tests.store.worlds import W

OTHER = "other"
KEYS = {name: f"tsk_{name}_" + "F" * 40 for name in (W, OTHER)}
KEY = KEYS[W]
SOURCE = "crm"
PATIENCE_SECONDS = 60.0
_ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Answer:
    status: int
    headers: Mapping[str, str]
    body: bytes

    def json(self) -> Any:
        return json.loads(self.body)

    @property
    def problem(self) -> str:
        return str(self.json()["type"]).removeprefix("urn:tassei:problem:").replace("-", "_")


class Service:
    """The process and its address, which stays the same over restarts.

    `database_url` may name any database; without one it is the folder's, on the engine that the
    test is about. `also` is more of an environment, `program` another way to begin.
    """

    def __init__(
        self,
        folder: Path,
        database_url: str | None = None,
        log: Path | None = None,
        *,
        also: Mapping[str, str] | None = None,
        program: Sequence[str | Path] = ("app",),
    ) -> None:
        self.folder = folder
        self.url = database_url or engines.url(folder)
        # Answers that no input and no failing dependency excuses.
        self.broken: list[str] = []
        self._also = dict(also or {})
        self.root = _ROOT
        self.command = [sys.executable, "-m", *map(str, program), "serve"]
        with socket.socket() as probe:
            probe.bind(("127.0.0.1", 0))
            self.port = int(probe.getsockname()[1])
        self.log = log or folder / "service.log"
        self._process: subprocess.Popen[bytes] | None = None

    @property
    def environment(self) -> dict[str, str]:
        own = {
            "DATA_DIR": str(self.folder),
            "DATABASE_URL": self.url,
            "PORT": str(self.port),
            "ADMIN_KEY": KEY,
            "LOG_FORMAT": "json",
        }
        clean = {k: v for k, v in os.environ.items() if not k.startswith(PREFIX)}
        return clean | {f"{PREFIX}{name}": value for name, value in own.items()} | self._also

    @property
    def process(self) -> subprocess.Popen[bytes]:
        assert self._process is not None
        return self._process

    @property
    def committing(self) -> int:
        """The process that writes activities to the database: the service's only child."""
        end = time.monotonic() + PATIENCE_SECONDS
        while time.monotonic() < end:
            children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
            if found := children.read_text().split():
                return int(found[0])
            time.sleep(0.02)
        raise AssertionError("no process commits")

    def start(self) -> None:
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603 - our own program
                self.command,
                cwd=_ROOT,
                env=self.environment,
                stdout=log,
                stderr=log,
            )
        self._await()

    def _await(self) -> None:
        end = time.monotonic() + PATIENCE_SECONDS
        while self.process.poll() is None and time.monotonic() < end:
            try:
                self.ask("GET", "/livez")
            except OSError:
                time.sleep(0.02)
            else:
                return
        raise AssertionError(self.log.read_text(encoding="utf-8")[-4_000:])

    def kill(self) -> None:
        """kill -9: no handler runs, no buffer is written."""
        self.process.kill()
        self.process.wait(PATIENCE_SECONDS)

    def stop(self) -> float:
        """SIGTERM; the seconds to the exit, which is a clean one."""
        began = time.monotonic()
        self.process.send_signal(signal.SIGTERM)
        assert self.process.wait(PATIENCE_SECONDS) == 0, self.log.read_text()[-4_000:]
        return time.monotonic() - began

    def run(self, *arguments: str) -> subprocess.CompletedProcess[str]:
        """Another command on the same database."""
        return subprocess.run(  # noqa: S603 - our own program
            [sys.executable, "-m", "app", *arguments],
            cwd=_ROOT,
            env=self.environment,
            capture_output=True,
            text=True,
            check=True,
            timeout=PATIENCE_SECONDS,
        )

    def ask(
        self,
        method: str,
        path: str,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
        seconds: float = 30,
    ) -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=seconds)
        try:
            return self.asked(connection, method, path, body, headers)
        finally:
            connection.close()

    def asked(
        self,
        connection: http.client.HTTPConnection,
        method: str,
        path: str,
        body: Any = None,
        headers: Mapping[str, str] | None = None,
    ) -> Answer:
        """The answer over a connection that is kept."""
        kind = "application/cloudevents-batch+json" if path == "/v1/events" else "application/json"
        sent = {"authorization": f"Bearer {KEY}", "content-type": kind} | dict(headers or {})
        content = body if isinstance(body, str | None) else json.dumps(body)
        connection.request(method, path, content, sent)
        answer = connection.getresponse()
        told = {name.lower(): value for name, value in answer.getheaders()}
        found = Answer(answer.status, told, answer.read())
        if found.status >= 500 and not (found.status == 503 and "retry-after" in told):
            self.broken.append(f"{method} {path}: {found.status} {found.body!r}")
        return found

    @contextmanager
    def store(self) -> Iterator[Store]:
        """The database from beside the service, whatever the service is doing."""
        store = Store(self.url)
        try:
            yield store
        finally:
            store.close()

    def rss(self) -> int:
        """Bytes of memory in use (Linux), of both processes."""
        pids = (self.process.pid, self.committing)
        pages = (int(Path(f"/proc/{pid}/statm").read_text().split()[1]) for pid in pids)
        return sum(pages) * os.sysconf("SC_PAGE_SIZE")


@contextmanager
def running(*services: Service) -> Iterator[None]:
    """Started; whatever is left of them at the end is killed."""
    try:
        for service in services:
            service.start()
        yield
    finally:
        for service in services:
            if service._process is not None and service._process.poll() is None:
                service.kill()

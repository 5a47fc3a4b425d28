"""The service as a child process, and its public API as a client sees it."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from fcntl import LOCK_EX, LOCK_NB, flock
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx
from sqlalchemy import create_engine, inspect
from sqlalchemy.exc import DBAPIError

from app.settings import Settings

_MARK = ".tassei-demo"
_STARTS_WITHIN = 60.0


class DemoError(Exception):
    """The demo cannot go on; the message is the one line that says why."""


@contextmanager
def fresh_folder(folder: Path) -> Iterator[Path]:
    """An empty data folder; only a folder that an earlier demo made is ever emptied.

    Held while the block runs: a second demo must not sweep the data away under the first.
    """
    mark = folder / _MARK
    if folder.exists() and any(folder.iterdir()) and not mark.exists():
        raise DemoError(f"{folder} is not empty and not from a demo: name another folder")
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    with mark.open("w") as held:
        try:
            flock(held, LOCK_EX | LOCK_NB)
        except BlockingIOError:
            raise DemoError(f"another demo is running in {folder}: name another folder") from None
        for inside in folder.iterdir():
            if inside.is_dir():
                shutil.rmtree(inside)
            elif inside != mark:
                inside.unlink()
        yield folder


def free_port(host: str, wanted: int | None) -> int:
    """The wanted port, or 8000, or where that is taken any free one."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    for port in (wanted,) if wanted is not None else (8000, 0):
        with socket.socket(family) as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise DemoError(f"port {wanted} of {host} is taken")


def _reachable(host: str) -> str:
    """Where a client finds what listens on `host`: on every address means also on this machine."""
    local = {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)  # noqa: S104 - not bound here
    return f"[{local}]" if ":" in local else local


def _database(folder: Path, settings: Settings) -> str:
    """The sample lives and goes with its folder; on a server, in a database that has no tables."""
    url = settings.database_url
    if url is None or not url.startswith("postgresql:"):
        return f"sqlite:///{folder / 'tassei.sqlite3'}"
    engine = create_engine(url)
    try:
        if inspect(engine).get_table_names():
            raise DemoError("TASSEI_DATABASE_URL: the demo takes an empty database, or a file")
    except DBAPIError:
        raise DemoError("TASSEI_DATABASE_URL: the database cannot be looked into") from None
    finally:
        engine.dispose()
    return url


class Service:
    """`python -m app serve` with a data folder of its own; ends with the with-block."""

    def __init__(self, folder: Path, settings: Settings, port: int, admin_key: str) -> None:
        host = settings.host
        self.url = f"http://{_reachable(host)}:{port}"
        self.public_url = settings.public_url or self.url
        metrics_port = settings.metrics_port or port
        self.metrics_url = f"http://{_reachable(host)}:{metrics_port}/metrics"
        self._log = folder / "service.log"
        self._environment = os.environ | {
            "TASSEI_DATA_DIR": str(folder),
            "TASSEI_DATABASE_URL": _database(folder, settings),
            "TASSEI_HOST": host,
            "TASSEI_PORT": str(port),
            "TASSEI_PUBLIC_URL": self.public_url,
            "TASSEI_ADMIN_KEY": admin_key,
        }
        self._process: subprocess.Popen[bytes] | None = None

    def __enter__(self) -> Self:
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(
                [sys.executable, "-m", "app", "serve"],
                env=self._environment,
                stdout=log,
                stderr=subprocess.STDOUT,
                # Ctrl-C is ours to handle: the service is stopped after the last event.
                start_new_session=True,
            )
        try:
            self._wait(self._process)
        except BaseException:
            self._stop()
            raise
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._stop()

    def _wait(self, process: subprocess.Popen[bytes]) -> None:
        deadline = time.monotonic() + _STARTS_WITHIN
        while time.monotonic() < deadline:
            if process.poll() is not None:
                raise DemoError(f"the service did not start: {self._last_words()}")
            try:
                if httpx.get(f"{self.url}/readyz", timeout=2, trust_env=False).is_success:
                    return
            except httpx.TransportError:
                pass
            time.sleep(0.1)
        raise DemoError(
            f"the service is not ready after {_STARTS_WITHIN:.0f} s: {self._last_words()}"
        )

    def _last_words(self) -> str:
        lines = self._log.read_text(errors="replace").strip().splitlines()
        return lines[-1] if lines else f"see {self._log}"

    def _stop(self) -> None:
        if self._process is None or self._process.poll() is not None:
            return
        self._process.terminate()
        try:
            self._process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()


class Api:
    """The public API with one key."""

    def __init__(self, url: str, key: str, language: str) -> None:
        headers = {"Authorization": f"Bearer {key}", "Accept-Language": language}
        self._client = httpx.Client(base_url=url, headers=headers, timeout=30, trust_env=False)

    def get(self, path: str, **query: str) -> dict[str, Any]:
        """The JSON of a resource."""
        return self._json(self._client.get(path, params=query))

    def put(self, path: str, body: dict[str, Any]) -> dict[str, Any]:
        """Create or replace a resource, against the version that stands."""
        standing = self._client.get(path)
        match = {"If-Match": standing.headers["ETag"]} if standing.is_success else {}
        headers = {"Content-Type": "application/json"} | match
        return self._json(self._client.put(path, content=json.dumps(body), headers=headers))

    def _json(self, answer: httpx.Response) -> dict[str, Any]:
        if not answer.is_success:
            request = answer.request
            raise DemoError(f"{request.method} {request.url}: {answer.status_code} {answer.text}")
        document: dict[str, Any] = answer.json()
        return document

"""The service as a child process, and its public API as a client sees it."""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import sys
import time
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import httpx

_MARK = ".tassei-demo"
_STARTS_WITHIN = 60.0


class DemoError(Exception):
    """The demo cannot go on; the message is the one line that says why."""


def fresh_folder(folder: Path) -> Path:
    """An empty data folder; only a folder that an earlier demo made is ever emptied."""
    if folder.exists() and any(folder.iterdir()):
        if not (folder / _MARK).exists():
            raise DemoError(f"{folder} is not empty and not from a demo: name another folder")
        shutil.rmtree(folder)
    folder.mkdir(parents=True, exist_ok=True)
    (folder / _MARK).touch()
    return folder


def free_port(host: str, wanted: int | None) -> int:
    """The wanted port, or 8000, or where that is taken any free one."""
    for port in (wanted,) if wanted is not None else (8000, 0):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind((host, port))
            except OSError:
                continue
            return int(probe.getsockname()[1])
    raise DemoError(f"port {wanted} of {host} is taken")


class Service:
    """`python -m app serve` with a data folder of its own; ends with the with-block."""

    def __init__(self, folder: Path, host: str, port: int, admin_key: str) -> None:
        self.url = f"http://{host}:{port}"
        self._log = folder / "service.log"
        self._environment = os.environ | {
            "TASSEI_DATA_DIR": str(folder),
            "TASSEI_HOST": host,
            "TASSEI_PORT": str(port),
            "TASSEI_PUBLIC_URL": self.url,
            "TASSEI_ADMIN_KEY": admin_key,
        }
        # The sample lives and goes with its folder, never in somebody's database.
        self._environment.pop("TASSEI_DATABASE_URL", None)
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

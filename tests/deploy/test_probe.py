"""The container's own health check: yes from a live service, no from anything else, quickly."""

from __future__ import annotations

import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from app import probe
from app.settings import Settings
from tests.deploy.dockerfile import ROOT


class Answering(BaseHTTPRequestHandler):
    """A stand-in for the service: 200 on /livez alone."""

    def do_GET(self) -> None:
        self.send_response(200 if self.path == "/livez" else 503)
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
        pass


class Refusing(Answering):
    def do_GET(self) -> None:
        self.send_error(503)


class Garbled(Answering):
    def do_GET(self) -> None:
        self.wfile.write(b"SSH-2.0-something\r\n\r\n")


@contextmanager
def listening(handler: type[BaseHTTPRequestHandler]) -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        yield str(server.server_port)
        server.shutdown()
        thread.join()


@pytest.mark.parametrize("host", ["", "127.0.0.1", "0.0.0.0"])  # noqa: S104 - asked, not listened on
def test_a_live_service_is_healthy_wherever_it_listens(host: str) -> None:
    with listening(Answering) as port:
        assert probe.answers({"TASSEI_HOST": host, "TASSEI_PORT": port})


@pytest.mark.parametrize("handler", [Refusing, Garbled])
def test_any_other_answer_is_not_health(handler: type[BaseHTTPRequestHandler]) -> None:
    with listening(handler) as port:
        assert not probe.answers({"TASSEI_PORT": port})


def test_a_proxy_in_the_environment_is_not_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    with listening(Refusing) as proxy, listening(Answering) as port:
        monkeypatch.setenv("http_proxy", f"http://127.0.0.1:{proxy}")
        assert probe.answers({"TASSEI_PORT": port})


def test_silence_is_not_health_and_not_for_ever(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(probe, "SECONDS", 0.2)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        begun = time.monotonic()
        assert not probe.answers({"TASSEI_PORT": str(silent.getsockname()[1])})
        assert time.monotonic() - begun < 2


def test_its_defaults_are_those_of_the_settings(monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, int]] = []

    def refused(connection: HTTPConnection, *_request: str) -> None:
        asked.append((connection.host, connection.port))
        raise ConnectionRefusedError

    monkeypatch.setattr(HTTPConnection, "request", refused)
    assert not probe.answers({})
    assert asked == [(Settings().host, Settings().port)]


@pytest.mark.slow
def test_it_imports_none_of_the_service() -> None:
    # What it is for: half a minute later, and every half minute, it starts again.
    listed = subprocess.run(
        [sys.executable, "-c", "import sys, app.probe\nprint(*sys.modules)"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.split()
    ours = {name for name in listed if name.split(".")[0] not in sys.stdlib_module_names}
    assert {name for name in ours if name.startswith("app")} == {"app", "app.probe"}
    assert not ours & {"pydantic", "fastapi", "httpx", "typer", "sqlalchemy"}

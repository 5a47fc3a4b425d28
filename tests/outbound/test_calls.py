"""A call is bounded in time, size and reach, against a server that keeps to nothing."""

from __future__ import annotations

import gzip
import threading
import time
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from app.outbound import calls
from app.outbound.api import Ask
from app.outbound.calls import MAX_ANSWER, Caller, Callers
from app.outbound.errors import Away, CallError, Unusable

SEEN: list[tuple[str, dict[str, str]]] = []


class Hostile(BaseHTTPRequestHandler):
    """What it does is in its path."""

    def do_GET(self) -> None:  # noqa: C901 - a case a trick
        SEEN.append((self.path, {name.lower(): value for name, value in self.headers.items()}))
        match self.path.strip("/"):
            case "endless":
                self._say({"content-type": "application/json"})
                part = b"x" * 65_536
                try:
                    while True:
                        self.wfile.write(part)
                except OSError:
                    return
            case "drip":
                self._say({"content-length": "1000"})
                try:
                    for _ in range(1000):
                        self.wfile.write(b"x")
                        self.wfile.flush()
                        time.sleep(0.05)
                except OSError:
                    return
            case "bomb":
                body = gzip.compress(b"0" * 50_000_000)
                self._say({"content-encoding": "gzip", "content-length": str(len(body))})
                self.wfile.write(body)
            case "redirect":
                self._say({"location": "/inside", "content-length": "0"}, 302)
            case "headers":
                self._say({f"x-{n}": "y" * 100 for n in range(10_000)})
            case "nonsense":
                self.wfile.write(b"\x00\x01 no http\r\n\r\n")
            case _:
                self._say({"content-length": "2"})
                self.wfile.write(b"{}")
        self.close_connection = True

    def _say(self, headers: dict[str, str], status: int = 200) -> None:
        self.send_response_only(status)
        for name, value in headers.items():
            self.send_header(name, value)
        self.end_headers()

    def log_message(self, *_: object) -> None:
        pass


@pytest.fixture
def caller() -> Iterator[Caller]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), Hostile)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    SEEN.clear()
    made = Callers(loopback=True).to(f"http://127.0.0.1:{server.server_address[1]}/base")
    yield made
    made.close()
    server.shutdown()
    server.server_close()
    thread.join()


def failed(caller: Caller, path: str) -> CallError:
    caller._base = caller._base.removesuffix("/base")
    with pytest.raises(CallError) as raised:
        caller.ask(Ask("GET", path), {})
    return raised.value


def test_an_answer_is_taken_whole_and_asked_for_below_the_base(
    caller: Caller, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    monkeypatch.setenv("ALL_PROXY", "http://127.0.0.1:1")
    answer = caller.ask(Ask("GET", "/x?y=z"), {"x-api-token": "t"})
    assert (answer.status, answer.body, answer.date) == (200, b"{}", None)
    ((path, headers),) = SEEN
    assert path == "/base/x?y=z"
    assert headers["x-api-token"] == "t"
    assert headers["accept-encoding"] == "identity"


def test_more_than_the_limit_is_not_read(caller: Caller) -> None:
    began = time.monotonic()
    error = failed(caller, "/endless")
    assert isinstance(error, Unusable)
    assert error.code == "provider_answer_too_large"
    assert time.monotonic() - began < 10
    assert MAX_ANSWER == 4 * 2**20


def test_an_answer_that_drips_ends(caller: Caller, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(calls, "WHOLE_SECONDS", 0.3)
    began = time.monotonic()
    assert failed(caller, "/drip").code == "provider_slow"
    assert time.monotonic() - began < 3


def test_nothing_is_unpacked(caller: Caller) -> None:
    assert failed(caller, "/bomb").code == "provider_answer_unusable"


def test_nobody_is_followed(caller: Caller) -> None:
    answer = caller.ask(Ask("GET", "/../redirect"), {})
    assert answer.status in (200, 302)
    assert not any("inside" in path for path, _ in SEEN)


@pytest.mark.parametrize("path", ["/headers", "/nonsense"])
def test_what_is_no_answer_is_away(caller: Caller, path: str) -> None:
    assert isinstance(failed(caller, path), Away)


def test_nobody_at_home_is_away() -> None:
    made = Callers(loopback=True).to("http://127.0.0.1:1")
    with pytest.raises(Away, match="provider_away"):
        made.ask(Ask("GET", "/"), {})
    made.close()

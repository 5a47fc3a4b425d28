"""The listener against clients that are slow, greedy or ambiguous: a real server, raw sockets."""

from __future__ import annotations

import gzip
import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass

import pytest
import uvicorn

from app.web.body import BodyLimits
from app.web.listener import GuardedProtocol
from app.web.server import Server, listen
from tests.patience import HANG_SECONDS
from tests.web.sample import SECRET, TOKENS, service

LIMITS = BodyLimits(size=100_000, seconds=1)
HOST = b"Host: localhost\r\n"
KEY = f"Authorization: Bearer {TOKENS['ingest']}\r\n".encode()


class Impatient(GuardedProtocol):
    head_seconds = 0.6


@dataclass(frozen=True)
class Running:
    port: int

    def connect(self) -> socket.socket:
        return socket.create_connection(("127.0.0.1", self.port), timeout=HANG_SECONDS)

    def ask(self, *parts: bytes) -> tuple[int, dict[str, str], bytes]:
        """Sends, then reads until the server closes or the announced body is there."""
        with self.connect() as connection:
            for part in parts:
                try:
                    connection.sendall(part)
                except OSError:
                    break  # refused already: the answer is still to be read
            return answer_of(connection)


def answer_of(connection: socket.socket) -> tuple[int, dict[str, str], bytes]:
    raw = b""
    while b"\r\n\r\n" not in raw and (chunk := connection.recv(65536)):
        raw += chunk
    head, _, body = raw.partition(b"\r\n\r\n")
    lines = head.decode().split("\r\n")
    headers = {k.lower(): v.strip() for k, _, v in (line.partition(":") for line in lines[1:])}
    length = int(headers.get("content-length", 0))
    while len(body) < length and (chunk := connection.recv(65536)):
        body += chunk
    return int(lines[0].split()[1]), headers, body


@pytest.fixture(scope="module")
def running() -> Iterator[Running]:
    app = service(limits=LIMITS, monotonic=time.monotonic)
    listening = listen("127.0.0.1", 0)
    config = uvicorn.Config(
        app, http=Impatient, ws="none", log_config=None, access_log=False, server_header=False
    )
    server = Server(config, app.state.drain)
    thread = threading.Thread(target=server.run, args=([listening],), daemon=True)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield Running(listening.getsockname()[1])
    server.should_exit = True
    thread.join(HANG_SECONDS)
    assert not thread.is_alive()


def code(body: bytes) -> str:
    return str(json.loads(body)["type"]).removeprefix("urn:tassei:problem:")


@pytest.mark.parametrize(
    ("request_bytes", "status", "problem"),
    [
        (b"GET /livez HTTP/1.1\r\n\r\n", 400, "malformed-host"),
        (b"GET /livez HTTP/1.1\r\n" + HOST + HOST + b"\r\n", 400, "malformed-host"),
        (b"GET /livez HTTP/1.1\r\nHost: a b\r\n\r\n", 400, "malformed-host"),
        (b"GET /livez HTTP/1.1\r\nHost: a/b\r\n\r\n", 400, "malformed-host"),
        (b"GET /livez HTTP/1.1\r\nHost:\r\n\r\n", 400, "malformed-host"),
        (b"GET http://evil.example/livez HTTP/1.1\r\n" + HOST + b"\r\n", 400, "malformed-host"),
        (b"GET /" + b"a" * 9000 + b" HTTP/1.1\r\n" + HOST + b"\r\n", 414, "address-too-long"),
        (b"GET /" + b"a" * 100_000 + b" HTTP/1.1\r\n" + HOST + b"\r\n", 414, "address-too-long"),
        (
            b"GET /livez HTTP/1.1\r\n" + HOST + b"X: " + b"a" * 17_000 + b"\r\n\r\n",
            431,
            "head-too-large",
        ),
        (b"GET /livez HTTP/1.1\r\n" + HOST + b"X: " + b"a" * 70_000, 431, "head-too-large"),
        (
            b"GET /livez HTTP/1.1\r\n"
            + HOST
            + b"".join(b"X%d: 1\r\n" % n for n in range(100))
            + b"\r\n",
            431,
            "head-too-large",
        ),
        (b"GET /livez HTTP/1.1\r\n" + HOST + b"X : 1\r\n\r\n", 400, "malformed-request"),
        (b"GET /livez HTTP/1.1\r\n" + HOST + b"X: a\0b\r\n\r\n", 400, "malformed-request"),
        (b"GET /livez HTTP/1.1\r\n" + HOST + b"X: a\r\n b\r\n\r\n", 400, "malformed-request"),
        (b"GET /livez HTTP/1.1\nHost: a\n\n", 400, "malformed-request"),
        (
            b"POST /v1/raw HTTP/1.1\r\n"
            + HOST
            + b"Content-Length: 1\r\nContent-Length: 2\r\n\r\nab",
            400,
            "malformed-request",
        ),
        (
            b"POST /v1/raw HTTP/1.1\r\n" + HOST + b"Content-Length: +5\r\n\r\nabcde",
            400,
            "malformed-request",
        ),
        (
            b"POST /v1/raw HTTP/1.1\r\n"
            + HOST
            + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
            400,
            "malformed-request",
        ),
        (b"NONSENSE\r\n\r\n", 400, "malformed-request"),
    ],
)
def test_a_head_that_is_ambiguous_or_too_large_is_refused_and_the_connection_closed(
    running: Running, request_bytes: bytes, status: int, problem: str
) -> None:
    with running.connect() as connection:
        connection.sendall(request_bytes)
        answered, headers, body = answer_of(connection)
        assert (answered, code(body)) == (status, problem)
        assert headers["content-type"] == "application/problem+json"
        assert headers["connection"] == "close"
        assert connection.recv(1) == b""


@pytest.mark.parametrize(
    "request_bytes",
    [
        b"GET /livez HTTP/1.1\r\n" + HOST + b"\r\n",
        b"GET /livez HTTP/1.1\r\nHost: [::1]:8000\r\n\r\n",
        b"GET /livez HTTP/1.0\r\n\r\n",
        b"GET /livez HTTP/1.1\r\n"
        + HOST
        + b"".join(b"X%d: 1\r\n" % n for n in range(99))
        + b"\r\n",
        b"GET /livez?" + b"a" * 8000 + b" HTTP/1.1\r\n" + HOST + b"\r\n",
        b"HEAD /livez HTTP/1.1\r\n" + HOST + b"\r\n",
    ],
)
def test_a_head_within_the_limits_is_answered(running: Running, request_bytes: bytes) -> None:
    status, headers, _ = running.ask(request_bytes)
    assert status == 200
    assert "server" not in headers


def test_a_connection_is_kept_and_each_head_on_it_has_its_own_time(running: Running) -> None:
    with running.connect() as connection:
        for _ in range(4):
            connection.sendall(b"GET /livez HTTP/1.1\r\n" + HOST)
            time.sleep(0.3)  # longer in sum than one head may take
            connection.sendall(b"\r\n")
            assert answer_of(connection)[0] == 200


@pytest.mark.parametrize(
    "before", [b"", b"GET /livez HTTP/1.1\r\n" + HOST + b"\r\n"], ids=["first", "next"]
)
def test_a_head_that_drips_is_cut_off_while_others_are_answered(
    running: Running, before: bytes
) -> None:
    with running.connect() as slow:
        if before:
            slow.sendall(before)
            assert answer_of(slow)[0] == 200
        began = time.monotonic()
        for letter in b"GET /livez HTTP/1.1\r\nX-Slow: ":
            slow.sendall(bytes([letter]))
            time.sleep(0.01)
        assert running.ask(b"GET /livez HTTP/1.1\r\n" + HOST + b"\r\n")[0] == 200
        status, _, body = answer_of(slow)
        assert (status, code(body)) == (408, "head-too-slow")
        assert slow.recv(1) == b""
        assert 0.5 < time.monotonic() - began < 3


@pytest.mark.parametrize("kept", [b"", b"\r\n"], ids=["silent", "empty lines"])
def test_a_connection_that_never_asks_is_closed_without_an_answer(
    running: Running, kept: bytes
) -> None:
    with running.connect() as idle:
        if kept:  # empty lines stop uvicorn's own keep-alive timer and begin no request
            idle.sendall(b"GET /livez HTTP/1.1\r\n" + HOST + b"\r\n")
            assert answer_of(idle)[0] == 200
            idle.sendall(kept)
        began = time.monotonic()
        while idle.recv(65536):
            pass
        assert time.monotonic() - began < 3


def post(*headers: bytes, body: bytes = b"") -> bytes:
    return b"POST /v1/raw HTTP/1.1\r\n" + HOST + KEY + b"".join(headers) + b"\r\n" + body


def chunked(size: int, count: int) -> bytes:
    return (b"%x\r\n" % size + b"a" * size + b"\r\n") * count + b"0\r\n\r\n"


CHUNKED = b"Transfer-Encoding: chunked\r\n"


@pytest.mark.parametrize(
    ("request_bytes", "size"),
    [
        (post(b"Content-Length: 100000\r\n", body=b"a" * 100_000), 100_000),
        (post(CHUNKED, body=chunked(1000, 100)), 100_000),
        (post(b"Content-Length: 0\r\n"), 0),
        (post(CHUNKED, body=b"0\r\n\r\n"), 0),
    ],
)
def test_a_body_up_to_the_limit_arrives_whole(
    running: Running, request_bytes: bytes, size: int
) -> None:
    status, _, body = running.ask(request_bytes)
    assert (status, json.loads(body)["bytes"]) == (200, size)


@pytest.mark.parametrize(
    "request_bytes",
    [
        post(b"Content-Length: 100001\r\n", body=b"a" * 100_001),
        post(b"Content-Length: 50000000\r\n", body=b"a" * 5_000_000),
        post(b"Content-Length: 50000000\r\n"),
        post(b"Content-Length: 99999999999999999999\r\n"[:-2] + b"\r\n"),
        post(CHUNKED, body=chunked(1000, 101)),
        post(CHUNKED, body=chunked(60_000, 100)),
        post(b"Content-Length: 50000000\r\nExpect: 100-continue\r\n"),
    ],
)
def test_a_body_over_the_limit_is_refused_and_the_answer_reaches_the_sender(
    running: Running, request_bytes: bytes
) -> None:
    status, headers, body = running.ask(request_bytes)
    if b"99999999999999999999" in request_bytes:
        assert status in (400, 413)  # the parser has 64 bits
        return
    assert (status, code(body)) == (413, "body-too-large")
    assert headers["connection"] == "close"


def test_a_sender_that_asks_first_is_refused_before_it_sends(running: Running) -> None:
    with running.connect() as connection:
        connection.sendall(post(b"Content-Length: 50000000\r\nExpect: 100-continue\r\n"))
        assert answer_of(connection)[0] == 413
        assert connection.recv(1) == b""


@pytest.mark.parametrize("head", [b"Content-Length: 1000\r\n", CHUNKED], ids=["length", "chunked"])
def test_a_body_that_drips_is_cut_off(running: Running, head: bytes) -> None:
    began = time.monotonic()
    with running.connect() as slow:
        slow.sendall(post(head, body=b"5\r\nab"))
        status, headers, body = answer_of(slow)
        assert (status, code(body)) == (408, "body-too-slow")
        assert headers["connection"] == "close"
        assert slow.recv(1) == b""
    assert 0.9 < time.monotonic() - began < 6


LAST = b"1\r\na\r\n0\r\n"


@pytest.mark.parametrize(
    ("begun", "more"),
    [
        (LAST + b"X: ", b"a" * 8_000),
        (LAST, b"X: a\r\n" * 1_000),
        (b"1;x=", b"a" * 8_000),
    ],
    ids=["a line without an end", "lines without an end", "a size without an end"],
)
def test_what_is_neither_head_nor_body_has_an_end_as_well(
    running: Running, begun: bytes, more: bytes
) -> None:
    """Of a line that does not end the parser keeps all, and copies it with each piece."""
    with running.connect() as greedy:
        greedy.sendall(post(CHUNKED, body=begun))
        assert poured(greedy, more) < 1_000_000


def poured(connection: socket.socket, piece: bytes) -> int:
    """How much of it is taken before the connection is closed, up to ten megabytes."""
    sent = 0
    with suppress(OSError):  # reset or broken, as the system likes
        while sent < 10_000_000:
            connection.sendall(piece)
            sent += len(piece)
            time.sleep(0.001)
    return sent


def test_trailers_are_read_and_say_nothing_of_the_request(running: Running) -> None:
    trailers = b"X-Sum: 1\r\n" + KEY + b"Content-Encoding: gzip\r\n\r\n"
    status, _, body = running.ask(post(CHUNKED, body=LAST + trailers))
    assert (status, json.loads(body)["bytes"]) == (200, 1)
    nobody = post(CHUNKED, body=LAST + trailers).replace(KEY, b"", 1)
    assert running.ask(nobody)[0] == 401


def packed(plain: bytes, *members: bytes) -> bytes:
    body = gzip.compress(plain) + b"".join(gzip.compress(member) for member in members)
    return post(b"Content-Encoding: gzip\r\nContent-Length: %d\r\n" % len(body), body=body)


@pytest.mark.parametrize(
    ("request_bytes", "status", "told"),
    [
        (packed(b"a" * 100_000), 200, 100_000),
        (packed(b"a" * 50_000, b"b" * 50_000), 200, 100_000),
        (packed(b"a" * 100_001), 413, "body-too-large"),
        (packed(b"a" * 60_000, b"b" * 60_000), 413, "body-too-large"),
        (packed(b"\0" * 30_000_000), 413, "body-too-large"),
        (post(b"Content-Encoding: gzip\r\nContent-Length: 3\r\n", body=b"abc"), 400, "not-gzip"),
        (
            post(
                b"Content-Encoding: gzip\r\nContent-Length: 20\r\n",
                body=gzip.compress(b"a" * 999)[:20],
            ),
            400,
            "not-gzip",
        ),
        (
            post(b"Content-Encoding: br\r\nContent-Length: 1\r\n", body=b"a"),
            415,
            "unsupported-encoding",
        ),
        (
            post(b"Content-Encoding: gzip, gzip\r\nContent-Length: 1\r\n", body=b"a"),
            415,
            "unsupported-encoding",
        ),
        (
            post(
                b"Content-Encoding: gzip\r\nContent-Encoding: gzip\r\nContent-Length: 1\r\n",
                body=b"a",
            ),
            415,
            "unsupported-encoding",
        ),
        (post(b"Content-Encoding: identity\r\nContent-Length: 1\r\n", body=b"a"), 200, 1),
    ],
)
def test_a_packed_body_counts_as_what_comes_out_of_it(
    running: Running, request_bytes: bytes, status: int, told: str | int
) -> None:
    answered, _, body = running.ask(request_bytes)
    assert answered == status
    assert (json.loads(body)["bytes"] if status == 200 else code(body)) == told


def test_requests_in_a_pipeline_are_answered_in_order(running: Running) -> None:
    with running.connect() as connection:
        connection.sendall(
            (b"GET /livez HTTP/1.1\r\n" + HOST + b"\r\n")
            + post(b"Content-Length: 2\r\n", body=b"ab")
            + b"GET /nowhere HTTP/1.1\r\n"
            + HOST
            + b"Connection: close\r\n\r\n"
        )
        raw = b""
        while chunk := connection.recv(65536):
            raw += chunk
    places = [raw.index(mark) for mark in (b'"live"', b'"bytes":2', b"no-such-route")]
    assert places == sorted(places)


def test_a_wrong_key_leaves_no_trace_of_itself_in_the_answer(running: Running) -> None:
    guess = f"Authorization: Bearer tsk_default_{SECRET}\r\n".encode()
    _, _, body = running.ask(b"GET /v1/things/a HTTP/1.1\r\n" + HOST + guess + b"\r\n")
    assert SECRET.encode() not in body

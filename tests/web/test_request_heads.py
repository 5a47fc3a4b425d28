"""A head that came before is not parsed again, and nothing else is different."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, cast

import pytest
import uvicorn
from hypothesis import example, given
from hypothesis import strategies as st
from starlette.types import Receive, Scope, Send
from uvicorn.server import ServerState

from app.web import direct, request_heads
from app.web.body import CONNECTION
from app.web.direct import Direct
from app.web.events import PATH
from app.web.listener import GuardedProtocol
from app.web.request_heads import PLAIN, RequestHeads

BODY = b'{"number":1}'
HERE = b"POST /v1/events HTTP/1.1\r\nhost: here\r\n"


def posted(body: bytes = BODY, more: bytes = b"") -> bytes:
    return b"%b%bcontent-length: %d\r\n\r\n%b" % (HERE, more, len(body), body)


class Forgetful(RequestHeads):
    """Parses every head."""

    def find(self, data: bytes) -> None:  # noqa: ARG002 - of the class above
        return None


class Wire:
    """A transport that writes nowhere."""

    def __init__(self) -> None:
        self.written = b""
        self.closed = False

    def get_extra_info(self, name: str, default: object = None) -> object:
        addresses = {"sockname": ("127.0.0.1", 8080), "peername": ("127.0.0.1", 50_000)}
        return addresses.get(name, default)

    def write(self, data: bytes) -> None:
        if not self.closed:
            self.written += data

    def is_closing(self) -> bool:
        return self.closed

    def close(self) -> None:
        self.closed = True

    def pause_reading(self) -> None:
        pass

    def resume_reading(self) -> None:
        pass


class Door:
    """Takes what a `Direct` would, and answers once it is told to."""

    def __init__(self, known: RequestHeads, *, here: bool = True) -> None:
        self.heads = known
        self.found: list[tuple[dict[str, Any], bytes]] = []
        self._here = here
        self._waiting: list[tuple[Scope, Callable[[], None]]] = []

    def serves(self, _server: object) -> bool:
        return self._here

    def concerns(self, scope: Scope) -> bool:
        return bool(self._here and scope["path"] == PATH and scope["method"] == "POST")

    def take(self, scope: Scope, body: bytes, usually: Callable[[], None], _loop: object) -> bool:
        scope[PLAIN] = scope.get(PLAIN) or direct._plain(scope)
        if scope[PLAIN] is None or body.startswith(b"no"):
            return False
        self.found.append((without_us(scope), bytes(body)))
        self._waiting.append((scope, usually))
        return True

    def answer(self) -> None:
        while self._waiting:
            scope, usually = self._waiting.pop()
            head = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n"
            connection = scope["extensions"][CONNECTION]["protocol"]
            if not connection.answer(scope["extensions"], head, b"ok"):
                usually()


def without_us(scope: Scope) -> dict[str, Any]:
    """A scope as it is told to an app, with the names of its extensions only."""
    told = {name: value for name, value in scope.items() if not name.startswith("tassei.")}
    return told | {"extensions": sorted(scope["extensions"]), "headers": [*scope["headers"]]}


class Listening:
    """One connection, and what came of what it sent."""

    def __init__(self, loop: asyncio.AbstractEventLoop, door: Door) -> None:
        self.door = door
        self.wire = Wire()
        config = uvicorn.Config(self._app, log_config=None, access_log=False, ws="none")
        config.load()
        config.loaded_app = self._app
        self._loop = loop
        server = ServerState()
        server.default_headers = [(b"date", b"today")]
        self._protocol = GuardedProtocol(config, server, {}, loop, direct=cast("Direct", door))
        self._protocol.connection_made(self.wire)  # type: ignore[arg-type] # it writes nowhere

    async def _app(self, scope: Scope, receive: Receive, send: Send) -> None:
        body, more = b"", scope["path"] != "/early"
        while more:
            message = await receive()
            body += message.get("body", b"")
            more = message.get("more_body", False)
        self.door.found.append((without_us(scope), body))
        headers = [(b"content-length", b"5")]
        await send({"type": "http.response.start", "status": 202, "headers": headers})
        await send({"type": "http.response.body", "body": b"usual"})

    def standing(self) -> tuple[object, ...]:
        """What nobody sees yet: whether it waits for a head or a request, and what waits in it."""
        of = self._protocol
        cycle = of.cycle
        return (
            of._deadline is None,
            of.timeout_keep_alive_task is None,
            of.server_state.total_requests,
            len(of.pipeline),
            of.flow is not None and of.flow.read_paused,
            cycle is not None and (cycle.more_body, cycle.message_event.is_set()),
        )

    def hear(self, data: bytes) -> None:
        if not self.wire.closed:
            self._protocol.data_received(data)

    def settle(self) -> None:
        for _ in range(5):
            self.door.answer()
            self._loop.run_until_complete(asyncio.sleep(0))

    def end(self) -> None:
        self._protocol.connection_lost(None)
        self.settle()


@contextmanager
def looping() -> Iterator[asyncio.AbstractEventLoop]:
    loop = asyncio.new_event_loop()
    asyncio.set_event_loop(loop)
    try:
        yield loop
    finally:
        asyncio.set_event_loop(None)
        loop.close()


@contextmanager
def connected(door: Door) -> Iterator[Listening]:
    with looping() as loop:
        found = Listening(loop, door)
        yield found
        found.end()


def taught(*requests: bytes) -> RequestHeads:
    """What is remembered of some requests, each of a connection of its own."""
    door = Door(RequestHeads())
    for request in requests:
        with connected(door) as one:
            one.hear(request)
            one.settle()
    return door.heads


PLAINLY = posted()
LONGER = posted(b'{"number":100000}', b"Content-Type:  application/json \r\n")
MESSAGES = [
    PLAINLY,
    PLAINLY,
    LONGER,
    LONGER,
    posted(b"no, not here"),  # as long as the first, so that its head is known
    posted(b'{"n":"%b"}' % (b"a" * 30_000)),
    posted(b'{"n":"%b"}' % (b"a" * 70_000)),
    posted(b"", b"x: 1\r\n"),
    posted(more=b"connection: close\r\n"),
    posted(more=b"expect: 100-continue\r\n"),
    posted(more=b"connection: upgrade\r\nupgrade: websocket\r\n"),
    HERE + b"transfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n\r\n",
    HERE + b"transfer-encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nx: 1\r\n\r\n",
    b"GET /v1/plans HTTP/1.1\r\nhost: here\r\n\r\n",
    b"POST /v1/events HTTP/1.0\r\nhost: here\r\ncontent-length: 3\r\n\r\nabc",
    b"POST /early HTTP/1.1\r\nhost: here\r\ncontent-length: %d\r\n\r\n" % len(PLAINLY),
    b"\r\n",
    b"\r\n\r\n",
    b"\r",
    b"nonsense\r\n\r\n",
]


@st.composite
def conversations(draw: st.DrawFn) -> list[bytes | None]:
    """What comes at once, cut anywhere now and then, and None where answers are awaited."""
    steps: list[bytes | None] = []
    held = b""
    for message in draw(st.lists(st.sampled_from(MESSAGES), min_size=1, max_size=8)):
        held += message
        match draw(st.sampled_from("whole whole wait wait cut torn held".split())):
            case "whole":
                steps.append(held)
                held = b""
            case "wait":
                steps += [held, None]
                held = b""
            case "cut":
                place = draw(st.integers(0, len(held)))
                steps.append(held[:place])
                held = held[place:]
            case "torn":
                steps += [held[: draw(st.integers(0, len(held)))], None]
                held = b""
    return [*steps, held, None]


@example([next(message for message in MESSAGES if len(message) > 70_000), None])
@given(conversations())
def test_whoever_remembers_heads_hears_and_says_the_same(steps: list[bytes | None]) -> None:
    whole = [message for message in MESSAGES if message.startswith(b"POST")]
    heard = []
    for known in (taught(*whole), Forgetful()):
        stood = []
        with connected(Door(known)) as one:
            for step in steps:
                if step is None:
                    one.settle()
                elif step:
                    one.hear(step)
                stood.append((one.standing(), one.wire.written, one.wire.closed))
        heard.append((one.door.found, stood, one.wire.written))
    assert heard[0] == heard[1]


def recalled(known: RequestHeads, data: bytes) -> bool:
    return known.find(data) is not None


def test_a_head_that_was_taken_is_known_to_every_connection() -> None:
    known = taught(PLAINLY)
    assert recalled(known, PLAINLY)
    assert recalled(known, posted(BODY.upper())), "of any body of that length"
    for other in (PLAINLY + b"x", PLAINLY[:-1], posted(BODY + b"x"), LONGER, b"", b"\r\n\r\n"):
        assert not recalled(known, other)


@pytest.mark.parametrize(
    "request_bytes",
    [
        posted(b"no, not here"),
        posted(more=b"connection: close\r\n"),
        posted(more=b"connection: upgrade\r\nupgrade: websocket\r\n"),
        posted(more=b"x: %b\r\n" % (b"a" * request_heads.LONGEST)),
        posted(
            more=b"".join(b"x%d: 1\r\n" % number for number in range(request_heads.MOST_HEADERS))
        ),
        b"POST /v1/events HTTP/1.0\r\nhost: here\r\ncontent-length: 3\r\n\r\nabc",
    ],
)
def test_what_is_not_plain_is_parsed_each_time(request_bytes: bytes) -> None:
    assert not recalled(taught(request_bytes), request_bytes)


def test_half_a_head_is_no_head() -> None:
    """What ends a request looks like a request, to whoever did not see how that began."""
    door = Door(RequestHeads())
    with connected(door) as one:
        one.hear(PLAINLY[:9])
        one.hear(PLAINLY[9:])
        one.settle()
    assert [body for _, body in door.found] == [BODY]
    assert not recalled(door.heads, PLAINLY[9:])


def test_requests_that_come_together_are_not_taken_for_one() -> None:
    known = taught(PLAINLY + LONGER)
    assert not recalled(known, PLAINLY + LONGER)
    assert not recalled(known, PLAINLY)


def test_an_empty_line_before_a_request_is_no_head() -> None:
    assert not recalled(taught(b"\r\n\r\n" + PLAINLY), b"\r\n\r\n" + BODY)


def test_a_request_inside_the_body_of_another_is_none() -> None:
    """Nor where that one was answered before its body came."""
    door = Door(taught(PLAINLY))
    with connected(door) as one:
        one.hear(next(message for message in MESSAGES if message.startswith(b"POST /early")))
        one.settle()
        one.hear(PLAINLY)
        one.settle()
    assert [scope["path"] for scope, _ in door.found] == ["/early"]


def test_a_request_behind_half_a_head_is_none() -> None:
    door = Door(taught(PLAINLY))
    with connected(door) as one:
        one.hear(LONGER)
        one.settle()
        one.hear(b"POST ")
        one.hear(PLAINLY)
        one.settle()
    assert len(door.found) == 1
    assert one.wire.closed


def test_where_nothing_goes_the_short_way_nothing_is_recalled() -> None:
    door = Door(taught(PLAINLY), here=False)
    with connected(door) as one:
        one.hear(PLAINLY)
        one.settle()
    assert one.wire.written.startswith(b"HTTP/1.1 202")


def test_what_came_before_a_head_is_none_of_its_bytes() -> None:
    """A large body behind which half a head comes: neither is too large a head."""
    large = next(message for message in MESSAGES if len(message) > 30_000)
    for known in (taught(large, PLAINLY), Forgetful()):
        for steps in (
            [large, PLAINLY, PLAINLY[:20], PLAINLY[20:]],
            [large + PLAINLY[:20], PLAINLY[20:]],
            [large[:900], large[900:] + PLAINLY[:20], PLAINLY[20:]],
        ):
            with connected(Door(known)) as one:
                for step in steps:
                    one.hear(step)
                one.settle()
            assert one.wire.written.count(b"HTTP/1.1 20") == b"".join(steps).count(b"POST ")


def test_half_a_head_behind_a_request_is_told_that_it_is_late() -> None:
    with connected(Door(RequestHeads())) as one:
        one.hear(PLAINLY + PLAINLY[:20])
        one.settle()
        one._protocol._head_late()
    assert b" 408 " in one.wire.written


def test_requests_of_one_head_share_nothing_that_can_be_changed() -> None:
    door = Door(taught(PLAINLY))
    head, _ = door.heads.find(PLAINLY) or pytest.fail("it was taught")
    with connected(door) as one:
        first, second = (head.scope_on(one._protocol) for _ in range(2))
        for own in ("headers", "state", "extensions"):
            assert first[own] is not second[own]
        assert isinstance(first["headers"], list)
        assert first["state"] is not one._protocol.app_state


def test_no_head_is_endless_wherever_it_begins() -> None:
    for before in (b"", PLAINLY):
        with connected(Door(RequestHeads())) as one:
            one.hear(before + b"GET / HTTP/1.1\r\nx: ")
            one.settle()
            for _ in range(3):
                one.hear(b"a" * 10_000)
        assert b" 431 " in one.wire.written


def test_where_memory_is_wanting_nothing_is_recalled_and_nothing_is_lost(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*_arguments: object) -> None:
        raise MemoryError

    for at in ("find", "remember"):
        door = Door(taught(PLAINLY))
        monkeypatch.setattr(door.heads, at, fail)
        with connected(door) as one:
            one.hear(PLAINLY)
            one.settle()
            one.hear(LONGER)
            one.settle()
        assert one.wire.written.count(b"200 OK") == 2


def test_heads_that_never_come_again_take_no_memory_and_drive_nobody_out() -> None:
    known = RequestHeads()
    scope: dict[str, Any] = dict.fromkeys(request_heads._SAID) | {"headers": []}
    known.remember(PLAINLY, scope, len(BODY))
    for number in range(3 * request_heads.MOST):
        data = posted(more=b"x: %d\r\n" % number)
        known.remember(data, scope, len(BODY))
        assert recalled(known, data)
        assert recalled(known, PLAINLY)
        assert len(known._known) <= request_heads.MOST

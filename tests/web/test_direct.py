"""What is answered past the layers is answered as by them, and all else goes through them."""

from __future__ import annotations

import gzip
import json
import logging
import re
import socket
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, replace
from typing import Any, cast

import pytest
from uvicorn.middleware.proxy_headers import ProxyHeadersMiddleware

from app.domain.errors import Unavailable
from app.telemetry import Answered
from app.web.body import CONNECTION
from app.web.direct import Direct
from app.web.events import answer
from app.web.request_heads import RequestHeads
from tests.patience import HANG_SECONDS
from tests.web.service import ADMIN
from tests.web.streaming import Live, call, listening, wait
from tests.web.test_server import answer_of

AT = "2026-12-01T05:00:00Z"
HERE = "POST /v1/events HTTP/1.1"
SINGLE = "application/cloudevents+json"
LINES = "application/x-ndjson"
# The layers unpack bodies, so this is never the short way.
USUALLY = ("content-encoding: identity",)
ACCEPTED = 'tassei_events_total{outcome="accepted"}'


@pytest.fixture(scope="module")
def live() -> Iterator[Live]:
    with listening(AT) as found:
        yield found


@pytest.fixture
def taken(live: Live, monkeypatch: pytest.MonkeyPatch) -> list[bool]:
    """Whether each request that might went the short way."""
    live.call()  # from now on the key is known, until the configuration moves
    found: list[bool] = []
    take = Direct.take

    def noted(self: Direct, *args: Any) -> bool:
        found.append(take(self, *args))
        return found[-1]

    monkeypatch.setattr(Direct, "take", noted)
    return found


@dataclass(frozen=True)
class Log:
    """What is told of the requests of one test."""

    live: Live
    caplog: pytest.LogCaptureFixture

    def lines(self) -> list[Answered]:
        found = [getattr(record, "requests", []) for record in self.caplog.records]
        return [line for some in found for line in some if line.path == "/v1/events"]

    def measured(self) -> dict[str, float]:
        text = self.live.client.get("/metrics").text
        found = [line.rsplit(" ", 1) for line in text.splitlines() if not line.startswith("#")]
        return {
            name: float(value)
            for name, value in found
            if ('route="/v1/events"' in name and "_bucket" not in name and "_sum" not in name)
            or name == ACCEPTED
        }

    def accepted(self) -> float:
        return self.measured()[ACCEPTED]


@pytest.fixture
def told(live: Live, taken: list[bool], caplog: pytest.LogCaptureFixture) -> Iterator[Log]:
    log = Log(live, caplog)
    with caplog.at_level(logging.INFO, "tassei.access"):
        kind = {"content-type": "application/cloudevents-batch+json"}
        own = live.client.post("/v1/events", json=[], headers=kind).headers["x-request-id"]
        # Its own line, and with it those of the requests before.
        wait(lambda: own in [line.request_id for line in log.lines()])
        caplog.clear()
        taken.clear()
        yield log


def written(
    body: bytes, *more: str, media_type: str = SINGLE, first: str = HERE, key: str = ADMIN
) -> bytes:
    head = [
        first,
        "host: here",
        f"authorization: Bearer {key}",
        f"content-type: {media_type}",
        f"content-length: {len(body)}",
        *more,
    ]
    return "\r\n".join(head).encode() + b"\r\n\r\n" + body


def asked(live: Live, *parts: bytes) -> tuple[int, dict[str, str], bytes]:
    with socket.create_connection(("127.0.0.1", live.port), timeout=HANG_SECONDS) as connection:
        for part in parts:
            connection.sendall(part)
        return answer_of(connection)


def event(live: Live, number: int, **more: object) -> dict[str, Any]:
    return call(number, "sato", live.clock()) | more


def as_json(value: object) -> bytes:
    return json.dumps(value).encode()


def lasting(answer: tuple[int, dict[str, str], bytes]) -> tuple[int, dict[str, str], bytes]:
    """An answer without what differs each time."""
    status, headers, body = answer
    request = headers["x-request-id"]
    rest = {name: value for name, value in headers.items() if name not in {"date", "x-request-id"}}
    return status, rest, re.sub(rb"call-\d+", b"", body.replace(request.encode(), b""))


BODIES: dict[str, tuple[str, Any, bool]] = {
    # What is sent, and whether the short way can take it; what is refused whole goes the usual one.
    "one": (SINGLE, lambda at: as_json(at(0)), True),
    "lines": (LINES, lambda at: b"\n".join(as_json(at(n)) for n in range(3)), True),
    "batch": ("application/cloudevents-batch+json", lambda at: as_json([at(0), at(1)]), True),
    "twice": (LINES, lambda at: as_json(at(0)) + b"\n" + as_json(at(0)), True),
    "one_of_two_refused": (
        LINES,
        lambda at: as_json(at(0)) + b"\n" + as_json(at(1) | {"type": "No Kind"}),
        True,
    ),
    "unknown_source": (SINGLE, lambda at: as_json(at(0) | {"source": "nobody"}), True),
    "no_event": (SINGLE, lambda _at: b"[]", True),
    "no_json": (SINGLE, lambda _at: b"{", False),
    "no_media_type_of_ours": ("text/html", lambda at: as_json(at(0)), False),
    "a_table": ("text/csv", lambda _at: b"a,b\n1,2\n", False),
    "another_charset": (f"{SINGLE}; charset=latin-1", lambda at: as_json(at(0)), False),
}


@pytest.mark.parametrize("name", BODIES)
def test_an_answer_is_the_same_whichever_way_it_went(
    live: Live, taken: list[bool], name: str
) -> None:
    media_type, body, short = BODIES[name]
    place = 1_000 + 10 * list(BODIES).index(name)

    def direct(number: int) -> dict[str, Any]:
        return event(live, place + number)

    def usual(number: int) -> dict[str, Any]:
        return event(live, place + 500 + number)

    one = asked(live, written(body(direct), media_type=media_type))
    assert taken == [short]
    other = asked(live, written(body(usual), *USUALLY, media_type=media_type))
    assert taken == [short, False]
    assert lasting(one) == lasting(other)
    # Whoever stored something finds it there the second time.
    again = asked(live, written(body(usual), media_type=media_type))
    repeated = asked(live, written(body(usual), *USUALLY, media_type=media_type))
    assert lasting(again) == lasting(repeated)


@pytest.mark.parametrize(
    ("more", "change"),
    [
        (("content-encoding: gzip",), gzip.compress),
        (("expect: 100-continue",), bytes),
        (("upgrade: h2c",), bytes),
    ],
)
def test_what_the_layers_have_to_look_at_goes_through_them(
    live: Live, taken: list[bool], more: tuple[str, ...], change: Any
) -> None:
    body = change(as_json(event(live, 3_000 + len(more[0]))))
    with socket.create_connection(("127.0.0.1", live.port), timeout=HANG_SECONDS) as connection:
        connection.sendall(written(body, *more))
        status, _, _ = answer_of(connection)
        if status == 100:
            status, _, told = answer_of(connection)
            assert json.loads(told)["accepted"] == 1
    assert (status, taken) == (200, [False])


def test_a_body_that_comes_later_is_waited_for_by_the_layers(live: Live, taken: list[bool]) -> None:
    whole = written(as_json(event(live, 4_000)))
    with socket.create_connection(("127.0.0.1", live.port), timeout=HANG_SECONDS) as connection:
        connection.sendall(whole[:-20])
        connection.settimeout(0.2)
        with pytest.raises(TimeoutError):
            connection.recv(1)
        connection.settimeout(HANG_SECONDS)
        connection.sendall(whole[-20:])
        status, _, body = answer_of(connection)
    assert (status, json.loads(body)["accepted"], taken) == (200, 1, [])


@pytest.mark.parametrize("key", ["tsk_default_" + "C" * 40, "no key"])
def test_an_unknown_key_is_refused(live: Live, taken: list[bool], key: str) -> None:
    status, headers, _ = asked(live, written(as_json(event(live, 5_000)), key=key))
    assert (status, taken) == (401, [False])
    assert headers["content-type"] == "application/problem+json"


def test_a_key_that_may_not_is_refused(live: Live, taken: list[bool]) -> None:
    secret = live.key("read")["token"]
    live.client.get("/v1/plans", headers={"authorization": f"Bearer {secret}"})
    status, _, body = asked(live, written(as_json(event(live, 5_100)), key=secret))
    assert (status, taken) == (403, [False])
    assert json.loads(body)["type"].endswith("scope-missing")


def test_a_revoked_key_is_refused_at_once(live: Live, taken: list[bool]) -> None:
    issued = live.key("ingest")
    for number in (5_200, 5_201):
        status, _, _ = asked(live, written(as_json(event(live, number)), key=issued["token"]))
        assert status == 200
    assert taken[-1], "the second finds the key known"
    assert live.client.delete(f"/v1/keys/{issued['id']}").status_code in {200, 204}
    status, _, _ = asked(live, written(as_json(event(live, 5_202)), key=issued["token"]))
    assert (status, taken[-1]) == (401, False)


def test_other_methods_paths_and_queries_are_none_of_its(live: Live, taken: list[bool]) -> None:
    body = as_json(event(live, 6_000))
    for first in ("GET /v1/events HTTP/1.1", "POST /v1/events?a=b HTTP/1.1", "POST /v1 HTTP/1.1"):
        status, _, _ = asked(live, written(body, first=first))
        assert status in {404, 405, 422}
    assert taken == []


def test_requests_that_come_together_are_answered_in_their_order(live: Live) -> None:
    first = written(as_json(event(live, 7_000)))
    second = written(
        b"\n".join(as_json(event(live, 7_001 + n)) for n in range(2)), media_type=LINES
    )
    with socket.create_connection(("127.0.0.1", live.port), timeout=HANG_SECONDS) as connection:
        connection.sendall(first + second + first)
        raw = b""
        while raw.count(b"HTTP/1.1 200 OK") < 3 or not raw.endswith(b"}"):
            raw += connection.recv(65536)
    bodies = [
        json.loads(part.partition(b"\r\n\r\n")[2]) for part in raw.split(b"HTTP/1.1 200 OK")[1:]
    ]
    assert [(one["accepted"], one["duplicate"]) for one in bodies] == [(1, 0), (2, 0), (0, 1)]


def test_a_connection_that_is_to_end_ends_after_the_answer(live: Live, taken: list[bool]) -> None:
    with socket.create_connection(("127.0.0.1", live.port), timeout=HANG_SECONDS) as connection:
        connection.sendall(written(as_json(event(live, 8_000)), "connection: close"))
        status, headers, body = answer_of(connection)
        assert (status, headers["connection"], taken) == (200, "close", [True])
        assert json.loads(body)["accepted"] == 1
        assert connection.recv(1) == b""


def test_whoever_went_away_is_counted_and_disturbs_nobody(live: Live, taken: list[bool]) -> None:
    with socket.create_connection(("127.0.0.1", live.port), timeout=HANG_SECONDS) as connection:
        connection.sendall(written(as_json(event(live, 8_100))))
    wait(lambda: bool(taken))
    live.call()  # is committed behind it
    _, _, body = asked(live, written(as_json(event(live, 8_100))))
    assert json.loads(body)["duplicate"] == 1


@pytest.fixture
def slow(live: Live, monkeypatch: pytest.MonkeyPatch) -> float:
    """Commits take so many seconds."""
    post = live.context.committer.post

    def later(delivery: Any, answer: Any) -> None:
        threading.Timer(0.3, post, (delivery, answer)).start()

    monkeypatch.setattr(live.context.committer, "post", later)
    return 0.3


@pytest.mark.parametrize("more", [(), USUALLY])
def test_whoever_goes_before_the_commit_is_counted_and_logged_alike(
    live: Live, taken: list[bool], slow: float, told: Log, more: tuple[str, ...]
) -> None:
    body = as_json(event(live, 8_200 + len(more)))
    before = told.accepted()
    with socket.create_connection(("127.0.0.1", live.port), timeout=HANG_SECONDS) as connection:
        connection.sendall(written(body, *more))
        wait(lambda: bool(taken))
    wait(lambda: len(told.lines()) == 1)
    assert (told.lines()[0].status, told.accepted() - before) == (200, 1)
    assert told.lines()[0].ms > slow * 900
    assert json.loads(asked(live, written(body))[2])["duplicate"] == 1


@pytest.mark.parametrize("more", [(), ("connection: close",), USUALLY])
def test_its_time_is_that_of_its_commit(
    live: Live, taken: list[bool], slow: float, told: Log, more: tuple[str, ...]
) -> None:
    status, _, _ = asked(live, written(as_json(event(live, 8_300 + len(str(more)))), *more))
    wait(lambda: len(told.lines()) == 1)
    assert (status, len(taken)) == (200, 1)
    assert told.lines()[0].ms > slow * 900


@pytest.mark.parametrize("tail", [b"\0nonsense\r\n\r\n", b"GET / HTTP/1.1\r\nhost: a b\r\n\r\n"])
@pytest.mark.parametrize("more", [(), USUALLY])
def test_what_comes_before_nonsense_is_taken_in(
    live: Live, told: Log, tail: bytes, more: tuple[str, ...]
) -> None:
    body = as_json(event(live, 8_400 + len(tail) + 100 * len(more)))
    before = told.accepted()
    with socket.create_connection(("127.0.0.1", live.port), timeout=HANG_SECONDS) as connection:
        connection.sendall(written(body, *more) + tail)
        while connection.recv(65536):
            pass
    wait(lambda: len(told.lines()) >= 1)
    assert told.accepted() - before == 1
    assert json.loads(asked(live, written(body))[2])["duplicate"] == 1


def test_a_connection_does_not_keep_what_was_read(
    live: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Nor is it kept until a collector comes by, once the connection is closed."""
    live.call()
    bodies: list[Any] = []
    take = Direct.take

    def noted(self: Direct, scope: Any, *args: Any) -> bool:
        bodies.append(scope["extensions"][CONNECTION]["protocol"].cycle)
        return take(self, scope, *args)

    monkeypatch.setattr(Direct, "take", noted)
    assert asked(live, written(as_json(event(live, 8_500))))[0] == 200
    assert [cycle.body for cycle in bodies] == [b""]


def lose_all(live: Live, monkeypatch: pytest.MonkeyPatch) -> None:
    """From now on nothing can be stored."""

    def lose(_delivery: object, answer: Any) -> None:
        answer.set_exception(Unavailable("store_failed", retry_after=1))

    monkeypatch.setattr(live.context.committer, "post", lose)


def test_what_could_not_be_stored_is_told_by_the_layers(
    live: Live, taken: list[bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    lose_all(live, monkeypatch)
    status, headers, body = asked(live, written(as_json(event(live, 9_000))))
    assert (status, headers["retry-after"], taken) == (503, "1", [True])
    assert json.loads(body)["type"].endswith("store-failed")


def test_a_fault_of_ours_is_one_answer_and_the_others_of_its_commit_have_theirs(
    live: Live, taken: list[bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    told = iter([ZeroDivisionError])

    def failing(results: Any, scope: Any) -> bytes:
        for error in told:
            raise error
        return answer(results, scope)

    monkeypatch.setattr("app.web.direct.answer", failing)
    waiting: list[Any] = []
    post = live.context.committer.post
    monkeypatch.setattr(live.context.committer, "post", lambda *one: waiting.append(one))
    with ThreadPoolExecutor() as pool:
        asking = [
            pool.submit(asked, live, written(as_json(event(live, n)))) for n in (9_050, 9_051)
        ]
        wait(lambda: len(waiting) == 2)
        for one in waiting:
            post(*one)
        statuses = sorted(one.result(HANG_SECONDS)[0] for one in asking)
    assert (statuses, taken) == ([200, 500], [True, True])


def test_what_is_full_is_told_by_the_layers(
    live: Live, taken: list[bool], monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_delivery: object, _answer: object) -> None:
        raise Unavailable("queue_full", retry_after=1)

    monkeypatch.setattr(live.context.committer, "post", refuse)
    status, _, body = asked(live, written(as_json(event(live, 9_100))))
    assert (status, taken) == (503, [False])
    assert json.loads(body)["type"].endswith("queue-full")


def test_it_is_logged_and_measured_as_any_other(live: Live, taken: list[bool], told: Log) -> None:
    steps: list[dict[str, float]] = []
    ways: list[tuple[str, ...]] = [(), USUALLY]
    for way, more in enumerate(ways):
        before = told.measured()
        asked(live, written(as_json(event(live, 9_200 + way)), *more))
        wait(lambda: len(told.lines()) == len(steps) + 1)
        after = told.measured()
        steps.append({name: after[name] - before[name] for name in after})
    assert taken == [True, False]
    assert steps[0] == steps[1]
    moved = {name: by for name, by in steps[0].items() if by}
    assert set(moved.values()) == {1}
    assert len(moved) == 3, "the request, its duration, its event"
    lines = told.lines()
    assert all(len(line.request_id) == 32 and line.ms > 0 for line in lines)
    one, other = (line._replace(request_id="", ms=0) for line in lines)
    assert one == other


FORWARDED: dict[str, tuple[str, ...]] = {
    "one": ("x-forwarded-for: 192.0.2.1",),
    "by two proxies": ("x-forwarded-for: 192.0.2.1, 127.0.0.1",),
    "in two headers": ("x-forwarded-for: 192.0.2.1", "x-forwarded-for: 192.0.2.2"),
    "with a port": ("x-forwarded-for: [2001:db8::1]:4711", "x-forwarded-proto: https"),
    "from here": ("x-forwarded-for: 127.0.0.1, 127.0.0.1",),
    "nonsense": ("x-forwarded-for: \u00e9,[,", "x-forwarded-proto: gopher"),
    "nobody": ("x-forwarded-for:",),
}


PROXIES = ["127.0.0.1", "*", "192.0.2.9"]


@pytest.mark.parametrize("proxies", PROXIES)
@pytest.mark.parametrize("name", FORWARDED)
def test_whom_a_proxy_asks_for_is_logged_alike(
    live: Live, taken: list[bool], told: Log, name: str, proxies: str
) -> None:
    place = 10_000 + 100 * list(FORWARDED).index(name) + 10 * PROXIES.index(proxies)
    with believing(live, proxies) as direct:
        direct.heads = RequestHeads()
        for number, more in enumerate(((), (), USUALLY)):  # its head new, known, and not plain
            body = as_json(event(live, place + number))
            assert asked(live, written(body, *FORWARDED[name], *more))[0] == 200
        wait(lambda: len(told.lines()) == 3)
    assert taken == [True, True, False]
    new, known, usual = (line.client for line in told.lines())
    assert new == known == usual
    if proxies == "192.0.2.9" or name in {"from here", "nobody"}:
        assert usual == "127.0.0.1"
    elif name == "one":
        assert usual == "192.0.2.1"


def test_whom_a_proxy_asks_for_is_told_by_the_layers_as_well(
    live: Live, taken: list[bool], told: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    lose_all(live, monkeypatch)
    body = as_json(event(live, 11_000))
    assert asked(live, written(body, "x-forwarded-for: 192.0.2.1, 127.0.0.1"))[0] == 503
    wait(lambda: len(told.lines()) == 1)
    assert (told.lines()[0].client, told.lines()[0].status, taken) == ("192.0.2.1", 503, [True])


def test_who_was_told_of_no_proxies_leaves_it_to_the_layers(
    live: Live, taken: list[bool], told: Log, monkeypatch: pytest.MonkeyPatch
) -> None:
    direct: Direct = cast("Any", live.server.config.app).state.direct
    monkeypatch.setattr(direct, "_proxies", None)
    body = as_json(event(live, 11_100))
    assert asked(live, written(body, "x-forwarded-for: 192.0.2.1"))[0] == 200
    wait(lambda: len(told.lines()) == 1)
    assert (told.lines()[0].client, taken) == ("192.0.2.1", [False])


@contextmanager
def believing(live: Live, proxies: str) -> Iterator[Direct]:
    """A service that was started with these as `FORWARDED_ALLOW_IPS`."""
    layer, app = cast("Any", live.server.config.loaded_app), cast("Any", live.server.config.app)
    with pytest.MonkeyPatch.context() as started:
        started.setattr(layer, "trusted_hosts", ProxyHeadersMiddleware(app, proxies).trusted_hosts)
        started.setattr(app.state.direct, "_proxies", None)
        app.state.direct.believe(proxies)
        yield app.state.direct


@pytest.mark.parametrize("before", ["never", "sent"])
@pytest.mark.parametrize("setting", ["metrics_port", "cors_origins"])
def test_where_something_else_answers_or_adds_to_answers_nothing_goes_past_it(
    live: Live, taken: list[bool], monkeypatch: pytest.MonkeyPatch, setting: str, before: str
) -> None:
    app: Any = live.server.config.app
    direct: Direct = app.state.direct
    body = as_json(event(live, 9_300 + len(setting + before)))
    if before == "sent":
        assert asked(live, written(body))[0] == 200
    else:
        direct.heads = RequestHeads()
    value = {"metrics_port": live.port, "cors_origins": ("https://here.example",)}[setting]
    monkeypatch.setattr(direct, "_platform", replace(app.state.platform, **{setting: value}))
    taken.clear()
    assert asked(live, written(body))[0] == 200
    assert True not in taken
    monkeypatch.undo()

"""What is logged is one line, bounded and without secrets; what is counted has fixed labels."""

from __future__ import annotations

import io
import json
import logging
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
import structlog
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from prometheus_client import REGISTRY
from prometheus_client.parser import text_string_to_metric_families
from starlette.testclient import TestClient

from app.domain.activities import Outcome
from app.telemetry import AccessLog, Answered, Counters, configure_logs, logger, safe
from tests.web.sample import SECRET, TOKENS, bearer, service

HOOK = f"h_default_{SECRET}"


@pytest.fixture
def log() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    stream = io.StringIO()
    configure_logs("json", stream)
    yield stream
    root.handlers[:], root.level = handlers, level
    structlog.reset_defaults()


def entries(log: io.StringIO) -> list[dict[str, Any]]:
    return [json.loads(line) for line in log.getvalue().splitlines()]


def test_one_request_is_one_line(log: io.StringIO) -> None:
    answer = TestClient(service()).get("/v1/things/a", headers=bearer("read"))
    (entry,) = [e for e in entries(log) if e["logger"] == "tassei.access"]
    assert entry["route"] == "/v1/things/{key}"
    assert entry["path"] == "/v1/things/a"
    assert (entry["method"], entry["status"], entry["key"]) == ("GET", 200, "key-read")
    assert entry["request_id"] == answer.headers["x-request-id"]
    assert TOKENS["read"] not in log.getvalue()


@given(
    st.text(max_size=300),
    st.one_of(st.none(), st.text(max_size=50)),
    st.floats(0, 1e9).map(lambda ms: round(ms, 2)),
)
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@pytest.mark.usefixtures("log")
def test_a_request_is_one_line_whatever_was_asked_for(
    path: str, client: str | None, ms: float
) -> None:
    """The fixture puts the handlers back at the end; each example sets its own."""
    stream, words = io.StringIO(), io.StringIO()
    configure_logs("json", stream)
    later: list[Callable[[], None]] = []
    told = AccessLog(later.append)
    one = Answered("GET", path, "/v1/things/{key}", 200, ms, "0f" * 16, None, client)
    told(one)
    told(one._replace(path="/plain"))
    later[0]()
    configure_logs("text", words)
    told(one)
    later[1]()
    assert len(words.getvalue().splitlines()) == 1
    first, second = [json.loads(line) for line in stream.getvalue().splitlines()]
    stamp = first.pop("timestamp")
    assert datetime.fromisoformat(stamp).utcoffset() == timedelta(0)
    own = {"event": "request", "level": "info", "logger": "tassei.access"}
    cleaned = {"path": safe(path, 200), "client": client if client is None else safe(client, 200)}
    assert first == own | one._asdict() | cleaned
    assert (second["path"], second["timestamp"]) == ("/plain", stamp)


def test_a_crash_is_logged_with_its_trace_under_the_request_id(log: io.StringIO) -> None:
    answer = TestClient(service()).get(f"/v1/things/{HOOK}/crash")
    (entry,) = [e for e in entries(log) if e["event"] == "request failed"]
    assert entry["request_id"] == answer.json()["instance"]
    assert "ZeroDivisionError" in entry["exception"]
    assert SECRET not in log.getvalue()


@pytest.mark.parametrize(
    "path", [f"/v1/hooks/{HOOK}", f"/{TOKENS['admin']}", "/x?key=whsec_abcdefgh"]
)
def test_a_secret_in_the_path_is_hidden(log: io.StringIO, path: str) -> None:
    TestClient(service()).get(path)
    for secret in (SECRET, TOKENS["admin"], "whsec_abcdefgh"):
        assert secret not in log.getvalue()


@pytest.mark.parametrize(
    "hostile",
    ["a\nFAKE: line", "a\r\nb", "\x1b[31mred", "a\u2028b", "\x00", "\x9b31m"],
)
@pytest.mark.parametrize("form", ["json", "console"])
def test_control_characters_begin_no_line_and_paint_nothing(
    log: io.StringIO, hostile: str, form: str
) -> None:
    configure_logs(form, log)
    logger().info("taken", text=hostile, nested={"list": [hostile]})
    logging.getLogger("library").warning("said %s", hostile)
    lines = log.getvalue().split("\n")
    assert len(lines) == 3  # two entries and the end of the last
    assert not any(
        ord(letter) < 32 or ord(letter) in (0x7F, 0x9B, 0x2028) for letter in "".join(lines)
    )


def test_a_value_under_a_secret_name_is_hidden_at_any_depth(log: io.StringIO) -> None:
    logger().info(
        "taken",
        Authorization="hunter2",
        auth_tokens=["hunter2"],
        headers={"cookie": "hunter2", "x-twilio-signature": "hunter2", "accept": "all"},
        credentials={"user": "hunter2"},
        plain="kept",
    )
    assert "hunter2" not in log.getvalue()
    (entry,) = entries(log)
    assert entry["plain"] == "kept"
    assert entry["headers"]["accept"] == "all"


def test_a_megabyte_makes_a_short_line(log: io.StringIO) -> None:
    logger().info("taken", text="a" * 1_000_000, many=list(range(100_000)))
    assert len(log.getvalue()) < 5_000


@pytest.mark.parametrize(
    ("text", "told"),
    [
        (TOKENS["admin"], "tsk_[hidden]"),
        (f"x {HOOK} y", "x h_[hidden] y"),
        ("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_[hidden]"),
        ("/v1/hooks/" + HOOK, "/v1/hooks/h_[hidden]"),
        ("started_at", "started_at"),
        ("with_a_short_name", "with_a_short_name"),
    ],
)
def test_secrets_are_known_by_their_shape(text: str, told: str) -> None:
    assert safe(text) == told


def test_libraries_log_through_the_same_form(log: io.StringIO) -> None:
    logging.getLogger("uvicorn.error").warning("Invalid HTTP request received.")
    (entry,) = entries(log)
    assert entry["level"] == "warning"
    assert entry["event"] == "Invalid HTTP request received."


def values(counters: Counters) -> dict[tuple[str, ...], float]:
    text = counters.exposition("")[0].decode()
    return {
        (s.name, *(v for _, v in sorted(s.labels.items()))): s.value
        for family in text_string_to_metric_families(text)
        for s in family.samples
    }


def test_the_counters_tell_what_was_counted() -> None:
    counters = Counters("1.2.3")
    assert values(counters)["tassei_events_total", "conflict"] == 0
    counters.counted(Outcome.ACCEPTED, 3)
    counters.counted(Outcome.ACCEPTED)
    counters.committed(7, 0.02)
    waiting = [5]
    counters.watch_queue(lambda: waiting[0])
    counters.answered("BREW", "unmatched", 405, 0.001)
    told = values(counters)
    assert told["tassei_events_total", "accepted"] == 4
    assert told["tassei_commit_batch_deliveries_sum",] == 7
    assert told["tassei_commit_duration_seconds_count",] == 1
    assert told["tassei_committer_queue_deliveries",] == 5
    assert told["tassei_http_requests_total", "other", "unmatched", "405"] == 1
    assert any(name[0] == "tassei_build_info" and "1.2.3" in name for name in told)
    assert "process_resident_memory_bytes" in {name[0] for name in told}


def test_two_services_do_not_share_counters_and_the_global_registry_stays_out() -> None:
    one, other = Counters("1"), Counters("1")
    one.counted(Outcome.STALE)
    assert values(other)["tassei_events_total", "stale"] == 0
    assert not [family for family in REGISTRY.collect() if family.name.startswith("tassei")]

"""RingCentral through HTTP: it is answered in its own words, in few bytes, and counts once."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.intake.ringcentral_events import INBOUND, OUTBOUND, SESSION
from tests.web.service import Service, started

# After the calls of the streams.
NOW = "2026-12-14T09:00:00Z"


@pytest.fixture
def service() -> Iterator[Service]:
    with started(NOW) as running:
        yield running


def connected(service: Service) -> tuple[str, str]:
    """The path of a new source, and the secret that was made for it."""
    answer = service.put("/v1/sources/rc", {"provider": "ringcentral", "name": "Phone"})
    assert answer.status_code == 201, answer.text
    path = "/v1/hooks/" + answer.json()["hook_url"].rpartition("/")[2]
    return path, answer.json()["secret"]


def test_the_answer_at_subscribing_fits_into_1024_bytes_with_its_headers(service: Service) -> None:
    path, secret = connected(service)
    challenge = "0f9c5b4e-" * 12
    asked = {"validation-token": challenge, "verification-token": secret}
    answer = service.client.post(path, headers=asked)
    assert (answer.status_code, answer.content) == (200, b"")
    assert answer.headers["validation-token"] == challenge
    assert answer.headers["content-type"] == "application/json"
    lines = ["HTTP/1.1 200 OK", *(f"{name}: {value}" for name, value in answer.headers.items())]
    assert len("\r\n".join([*lines, "", ""]).encode()) <= 1024
    assert service.get("/v1/deliveries").json()["items"] == []


def test_a_call_is_counted_once_and_every_event_is_answered_200(service: Service) -> None:
    path, secret = connected(service)
    other = [one | {"body": one["body"] | {"telephonySessionId": "s-2"}} for one in OUTBOUND]
    for told in [*reversed(INBOUND), *other, *INBOUND]:
        answer = service.client.post(path, json=told, headers={"verification-token": secret})
        assert (answer.status_code, answer.content) == (200, b"")
    assert service.client.post(path, json=INBOUND[0]).status_code == 401
    found = {item["key"]: item["fields"] for item in service.get("/v1/activities").json()["items"]}
    assert set(found) == {SESSION, "s-2"}
    assert found[SESSION]["direction"] == "inbound"
    assert found["s-2"]["outcome"] == "connected"

"""Keys, scopes, and those who guess."""

from __future__ import annotations

import pytest
from starlette.testclient import TestClient

from app.usecases.keys import digest_of
from app.web.auth import Attempts, workspace_of
from tests.web.sample import SECRET, TOKENS, Keys, bearer, service


class Clock:
    def __init__(self) -> None:
        self.now = 0.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize(
    ("token", "workspace"),
    [
        (f"tsk_default_{SECRET}", "default"),
        (f"tsk_east_2_{SECRET}", "east_2"),
        (f"tsk_a.b-c_{SECRET}", "a.b-c"),
        (f"tsk_default_{SECRET[1:]}", None),
        (f"tsk__{SECRET}", None),
        (f"tsk_Default_{SECRET}", None),
        (f"tsk_default_{SECRET}\n", None),
        (f"tsk_default_{SECRET}é", None),
        (f"tsk_{'a' * 64}_{SECRET}", None),
        (f"h_default_{SECRET}", None),
        ("", None),
    ],
)
def test_the_workspace_is_split_off_at_the_last_underscore(
    token: str, workspace: str | None
) -> None:
    assert workspace_of(token) == workspace


@pytest.mark.parametrize(
    ("scope", "method", "path", "status"),
    [
        ("read", "GET", "/v1/things/a", 200),
        ("write", "GET", "/v1/things/a", 200),
        ("admin", "GET", "/v1/things/a", 200),
        ("ingest", "GET", "/v1/things/a", 403),
        ("read", "PUT", "/v1/things/a", 403),
        ("write", "PUT", "/v1/things/a", 200),
        ("admin", "PUT", "/v1/things/a", 200),
        ("ingest", "POST", "/v1/raw", 200),
        ("admin", "POST", "/v1/raw", 200),
        ("read", "POST", "/v1/raw", 403),
        ("write", "POST", "/v1/raw", 403),
        ("ingest", "POST", "/v1/asgi", 200),
        ("read", "POST", "/v1/asgi", 403),
    ],
)
def test_admin_implies_all_and_write_implies_read(
    scope: str, method: str, path: str, status: int
) -> None:
    body = {"json": {"name": "a"}} if method == "PUT" else {}
    answer = TestClient(service()).request(method, path, headers=bearer(scope), **body)  # type: ignore[arg-type] # a body or none
    assert answer.status_code == status
    if status == 403:
        assert answer.json()["type"] == "urn:tassei:problem:scope-missing"


@pytest.mark.parametrize(
    ("authorization", "code"),
    [
        (None, "no-key"),
        ("", "no-key"),
        ("Basic dXNlcjpwYXNz", "no-key"),
        ("Bearer", "unknown-key"),
        ("Bearer nonsense", "unknown-key"),
        (f"Bearer tsk_default_{SECRET}", "unknown-key"),
        (f"Bearer tsk_nowhere_{SECRET}", "unknown-key"),
        ("Bearer " + "x" * 300, "no-key"),
    ],
)
@pytest.mark.parametrize(("method", "path"), [("GET", "/v1/things/a"), ("POST", "/v1/raw")])
def test_without_a_good_key_the_answer_is_401_and_names_the_scheme(
    authorization: str | None, code: str, method: str, path: str
) -> None:
    headers = {} if authorization is None else {"Authorization": authorization}
    answer = TestClient(service()).request(method, path, headers=headers)
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"] == 'Bearer realm="tassei"'
    assert answer.json()["type"] == "urn:tassei:problem:" + code


def test_two_authorization_headers_are_no_key() -> None:
    pair = [("Authorization", value) for value in bearer("read").values()]
    answer = TestClient(service()).get("/v1/things/a", headers=[*pair, *pair])
    assert answer.status_code == 401


def test_a_service_without_a_gate_lets_nobody_in() -> None:
    answer = TestClient(service(gate=None)).get("/v1/things/a", headers=bearer("admin"))
    assert answer.status_code == 401


def test_a_known_key_is_remembered_until_the_configuration_moves() -> None:
    keys = Keys()
    client = TestClient(service(keys))
    for _ in range(3):
        assert client.get("/v1/things/a", headers=bearer("read")).status_code == 200
    assert keys.asked == 1
    keys.revoke(TOKENS["read"])
    assert client.get("/v1/things/a", headers=bearer("read")).status_code == 401
    assert keys.asked == 2


def test_who_guesses_has_to_wait_and_a_known_key_beside_does_not() -> None:
    clock, keys = Clock(), Keys()
    client = TestClient(service(keys, monotonic=clock))
    assert client.get("/v1/things/a", headers=bearer("read")).status_code == 200
    wrong = {"Authorization": f"Bearer tsk_default_{SECRET}"}
    statuses = [client.get("/v1/things/a", headers=wrong).status_code for _ in range(12)]
    assert statuses == [401] * 10 + [429] * 2
    asked = keys.asked
    refused = client.get("/v1/things/a", headers=wrong)
    assert refused.status_code == 429
    assert keys.asked == asked, "a guess that must wait does not even reach the store"
    assert refused.headers["retry-after"] == "7"
    assert client.get("/v1/things/a", headers=bearer("read")).status_code == 200
    clock.now += 7
    assert client.get("/v1/things/a", headers=wrong).status_code == 401
    assert client.get("/v1/things/a", headers=wrong).status_code == 429


def test_an_unknown_workspace_and_a_wrong_secret_are_answered_alike() -> None:
    client = TestClient(service())
    answers = [
        client.get("/v1/things/a", headers={"Authorization": f"Bearer tsk_{workspace}_{SECRET}"})
        for workspace in ("default", "nowhere")
    ]
    bodies = [answer.json() | {"instance": ""} for answer in answers]
    assert bodies[0] == bodies[1]


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("2001:db8::1", "2001:db8::ffff", True),
        ("2001:db8::1", "2001:db8:0:1::1", False),
        ("192.0.2.1", "192.0.2.2", False),
        ("192.0.2.1", "::ffff:192.0.2.1", True),
        ("192.0.2.1", "::ffff:192.0.2.2", False),
    ],
)
def test_an_ipv6_client_is_its_network(one: str, other: str, *, same: bool) -> None:
    attempts = Attempts(lambda: 0.0, burst=1)
    attempts.failed(one)
    assert (attempts.wait(other) > 0) == same


def test_the_memory_of_failed_attempts_is_bounded() -> None:
    attempts = Attempts(lambda: 0.0, burst=1, size=100)
    for number in range(10_000):
        attempts.failed(f"10.{number >> 8}.{number & 255}.1")
    assert len(attempts._due) == 100
    assert attempts.wait(f"10.{9999 >> 8}.{9999 & 255}.1") > 0
    assert attempts.wait("10.0.0.1") == 0


def test_what_is_stored_of_a_key_is_a_digest() -> None:
    assert len(digest_of(TOKENS["read"])) == 32
    assert TOKENS["read"].encode() not in digest_of(TOKENS["read"])

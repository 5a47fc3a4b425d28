"""Every refusal is a problem of RFC 9457, in two languages, and repeats nothing that was sent."""

from __future__ import annotations

import json
from typing import Any

import pytest
from starlette.testclient import TestClient

from app.domain import errors
from app.domain.errors import Fault, Invalid, TasseiError
from app.web import problems
from app.web.faults import pointer
from app.web.problems import STATUS, preferred, problem, status_of
from tests.web.sample import TOKENS, bearer, service


@pytest.fixture
def client() -> TestClient:
    return TestClient(service())


def kinds(root: type[TasseiError] = TasseiError) -> list[type[TasseiError]]:
    return [kind for child in root.__subclasses__() for kind in (child, *kinds(child))]


def assert_problem(answer: Any, status: int, code: str) -> dict[str, Any]:
    assert answer.status_code == status, answer.text
    assert answer.headers["content-type"] == "application/problem+json"
    body: dict[str, Any] = answer.json()
    assert body["status"] == status
    assert body["type"] == "urn:tassei:problem:" + code.replace("_", "-")
    assert body["instance"] == answer.headers["x-request-id"]
    assert answer.headers["cache-control"] == "no-store"
    assert "Accept-Language" in answer.headers["vary"]
    return body


@pytest.mark.parametrize("kind", kinds(), ids=lambda kind: kind.__name__)
def test_every_class_of_error_has_a_row_of_its_own(kind: type[TasseiError]) -> None:
    if kind.__module__.startswith("app."):
        assert kind in STATUS


def test_each_row_of_the_table_is_an_error_status_and_a_subclass_goes_before_its_base() -> None:
    class Finer(errors.TooDeep):
        pass

    assert set(STATUS.values()) <= set(range(400, 600))
    assert status_of(Finer("x")) == 400
    assert status_of(TasseiError("x")) == 500


def test_a_problem_names_each_fault_with_its_place_code_params_and_sentence() -> None:
    error = Invalid("invalid_fields", Fault("/amount", "out_of_range", {"low": 0, "high": 9}))
    assert problem(error, "ja", "id-1") == {
        "type": "urn:tassei:problem:invalid-fields",
        "title": "Invalid fields",
        "status": 422,
        "detail": "規則に合わない項目があります。errors に理由があります。",
        "instance": "id-1",
        "errors": [
            {
                "pointer": "/amount",
                "code": "out_of_range",
                "params": {"low": 0, "high": 9},
                "message": "0 から 9 の間でなければなりません。",
            }
        ],
    }


@pytest.mark.parametrize(
    ("accept", "language"),
    [
        ("", "en"),
        ("ja", "ja"),
        ("ja-JP,en;q=0.5", "ja"),
        ("en-GB,ja;q=0.9", "en"),
        ("fr, ja;q=0.1", "ja"),
        ("ja;q=0, en;q=0.1", "en"),
        ("ja;q=abc", "en"),
        ("*", "en"),
        (",;q=,", "en"),
    ],
)
def test_the_language_is_the_liked_one_of_ours(accept: str, language: str) -> None:
    assert preferred(accept) == language


def test_the_title_is_constant_while_the_sentence_is_translated(client: TestClient) -> None:
    english = client.get("/nowhere", headers={"Accept-Language": "en"})
    japanese = client.get("/nowhere", headers={"Accept-Language": "ja"})
    assert english.json()["title"] == japanese.json()["title"] == "No such route"
    assert english.json()["detail"] == "There is nothing at this address."
    assert japanese.json()["detail"] == "この URL には何もありません。"
    assert japanese.headers["content-language"] == "ja"


@pytest.mark.parametrize(
    ("method", "path", "status", "code"),
    [
        ("GET", "/nowhere", 404, "no_such_route"),
        ("GET", "/v1/things/", 404, "no_such_route"),
        ("POST", "/v1/things/a/", 404, "no_such_route"),
        ("GET", "//v1/things", 404, "no_such_route"),
        ("GET", "/v1/%2e%2e/livez", 404, "no_such_route"),
        ("GET", "/v1/things/a%00", 400, "malformed_path"),
        ("GET", "/docs", 404, "no_such_route"),
        ("GET", "/redoc", 404, "no_such_route"),
        ("TRACE", "/v1/things/a", 405, "method_not_allowed"),
        ("OPTIONS", "/v1/things/a", 405, "method_not_allowed"),
        ("GET", "/v1/raw", 405, "method_not_allowed"),
    ],
)
def test_routes_that_are_not_there_are_problems_and_nothing_redirects(
    client: TestClient, method: str, path: str, status: int, code: str
) -> None:
    assert_problem(client.request(method, path, follow_redirects=False), status, code)


def test_allow_names_the_methods_of_all_routes_at_the_path(client: TestClient) -> None:
    # Starlette alone would name GET, the first route's.
    answer = client.post("/v1/things/a")
    assert answer.headers["allow"] == "DELETE, GET, HEAD, PUT"
    assert client.get("/v1/raw").headers["allow"] == "POST"


def test_an_error_of_ours_keeps_its_code_and_params(client: TestClient) -> None:
    body = assert_problem(
        client.delete("/v1/things/a", headers=bearer("write")), 409, "exists_already"
    )
    assert body["params"] == {"key": 10}


def test_a_crash_says_nothing_but_the_instance(client: TestClient) -> None:
    answer = client.get("/v1/things/hunter2/crash")
    body = assert_problem(answer, 500, "internal_error")
    assert set(body) == {"type", "title", "status", "detail", "instance"}
    assert "hunter2" not in answer.text


def put(client: TestClient, body: bytes | str, **headers: str) -> Any:
    given = {"Content-Type": "application/json"} | bearer("write") | headers
    return client.put("/v1/things/a", content=body, headers=given)


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ('{"name": "a", "name": "b"}', 400, "duplicate_key"),
        ('{"name": NaN}', 400, "not_json"),
        ('{"name": -Infinity}', 400, "not_json"),
        (b'{"name": "\xff"}', 400, "not_utf8"),
        ('{"name": "\\ud800"}', 400, "not_json"),
        ('{"name": "a"} x', 400, "not_json"),
        ("{", 400, "not_json"),
        (b"\xef\xbb\xbf{}", 400, "byte_order_mark"),
        ('{"name": "a", "free": ' + "[" * 32 + "]" * 32 + "}", 400, "too_deep"),
        ('{"free": ' + "[" * 5000 + "]" * 5000 + "}", 400, "too_deep"),
        ("", 422, "invalid_request"),
    ],
)
def test_a_body_that_two_readers_could_read_differently_is_refused(
    client: TestClient, body: bytes | str, status: int, code: str
) -> None:
    assert_problem(put(client, body), status, code)


def test_a_body_of_32_levels_is_read_and_its_decimals_stay_exact(client: TestClient) -> None:
    deep = '{"name": "a", "free": ' + "[" * 31 + "]" * 31 + "}"
    assert put(client, deep).status_code == 200
    exact = put(client, '{"name": "a", "free": 0.1000000000000000000000000001}')
    assert exact.json()["free"] == "Decimal('0.1000000000000000000000000001')"


@pytest.mark.parametrize(
    "media_type",
    [
        "text/plain",
        "application/x-www-form-urlencoded",
        "multipart/form-data; boundary=x",
        "application/json; charset=latin1",
        "application/json; charset=shift_jis",
        "",
    ],
)
def test_a_body_of_another_type_is_refused(client: TestClient, media_type: str) -> None:
    answer = put(client, '{"name": "a"}', **{"Content-Type": media_type})
    assert_problem(answer, 415, "unsupported_media_type")


@pytest.mark.parametrize(
    "media_type",
    ["application/json; charset=UTF-8", 'Application/JSON;charset="utf-8"'],
)
def test_json_may_say_that_it_is_utf8(client: TestClient, media_type: str) -> None:
    assert put(client, '{"name": "a"}', **{"Content-Type": media_type}).status_code == 200


@pytest.mark.parametrize(
    ("body", "faults"),
    [
        ({}, [("/name", "required")]),
        ([], [("", "not_an_object")]),
        ({"name": 3}, [("/name", "not_a_text")]),
        ({"name": ""}, [("/name", "too_short")]),
        ({"name": "12345678901"}, [("/name", "too_long")]),
        ({"name": "a", "size": 0}, [("/size", "too_small")]),
        ({"name": "a", "size": 10}, [("/size", "too_large")]),
        ({"name": "a", "size": "x"}, [("/size", "not_an_integer")]),
        ({"name": "a", "nickname": 1}, [("/nickname", "unknown_field")]),
        ({"name": "a", "<script>": 1}, [("", "unknown_field")]),
        ({"name": "a", "memberships": {}}, [("/memberships", "not_a_list")]),
        ({"name": "a", "memberships": [{"team": "x"}, {}]}, [("/memberships/1/team", "required")]),
        ({"name": 1, "size": 0}, [("/name", "not_a_text"), ("/size", "too_small")]),
    ],
)
def test_what_pydantic_finds_is_told_by_place_and_stable_code(
    client: TestClient, body: Any, faults: list[tuple[str, str]]
) -> None:
    problem = assert_problem(put(client, json.dumps(body)), 422, "invalid_request")
    assert [(e["pointer"], e["code"]) for e in problem["errors"]] == faults
    assert all(e["message"] and "{" not in e["message"] for e in problem["errors"])


def test_a_pointer_holds_only_what_the_body_holds_not_the_members_of_a_union(
    client: TestClient,
) -> None:
    answer = put(client, json.dumps({"name": "a", "identity": {"kind": "phone", "number": "x"}}))
    pointers = {error["pointer"] for error in answer.json()["errors"]}
    assert "/identity/number" in pointers
    assert not any("By" in pointer for pointer in pointers)
    assert pointer(["a", "Union", 0, "b"], {"a": [{}]}) == "/a/0/b"


def test_what_was_sent_is_not_repeated(client: TestClient) -> None:
    answer = put(
        client, json.dumps({"name": "hunter2hunter2", "size": "hunter2", "x y": "hunter2"})
    )
    assert answer.status_code == 422
    assert "hunter2" not in answer.text
    assert "x y" not in answer.text


@pytest.mark.parametrize(
    ("query", "code", "params"),
    [
        ("?limit=0", "too_small", {"limit": 1, "in": "query", "parameter": "limit"}),
        ("?limit=501", "too_large", {"limit": 500, "in": "query", "parameter": "limit"}),
        ("?limit=x", "not_an_integer", {"in": "query", "parameter": "limit"}),
        ("?lim=1", "unknown_parameter", {"known": "cursor, limit, tag"}),
        (f"?key={TOKENS['read']}", "unknown_parameter", {"known": "cursor, limit, tag"}),
        ("?tag=a&tag=b", "repeated_parameter", {"parameter": "tag"}),
    ],
)
def test_only_documented_parameters_are_taken(
    client: TestClient, query: str, code: str, params: dict[str, Any]
) -> None:
    answer = client.get("/v1/things" + query, headers=bearer("read"))
    body = assert_problem(answer, 422, "invalid_request")
    assert [(e["pointer"], e["code"], e["params"]) for e in body["errors"]] == [("", code, params)]
    assert SECRET_PART not in answer.text


SECRET_PART = TOKENS["read"][12:]


def test_documented_parameters_are_taken(client: TestClient) -> None:
    answer = client.get("/v1/things?limit=2&tag=%E9%83%A8", headers=bearer("read"))
    assert answer.json()["tag"] == "部"


def test_a_route_without_parameters_takes_none(client: TestClient) -> None:
    answer = client.get("/v1/things/a?x=1", headers=bearer("read"))
    assert answer.json()["errors"][0]["params"] == {"known": "-"}


def test_web_errors_are_only_those_that_the_domain_cannot_know() -> None:
    own = {kind for kind in kinds() if kind.__module__ == problems.__name__}
    assert {kind.__name__ for kind in own} == {
        "MethodNotAllowed",
        "UriTooLong",
        "HeadTooLarge",
        "Crash",
    }

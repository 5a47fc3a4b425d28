"""The app as a whole: layers, templates, probes, metrics, CORS. FastAPI's traps among them."""

from __future__ import annotations

from typing import Annotated

import pytest
from fastapi import APIRouter, Query
from prometheus_client.parser import text_string_to_metric_families
from starlette.requests import Request
from starlette.routing import Route
from starlette.testclient import TestClient

from app.domain.errors import Unavailable
from app.web.routes import ResourceRoute, Templates
from app.web.service import router
from tests.web.sample import bearer, service, things


def samples(client: TestClient) -> dict[tuple[str, ...], float]:
    text = client.get("/metrics").text
    return {
        (sample.name, *(value for _, value in sorted(sample.labels.items()))): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_a_route_of_an_included_router_is_counted_under_its_whole_template() -> None:
    client = TestClient(service())
    client.get("/v1/things/a", headers=bearer("read"))
    client.post("/v1/raw", headers=bearer("ingest"), content=b"x")
    client.post("/v1/asgi", headers=bearer("ingest"), content=b"x")
    counted = samples(client)
    for method, route in (("GET", "/v1/things/{key}"), ("POST", "/v1/raw"), ("POST", "/v1/asgi")):
        assert counted["tassei_http_requests_total", method, route, "200"] == 1


def test_one_endpoint_has_one_address() -> None:
    def endpoint(request: Request) -> None: ...

    with pytest.raises(ValueError, match="two addresses"):
        Templates([Route("/a", endpoint), Route("/b", endpoint)])


def test_junk_makes_no_new_series() -> None:
    client = TestClient(service())
    client.get("/warm")
    client.request("BREW", "/warm")
    samples(client)
    before = samples(client)
    for number in range(200):
        client.get(f"/nowhere/{number}")
        client.request(f"METHOD{number}", f"/{number}")
    assert set(samples(client)) == set(before)


def test_head_is_answered_like_get_without_the_body() -> None:
    client = TestClient(service())
    got = client.get("/v1/things/a", headers=bearer("read"))
    head = client.head("/v1/things/a", headers=bearer("read"))
    assert head.status_code == 200
    assert head.content == b""
    assert head.headers["content-length"] == got.headers["content-length"]


def test_every_answer_is_marked_and_none_is_stored() -> None:
    client = TestClient(service())
    ids = set()
    for path in ("/v1/things/a", "/livez", "/nowhere", "/openapi.json"):
        answer = client.get(path, headers=bearer("read"))
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["cache-control"] == "no-store"
        ids.add(answer.headers["x-request-id"])
    assert len(ids) == 4


def test_the_clock_and_the_language_come_from_outside() -> None:
    answer = TestClient(service(clock=lambda: 7)).get(
        "/v1/things/a", headers=bearer("read") | {"Accept-Language": "ja"}
    )
    assert answer.json() == {"key": "a", "now": 7, "language": "ja", "by": "key-read"}


def test_livez_asks_nothing_and_readyz_asks_the_check() -> None:
    problem: list[Exception] = [Unavailable("not_ready")]

    def check() -> None:
        if problem:
            raise problem[0]

    app = service(check=check)
    client = TestClient(app)
    assert client.get("/livez").json() == {"status": "live"}
    refused = client.get("/readyz")
    assert (refused.status_code, refused.headers["retry-after"]) == (503, "1")
    problem[0] = OSError("disk on fire at /var/lib")
    broken = client.get("/readyz")
    assert broken.status_code == 503
    assert "fire" not in broken.text
    problem.clear()
    assert client.get("/readyz").json() == {"status": "ready"}
    app.state.drain.begin()
    assert client.get("/readyz").json()["type"] == "urn:tassei:problem:draining"
    assert client.get("/livez").status_code == 200


def test_metrics_may_ask_for_a_token() -> None:
    client = TestClient(service(metrics_token="scrape"))
    assert client.get("/metrics").status_code == 401
    assert client.get("/metrics", headers={"Authorization": "Bearer scrap"}).status_code == 401
    assert client.get("/metrics", headers=[(b"Authorization", b"Bearer \xe9")]).status_code == 401
    assert client.get("/metrics", headers={"Authorization": "Bearer scrape"}).status_code == 200


@pytest.mark.parametrize(
    ("accept", "media_type", "ends"),
    [
        ("", "text/plain; version=0.0.4; charset=utf-8", False),
        (
            "application/openmetrics-text; version=1.0.0",
            "application/openmetrics-text; version=1.0.0; charset=utf-8; escaping=underscores",
            True,
        ),
    ],
)
def test_families_of_others_stand_in_the_scrape_before_its_end(
    accept: str,
    media_type: str,
    ends: bool,  # noqa: FBT001 - a column of the table
) -> None:
    goal = (
        b"# HELP tassei_goal_target T.\n# TYPE tassei_goal_target gauge\ntassei_goal_target 1.0\n"
    )
    client = TestClient(service(families=(lambda: goal,)))
    answer = client.get("/metrics", headers={"Accept": accept})
    assert answer.headers["content-type"] == media_type
    assert answer.content.endswith(goal + (b"# EOF\n" if ends else b""))
    assert answer.content.count(b"# EOF") == int(ends)
    assert b"_created" not in answer.content


def test_cors_is_off_unless_an_origin_is_named() -> None:
    origin = {"Origin": "https://app.example.com"}
    asked = origin | {"Access-Control-Request-Method": "PUT"}
    off = TestClient(service())
    assert off.options("/v1/things/a", headers=asked).status_code == 405
    assert "access-control-allow-origin" not in off.get("/livez", headers=origin).headers

    on = TestClient(service(cors_origins=("https://app.example.com",)))
    preflight = on.options("/v1/things/a", headers=asked)
    assert preflight.status_code == 200
    assert preflight.headers["access-control-allow-origin"] == "https://app.example.com"
    for path in ("/livez", "/nowhere", "/v1/things/a/crash"):
        answer = on.get(path, headers=origin)
        assert answer.headers["access-control-allow-origin"] == "https://app.example.com"
    foreign = on.options("/v1/things/a", headers=asked | {"Origin": "https://evil.example"})
    assert foreign.status_code == 403
    assert foreign.headers["content-type"] == "application/problem+json"
    assert "access-control-allow-origin" not in foreign.headers


def test_a_raw_door_stands_before_fastapi_and_inside_the_layers() -> None:
    app = service()
    assert isinstance(app.routes[0], Route)
    assert not isinstance(app.routes[0], ResourceRoute)
    client = TestClient(app)
    answer = client.post("/v1/raw?any=thing", headers=bearer("ingest"), content=b"\xff\x00")
    assert answer.json() == {"bytes": 2, "by": "key-ingest"}
    assert "x-request-id" in answer.headers
    assert client.post("/v1/asgi", content=b"x").status_code == 401


def test_our_router_is_strict() -> None:
    extra = router("/v1/extra", "extra")

    @extra.get("")
    def get_extra(a: int = 0) -> int:
        return a

    client = TestClient(service(routers=(things, extra)))
    assert client.get("/v1/extra?a=1").json() == 1
    assert client.get("/v1/extra?c=1").status_code == 422


def test_an_included_router_is_refused_its_routes_have_no_address() -> None:
    outer = APIRouter()
    outer.include_router(router("/v1/extra", "extra"))
    with pytest.raises(TypeError, match="not a route of ours"):
        service(routers=(outer,)).templates()


def test_a_parameter_that_may_repeat_is_taken_often() -> None:
    many = router("/v1/many", "many")

    @many.get("")
    def get_many(kind: Annotated[list[str] | None, Query()] = None) -> list[str]:
        return kind or []

    client = TestClient(service(routers=(many,)))
    assert client.get("/v1/many?kind=a&kind=b").json() == ["a", "b"]

"""Asking a provider, over HTTP: what is refused, what is told, what is counted of it."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

import pytest

from app.domain.instants import MINUTE
from tests.engines import on_both
from tests.outbound.serving import TOKEN, serving
from tests.outbound.simulator import Pipedrive
from tests.web.service import Service, started

AT = "2026-12-01T09:00:00Z"
DEAL = {"status": "won", "value": 100, "currency": "USD", "owner_id": 7, "won_time": AT}


@pytest.fixture
def service(engine: str) -> Iterator[Service]:
    assert engine
    with started(AT, loopback=True) as service:
        yield service


def source(url: str | None = None, **credentials: str) -> dict[str, Any]:
    given = {"user": "tassei", "password": "ひみつの合言葉"} | credentials
    body = {"provider": "pipedrive", "name": "CRM", "credentials": given}
    return body | ({"settings": {"api_url": url}} if url else {})


@pytest.mark.parametrize(
    "url", ["http://api.pipedrive.com", "https://10.0.0.1", "https://u@api.pipedrive.com", "x"]
)
def test_an_address_inside_is_refused_when_it_is_given(service: Service, url: str) -> None:
    answer = service.put("/v1/sources/crm", source(url, api_token=TOKEN))
    assert answer.status_code == 422, answer.text
    (error,) = answer.json()["errors"]
    assert (error["pointer"], error["code"]) == ("/settings/api_url", "address_not_allowed")


@on_both
def test_a_source_is_checked_and_its_past_is_read(service: Service) -> None:
    with serving(Pipedrive(service.clock)) as account:
        answer = service.put("/v1/sources/crm", source(account.url, api_token=TOKEN))
        assert answer.status_code == 201, answer.text
        assert TOKEN not in answer.text
        checked = service.client.post("/v1/sources/crm/check").json()
        assert (checked["state"], checked["problem"]) == ("working", None)
        assert checked["tried_at"] == checked["succeeded_at"] == AT
        assert checked["pending"] == {"count": 0, "oldest": None}
        assert set(checked["read_up_to"]) == {"deal", "deal:deleted", "activity"}
        account.change("deal", 1, **DEAL)
        service.clock.now += 61 * MINUTE
        back = {"from": "2026-11-01T00:00:00Z"}
        asked = service.client.post("/v1/sources/crm/backfill", json=back)
        assert asked.status_code == 200, asked.text
        assert settled(service) == "1"
        shown = service.get("/metrics").text
        assert 'tassei_reconciled_activities_total{found="missing",source="crm"} 1.0' in shown
        (item,) = service.get("/v1/deliveries?source=crm").json()["items"]
        assert item["door"] == "fetch"
        window = {"from": "2026-12-01T00:00:00Z", "to": "2026-12-02T00:00:00Z"}
        replayed = service.client.post("/v1/deliveries/replay", json=window).json()
        assert (replayed["skipped"], replayed["outcomes"]["duplicate"]) == (0, 1)


def settled(service: Service) -> str | None:
    """The deals that are counted once the service has asked by itself."""
    query = "from=2026-12-01&to=2026-12-02&granularity=total"
    for _ in range(100):
        items = service.get(f"/v1/metrics/deals_won/series?{query}").json()["items"]
        if items:
            return str(items[0]["value"])
        time.sleep(0.1)
    return None


@on_both
def test_what_cannot_be_asked_says_so(service: Service) -> None:
    assert service.client.post("/v1/sources/none/check").status_code == 404
    assert service.put("/v1/sources/own", {"provider": "events", "name": "x"}).status_code == 201
    back = {"from": "2026-11-01T00:00:00Z"}
    assert service.client.post("/v1/sources/own/check").json()["state"] == "unsupported"
    refused = service.client.post("/v1/sources/own/backfill", json=back)
    assert (refused.status_code, refused.json()["type"]) == (
        409,
        "urn:tassei:problem:api-not-supported",
    )
    assert service.put("/v1/sources/crm", source()).status_code == 201
    assert service.client.post("/v1/sources/crm/check").json()["state"] == "not_configured"
    refused = service.client.post("/v1/sources/crm/backfill", json=back)
    assert refused.json()["type"] == "urn:tassei:problem:api-not-configured"


@pytest.mark.parametrize(
    "since", ["2026-12-01T09:00:01Z", "2010-01-01T00:00:00Z", "yesterday", "2026-11-01T00:00:00"]
)
def test_a_past_that_is_none_is_refused(service: Service, since: str) -> None:
    assert service.put("/v1/sources/crm", source(api_token=TOKEN)).status_code == 201
    answer = service.client.post("/v1/sources/crm/backfill", json={"from": since})
    assert answer.status_code == 422, answer.text


def test_a_provider_that_keeps_failing_is_shown(service: Service) -> None:
    with serving(Pipedrive(service.clock)) as account:
        made = source(account.url, api_token="another token")
        assert service.put("/v1/sources/crm", made).status_code == 201
        for _ in range(3):
            checked = service.client.post("/v1/sources/crm/check").json()
        assert checked["state"] == "failing"
        assert checked["problem"]["code"] == "provider_refuses_us"
        assert service.get("/v1/sources/crm").json()["state"] == "failing"

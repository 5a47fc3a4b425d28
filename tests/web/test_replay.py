"""Nothing is lost: deliveries are kept, shown without secrets, and read again."""

from __future__ import annotations

import base64
import json
import random
from collections.abc import Iterator
from threading import Event
from typing import Any

import pytest

from app.domain.activities import KIND, make_report
from app.domain.deliveries import Item
from app.domain.instants import DAY
from app.domain.revisions import of_number
from app.intake import registry
from app.intake.credentials import Secret
from app.intake.requests import Hook, HookRequest, Provider, hook_delivery
from app.usecases.retention import expire
from tests.engines import on_both
from tests.web.example import START, call, settle
from tests.web.service import Service, started
from tests.web.test_hooks import connect, quarantined, signed

pytestmark = on_both

SPAN = {"from": "2000-01-01T00:00:00Z", "to": "2100-01-01T00:00:00Z"}
TALLIES = ("tally_day", "tally_quarter", "tally_values", "activity", "activity_field", "credit")


@pytest.fixture
def service() -> Iterator[Service]:
    with started(START) as running:
        yield settle(running)


def listed(service: Service, **query: str) -> list[dict[str, Any]]:
    answer = service.client.get("/v1/deliveries", params=query)
    assert answer.status_code == 200, answer.text
    items: list[dict[str, Any]] = answer.json()["items"]
    return items


def replayed(service: Service, **more: Any) -> dict[str, Any]:
    answer = service.client.post("/v1/deliveries/replay", json=SPAN | more)
    assert answer.status_code == 200, answer.text
    summary: dict[str, Any] = answer.json()
    summary["outcomes"] = {word: n for word, n in summary["outcomes"].items() if n}
    return summary


def counted(service: Service) -> list[str]:
    """The rows of everything that is counted, without the commit that wrote them."""
    return sorted(
        line.rsplit(",", 1)[0] if line.startswith("('activity'") else line
        for line in service.dump().splitlines()
        if line.startswith(tuple(f"('{name}'," for name in TALLIES))
    )


def payment(number: int, **data: Any) -> dict[str, Any]:
    full = {"amount": "100", "currency": "JPY", "paid_at": "2026-12-01T09:00:00+09:00"} | data
    event = {"specversion": "1.0", "id": f"p-{number}", "source": "x", "type": "payment"}
    return event | {"data": full}


def test_what_was_refused_counts_once_its_source_is_back(service: Service) -> None:
    connected = connect(service, "shop", "standard_webhooks")
    path = path_of_local(connected)
    sent = signed(service, path, connected["secret"], payment(1))
    # The hook is asked, the source goes out of use, and the item comes all the same.
    etag = service.get("/v1/sources/shop").headers["etag"]
    document = service.get("/v1/sources/shop").json()
    connection = service.client.app.state.connections.find(path.rpartition("/")[2])  # type: ignore[attr-defined] # Starlette's app
    service.client.delete("/v1/sources/shop", headers={"if-match": etag})
    service.client.app.state.connections.remembered = lambda _token: connection  # type: ignore[attr-defined] # as above
    assert sent().status_code == 204
    (entry,) = quarantined(service)
    assert entry["code"] == "unknown_source"
    again = f"/v1/quarantine/{entry['id']}/replay"
    assert service.client.post(again).json()["quarantined"] == 1
    assert quarantined(service)[0]["count"] == 1
    del service.client.app.state.connections.remembered  # type: ignore[attr-defined] # as above
    body = {"provider": document["provider"], "name": document["name"]}
    assert service.put("/v1/sources/shop", body).status_code in {200, 201}
    answer = service.client.post(again)
    assert (answer.status_code, answer.json()["accepted"]) == (200, 1)
    assert quarantined(service) == []
    settled = service.get("/v1/quarantine?resolved=true").json()["items"]
    assert [one["id"] for one in settled] == [entry["id"]]
    assert settled[0]["resolved_at"] is not None
    assert service.client.post(again).json()["duplicate"] == 1
    assert service.mismatches() == []


def path_of_local(connected: dict[str, Any]) -> str:
    path: str = connected["hook_url"]
    return path[path.index("/v1/hooks/") :]


def test_replaying_at_once_or_in_steps_and_again_changes_nothing(service: Service) -> None:
    chance = random.Random(7)
    for number in range(30):
        events = [call(n, source="crm") for n in range(number, number + chance.randint(1, 4))]
        service.post_events(events)
    before = counted(service)
    assert before
    total = sum(sum(one["outcomes"].values()) for one in listed(service))
    whole = replayed(service)
    assert (whole["deliveries"], whole["skipped"], whole["next"]) == (30, 0, None)
    assert whole["outcomes"] == {"duplicate": total}
    steps = [replayed(service, limit=7)]
    while steps[-1]["next"]:
        steps.append(replayed(service, limit=7, cursor=steps[-1]["next"]))
    assert [step["deliveries"] for step in steps] == [7, 7, 7, 7, 2]
    assert counted(service) == before
    assert service.mismatches() == []


def test_a_delivery_is_listed_and_shown_as_it_came(service: Service) -> None:
    events = [call(1, source="crm"), call(2, source="nowhere")]
    service.clock.now += 1_000_000
    service.post_events(events)
    (one,) = listed(service, source="nowhere")
    assert one["sources"] == ["crm", "nowhere"]
    assert one["outcomes"]["accepted"] == one["outcomes"]["rejected"] == 1
    assert listed(service, source="cr") == []
    whole = service.get(f"/v1/deliveries/{one['id']}").json()
    assert (whole["encoding"], json.loads(whole["body"])) == ("text", events)
    assert listed(service, to=one["received_at"]) == []
    assert listed(service, **{"from": one["received_at"]}) == [one]
    assert service.get("/v1/deliveries/1").status_code == 404
    assert service.get("/v1/deliveries/x").status_code == 404


def test_neither_signature_nor_secret_nor_address_is_kept(service: Service) -> None:
    connected = connect(service, "shop", "standard_webhooks")
    path, secret = path_of_local(connected), connected["secret"]
    assert signed(service, path, secret, payment(1) | {"trace": secret})().status_code == 204
    assert signed(service, path, secret, b"\xff\xfe".decode("latin-1"), "m-2")().status_code == 204
    dump = service.dump()
    assert secret not in dump
    assert path.rpartition("/")[2] not in dump
    assert secret.encode().hex().upper() not in dump.upper()
    (altered,) = [one for one in listed(service) if one["redacted"]]
    assert "[redacted]" in service.get(f"/v1/deliveries/{altered['id']}").json()["body"]
    assert replayed(service)["skipped"] == 1


def test_bytes_that_are_no_text_are_shown_as_base64(service: Service) -> None:
    connected = connect(service, "pipe", "pipedrive", user="hooks", password="correct horse")
    basic = base64.b64encode(b"hooks:correct horse").decode()
    headers = {"authorization": f"Basic {basic}", "content-type": "application/json"}
    path = path_of_local(connected)
    assert service.client.post(path, content=b"\xff\x00", headers=headers).status_code == 204
    (one,) = listed(service, source="pipe")
    shown = service.get(f"/v1/deliveries/{one['id']}").json()
    assert (shown["encoding"], base64.b64decode(shown["body"])) == ("base64", b"\xff\x00")
    (entry,) = quarantined(service)
    assert entry["delivery"] == one["id"]


def test_deliveries_of_one_workspace_are_no_others_and_only_for_admins(service: Service) -> None:
    service.post_events([call(1, source="crm")])
    (one,) = listed(service)
    other = service.workspace("other")
    assert listed(other) == []
    assert other.get(f"/v1/deliveries/{one['id']}").status_code == 404
    assert replayed(other)["deliveries"] == 0
    reader = service.key("read", "write", "ingest")
    assert reader.get("/v1/deliveries").status_code == 403
    assert reader.client.post("/v1/deliveries/replay", json=SPAN).status_code == 403
    assert reader.client.post("/v1/quarantine/1/replay").status_code == 403


def test_deliveries_are_kept_as_long_as_the_workspace_says(service: Service) -> None:
    service.post_events([call(1)])
    service.clock.now += 30 * DAY
    service.post_events([call(2)])
    service.clock.now += 61 * DAY
    counted_before = counted(service)
    context = service.client.app.state.context  # type: ignore[attr-defined] # Starlette's app
    assert expire(context, Event()) == 1
    assert len(listed(service)) == 1
    settings = service.get("/v1/workspace").json()
    body = {name: settings[name] for name in settings.keys() - {"key", "version"}}
    for days, status in ((0, 422), (3651, 422), (60, 200)):
        changed = body | {"retention": {"deliveries_days": days}}
        etag = service.get("/v1/workspace").headers["etag"]
        assert service.put("/v1/workspace", changed, if_match=etag).status_code == status
    assert expire(context, Event()) == 1
    assert expire(context, Event()) == 0
    assert listed(service) == []
    assert counted(service) == counted_before
    assert service.mismatches() == []


def fake(mapping: int, factor: int) -> Provider:
    """A provider whose mapping says how much a payment is worth."""

    def read(request: HookRequest) -> Any:
        number = int(request.body)
        fields = {
            KIND: "payment",
            "amount": str(number * factor),
            "currency": "JPY",
            "paid_at": "2026-12-01T00:00:00Z",
        }
        report = make_report(
            request.source, f"p{number}", of_number("1"), fields, full=True, mapping=mapping
        )
        return hook_delivery(request, Item(0, str(number), report))

    hook = Hook(lambda _request: None, read, lambda _url: ())
    return Provider("fake", None, (Secret("word"),), hook)


def test_a_repaired_mapping_supersedes_what_the_old_one_read(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    known = registry.PROVIDERS

    def use(provider: Provider) -> None:
        monkeypatch.setitem(known, "fake", provider)

    use(fake(1, 1))
    connected = connect(service, "fake", "fake", word="a long enough word")
    path = path_of_local(connected)
    for number in (3, 5):
        assert service.client.post(path, content=str(number)).status_code == 204
    assert amounts(service) == ["3", "5"]
    use(fake(2, 100))
    assert replayed(service, source="fake")["outcomes"] == {"revised": 2}
    assert amounts(service) == ["300", "500"]
    assert replayed(service)["outcomes"] == {"duplicate": 2}
    use(fake(1, 1))
    replayed(service)
    assert amounts(service) == ["300", "500"]
    assert service.mismatches() == []


def amounts(service: Service) -> list[str]:
    items = service.get("/v1/activities").json()["items"]
    return [one["fields"]["amount"] for one in items if one["source"] == "fake"]


def test_a_source_keeps_its_provider_so_that_what_it_sent_is_read_by_the_same_one(
    service: Service,
) -> None:
    connect(service, "shop", "standard_webhooks")
    body = {"provider": "events", "name": "shop"}
    for _ in range(2):
        etag = service.get("/v1/sources/shop").headers.get("etag", '"1"')
        answer = service.put("/v1/sources/shop", body, if_match=etag)
        assert (answer.status_code, answer.json()["type"]) == (
            409,
            "urn:tassei:problem:provider-fixed",
        )
        # Not even one that was disconnected in between may speak another language.
        service.client.delete("/v1/sources/shop", headers={"if-match": etag})

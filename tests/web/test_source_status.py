"""The usual mistakes of whoever connects a sender: seen, told, counted, and nothing is kept."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest
from sqlalchemy import event
from twilio.request_validator import RequestValidator

from app.domain.errors import Unavailable
from app.domain.instants import DAY, SECOND
from app.intake.requests import HookRequest, Step
from app.store.tables import METADATA
from app.usecases.refusals import KEPT, LOOKED_INTO, Refusals
from tests.engines import engine_of, on_both
from tests.intake.senders import leg
from tests.intake.zoom_events import element, posted, told
from tests.intake.zoom_events import event as event_of_zoom
from tests.web.example import START, settle
from tests.web.service import Service, started
from tests.web.test_hooks import (
    FORM,
    PUBLIC,
    TOKEN,
    connect,
    path_of,
    sender,
    signed,
    twilio,
)

pytestmark = on_both


@pytest.fixture
def service() -> Iterator[Service]:
    with started(START, public_url=PUBLIC) as running:
        yield settle(running)


def refusals(service: Service) -> Refusals:
    app: Any = service.client.app
    found: Refusals = app.state.context.refusals
    return found


def status(service: Service, key: str, **headers: str) -> dict[str, Any]:
    refusals(service).flush()
    answer = service.get(f"/v1/sources/{key}/status", **headers)
    assert answer.status_code == 200, answer.text
    found: dict[str, Any] = answer.json()
    return found


def codes(service: Service, key: str) -> list[str]:
    return [one["code"] for one in status(service, key)["findings"]]


def test_nothing_has_come_yet(service: Service) -> None:
    connect(service, "app", "standard_webhooks")
    found = status(service, "app")
    assert found == {
        "key": "app",
        "state": "pending",
        "last_received_at": None,
        "refused": [],
        "recent": [],
        "findings": found["findings"],
    }
    assert codes(service, "app") == ["nothing_arrived"]
    assert codes(service, "crm") == []  # nobody calls it: it is a script's own
    assert service.get("/v1/sources/nobody/status").status_code == 404


def test_a_wrong_secret_is_counted_and_told_in_both_languages(service: Service) -> None:
    connected = connect(service, "app", "standard_webhooks")
    send = signed(service, path_of(connected), connected["secret"], sender(1, "app"))
    before = service.dump()
    for _ in range(3):
        assert send(webhook_signature="v1,AAAA").status_code == 401
    service.clock.now += 60 * SECOND
    assert send(webhook_signature="").status_code == 401
    missing, wrong = status(service, "app")["refused"]
    assert (missing["code"], missing["number"]) == ("signature_missing", 1)
    assert (wrong["code"], wrong["number"]) == ("signature_mismatch", 3)
    assert (wrong["first_at"], wrong["last_at"]) == (START, START)
    assert missing["last_at"] == "2026-12-14T09:01:00+09:00"
    assert "secret" in wrong["message"]
    japanese = status(service, "app", **{"accept-language": "ja"})
    assert "シークレット" in japanese["refused"][1]["message"]
    assert {one["code"] for one in japanese["findings"]} == {
        "refused_signature_missing",
        "refused_signature_mismatch",
        "nothing_arrived",
    }
    assert service.dump() == before
    service.clock.now -= 60 * SECOND
    assert send().status_code == 204
    # What was taken since then shows that it is mended; the count stays.
    service.clock.now += 120 * SECOND
    send2 = signed(service, path_of(connected), connected["secret"], sender(2, "app"))
    assert send2().status_code == 204
    assert codes(service, "app") == ["unknown_people"]
    assert len(status(service, "app")["refused"]) == 2


def test_a_clock_that_is_off_is_told_with_how_far(service: Service) -> None:
    connected = connect(service, "app", "standard_webhooks")
    send = signed(service, path_of(connected), connected["secret"], sender(1, "app"))
    service.clock.now += 3600 * SECOND
    assert send().status_code == 401
    (found,) = status(service, "app")["refused"]
    assert (found["code"], found["params"]) == ("clock_off", {"seconds": -3600})
    assert "3600" in found["message"]


def test_the_address_that_was_signed_is_told_and_never_taken(service: Service) -> None:
    path = path_of(connect(service, "phone", "twilio", auth_tokens=[TOKEN]))
    form = leg("CA" + "1" * 32, "completed", "2026-12-11T10:02:00+09:00")
    address = "https://tunnel.example"
    headers = {
        "content-type": FORM,
        "host": "tunnel.example",
        "x-twilio-signature": RequestValidator(TOKEN).compute_signature(address + path, form),
    }
    before = service.dump()
    answer = service.client.post(path, data=form, headers=headers)
    assert answer.status_code == 401
    assert service.dump() == before
    (found,) = status(service, "phone")["refused"]
    assert found["code"] == "signed_other_address"
    assert found["params"] == {"address": address, "expected": PUBLIC}
    assert path.rpartition("_")[2] not in json.dumps(found)
    assert twilio(service, path, form).is_success


def test_another_method_is_told(service: Service) -> None:
    connected = connect(service, "app", "standard_webhooks")
    assert service.get(path_of(connected)).status_code == 405
    assert [one["code"] for one in status(service, "app")["refused"]] == ["method_not_allowed"]


def test_a_flood_is_one_row_a_look_now_and_then_and_no_write_of_its_own(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    connected = connect(service, "app", "standard_webhooks")
    send = signed(service, path_of(connected), connected["secret"], sender(1, "app"))
    looks: list[str] = []
    real = Refusals.note

    def note(self: Refusals, workspace: str, source: str, code: str, look: Any) -> None:
        def seen() -> Any:
            looks.append(code)
            return look()

        real(self, workspace, source, code, seen)

    monkeypatch.setattr(Refusals, "note", note)
    written: list[str] = []
    engine = engine_of(service.store)
    event.listen(engine, "before_cursor_execute", lambda _c, _u, text, *_: written.append(text))
    for _ in range(200):
        send(webhook_signature="v1,AAAA")
    refusals(service).flush()
    assert looks == ["signature_mismatch"]
    assert sum("INSERT INTO refusal" in text for text in written) <= 20  # a few flushes, not 200
    (found,) = status(service, "app")["refused"]
    assert found["number"] == 200
    service.clock.now += LOOKED_INTO
    send(webhook_signature="v1,AAAA")
    assert len(looks) == 2


def test_what_could_not_be_written_is_written_later(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    connected = connect(service, "app", "standard_webhooks")
    send = signed(service, path_of(connected), connected["secret"], sender(1, "app"))
    send(webhook_signature="v1,AAAA")

    def down(*_: Any, **__: Any) -> Any:
        raise Unavailable("store_locked")

    with monkeypatch.context() as broken:
        broken.setattr(type(service.store), "transaction", down)
        refusals(service).flush()
    send(webhook_signature="v1,AAAA")
    (found,) = status(service, "app")["refused"]
    assert found["number"] == 2


def test_what_replicas_refused_adds_up(service: Service) -> None:
    connect(service, "app", "standard_webhooks")
    replicas = [Refusals(service.store, lambda: service.clock.now) for _ in range(2)]
    for number, replica in enumerate(replicas, 1):
        for _ in range(number):
            replica.note("default", "app", "signature_missing", lambda: Step("clock_off", {}))
        replica.flush()
        replica.flush()
        service.clock.now += 60 * SECOND
    (found,) = status(service, "app")["refused"]
    assert (found["code"], found["number"]) == ("clock_off", 3)
    assert (found["first_at"], found["last_at"]) == (START, "2026-12-14T09:01:00+09:00")


def test_a_reason_is_forgotten_after_a_month(service: Service) -> None:
    connected = connect(service, "app", "standard_webhooks")
    send = signed(service, path_of(connected), connected["secret"], sender(1, "app"))
    send(webhook_signature="v1,AAAA")
    status(service, "app")
    service.clock.now += KEPT + DAY
    send(webhook_signature="")
    assert [one["code"] for one in status(service, "app")["refused"]] == ["signature_missing"]


def test_what_cannot_be_counted_and_who_is_nobody_is_told(service: Service) -> None:
    connected = connect(service, "app", "standard_webhooks")
    path, secret = path_of(connected), connected["secret"]
    assert signed(service, path, secret, sender(1, "app"))().status_code == 204
    assert codes(service, "app") == ["unknown_people"]
    assert signed(service, path, secret, "{", "m-2")().status_code == 204
    found = status(service, "app")
    assert {one["code"] for one in found["findings"]} == {"recent_quarantined", "unknown_people"}
    assert [one["outcomes"] for one in found["recent"]] == [{"quarantined": 1}, {"accepted": 1}]


def connect_zoom(service: Service, sample: HookRequest, **settings: Any) -> str:
    service.clock.now = sample.received_at
    tokens = list(sample.credentials["secret_tokens"])
    body = {"provider": "zoom", "name": "Zoom", "credentials": {"secret_tokens": tokens}}
    answer = service.put("/v1/sources/zoom", body | {"settings": settings})
    assert answer.status_code == 201, answer.text
    return path_of(answer.json())


def send_zoom(service: Service, path: str, sample: HookRequest) -> None:
    answer = service.client.post(path, content=sample.body, headers=dict(sample.headers))
    assert answer.is_success, answer.text


def test_what_is_of_no_interest_is_told_until_something_is(service: Service) -> None:
    idle = posted(event_of_zoom("phone.caller_ended", {"object": {"call_id": "1"}}))
    path = connect_zoom(service, idle)
    for _ in range(2):
        send_zoom(service, path, idle)
    found = status(service, "zoom")
    assert [one["code"] for one in found["findings"]] == ["nothing_of_interest"]
    assert found["findings"][0]["params"] == {"number": 2}
    assert [one["outcomes"] for one in found["recent"]] == [{}, {}]
    send_zoom(service, path, told(element(1)))
    assert codes(service, "zoom") == ["unknown_people"]


def test_events_of_another_account_are_told_apart_from_those(service: Service) -> None:
    call = told(element(1))
    path = connect_zoom(service, call, account_ids=["somebody-else"])
    send_zoom(service, path, call)
    assert codes(service, "zoom") == ["left_out_by_settings"]
    assert service.get("/v1/activities").json()["items"] == []


def test_the_rows_hold_a_code_and_numbers_and_nothing_that_was_sent(service: Service) -> None:
    connected = connect(service, "app", "standard_webhooks")
    send = signed(service, path_of(connected), connected["secret"], sender(1, "app"))
    send(webhook_signature="v1,marked-by-the-sender", user_agent="marked-by-the-sender")
    status(service, "app")
    with service.store.read() as reading:
        (row,) = reading.connection.execute(METADATA.tables["refusal"].select()).all()
    assert row[:4] == ("default", "app", "signature_mismatch", "{}")
    assert service.workspace("other").get("/v1/sources/app/status").status_code == 404
    assert service.key("read", "write").get("/v1/sources/app/status").status_code == 403

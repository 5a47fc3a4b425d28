"""A hook's address that got about: another is answered, the old one for a while, then by nobody."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import urlencode

import pytest
from twilio.request_validator import RequestValidator

from app.domain.instants import DAY, MINUTE
from app.usecases.rekeying import rekey
from app.usecases.vault import Vault
from tests.engines import on_both
from tests.intake.senders import leg
from tests.web.example import START, actual, settle
from tests.web.service import Service, started, started_in
from tests.web.test_hooks import (
    FORM,
    PUBLIC,
    TOKEN,
    connect,
    map_sato,
    path_of,
    pipedrive,
    sender,
    signed,
    twilio,
)
from tests.web.test_rotation import WINDOW, rotate
from tests.web.test_secret_key import key, settings
from tests.web.test_source_status import codes, status

pytestmark = on_both

PASSWORD = "first password"


@pytest.fixture
def service() -> Iterator[Service]:
    with started(START, public_url=PUBLIC) as running:
        yield settle(running)


def readdressed(service: Service, source: str, **body: Any) -> str:
    """The path of the new address."""
    return path_of(rotate(service, source, address=True, **body))


def crm(service: Service) -> str:
    return path_of(connect(service, "pd", "pipedrive", user="tassei", password=PASSWORD))


def test_the_old_address_is_answered_until_the_window_ends_and_not_a_moment_longer(
    service: Service,
) -> None:
    connected = connect(service, "app", "standard_webhooks")
    old, secret, at = path_of(connected), connected["secret"], service.clock.now
    shown = rotate(service, "app", address=True, keep_minutes=WINDOW)
    new = path_of(shown)
    assert new != old
    assert shown["secret"] is None
    assert shown["retiring_until"] == "2026-12-14T10:30:00+09:00"
    assert any(new in step["message"] for step in shown["next"])
    assert service.get("/v1/sources/app").json()["hook_url"] == PUBLIC + new
    for instant in (at, at + WINDOW * MINUTE - 1):
        service.clock.now = instant
        for path in (old, new):
            assert signed(service, path, secret, sender(1, "app"))().status_code == 204
    service.clock.now = at + WINDOW * MINUTE
    gone = signed(service, old, secret, sender(1, "app"))()
    guessed = signed(service, new[:-1] + "_", secret, sender(1, "app"))()
    assert gone.status_code == guessed.status_code == 404
    same = ("type", "title", "status")
    assert [gone.json()[name] for name in same] == [guessed.json()[name] for name in same]
    assert signed(service, new, secret, sender(1, "app"))().status_code == 204
    assert service.get("/v1/sources/app").json()["retiring_until"] is None
    dump = service.dump()
    assert old.rpartition("_")[2] not in dump
    assert new.rpartition("_")[2] not in dump


def test_what_comes_to_both_addresses_counts_once(service: Service) -> None:
    connected = connect(service, "app", "standard_webhooks")
    map_sato(service, "app", "email", "sato@example.co.jp")
    new = readdressed(service, "app")
    for path in (path_of(connected), new):
        send = signed(service, path, connected["secret"], sender(1, "app"))
        assert send().status_code == 204
    assert actual(service) == "1"
    assert service.mismatches() == []


def test_who_signs_the_address_is_verified_by_the_one_that_was_called(service: Service) -> None:
    old = path_of(connect(service, "phone", "twilio", auth_tokens=[TOKEN]))
    new = readdressed(service, "phone", keep_minutes=WINDOW)
    form = leg("CA" + "1" * 32, "ringing", "2026-12-11T10:02:00+09:00")
    assert twilio(service, old, form).is_success
    assert twilio(service, new, form).is_success
    for called, named in ((old, new), (new, old)):
        proof = RequestValidator(TOKEN).compute_signature(PUBLIC + named, form)
        headers = {"content-type": FORM, "x-twilio-signature": proof}
        answer = service.client.post(called, content=urlencode(form), headers=headers)
        assert answer.status_code == 401, (called, named)
    service.clock.now += WINDOW * MINUTE
    assert twilio(service, old, form).status_code == 404
    assert twilio(service, new, form).is_success


def test_without_a_window_said_it_is_a_day_and_none_ends_the_old_at_once(
    service: Service,
) -> None:
    first = crm(service)
    second, at = readdressed(service, "pd"), service.clock.now
    service.clock.now = at + DAY - 1
    assert pipedrive(service, first, PASSWORD).is_success
    service.clock.now = at + DAY
    assert pipedrive(service, first, PASSWORD).status_code == 404
    third = readdressed(service, "pd", keep_minutes=0)
    assert pipedrive(service, second, PASSWORD).status_code == 404
    assert pipedrive(service, third, PASSWORD).is_success


def test_addresses_and_secrets_go_their_own_ways_unless_they_go_together(
    service: Service,
) -> None:
    first = crm(service)
    rotate(service, "pd", credentials={"password": "second"}, keep_minutes=WINDOW)
    second = readdressed(service, "pd", keep_minutes=2 * WINDOW)
    for path in (first, second):
        for password in (PASSWORD, "second"):
            assert pipedrive(service, path, password).is_success
    service.clock.now += WINDOW * MINUTE
    assert pipedrive(service, first, PASSWORD).status_code == 401
    assert pipedrive(service, first, "second").is_success
    third = readdressed(service, "pd", credentials={"password": "third"}, keep_minutes=0)
    for path, password, answered in (
        (first, "second", 401),  # its window is longer; the secret's has ended
        (first, "third", 200),
        (second, "third", 404),
        (third, "second", 401),
        (third, "third", 200),
    ):
        told = pipedrive(service, path, password).status_code
        assert told == answered or (answered == 200 and told < 300), (path, password, told)


def test_an_address_that_is_replaced_several_times_by_mistake_locks_nobody_out(
    service: Service,
) -> None:
    paths = [crm(service), *(readdressed(service, "pd", keep_minutes=WINDOW) for _ in range(4))]
    assert len(set(paths)) == 5
    for path in paths:
        assert pipedrive(service, path, PASSWORD).is_success


def test_a_change_of_the_source_leaves_the_window_and_its_end_ends_both(service: Service) -> None:
    old = crm(service)
    new = readdressed(service, "pd")
    body = {"provider": "pipedrive", "name": "Renamed"}
    service.replace("/v1/sources/pd", body)
    given = {"credentials": {"user": "tassei", "password": "another"}}
    service.replace("/v1/sources/pd", body | given)
    for path in (old, new):
        assert pipedrive(service, path, "another").is_success
    etag = service.get("/v1/sources/pd").headers["etag"]
    service.client.delete("/v1/sources/pd", headers={"if-match": etag})
    for path in (old, new):
        assert pipedrive(service, path, "another").status_code == 404


def test_who_still_calls_an_address_that_has_ended_is_told_and_is_no_guesser(
    service: Service,
) -> None:
    old = crm(service)
    new = readdressed(service, "pd", keep_minutes=WINDOW)
    readdressed(service, "pd", keep_minutes=WINDOW)
    assert pipedrive(service, new, PASSWORD).is_success
    service.clock.now += WINDOW * MINUTE
    # Remembered behind other rotations, and by a process that did not know it in its time.
    rotate(service, "pd", credentials={"password": PASSWORD + "!"}, keep_minutes=WINDOW)
    for _ in range(30):
        assert pipedrive(service, old, PASSWORD).status_code == 404
    # A reader of the configuration that is new: whoever guessed would have to wait now.
    newest = readdressed(service, "pd", keep_minutes=WINDOW)
    assert pipedrive(service, newest, PASSWORD).is_success
    (refused,) = status(service, "pd")["refused"]
    assert (refused["code"], refused["number"]) == ("address_replaced", 30)
    assert "refused_address_replaced" in codes(service, "pd")
    service.clock.now += DAY
    assert "refused_address_replaced" not in codes(service, "pd")


def test_an_address_that_is_the_only_proof_is_replaced_like_any_other(service: Service) -> None:
    settings: dict[str, Any] = {"app_id": "12", "kind": "deal", "currency": "JPY"}
    fields = {"status": "状況", "won_at": "受注日", "amount": "金額"}
    settings |= {"fields": fields, "values": {"受注": "won"}}
    body = {"provider": "kintone", "name": "案件", "settings": settings}
    old = path_of(service.put("/v1/sources/kintone", body).json())
    # Its one secret is the token that it is asked with: that has to be given.
    assert service.client.post("/v1/sources/kintone/rotate", json={}).status_code == 422
    new = readdressed(service, "kintone", keep_minutes=WINDOW)
    event = {"id": "n", "type": "ADD_COMMENT", "app": {"id": "12"}}
    for path in (old, new):
        assert service.client.post(path, json=event).is_success
    service.clock.now += WINDOW * MINUTE
    assert service.client.post(old, json=event).status_code == 404
    assert service.client.post(new, json=event).is_success


def test_what_has_no_address_has_none_to_replace(service: Service) -> None:
    connect(service, "api", "events")
    before = service.dump()
    for source, expected in (("api", 409), ("nobody", 404)):
        answer = service.client.post(f"/v1/sources/{source}/rotate", json={"address": True})
        assert answer.status_code == expected, answer.text
    answer = service.client.post("/v1/sources/api/rotate", json={"address": "yes"})
    assert answer.status_code == 422
    assert service.dump() == before


def test_under_another_secret_key_both_addresses_go_on(tmp_path: Path) -> None:
    with started_in(tmp_path, START, secret_key=settings(tmp_path, "a").secret_key) as service:
        body = {"provider": "standard_webhooks", "name": "App", "counts": ["call"]}
        made = service.put("/v1/sources/app", body).json()
        urls = [made["hook_url"], rotate(service, "app", address=True)["hook_url"]]
        rekey(service.store, vault("b"), service.clock.now, vault("a"))
    with started_in(tmp_path, START, secret_key=settings(tmp_path, "b").secret_key) as service:
        for url in urls:
            path = "/v1/hooks/" + url.rpartition("/")[2]
            send = signed(service, path, made["secret"], json.dumps({"specversion": "1.0"}))
            assert send().status_code == 204


def vault(letter: str) -> Vault:
    return Vault(key(letter).encode())

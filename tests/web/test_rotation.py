"""Two secrets at once while one is rotated, then one."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner

from app.cli import cli
from app.domain.instants import MINUTE
from app.main import opened
from app.store.engine import StartError
from tests import engines
from tests.engines import on_both
from tests.intake.senders import leg
from tests.web.example import START, settle
from tests.web.service import Service, started, started_in
from tests.web.test_hooks import (
    PUBLIC,
    TOKEN,
    connect,
    path_of,
    pipedrive,
    sender,
    signed,
    twilio,
)
from tests.web.test_secret_key import key, settings

pytestmark = on_both

WINDOW = 90


@pytest.fixture
def service() -> Iterator[Service]:
    with started(START, public_url=PUBLIC) as running:
        yield settle(running)


def rotate(service: Service, source: str, **body: Any) -> Any:
    answer = service.client.post(f"/v1/sources/{source}/rotate", json=body)
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_the_old_secret_is_taken_until_the_window_ends_and_not_a_moment_longer(
    service: Service,
) -> None:
    connected = connect(service, "app", "standard_webhooks")
    path, old = path_of(connected), connected["secret"]
    at = service.clock.now
    shown = rotate(service, "app", keep_minutes=WINDOW)
    new = shown["secret"]
    assert new != old
    assert new.startswith("whsec_")
    assert shown["hook_url"] == connected["hook_url"]
    assert shown["retiring_until"] == "2026-12-14T10:30:00+09:00"
    for secret in (old, new):
        assert signed(service, path, secret, sender(1, "app"))().status_code == 204
    service.clock.now = at + WINDOW * MINUTE - 1
    for secret in (old, new):
        assert signed(service, path, secret, sender(2, "app"))().status_code == 204
    service.clock.now = at + WINDOW * MINUTE
    assert signed(service, path, old, sender(3, "app"))().status_code == 401
    assert signed(service, path, new, sender(3, "app"))().status_code == 204
    assert service.get("/v1/sources/app").json()["retiring_until"] is None
    dump = service.dump()
    assert old not in dump
    assert new not in dump


def test_without_a_window_said_it_is_a_day_and_none_ends_the_old_at_once(
    service: Service,
) -> None:
    connected = connect(service, "app", "standard_webhooks")
    path, old = path_of(connected), connected["secret"]
    at = service.clock.now
    second = rotate(service, "app")["secret"]
    service.clock.now = at + 1_440 * MINUTE - 1
    assert signed(service, path, old, sender(1, "app"))().status_code == 204
    service.clock.now = at + 1_440 * MINUTE
    assert signed(service, path, old, sender(1, "app"))().status_code == 401
    rotate(service, "app", keep_minutes=0)
    assert signed(service, path, second, sender(1, "app"))().status_code == 401


def test_a_rotation_that_is_repeated_by_mistake_locks_nobody_out(service: Service) -> None:
    connected = connect(service, "app", "standard_webhooks")
    path, old = path_of(connected), connected["secret"]
    secrets = [old, *(rotate(service, "app", keep_minutes=WINDOW)["secret"] for _ in range(3))]
    for secret in secrets:
        assert signed(service, path, secret, sender(1, "app"))().status_code == 204


def test_given_credentials_replace_only_theirs_and_the_same_again_is_no_rotation(
    service: Service,
) -> None:
    path = path_of(connect(service, "pd", "pipedrive", user="tassei", password="first password"))
    shown = rotate(service, "pd", credentials={"password": "second password"}, keep_minutes=WINDOW)
    assert shown["secret"] is None
    for password in ("first password", "second password"):
        assert pipedrive(service, path, password).is_success
    again = rotate(service, "pd", credentials={"password": "second password"}, keep_minutes=0)
    assert again["retiring_until"] is not None
    service.clock.now += WINDOW * MINUTE
    assert pipedrive(service, path, "first password").status_code == 401
    assert pipedrive(service, path, "second password").is_success


def test_lists_of_tokens_rotate_too(service: Service) -> None:
    path = path_of(connect(service, "phone", "twilio", auth_tokens=[TOKEN]))
    fresh = "0" * 32
    rotate(service, "phone", credentials={"auth_tokens": [fresh]}, keep_minutes=WINDOW)
    form = leg("CA" + "1" * 32, "ringing", "2026-12-11T10:02:00+09:00")
    assert twilio(service, path, form).is_success
    assert twilio(service, path, form, fresh).is_success
    service.clock.now += WINDOW * MINUTE
    assert twilio(service, path, form).status_code == 401


def test_a_put_with_other_credentials_ends_what_a_rotation_had_left(service: Service) -> None:
    connected = connect(service, "app", "standard_webhooks")
    path, old = path_of(connected), connected["secret"]
    rotate(service, "app", keep_minutes=WINDOW)
    same = {"provider": "standard_webhooks", "name": "Renamed"}
    service.replace("/v1/sources/app", same)
    assert signed(service, path, old, sender(1, "app"))().status_code == 204
    fresh = "whsec_" + b64encode(b"n" * 32).decode()
    service.replace("/v1/sources/app", same | {"credentials": {"secret": fresh}})
    assert signed(service, path, old, sender(1, "app"))().status_code == 401
    assert signed(service, path, fresh, sender(1, "app"))().status_code == 204


def test_what_cannot_be_rotated_is_refused_and_changes_nothing(service: Service) -> None:
    connect(service, "pd", "pipedrive", user="tassei", password="first password")
    connect(service, "api", "events")
    before = service.dump()
    for source, body, status, told in (
        ("nobody", {}, 404, None),
        ("api", {}, 409, None),
        ("pd", {}, 422, "/credentials"),
        ("pd", {"credentials": {"token": "x"}}, 422, "/credentials"),
        ("pd", {"credentials": {"user": "a:b"}}, 422, "/credentials/user"),
        ("pd", {"credentials": {"user": "a"}, "keep_minutes": 43_201}, 422, "/keep_minutes"),
        ("pd", {"credentials": {"user": "a"}, "keep_minutes": -1}, 422, "/keep_minutes"),
    ):
        answer = service.client.post(f"/v1/sources/{source}/rotate", json=body)
        assert answer.status_code == status, answer.text
        assert told is None or answer.json()["errors"][0]["pointer"] == told
    assert service.dump() == before


def test_a_rotated_key_of_the_service_keeps_every_credential(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with started_in(tmp_path, START, secret_key=settings(tmp_path, "a").secret_key) as service:
        body = {"provider": "standard_webhooks", "name": "App", "counts": ["call"]}
        made = service.put("/v1/sources/app", body).json()
        path = "/v1/hooks/" + made["hook_url"].rpartition("/")[2]
        new = service.client.post("/v1/sources/app/rotate", json={}).json()["secret"]
    (old_key := tmp_path / "old.key").write_text(key("a") + "\n")
    monkeypatch.setenv("TASSEI_SECRET_KEY", key("b"))
    monkeypatch.setenv("TASSEI_DATABASE_URL", engines.url(tmp_path))
    monkeypatch.setenv("TASSEI_DATA_DIR", str(tmp_path))
    done = CliRunner().invoke(cli, ["rekey", "--old", str(old_key)])
    assert (done.exit_code, done.stdout) == (0, "0 sources to be given credentials anew\n")
    with pytest.raises(StartError):
        opened(settings(tmp_path, "a"))
    with started_in(tmp_path, START, secret_key=settings(tmp_path, "b").secret_key) as service:
        for secret in (made["secret"], new):
            send = signed(service, path, secret, json.dumps({"specversion": "1.0"}))
            assert send().status_code == 204


def test_an_old_key_that_is_none_is_one_line(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TASSEI_DATA_DIR", str(tmp_path))
    (broken := tmp_path / "old.key").write_text("short")
    for path in (broken, tmp_path / "nowhere"):
        done = CliRunner().invoke(cli, ["rekey", "--old", str(path)])
        assert done.exit_code != 0
        assert str(path) in str(done.exception)

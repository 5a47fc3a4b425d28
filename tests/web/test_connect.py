"""`tassei connect`: a source as the API makes it, what to enter, what becomes of first events."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from app import commands
from app.cli import cli
from tests import engines
from tests.engines import on_both
from tests.intake.senders import leg
from tests.web.example import START, member, settle
from tests.web.service import Service, started_in
from tests.web.test_hooks import PUBLIC, TOKEN, map_sato, sender, signed, twilio

pytestmark = on_both

Connect = Callable[..., Result]
HOOK = re.compile(rf"{re.escape(PUBLIC)}(/v1/hooks/h_default_\w{{40}})")


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    with started_in(tmp_path, START, public_url=PUBLIC) as running:
        yield settle(running)


@pytest.fixture
def connect(service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Connect:
    """The command on the database of the service, with what happens while it waits."""
    monkeypatch.setenv("TASSEI_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("TASSEI_PUBLIC_URL", PUBLIC)
    if engines.chosen() != engines.SQLITE:
        monkeypatch.setenv("TASSEI_DATABASE_URL", engines.url(tmp_path))

    def run(*words: str, code: int = 0, meanwhile: Any = (), body: Any = None) -> Result:
        acts = iter(meanwhile)
        app: Any = service.client.app

        def rest(_seconds: float) -> None:
            act = next(acts, None)
            if act is None:
                raise KeyboardInterrupt
            act()
            app.state.context.refusals.flush()

        monkeypatch.setattr(commands, "sleep", rest)
        given = None if body is None else json.dumps(body)
        more = () if body is None else ("--document", "-")
        done = CliRunner().invoke(cli, ["connect", *words, *more], input=given)
        assert done.exit_code == code, done.output
        return done

    return run


def test_it_prints_address_secret_and_steps_and_the_secret_once(
    service: Service, connect: Connect
) -> None:
    first = connect("standard_webhooks", "--key", "app", "--no-wait").stdout
    (path,) = set(HOOK.findall(first))
    (secret,) = re.findall(r"whsec_\S+", first)
    told = service.get("/v1/sources/app").json()
    assert told["hook_url"] == PUBLIC + path
    assert [step["message"] in first for step in told["next"]] == [True] * len(told["next"])
    assert signed(service, path, secret, sender(1, "app"))().status_code == 204
    again = connect("standard_webhooks", "--key", "app", "--no-wait", "--language", "ja").stdout
    assert HOOK.findall(again)[0] == path
    assert "whsec_" not in again
    assert re.search("[ぁ-ん]", again)
    assert service.get("/v1/sources/app").json()["version"] == told["version"]


def test_what_is_not_said_stays_and_counts_can_be_changed(
    service: Service, connect: Connect
) -> None:
    body = {"name": "Phone", "credentials": {"auth_tokens": [TOKEN]}, "expect": {"every": "PT2H"}}
    connect("twilio", "--key", "phone", "--no-wait", body=body)
    connect("twilio", "--key", "phone", "--counts", "call,lead", "--no-wait")
    told = service.get("/v1/sources/phone").json()
    assert (told["name"], told["counts"]) == ("Phone", ["call", "lead"])
    assert told["expect"]["every"] == "PT2H"
    connect("twilio", "--key", "phone", "--counts", "", "--no-wait")
    assert service.get("/v1/sources/phone").json()["counts"] == []
    path = told["hook_url"].removeprefix(PUBLIC)
    form = leg("CA" + "1" * 32, "completed", "2026-12-11T10:02:00+09:00")
    assert twilio(service, path, form).is_success  # the credentials stayed


@pytest.mark.parametrize(
    ("words", "body", "told"),
    [
        (("nobody",), None, "/provider"),
        (("twilio",), None, "/credentials/auth_tokens"),
        (("events", "--key", "No Key"), None, ""),
        (("events", "--counts", "NO"), None, "/counts/0"),
        (("events",), {"color": "red"}, "/color"),
        (("events",), [], ""),
        (("twilio", "--key", "crm"), {"credentials": {"auth_tokens": ["x"]}}, "provider"),
    ],
)
def test_what_the_api_refuses_is_one_message_and_makes_nothing(
    service: Service, connect: Connect, words: tuple[str, ...], body: Any, told: str
) -> None:
    before = service.dump()
    done = connect(*words, "--no-wait", body=body, code=1)
    assert told in done.stderr
    assert "Traceback" not in done.output
    assert service.dump() == before


def test_a_refusal_names_what_would_be_right_and_how_to_give_it(connect: Connect) -> None:
    nobody = connect("nosuch", "--no-wait", code=1).stderr
    assert nobody.startswith("  /provider: Must be one of: aircall, ")
    assert "one of: allowed" not in nobody
    missing = connect("zoom", "--no-wait", code=1).stderr
    assert "/credentials/secret_tokens" in missing
    assert "--document FILE" in missing
    assert "--document" not in nobody


def test_it_tells_what_arrives_as_it_arrives(service: Service, connect: Connect) -> None:
    made = connect("standard_webhooks", "--key", "app", "--counts", "call", "--no-wait").stdout
    path, secret = HOOK.findall(made)[0], re.findall(r"whsec_\S+", made)[0]
    map_sato(service, "app", "email", "sato@example.co.jp")

    def send(event: Any, message: str, **headers: str) -> Callable[[], Any]:
        return lambda: signed(service, path, secret, event, message)(**headers)

    deal = sender(3, "app") | {"type": "deal", "data": {"status": "open"}}
    meanwhile = (
        send(sender(1, "app"), "m-1", webhook_signature="v1,AAAA"),
        send(sender(1, "app"), "m-1"),
        send(sender(2, "app") | {"actor": "x@example.co.jp"}, "m-2"),
        send(sender(1, "app"), "m-3"),
        send("{", "m-4"),
        send(deal, "m-5"),
        lambda: None,
    )
    lines = connect("standard_webhooks", "--key", "app", meanwhile=meanwhile).stdout.splitlines()
    told = lines[lines.index("Waiting for what arrives; Ctrl-C ends it.") + 1 :]
    wrong, *came = [line for line in told if line]
    assert wrong.startswith("The signature is wrong: another secret is entered")
    metrics = "calls, connected_calls, talk_time"
    assert came == [
        f"Received: call c-1, counted in {metrics} for sato.",
        f"Received: call c-2, counted in {metrics}. Whom it names is nobody yet.",
        "Received again: 1 were known already and count once.",
        "Received and set aside, not counted: The body is not JSON as RFC 8259 has it.",
        (
            "Received: deal c-3, not counted: "
            "The source app does not count deal: it is kept and adds nothing."
        ),
    ]


def test_the_time_limit_ends_it_and_says_whether_anything_counted(
    service: Service, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert service.put("/v1/members/tanaka", member("tanaka")).status_code == 201
    times = iter(range(100))
    monkeypatch.setattr(commands, "monotonic", lambda: next(times))
    idle = [lambda: None] * 9
    connect("events", "--key", "script", "--timeout", "3", meanwhile=idle, code=1)
    times = iter(range(100))
    event = sender(1, "script")
    counting = [lambda: service.counts([event]), *idle]
    connect("events", "--key", "script", "--timeout", "3", meanwhile=counting, code=0)


def test_the_command_that_overlaps_name_mends_them(service: Service, connect: Connect) -> None:
    body = {"provider": "events", "name": "Phone", "counts": ["call", "lead"]}
    assert service.put("/v1/sources/phone", body).status_code == 201
    overlaps = service.get("/v1/sources/overlaps").json()["items"]
    assert [item["kind"] for item in overlaps] == ["call", "lead"]
    for item in overlaps:
        told = {one["source"]: one for one in item["repairs"]}
        assert told["phone"]["command"].startswith("tassei connect events --key phone ")
    words = shlex.split({one["source"]: one for one in overlaps[0]["repairs"]}["phone"]["command"])
    connect(*words[2:])
    assert [item["kind"] for item in service.get("/v1/sources/overlaps").json()["items"]] == [
        "lead"
    ]
    assert service.get("/v1/sources/phone").json()["name"] == "Phone"

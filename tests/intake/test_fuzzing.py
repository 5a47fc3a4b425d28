"""Mutated requests break no law of any adapter, and a law that is broken is seen."""

from __future__ import annotations

import itertools
import os
import re
import subprocess
import sys
import tomllib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from packaging.requirements import Requirement

from app.domain.activities import KIND
from app.domain.deliveries import Delivery, Item
from app.domain.errors import Fault, Invalid, Unreadable
from app.intake.registry import FETCHED, PROVIDERS
from app.intake.requests import Answer, Hook, HookRequest, Provider, hook_delivery, hook_report
from app.intake.requests import refusal as refused
from tests.intake.close_events import KEY
from tests.intake.fuzzing import __main__ as command
from tests.intake.fuzzing import blind, laws
from tests.intake.fuzzing.committing import Known, committed
from tests.intake.fuzzing.findings import Findings
from tests.intake.fuzzing.inputs import HOOKED, packed, seeds_of, unpacked

ROOT = Path(__file__).parents[2]
RUNS, SEED = 250, 20261201
NAME = "close"


def run(name: str, runs: int = RUNS) -> blind.Run:
    return blind.run(name, SEED, lambda executions: executions < runs)


@pytest.mark.parametrize("name", HOOKED)
def test_whatever_is_changed_in_a_request_no_law_is_broken(name: str) -> None:
    done = run(name)
    assert done.findings == ()
    assert done.executions == RUNS
    # That the changes reach something: more comes of them than of the samples.
    samples = run(name, 0)
    assert len(done.deliveries) > len(samples.deliveries)


def test_every_database_takes_what_comes_of_them(tmp_path: Path) -> None:
    known = [Known(name, *came) for name in HOOKED for came in run(name).deliveries]
    assert len(known) > 300
    assert committed(known, tmp_path) == []


def test_the_same_seed_is_the_same_run() -> None:
    assert [data for data, _ in run(NAME).deliveries] == [data for data, _ in run(NAME).deliveries]


@pytest.mark.parametrize("name", HOOKED)
def test_an_input_is_the_sample_that_it_was_made_of(name: str) -> None:
    for place, seed in enumerate(seeds_of(name)):
        again = unpacked(name, packed(place, seed.request))
        assert again.fetched == seed.fetched
        assert again.request.body == seed.request.body
        if seed.fetched is None:
            # Still authentic, where no address is signed.
            assert again.request.headers == dict(seed.request.headers)


def test_whoever_can_be_asked_has_objects_to_change() -> None:
    asked = {name for name in HOOKED if any(seed.fetched for seed in seeds_of(name))}
    assert asked == set(FETCHED)


def wheels() -> list[Requirement]:
    document = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    group = document["dependency-groups"]["test"]
    return [Requirement(text) for text in group if text.startswith("atheris")]


@pytest.mark.slow
def test_it_is_led_wherever_there_is_a_wheel_and_says_where_there_is_none() -> None:
    assert wheels()
    assert any(one.marker and one.marker.evaluate() for one in wheels()) is command.GUIDED
    ran = subprocess.run(  # noqa: S603 - our own module
        [sys.executable, "-m", "tests.intake.fuzzing", "--runs", "300", NAME],
        cwd=ROOT,
        env=os.environ | {"PYTHONHASHSEED": "0"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr
    led = "led by the lines that are reached"
    assert ran.stdout.startswith(led if command.GUIDED else "by chance: there is no Atheris here")
    rows = re.findall(r"^(\w+) +(\d+) +(\d+|-) +(\d+)$", ran.stdout, re.MULTILINE)
    ((name, runs, reached, found),) = rows
    assert (name, int(runs) >= 300, found) == (NAME, True, "0")
    assert (reached != "-") is command.GUIDED
    assert "findings: none" in ran.stdout


def test_where_there_is_no_wheel_the_same_command_goes_by_chance(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(command, "GUIDED", False)
    monkeypatch.setattr(sys, "argv", ["fuzzing", "--runs", "60", NAME])
    assert command.main() == 0
    told = capsys.readouterr().out
    assert told.startswith("by chance: there is no Atheris here")
    assert re.search(rf"^{NAME} +60 +- +0$", told, re.MULTILINE)
    assert "60 executions, findings: none" in told


# Each law is broken once, and that is found.

Part = Callable[[HookRequest], Any]


def _item(request: HookRequest, key: str, fields: Any, *, full: bool = True) -> Delivery:
    report = hook_report(request, key, "", {KIND: "deal"} | fields, full=full, mapping=1)
    return hook_delivery(request, Item(0, "id", report))


def _raising(error: Exception) -> Part:
    def raise_(_request: HookRequest) -> Any:
        raise error

    return raise_


TURNS = itertools.count()


def _another_each_time(request: HookRequest) -> Delivery:
    return _item(request, str(next(TURNS)), {})


def _both(request: HookRequest) -> Delivery:
    item = _item(request, "key", {}).items[0]
    return hook_delivery(request, item, refused=(refused(request, Invalid("required"), ""),))


def _unexplained(request: HookRequest) -> Delivery:
    error = Invalid("invalid_delivery", Fault("/a", "no_such_code"))
    return hook_delivery(request, refused=(refused(request, error, ""),))


def _half_explained(request: HookRequest) -> Delivery:
    error = Invalid("invalid_delivery", Fault("/a", "unknown_value"))
    return hook_delivery(request, refused=(refused(request, error, ""),))


def _slow(request: HookRequest) -> Delivery:
    sum(range(3_000_000))
    return hook_delivery(request)


BROKEN: dict[str, dict[str, Part]] = {
    "KeyError": {"read": _raising(KeyError("data"))},
    "RecursionError": {"read": _raising(RecursionError())},
    "ValueError: verify": {"verify": _raising(ValueError("verify"))},
    "Unreadable: not_json": {"verify": _raising(Unreadable("not_json"))},
    "TypeError: handshake": {"handshake": _raising(TypeError("handshake"))},
    "TypeError: answer": {"answer": _raising(TypeError("answer"))},
    "authentic without a credential": {"verify": lambda _request: None},
    "UnicodeEncodeError": {"read": lambda request: _item(request, "\ud800", {})},
    "a zero that PostgreSQL does not hold": {"read": lambda request: _item(request, "\x00", {})},
    "a binary float": {"read": lambda request: _item(request, "key", {"amount": 1.5})},
    "Invalid: invalid_fields": {"read": lambda request: _item(request, "key", {"amount": True})},
    "fields that are not canonical": {
        "read": lambda request: _item(request, "key", {"amount": "1.50"})
    },
    "a kind that the provider does not count": {
        "read": lambda request: _item(request, "key", {KIND: "lead"})
    },
    "an item and its refusal": {"read": _both},
    "no sentence for no_such_code": {"read": _unexplained},
    "KeyError: 'allowed'": {"read": _half_explained},
    "a replay reads other items": {"read": _another_each_time},
    "a credential is kept": {"read": lambda request: _item(request, "key", {"stage": KEY})},
    "an answer that is no thanks": {"answer": lambda _request: Answer(500)},
    "a header that cannot be sent": {
        "answer": lambda _request: Answer(204, None, b"", {"x": "\n"})
    },
    "an echo that is long": {"answer": lambda request: Answer(200, None, request.body * 9)},
    "it takes too long": {"read": _slow},
}


@pytest.mark.parametrize("law", BROKEN)
def test_a_broken_law_is_found(law: str, monkeypatch: pytest.MonkeyPatch) -> None:
    provider: Provider = PROVIDERS[NAME]
    assert isinstance(provider.hook, Hook)
    changed: Any = BROKEN[law]
    broken = replace(provider, hook=replace(provider.hook, **changed))
    monkeypatch.setitem(PROVIDERS, NAME, broken)
    monkeypatch.setattr(laws, "LONGEST_SECONDS", 0.01)
    found = [finding.law for finding in run(NAME, 0).findings]
    assert any(law in one for one in found), found


def test_an_object_that_breaks_its_reader_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    def read(*_: object, **_more: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setitem(FETCHED, "hubspot", read)
    assert [finding.law for finding in run("hubspot", 0).findings] == ["ZeroDivisionError: "]


def test_findings_are_written_when_they_are_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from tests.intake.fuzzing.findings import read_findings  # noqa: PLC0415 - of this test alone

    hook = PROVIDERS[NAME].hook
    assert hook
    broken = replace(PROVIDERS[NAME], hook=replace(hook, read=_raising(KeyError("data"))))
    monkeypatch.setitem(PROVIDERS, NAME, broken)
    findings = Findings(NAME, tmp_path / "found")
    for _ in range(2):  # one law at one place is one finding
        assert findings.tried(packed(0, seeds_of(NAME)[0].request)) is None
    (written,) = read_findings(tmp_path / "found")
    assert written == next(iter(findings.found.values()))

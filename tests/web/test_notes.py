"""Notes on a plan's goals: kept, listed, taken back, and gone with their plan."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.engines import on_both
from tests.web.example import PLAN, START, settle
from tests.web.service import Service, started

pytestmark = on_both

NOTES = "/v1/plans/december/notes"


@pytest.fixture
def service() -> Iterator[Service]:
    with started(START) as found:
        yield settle(found)


def note(service: Service, text: str, **rest: Any) -> dict[str, Any]:
    answer = service.client.post(NOTES, json={"goal": "calls", "text": text} | rest)
    assert answer.status_code == 201, answer.text
    found: dict[str, Any] = answer.json()
    return found


def listed(service: Service, query: str = "") -> list[str]:
    return [one["text"] for one in service.get(f"{NOTES}{query}").json()["items"]]


def test_a_note_says_what_was_said_by_whom_and_when(service: Service) -> None:
    said = {"member": "sato", "due": "2026-12-18"}
    made = note(service, "一覧を\n見直す", **said)
    assert made == said | {
        "id": made["id"],
        "goal": "calls",
        "text": "一覧を\n見直す",
        "author": made["author"],
        "at": made["at"],
    }
    assert made["at"].startswith(START.removesuffix("+09:00"))
    keys = {key["id"] for key in service.get("/v1/keys").json()["items"]}
    assert made["author"] in keys
    assert service.get(NOTES).json() == {"items": [made], "next": None}


def test_the_newest_note_stands_first_on_every_page(service: Service) -> None:
    for number in range(5):
        note(service, f"note {number}")
    whole = listed(service)
    assert whole == [f"note {number}" for number in (4, 3, 2, 1, 0)]
    first = service.get(f"{NOTES}?limit=2").json()
    note(service, "note 5")
    assert [*(one["text"] for one in first["items"]),
            *listed(service, f"?limit=500&cursor={first['next']}")] == whole  # fmt: skip


def test_a_note_is_taken_back_once(service: Service) -> None:
    kept, mistaken = note(service, "kept"), note(service, "mistaken")
    assert service.client.delete(f"{NOTES}/{mistaken['id']}").status_code == 204
    assert listed(service) == ["kept"]
    for one in (mistaken["id"], "nothing"):
        answer = service.client.delete(f"{NOTES}/{one}")
        assert (answer.status_code, answer.json()["type"][-12:]) == (404, "unknown-note")
    assert listed(service) == [kept["text"]]


def test_an_archived_plan_takes_its_notes_along(service: Service) -> None:
    note(service, "old")
    etag = service.get("/v1/plans/december").headers["etag"]
    gone = service.client.delete("/v1/plans/december", headers={"if-match": etag})
    assert gone.status_code == 204
    assert service.get(NOTES).status_code == 404
    assert service.put("/v1/plans/december", PLAN).status_code in (200, 201)
    assert listed(service) == []


@pytest.mark.parametrize(
    ("body", "pointer", "code"),
    [
        ({"goal": "leads"}, "/goal", "unknown_goal"),
        ({"member": "nobody"}, "/member", "member_not_in_plan"),
        ({"due": "2026-02-30"}, "/due", "not_a_date"),
        ({"due": "tomorrow"}, "/due", "malformed"),
        ({"text": ""}, "/text", "too_short"),
        ({"text": "x" * 2001}, "/text", "too_long"),
        ({"text": "a\0"}, "/text", "malformed"),
        ({"more": 1}, "/more", "unknown_field"),
    ],
)
def test_a_note_that_cannot_be_kept_is_refused(
    service: Service, body: dict[str, Any], pointer: str, code: str
) -> None:
    answer = service.client.post(NOTES, json={"goal": "calls", "text": "x"} | body)
    assert answer.status_code == 422
    faults = [(fault["pointer"], fault["code"]) for fault in answer.json()["errors"]]
    assert (pointer, code) in faults
    assert listed(service) == []


def test_reading_needs_a_key_that_reads_and_noting_one_that_writes(service: Service) -> None:
    made = note(service, "x")
    reader = service.key("read")
    assert listed(reader) == ["x"]
    assert reader.client.post(NOTES, json={"goal": "calls", "text": "y"}).status_code == 403
    assert reader.client.delete(f"{NOTES}/{made['id']}").status_code == 403
    assert service.key("ingest").get(NOTES).status_code == 403


def test_another_workspace_has_notes_of_its_own(service: Service) -> None:
    note(service, "x")
    assert service.workspace("other").get(NOTES).status_code == 404

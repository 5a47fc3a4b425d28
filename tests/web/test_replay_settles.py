"""An entry is settled by whatever brings what it holds, and by nothing less."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest

from tests.web.example import START, settle
from tests.web.fake_sender import (
    Sender,
    cash_in,
    connected,
    open_entries,
    paid,
    replay,
    settled_entries,
)
from tests.web.service import Service, started

BAD = "100.5"  # no amount of yen
LATER = "2026-12-01T12:00:00Z"


@pytest.fixture
def service() -> Iterator[Service]:
    with started(START) as running:
        yield settle(running)


@pytest.fixture
def sender(service: Service, monkeypatch: pytest.MonkeyPatch) -> Sender:
    return connected(service, monkeypatch)


def test_an_event_sent_again_after_the_repair_settles_what_it_was_quarantined_as(
    service: Service, sender: Sender
) -> None:
    sent = paid("p1", "100", data={"currency": "yen"})
    sender.send(sent, paid("p2", "50"))
    (entry,) = open_entries(service)
    sender.spelled["yen"] = "JPY"
    service.clock.now += 1_000_000
    sender.send(sent)
    assert open_entries(service) == []
    (settled,) = settled_entries(service)
    assert settled["resolved_at"] is not None
    assert settled | {"resolved_at": None} == entry
    assert cash_in(service) == "150"


@pytest.mark.parametrize(
    "made_up_for_by",
    [
        paid("p1", "7", revision=5),
        paid("p1", "7", revision=6),
        paid("p1", "7", revision=10),
        paid("p1", "7", revision=6, retracted=True),
        paid("p1", "7", revision=5, merge=True),
    ],
    ids=["same revision", "later", "later in number, not in text", "retracted", "same event"],
)
def test_a_whole_report_not_older_settles_an_entry(
    service: Service, sender: Sender, made_up_for_by: dict[str, Any]
) -> None:
    sender.send(paid("p1", BAD, revision=5))
    assert len(open_entries(service)) == 1
    sender.send(made_up_for_by)
    assert open_entries(service) == []
    assert len(settled_entries(service)) == 1
    assert service.mismatches() == []


@pytest.mark.parametrize(
    "less",
    [
        paid("p1", "7", revision=4),
        paid("p1", "7", revision=6, merge=True),
        paid("p1", "7", revision=5, merge=True, id="another"),
        paid("p1", "7") | {"revision": None},
        paid("p1", "7") | {"revision": LATER},
        paid("p2", "7", revision=6),
        paid("p1", BAD, revision=6),
    ],
    ids=["older", "part", "part at once", "no revision", "another clock", "another", "unusable"],
)
def test_less_than_that_settles_nothing(
    service: Service, sender: Sender, less: dict[str, Any]
) -> None:
    sender.send(paid("p1", BAD, revision=5))
    before = {one["id"] for one in open_entries(service)}
    sender.send(less)
    assert before <= {one["id"] for one in open_entries(service)}
    assert settled_entries(service) == []


def test_another_source_settles_nothing(
    service: Service, sender: Sender, monkeypatch: pytest.MonkeyPatch
) -> None:
    sender.send(paid("p1", BAD))
    connected(service, monkeypatch, "other").send(paid("p1", "100"))
    assert len(open_entries(service)) == 1


def test_what_came_before_an_entry_settles_it_neither_apart_nor_together(
    service: Service, sender: Sender
) -> None:
    good = paid("p1", "100") | {"revision": None}
    bad = paid("p1", "100", data={"currency": "yen"}) | {"revision": None}
    sender.send(good, bad)
    sender.send(good)
    assert len(open_entries(service)) == 1, "the good one is known, and no answer to the bad one"
    sender.send(bad, paid("p1", "200") | {"revision": None})
    assert open_entries(service) == []


def test_what_could_not_be_read_at_all_is_settled_by_its_correction(
    service: Service, sender: Sender
) -> None:
    unreadable = paid("p1", "100", revision=3, data={"currency": "yen"})
    sender.send(unreadable, unreadable | {"id": 7, "subject": 8}, unreadable | {"revision": "x"})
    assert len(open_entries(service)) == 3
    sender.send(paid("p1", "100", revision=4))
    left = open_entries(service)
    assert len(left) == 2, "nobody knows what those are about"
    assert replay(service, left[0]) == {"quarantined": 3}
    assert {one["id"] for one in open_entries(service)} == {one["id"] for one in left}


def test_a_replay_does_not_open_again_what_was_made_up_for(
    service: Service, sender: Sender
) -> None:
    bad = paid("p1", "100", revision=1, data={"currency": "yen"})
    sender.send(bad)
    (entry,) = open_entries(service)
    sender.send(paid("p1", "100", revision=2))
    assert replay(service, entry) == {"quarantined": 1}
    assert open_entries(service) == []
    sender.send(bad)
    assert [one["id"] for one in open_entries(service)] == [entry["id"]], "it came anew"


def test_an_entry_whose_reason_changes_and_comes_back_is_never_out_of_sight(
    service: Service, sender: Sender
) -> None:
    sender.send(paid("p1", BAD))
    (entry,) = open_entries(service)
    etag = service.get("/v1/sources/shop").headers["etag"]
    service.client.delete("/v1/sources/shop", headers={"if-match": etag})
    assert replay(service, entry) == {"quarantined": 1}
    (other,) = open_entries(service)
    assert (entry["code"], other["code"]) == ("amount_does_not_fit", "unknown_source")
    assert service.put("/v1/sources/shop", {"provider": "fake", "name": "shop", "credentials": {
        "word": "a long enough word"}}).status_code in {200, 201}  # fmt: skip
    assert replay(service, entry) == {"quarantined": 1}
    assert [one["id"] for one in open_entries(service)] == [entry["id"]]


def test_what_is_of_no_interest_any_more_is_settled(service: Service, sender: Sender) -> None:
    sender.send(paid("p1", BAD), paid("p2", BAD))
    entries = sorted(open_entries(service), key=lambda one: str(one["item"]))
    sender.ignored.add("p1-1")
    assert replay(service, entries[0]) == {"quarantined": 1}
    assert [one["id"] for one in open_entries(service)] == [entries[1]["id"]]
    sender.ignored.add("p2-1")
    assert replay(service, entries[1]) == {}
    assert open_entries(service) == []

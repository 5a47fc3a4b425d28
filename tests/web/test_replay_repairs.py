"""What was quarantined counts once its cause is mended, and not a moment before."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.web.example import SETTINGS, START, settle
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

# The largest amount there is; a tally holds four of them.
HUGE = 2**60 - 1


@pytest.fixture
def service() -> Iterator[Service]:
    with started(START) as running:
        yield settle(running)


@pytest.fixture
def sender(service: Service, monkeypatch: pytest.MonkeyPatch) -> Sender:
    return connected(service, monkeypatch)


def fill(sender: Sender) -> None:
    """A tally that can hold no more."""
    for number in range(4):
        sender.send(paid(f"full-{number}", str(HUGE)))


def test_a_currency_that_nobody_knew_counts_once_the_mapping_knows_it(
    service: Service, sender: Sender
) -> None:
    sender.send(paid("p1", "100", data={"currency": "yen"}))
    (entry,) = open_entries(service)
    assert [fault["code"] for fault in entry["errors"]] == ["not_a_currency"]
    for _ in range(2):
        assert replay(service, entry) == {"quarantined": 1}
        assert open_entries(service) == [entry], "read anew is not received anew"
    sender.send(paid("p1", "100", data={"currency": "yen"}))
    assert [one["count"] for one in open_entries(service)] == [2]
    assert cash_in(service) == "0"
    sender.spelled["yen"] = "JPY"
    assert replay(service, entry) == {"accepted": 1}
    assert open_entries(service) == []
    assert [one["id"] for one in settled_entries(service)] == [entry["id"]]
    assert replay(service, entry) == {"duplicate": 1}
    assert cash_in(service) == "100"
    assert service.mismatches() == []


def test_an_amount_too_large_beside_another_counts_once_that_one_is_corrected(
    service: Service, sender: Sender
) -> None:
    fill(sender)
    sender.send(paid("p1", str(HUGE)))
    (entry,) = open_entries(service)
    assert (entry["code"], entry["item"]) == ("tally_does_not_fit", "p1-1")
    assert replay(service, entry) == {"quarantined": 1}
    assert open_entries(service) == [entry]
    assert cash_in(service) == str(4 * HUGE)
    sender.send(paid("full-0", "1", revision=2))
    assert replay(service, entry) == {"accepted": 1}
    assert open_entries(service) == []
    assert cash_in(service) == str(4 * HUGE + 1)
    assert service.mismatches() == []


def test_a_fraction_of_a_yen_counts_once_the_workspace_counts_in_dollars(
    service: Service, sender: Sender
) -> None:
    sender.send(paid("p1", "100.5"))
    (entry,) = open_entries(service)
    assert entry["code"] == "amount_does_not_fit"
    assert replay(service, entry) == {"quarantined": 1}
    service.replace("/v1/workspace", SETTINGS | {"currency": "USD"})
    assert replay(service, entry) == {"accepted": 1}
    assert open_entries(service) == []
    assert cash_in(service) == "100.5"
    assert service.mismatches() == []


def test_a_delivery_that_one_item_breaks_replays_to_what_each_item_is(
    service: Service, sender: Sender
) -> None:
    fill(sender)
    sender.send(paid("full-0", str(HUGE - 100), revision=2))
    items = [paid(f"p{n}", str(HUGE if n == 3 else n)) for n in range(1, 6)]
    sender.send(*items, paid("p6", "6", data={"currency": "yen"}))
    broken, unreadable = sorted(open_entries(service), key=lambda one: str(one["item"]))
    assert (broken["item"], unreadable["item"]) == ("p3-1", "p6-1")
    assert broken["delivery"] == unreadable["delivery"]
    kept = service.get(f"/v1/deliveries/{broken['delivery']}").json()["outcomes"]
    assert (kept["accepted"], kept["quarantined"]) == (4, 2)
    assert replay(service, broken) == {"duplicate": 4, "quarantined": 2}
    assert len(open_entries(service)) == 2
    sender.send(paid("full-0", "0", revision=3), paid("full-1", "0", revision=2))
    assert replay(service, unreadable) == {"duplicate": 4, "accepted": 1, "quarantined": 1}
    assert open_entries(service) == [unreadable]
    sender.spelled["yen"] = "JPY"
    assert replay(service, broken) == {"duplicate": 5, "accepted": 1}
    assert open_entries(service) == []
    assert cash_in(service) == str(3 * HUGE + 1 + 2 + 4 + 5 + 6)
    assert service.get(f"/v1/deliveries/{broken['delivery']}").json()["outcomes"] == kept
    assert service.mismatches() == []


def test_two_activities_of_equal_content_are_two_entries(service: Service, sender: Sender) -> None:
    sender.send(paid("p1", "100.5"), paid("p2", "100.5"))
    assert sorted(str(one["item"]) for one in open_entries(service)) == ["p1-1", "p2-1"]
    sender.send(paid("p1", "100.5", revision=2))
    assert len(open_entries(service)) == 3


def test_replaying_what_an_archived_source_sent_quarantines_nothing_that_is_counted(
    service: Service, sender: Sender
) -> None:
    sender.send(paid("p1", "100"))
    etag = service.get("/v1/sources/shop").headers["etag"]
    service.client.delete("/v1/sources/shop", headers={"if-match": etag})
    span = {"from": "2000-01-01T00:00:00Z", "to": "2100-01-01T00:00:00Z"}
    outcomes = service.client.post("/v1/deliveries/replay", json=span).json()["outcomes"]
    assert {word: n for word, n in outcomes.items() if n} == {"duplicate": 1}
    assert open_entries(service) == []
    assert cash_in(service) == "100"


def test_a_refused_item_does_not_decide_what_a_source_counts_its_revisions_with(
    service: Service, sender: Sender
) -> None:
    sender.send(paid("p1", "100.5") | {"revision": "2026-12-01T09:00:00Z"})
    assert [one["code"] for one in open_entries(service)] == ["amount_does_not_fit"]
    sender.send(paid("p2", "100"))
    assert cash_in(service) == "100"

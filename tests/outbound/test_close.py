"""Close is read through: its list of opportunities and its event log, against the account."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from app.domain.activities import RETRACTED, State
from app.domain.deliveries import Item, Refused
from app.domain.instants import DAY, MINUTE, SECOND, instant
from app.intake.providers.close import read_fetched
from app.intake.source_settings import NO_SETTINGS
from app.outbound.api import Page
from app.outbound.apis.close import API, LISTINGS
from app.store import deliveries, fetchers, ledger, quarantine
from app.usecases.asking import Asking, backfill_source, check_source
from app.usecases.saving import Precondition
from app.usecases.sources import put_source
from tests.engines import on_both, on_sqlite
from tests.intake import close_events
from tests.intake.senders import NOW
from tests.outbound.accounts import SOURCE, Connected, W, inside
from tests.outbound.serving import TOKEN, serving
from tests.outbound.simulator import Close
from tests.outbound.truths import differing, of_close
from tests.web.service import Clock

ROUND = 6 * MINUTE
DEAL = {
    "status_type": "won",
    "status_label": "Won",
    "date_won": "2026-12-01",
    "user_id": "user_1",
    "value_currency": "USD",
    "value_formatted": "$1",
    "value_period": "one_time",
}
CALL = {
    "direction": "outbound",
    "disposition": "answered",
    "activity_at": "2026-12-01T08:00:00+00:00",
    "phone": "+819012345678",
    "user_id": "user_1",
}
MEETING = {"starts_at": "2026-12-20T05:00:00+00:00", "user_id": "user_1"}


@dataclass
class Organization(Connected[Close]):
    def later(self, by: int = ROUND) -> None:
        self.clock.now += by

    def deal(self, number: int, value: int, **more: Any) -> dict[str, Any]:
        return self.account.change(
            "opportunity", f"oppo_{number}", **DEAL | {"value": value} | more
        )

    def call(self, number: int, seconds: int, action: str = "completed") -> dict[str, Any]:
        values = CALL | {"status": "completed", "duration": seconds}
        return self.account.change("activity.call", f"acti_c{number}", action, **values)

    def push(self, entry: dict[str, Any]) -> None:
        """The webhook of an entry of the log, signed now."""
        stamp = str(self.clock.now // SECOND)
        sent = close_events.close({"event": entry, "subscription_id": "whsub_1"}, stamp=stamp)
        self.deliver(sent.headers, sent.body)

    def states(self) -> dict[str, State]:
        return self.standing({id_ for _, id_ in self.account.truth})

    def assert_true(self) -> None:
        """What stands is the organization's, by itself and not by any reader of ours."""
        assert differing(of_close(self.account), self.states()) == {}
        assert ledger.verify(self.context.store, W) == []


@pytest.fixture
def organization(engine: str, tmp_path: Path) -> Iterator[Organization]:
    assert engine
    clock = Clock(instant("2026-12-01T09:00:00Z"))
    with serving(Close(clock)) as account, inside(tmp_path, clock) as context:
        body = {"provider": "close", "name": "Close", "settings": {"api_url": account.url}}
        credentials: Any = {"signature_key": close_events.KEY, "api_key": TOKEN}
        put_source(context, W, SOURCE, body, credentials, Precondition(None, None), "test")
        yield Organization(context, account, clock, [])


@on_both
def test_what_was_never_pushed_is_found_once_page_by_page(organization: Organization) -> None:
    for number in range(1, 9):
        organization.deal(number, number * 101)
        organization.call(number, number)
    organization.account.change("activity.meeting", "m", "scheduled", status="upcoming", **MEETING)
    organization.later()
    assert organization.visit()
    organization.assert_true()
    assert Counter(organization.found) == {(SOURCE, "missing"): 17}
    organization.later()
    assert organization.visit()
    # Read again in the overlap, and told by nothing as new.
    assert len(organization.found) == 17
    with organization.context.read() as reading:
        kept = deliveries.page(reading, W, deliveries.Filter(), None, 500).items
        assert len(kept) == 17
        assert quarantine.size(reading, W) == 0


@on_both
def test_what_was_pushed_and_what_is_read_is_the_same_activity(
    organization: Organization,
) -> None:
    organization.push(organization.deal(1, 12345))
    organization.push(organization.call(1, 65))
    organization.push(organization.deal(2, 5))
    organization.push(organization.account.delete("opportunity", "oppo_2"))
    organization.later()
    assert organization.visit()
    assert organization.found == []
    organization.assert_true()


@on_both
def test_a_lost_change_and_a_lost_deletion_are_found(organization: Organization) -> None:
    organization.push(organization.deal(1, 100))
    late = organization.deal(2, 100)
    organization.push(late)
    organization.push(organization.call(1, 10))
    organization.later(2 * MINUTE)
    organization.deal(1, 250)
    organization.account.delete("opportunity", "oppo_2")
    organization.call(1, 20, "updated")
    organization.call(2, 30)
    organization.account.delete("activity.call", "acti_c2")
    organization.later()
    assert organization.visit()
    organization.assert_true()
    assert organization.states()["oppo_2"].fields[RETRACTED] is True
    # What comes late tells nothing that is news now.
    organization.push(late)
    organization.assert_true()


@on_both
def test_a_bulk_edit_of_one_moment_is_read_whole_though_it_fills_pages(
    organization: Organization,
) -> None:
    for number in range(1, 12):
        organization.deal(number, number)
    organization.later()
    assert organization.visit()
    organization.assert_true()
    assert len(organization.found) == 11


@on_sqlite
@pytest.mark.parametrize(
    ("fault", "code", "least"),
    [
        ("429", "provider_rate_limited", 2 * SECOND),
        ("429 reset", "provider_rate_limited", 5 * SECOND),
        ("500", "provider_failed", SECOND),
        ("401", "provider_refuses_us", SECOND),
        ("redirect", "provider_refuses_request", SECOND),
        ("garbage", "provider_answer_unusable", SECOND),
        ("strange", "provider_answer_unusable", SECOND),
        ("drop", "provider_away", SECOND),
        ("slow", "provider_failed", SECOND),
    ],
)
@pytest.mark.parametrize("before", [1, 6])
def test_a_fault_in_the_middle_costs_a_page_and_no_activity(
    organization: Organization, fault: str, code: str, least: int, before: int
) -> None:
    for number in range(1, 9):
        organization.deal(number, number)
        organization.call(number, number)
    organization.later()
    # In the list of opportunities, and in the log.
    organization.account.faults.extend([""] * before + [fault])
    organization.visit()
    with organization.context.read() as reading:
        state = fetchers.state(reading, W, SOURCE)
    assert state.code == code
    assert state.retry_at >= organization.clock.now + least
    organization.later()
    assert organization.visit()
    organization.assert_true()
    assert Counter(organization.found) == {(SOURCE, "missing"): 16}


@on_both
def test_the_past_is_read_when_it_is_asked_for(organization: Organization) -> None:
    organization.clock.set("2026-11-01T09:00:00Z")
    for number in range(1, 6):
        organization.deal(number, number)
    organization.clock.set("2026-12-01T09:00:00Z")
    assert organization.visit()
    assert organization.states() == {}
    backfill_source(organization.context, W, SOURCE, instant("2026-10-31T00:00:00Z"))
    assert organization.visit()
    organization.assert_true()
    assert len(organization.found) == 5


@on_both
def test_a_check_says_whether_close_answers(organization: Organization) -> None:
    assert check_source(organization.context, W, SOURCE).asking is Asking.WORKING
    organization.account.token = "another"
    live = check_source(organization.context, W, SOURCE)
    assert (live.asking, live.state.code) == (Asking.FAILING, "provider_refuses_us")


@on_both
@pytest.mark.parametrize("seed", range(4))
def test_any_course_of_changes_losses_and_faults_ends_as_the_organization_stands(
    organization: Organization, seed: int
) -> None:
    dice = random.Random(seed)
    late: list[dict[str, Any]] = []
    for _ in range(60):
        organization.clock.now += dice.randint(0, 40 * SECOND)
        number = dice.randint(1, 9)
        entry = _changed(organization, dice, number)
        match dice.choice(["told", "late", "lost"]):
            case "told":
                organization.push(entry)
            case "late":
                late.append(entry)
        if late and dice.random() < 0.3:
            organization.push(late.pop(dice.randrange(len(late))))
        if dice.random() < 0.3:
            faults = ["", "429", "500", "garbage", "drop", ""]
            organization.account.faults.extend(dice.choice(faults) for _ in range(3))
            organization.visit()
    organization.account.faults.clear()
    for _ in range(2):
        organization.later()
        assert organization.visit()
    for entry in late:
        organization.push(entry)
    organization.assert_true()


def _changed(organization: Organization, dice: random.Random, number: int) -> dict[str, Any]:
    """A change of a deal or a call; what was deleted does not come back under its id."""
    gone = organization.account.truth
    if dice.random() < 0.5:
        id_ = f"oppo_{number}"
        if gone.get(("opportunity", id_), {}) is None:
            number += 100
            id_ = f"oppo_{number}"
        if dice.random() < 0.1 and gone.get(("opportunity", id_)):
            return organization.account.delete("opportunity", id_)
        status = dice.choice(["won", "lost", "active"])
        return organization.deal(number, dice.randint(1, 9_999), status_type=status)
    id_ = f"acti_c{number}"
    known = gone.get(("activity.call", id_), {})
    if known is None:
        return organization.call(number + 100, dice.randint(1, 999), "updated")
    if known and dice.random() < 0.1:
        return organization.account.delete("activity.call", id_)
    return organization.call(number, dice.randint(1, 999), "updated" if known else "completed")


# What is asked, and how answers are taken apart.


def test_the_key_is_the_user_and_there_is_no_password() -> None:
    # The documented example: curl -u api_key: sends this.
    assert API.headers({"api_key": "api_1.2"}, "") == {"authorization": "Basic YXBpXzEuMjo="}


def test_the_log_is_asked_by_object_and_action_and_behind_a_cursor_by_no_time() -> None:
    since = instant("2026-12-01T09:00:00.5Z")
    first = API.page("activity.call:completed", since, None, {}).path
    assert first == (
        "/api/v1/event/?object_type=activity.call&action=completed&_limit=50"
        "&date_updated__gte=2026-12-01T09%3A00%3A00Z"
    )
    behind = API.page("activity.call:completed", since, "c2", {}).path
    assert "_cursor=c2" in behind
    assert "date_updated" not in behind


def test_every_listing_is_of_what_the_reader_reads() -> None:
    assert {name.partition(":")[0] for name in LISTINGS} == {
        "opportunity",
        "activity.call",
        "activity.meeting",
    }
    assert {f"{kind}:deleted" for kind in ("opportunity", "activity.call")} < set(LISTINGS)


def test_a_pass_through_the_log_ends_where_it_is_older_than_asked_for() -> None:
    since = instant("2026-12-01T09:00:00Z")
    new: dict[str, Any] = {"id": "e2", "object_id": "a", "date_updated": "2026-12-01T09:00:01.000"}
    old: dict[str, Any] = {"id": "e1", "object_id": "b", "date_updated": "2026-12-01T08:59:59.000"}
    within = API.listed("activity.call:updated", {"data": [new], "cursor_next": "c"}, since, None)
    assert within.next == "c"
    beyond = API.listed(
        "activity.call:updated", {"data": [new, old], "cursor_next": "c"}, since, "b"
    )
    assert beyond.next is None
    # The oldest first: of one object the latest is then the last.
    assert [found.id for found in beyond.items] == ["b", "a"]
    nothing = API.listed("activity.call:updated", {"data": [], "cursor_next": None}, since, None)
    assert nothing == Page((), None)


def test_a_page_of_opportunities_goes_on_at_the_time_of_its_last() -> None:
    since = instant("2026-12-01T09:00:00Z")
    at = "2026-12-01T09:00:05.123000+00:00"
    page = API.listed(
        "opportunity", {"data": [{"id": "o", "date_updated": at}], "has_more": True}, since, None
    )
    assert page.next is not None
    asked = API.page("opportunity", since, page.next, {}).path
    assert "date_updated__gte=2026-12-01T09%3A00%3A05Z" in asked
    assert "_skip=0" in asked
    # All of one second: there is no later time to begin at.
    same = API.listed(
        "opportunity",
        {"data": [{"id": "o", "date_updated": at}], "has_more": True},
        instant(at),
        page.next,
    )
    assert "_skip=1" in API.page("opportunity", since, same.next, {}).path


@pytest.mark.parametrize(
    "answer",
    [
        {"data": [{"date_updated": "2026-12-01"}], "has_more": True},
        {"data": {"7": 8}, "has_more": False},
        {"data": [None], "has_more": False},
        {"data": [{"id": "x", "date_updated": "?"}], "has_more": True},
        {"has_more": False},
        [],
        None,
    ],
)
def test_an_answer_that_is_none_is_refused(answer: Any) -> None:
    with pytest.raises((ValueError, TypeError, KeyError, IndexError)):
        API.listed("opportunity", answer, NOW - DAY, None)


# What is read of them.


def read(kind: str, fetched: dict[str, Any]) -> Item | Refused | None:
    return read_fetched(kind, fetched, NO_SETTINGS, source="cl", now=NOW)


@pytest.mark.parametrize(
    ("kind", "data"),
    [
        ("opportunity", close_events.DEAL),
        ("activity.call", close_events.CALL),
        ("activity.meeting", close_events.MEETING),
    ],
)
def test_an_object_and_its_entry_are_what_was_pushed(kind: str, data: dict[str, Any]) -> None:
    pushed = close_events.event(data, kind)["event"]
    one, other = read(kind, data), read(kind, pushed)
    assert isinstance(one, Item)
    assert isinstance(other, Item)
    assert one.report == other.report
    assert one.report.full


def test_an_entry_without_its_data_says_so_and_is_not_guessed() -> None:
    # What a key of somebody who is no admin gets of what is older than an hour.
    entry = close_events.event(None)["event"]
    refused = read("opportunity", entry | {"data": None})
    assert isinstance(refused, Refused)
    assert [(f.pointer, f.code) for f in refused.error.faults] == [("/data", "required")]
    assert refused.about is not None


def test_what_is_no_object_of_ours_counts_as_nothing() -> None:
    assert read("lead", {"id": "lead_1"}) is None
    assert read("activity.call", close_events.CALL | {"status": "in-progress"}) is None

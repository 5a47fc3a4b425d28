"""Google Calendar says that something changed: that is read, against the workspace itself."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import pytest

from app.domain.activities import RETRACTED, State
from app.domain.instants import DAY, MINUTE, SECOND, instant
from app.outbound.apis.google_calendar import API, EVENT_FIELDS
from app.store import deliveries, ledger
from app.usecases.asking import backfill_source
from app.usecases.context import Context
from app.usecases.fetch_channels import read_channels
from app.usecases.fetch_lease import Holder
from app.usecases.saving import ANY, Precondition
from app.usecases.sources import put_source
from tests.engines import on_both, on_sqlite
from tests.intake.google_events import CLIENT, SATO, SUZUKI, event, google
from tests.outbound.accounts import SOURCE, Connected, W, inside
from tests.outbound.google_account import TOO_FAST, Workspace
from tests.outbound.serving import TOKEN, serving
from tests.outbound.truths import differing, of_google
from tests.web.service import Clock

ADDRESS = "https://tassei.example.com"
START = "2026-12-01T09:00:00Z"
CHANNEL_TOKEN = "the-token-of-the-channels"
ROUND = 6 * MINUTE
OURS = [SATO, SUZUKI]


@dataclass
class Company(Connected[Workspace]):
    def notify(self, calendar: str = SATO, state: str = "exists") -> None:
        sent = replace(google(state, calendar, token=CHANNEL_TOKEN), url="https://x")
        self.deliver(sent.headers, sent.body)

    def known(self) -> dict[str, State]:
        """What stands, by the ids of events."""
        keys = {
            f"{calendar}/{id_}": id_
            for calendar in OURS
            for id_ in self.account.copies.get(calendar, {})
        }
        found = self.standing(list(keys))
        standing_ = {keys[key]: state for key, state in found.items() if not _is_gone(state)}
        # One meeting, one activity, whoever has a copy of it.
        assert len(standing_) == sum(not _is_gone(state) for state in found.values())
        return standing_

    def assert_true(self) -> None:
        """What stands is what the organizers' calendars say, and that of nobody else."""
        truth = of_google(self.account, *OURS)
        assert differing(truth, self.standing(truth)) == {}
        assert ledger.verify(self.context.store, W) == []


def _is_gone(state: State) -> bool:
    return state.fields.get(RETRACTED) is True


def connect(context: Context, account: Workspace, *calendars: str, again: bool = False) -> None:
    body = {
        "provider": "google_calendar",
        "name": "Calendar",
        "settings": {
            "calendars": list(calendars),
            "domains": ["example.co.jp"],
            "api_url": account.url,
            "token_url": f"{account.url}/token",
        },
    }
    credentials: Any = {"token": CHANNEL_TOKEN, "client_id": "c", "client_secret": "s"}
    credentials |= {"refresh_token": TOKEN}
    seen = Precondition(frozenset({ANY}) if again else None)
    put_source(context, W, SOURCE, body, credentials, seen, "test")


@pytest.fixture
def company(engine: str, tmp_path: Path) -> Iterator[Company]:
    assert engine
    clock = Clock(instant(START))
    with (
        serving(Workspace(clock)) as account,
        inside(tmp_path, clock, public_url=ADDRESS) as context,
    ):
        connect(context, account, *OURS)
        yield Company(context, account, clock, [])


def later(company: Company, by: int = ROUND) -> None:
    company.clock.now += by


def at(hour: int) -> dict[str, str]:
    return {"dateTime": f"2026-12-10T{hour:02d}:00:00+09:00"}


def test_what_is_asked_for_is_what_the_reader_wants() -> None:
    assert {*event()} == {*EVENT_FIELDS, "attendees", "calendar"} - {
        "originalStartTime",
        "recurringEventId",
    }


@on_both
def test_a_notification_has_its_calendar_read_and_one_meeting_counts_once(
    company: Company,
) -> None:
    assert company.visit()
    company.account.invite(SATO, "m1", [SUZUKI, CLIENT])
    company.notify(SATO)
    company.notify(SATO)
    company.notify(SUZUKI)
    assert company.pending() == 2
    company.account.asked.clear()
    assert company.visit()
    assert company.pending() == 0
    company.assert_true()
    assert list(company.known()) == ["m1"]
    assert company.found == [(SOURCE, "missing")]
    # Each calendar once, by the place that Google keeps.
    assert len(company.account.asked) == 2
    assert all("syncToken" in target for target in company.account.asked)


@on_both
def test_a_channel_that_was_opened_and_a_meeting_of_our_own_ask_for_nothing(
    company: Company,
) -> None:
    assert company.visit()
    company.account.asked.clear()
    company.notify(state="sync")
    assert company.visit()
    assert company.account.asked == []
    company.account.invite(SATO, "own", [SUZUKI])
    company.notify()
    assert company.visit()
    company.assert_true()
    # Of what never was an appointment nothing is kept, not even that it was read.
    with company.context.read() as reading:
        kept = deliveries.page(reading, W, deliveries.Filter(), None, 100).items
    assert {one.door.value for one in kept} == {"hook"}


@on_both
@pytest.mark.parametrize("bare", [False, True])
def test_only_the_organizer_calls_a_meeting_off(
    company: Company,
    bare: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    company.account.bare = bare
    for id_ in ("m1", "m2"):
        company.account.invite(SATO, id_, [SUZUKI, CLIENT])
    assert company.visit()
    later(company)
    company.account.take_out(SUZUKI, "m1")
    company.account.cancel(SATO, "m2")
    company.notify(SUZUKI)
    company.notify(SATO)
    assert company.visit()
    assert list(company.known()) == ["m1"]
    later(company)
    company.account.invite(SATO, "m2", [SUZUKI, CLIENT])
    company.notify(SATO)
    assert company.visit()
    company.assert_true()
    assert len(company.known()) == 2


@on_both
def test_what_was_never_notified_is_found_once_page_by_page(company: Company) -> None:
    for number in range(8):
        company.account.invite(SATO, f"m{number}", [CLIENT])
    assert company.visit()
    company.assert_true()
    assert company.found == [(SOURCE, "missing")] * 8
    assert sum("pageToken" in target for target in company.account.asked) == 2
    later(company)
    for number in range(5):
        company.account.invite(SATO, f"m{number}", [CLIENT], start=at(10 + number))
    assert company.visit()
    company.assert_true()
    assert company.found[8:] == [(SOURCE, "newer")] * 5


@on_both
def test_a_place_that_google_forgot_is_read_anew_and_nothing_counts_twice(
    company: Company,
) -> None:
    company.account.invite(SATO, "old", [CLIENT])
    assert company.visit()
    later(company, 60 * DAY)
    company.account.invite(SATO, "new", [CLIENT])
    company.account.cancel(SATO, "old")
    company.account.generation = 1
    company.account.asked.clear()
    assert company.visit()
    # It is no failure, and of no calendar.
    assert company.fetcher().code is None
    assert sum("timeMin" in target for target in company.account.asked) == len(OURS)
    company.assert_true()
    assert list(company.known()) == ["new"]


@on_both
def test_what_did_not_change_since_is_left_out_and_read_when_it_is_asked_for(
    company: Company,
) -> None:
    company.account.invite(SATO, "old", [CLIENT])
    later(company, 3 * DAY)
    company.account.invite(SATO, "new", [CLIENT])
    assert company.visit()
    assert list(company.known()) == ["new"]
    backfill_source(company.context, W, SOURCE, instant("2026-11-30T00:00:00Z"))
    assert company.visit()
    company.assert_true()
    assert len(company.known()) == 2
    # The place is kept again after it.
    later(company)
    company.account.asked.clear()
    assert company.visit()
    assert all("syncToken" in target for target in company.account.asked)


@on_sqlite
@pytest.mark.parametrize(
    ("fault", "code"),
    [
        ("429", "provider_rate_limited"),
        ("500", "provider_failed"),
        ("slow", "provider_failed"),
        ("garbage", "provider_answer_unusable"),
        ("strange", "provider_answer_unusable"),
        ("drop", "provider_away"),
    ],
)
def test_a_fault_in_the_middle_costs_a_page_and_no_meeting(
    company: Company, fault: str, code: str
) -> None:
    assert company.visit()
    for number in range(8):
        company.account.invite(SATO, f"m{number}", [CLIENT])
    company.notify()
    company.account.faults.extend(["", fault])
    assert not company.visit()
    assert company.fetcher().code == code
    assert company.pending() == 1
    later(company)
    assert company.visit()
    assert company.pending() == 0
    company.assert_true()
    assert company.found == [(SOURCE, "missing")] * 8


@on_both
def test_too_many_calls_are_no_refusal_of_us(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    told = 403, {"retry-after": "7"}, json.dumps(TOO_FAST).encode()
    monkeypatch.setattr(company.account, "listed", lambda _target: told)
    assert not company.visit()
    assert company.fetcher().code == "provider_rate_limited"
    assert company.fetcher().retry_at >= company.clock.now + 7 * SECOND


@on_both
def test_access_that_was_taken_back_is_renewed_in_the_middle(company: Company) -> None:
    for number in range(8):
        company.account.invite(SATO, f"m{number}", [CLIENT])
    company.account.faults.extend(["", "", "", "", "401"])
    assert company.visit()
    company.assert_true()
    assert company.account.renewals == 2


@on_both
def test_a_channel_of_each_calendar_is_replaced_before_it_ends(company: Company) -> None:
    assert company.visit()
    first = company.account.open_channels()
    assert sorted(first.values()) == sorted(OURS)
    told = [one for one in company.account.channels.values() if one["calendar"] == SATO]
    assert told[0]["token"] == CHANNEL_TOKEN
    assert told[0]["address"].startswith(f"{ADDRESS}/v1/hooks/")
    for _ in range(20):
        later(company, 12 * 60 * MINUTE)
        assert sorted(company.account.open_channels().values()) == sorted(OURS)
        assert company.visit()
    assert not first.keys() & company.account.open_channels().keys()
    # What was replaced was stopped, so that nobody is notified twice for days.
    assert len(company.account.open_channels()) == 2
    standing_ = read_channels(company.fetcher().channels)
    assert standing_.keys() == {*OURS}
    assert {one.id for one in standing_.values()} == company.account.open_channels().keys()


@on_both
def test_the_channel_of_a_calendar_that_is_read_no_longer_is_stopped(company: Company) -> None:
    assert company.visit()
    (left,) = (id_ for id_, one in company.account.open_channels().items() if one == SUZUKI)
    connect(company.context, company.account, SATO, again=True)
    assert company.visit()
    assert company.account.stopped == [left]
    assert list(company.account.open_channels().values()) == [SATO]


@on_both
def test_an_api_that_is_away_is_not_asked_for_every_channel(company: Company) -> None:
    company.account.faults.extend(["", "500", "500"])
    assert not company.visit()
    assert len(company.account.asked) == 3
    assert company.fetcher().code == "provider_failed"
    (one,) = read_channels(company.fetcher().channels).values()
    assert (one.failures, one.code) == (1, "provider_failed")


@on_both
def test_what_is_told_while_it_is_read_is_read_once_more(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert company.visit()
    company.account.invite(SATO, "m1", [CLIENT])
    company.notify()
    listed = company.account.listed

    def during(target: str) -> Any:
        answer = listed(target)
        company.account.invite(SATO, "m2", [CLIENT])
        company.notify()
        return answer

    with monkeypatch.context() as patch:
        patch.setattr(company.account, "listed", during)
        assert company.visit()
    assert company.pending() == 1
    assert list(company.known()) == ["m1"]
    later(company, SECOND)
    assert company.visit()
    assert company.pending() == 0
    company.assert_true()


@on_both
@pytest.mark.parametrize("place", range(1, 7))
def test_a_crash_at_any_write_loses_nothing_and_counts_nothing_twice(
    company: Company, place: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    for number in range(7):
        company.account.invite(SATO, f"m{number}", [SUZUKI, CLIENT])
    company.notify()
    write, left = Holder.write, [place]

    def crash(holder: Holder, **values: Any) -> None:
        left[0] -= 1
        if left[0] == 0:
            raise SystemError
        write(holder, **values)

    with monkeypatch.context() as patch:
        patch.setattr(Holder, "write", crash)
        with pytest.raises(SystemError):
            company.visit()
    later(company)
    assert company.visit()
    company.assert_true()
    assert company.pending() == 0
    assert len(company.known()) == 7


@on_both
@pytest.mark.parametrize("seed", range(3))
def test_any_course_of_changes_losses_and_faults_ends_as_the_calendars_stand(
    company: Company, seed: int
) -> None:
    dice = random.Random(seed)
    for _ in range(60):
        later(company, dice.randint(SECOND, 40 * SECOND))
        organizer, other = dice.sample(OURS, 2)
        id_ = f"{organizer[:2]}{dice.randint(1, 5)}"
        match dice.choice(["invite", "invite", "own", "cancel", "take out"]):
            case "invite":
                guests = [other, CLIENT]
                company.account.invite(organizer, id_, guests, start=at(dice.randint(8, 20)))
            case "own":
                company.account.invite(organizer, id_, [other])
            case "cancel" if id_ in company.account.copies.get(organizer, {}):
                company.account.cancel(organizer, id_)
            case "take out" if id_ in company.account.copies.get(other, {}):
                company.account.take_out(other, id_)
        if dice.random() < 0.5:
            company.notify(dice.choice(OURS))
        if dice.random() < 0.4:
            faults = ["", "429", "500", "garbage", "drop", "410"]
            company.account.faults.extend(dice.choice(faults) for _ in range(3))
            company.visit()
    company.account.faults.clear()
    for _ in range(2):
        later(company)
        assert company.visit()
    assert company.pending() == 0
    company.assert_true()


def test_an_address_of_a_calendar_is_escaped() -> None:
    asked = API.page("events:ja.japanese#holiday@group.v.calendar.google.com", DAY, None, {})
    assert asked.path.startswith(
        "/calendar/v3/calendars/ja.japanese%23holiday%40group.v.calendar.google.com/events?"
    )

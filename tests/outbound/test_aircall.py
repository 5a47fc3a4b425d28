"""Aircall is asked for the calls that no event told of, against the company's own calls."""

from __future__ import annotations

import json
import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from app.domain.activities import State
from app.domain.instants import MINUTE, SECOND, instant
from app.outbound.apis.aircall import API, LONGEST
from app.outbound.rates import Bucket
from app.store import ledger
from app.usecases.asking import Asking, check_source
from app.usecases.saving import Precondition
from app.usecases.sources import put_source
from tests.engines import on_both, on_sqlite
from tests.intake.aircall_events import SUZUKI, told
from tests.intake.aircall_events import TOKEN as WEBHOOK_TOKEN
from tests.outbound.accounts import SOURCE, Connected, W, inside
from tests.outbound.aircall_account import API_ID, Aircall
from tests.outbound.courses import (
    FAULTS,
    a_fault_costs_a_page,
    death_costs_no_thing,
    the_past_is_read_when_asked_for,
)
from tests.outbound.serving import TOKEN, serving
from tests.outbound.truths import differing, of_aircall
from tests.web.service import Clock

START = "2026-12-01T09:00:00Z"
ROUND = 6 * MINUTE
VOICEMAIL = "https://assets.aircall.example/voicemail?sig=f00dfeed"


@dataclass
class Company(Connected[Aircall]):
    """A source of one company."""

    def push(self, name: str, data: dict[str, Any], at: int) -> None:
        """The event that Aircall makes of a call as it is at an instant."""
        sent = told(name, data, at // SECOND)
        self.deliver(sent.headers, sent.body)

    def states(self) -> dict[str, State]:
        return self.standing({str(id_) for id_ in self.account.truth})

    def assert_true(self) -> None:
        """What stands is what the company's calls are, by the calls themselves."""
        assert differing(of_aircall(self.account), self.states()) == {}
        assert ledger.verify(self.context.store, W) == []


@pytest.fixture
def company(engine: str, tmp_path: Path) -> Iterator[Company]:
    assert engine
    clock = Clock(instant(START))
    with serving(Aircall(clock)) as account, inside(tmp_path, clock) as context:
        body = {"provider": "aircall", "name": "Aircall", "settings": {"api_url": account.url}}
        credentials: Any = {"token": WEBHOOK_TOKEN, "api_id": API_ID, "api_token": TOKEN}
        put_source(context, W, SOURCE, body, credentials, Precondition(None, None), "test")
        yield Company(context, account, clock, [])


def over(company: Company, *numbers: int, **more: Any) -> None:
    """Calls of a minute each, one after the other."""
    for number in numbers:
        company.account.begin(number)
        company.clock.now += MINUTE
        company.account.end(number, **more)


@on_both
def test_what_no_event_told_of_is_found_once_page_by_page(company: Company) -> None:
    company.account.page = 3
    over(company, *range(1, 9))
    company.clock.now += ROUND
    assert company.visit()
    company.assert_true()
    assert Counter(company.found) == {(SOURCE, "missing"): 8}
    company.clock.now += ROUND
    assert company.visit()
    assert len(company.found) == 8
    assert len(company.account.asked) == 6


@on_both
def test_what_was_told_and_what_is_read_is_the_same_call(company: Company) -> None:
    over(company, 1, 2)
    told_at = company.clock.now
    company.push("call.hungup", company.account.truth[1], told_at)
    company.push("call.ended", company.account.truth[1], told_at + 30 * SECOND)
    company.push("call.hungup", company.account.truth[2] | {"user": None}, told_at)
    company.clock.now += ROUND
    assert company.visit()
    # Of the second one nobody had been named.
    assert company.found == [(SOURCE, "newer")]
    company.assert_true()
    # Late, and out of order: nothing of it is news.
    company.push("call.ended", company.account.truth[2], told_at + 30 * SECOND)
    company.push("call.answered", company.account.truth[1] | {"ended_at": None}, told_at)
    company.assert_true()


@on_both
def test_a_call_that_was_long_under_way_is_found_when_it_is_over(company: Company) -> None:
    company.account.begin(1)
    for number in range(2, 14):
        over(company, number)
        company.clock.now += 13 * MINUTE
        assert company.visit()
    assert company.clock.now - instant(START) < LONGEST
    company.assert_true()
    company.account.end(1)
    company.clock.now += ROUND
    assert company.visit()
    company.assert_true()
    assert Counter(company.found) == {(SOURCE, "missing"): 13}


@on_both
def test_what_an_event_told_wrongly_is_mended_once_the_call_is_at_rest(company: Company) -> None:
    over(company, 1)
    stale = company.account.truth[1] | {"user": SUZUKI}
    company.push("call.hungup", stale, company.clock.now + 2 * SECOND)
    assert company.visit()
    assert company.found == []
    company.clock.now += ROUND
    assert company.visit()
    company.assert_true()
    assert company.found == [(SOURCE, "newer")]


@on_sqlite
@pytest.mark.parametrize(
    ("fault", "code", "least"), [*FAULTS, ("401", "provider_refuses_us", SECOND)]
)
def test_a_fault_in_the_middle_costs_a_page_and_no_call(
    company: Company, fault: str, code: str, least: int
) -> None:
    a_fault_costs_a_page(company, partial(over, company), ["", fault], (code, least), ROUND)


@on_both
def test_who_dies_between_a_page_and_its_mark_counts_nothing_twice(company: Company) -> None:
    death_costs_no_thing(company, partial(over, company), ROUND)


@on_both
def test_the_past_is_read_when_it_is_asked_for_and_counts_once(company: Company) -> None:
    the_past_is_read_when_asked_for(company, partial(over, company), START)


@on_both
def test_a_check_says_whether_aircall_answers_and_takes_nothing(company: Company) -> None:
    over(company, 1)
    assert check_source(company.context, W, SOURCE).asking == Asking.WORKING
    assert company.states() == {}
    company.account.token = "Basic another"
    live = check_source(company.context, W, SOURCE)
    assert (live.asking, live.state.code) == (Asking.FAILING, "provider_refuses_us")


@on_both
@pytest.mark.parametrize("seed", range(4))
def test_any_course_of_calls_losses_and_faults_ends_as_the_company_has_them(
    company: Company, seed: int
) -> None:
    dice = random.Random(seed)
    under_way: list[int] = []
    late: list[tuple[str, dict[str, Any], int]] = []
    for number in range(1, 41):
        company.clock.now += dice.randint(1, 40 * SECOND)
        company.account.begin(number, direction=dice.choice(["inbound", "outbound"]))
        under_way.append(number)
        if dice.random() < 0.7:
            ended = under_way.pop(dice.randrange(len(under_way)))
            answer = {"answered_at": None} if dice.random() < 0.4 else {}
            message = {"voicemail": VOICEMAIL} if answer and dice.random() < 0.5 else {}
            data = company.account.end(ended, **answer)
            events = [("call.hungup", data, company.clock.now)]
            data = company.account.end(ended, **answer, **message)
            events.append(("call.ended", data, company.clock.now + 30 * SECOND))
            for event in events:
                match dice.choice(["told", "late", "lost"]):
                    case "told":
                        company.push(*event)
                    case "late":
                        late.append(event)
        if late and dice.random() < 0.3:
            company.push(*late.pop(dice.randrange(len(late))))
        if dice.random() < 0.3:
            faults = ["", "429", "500", "garbage", "drop", ""]
            company.account.faults.extend(dice.choice(faults) for _ in range(2))
            company.visit()
    company.account.faults.clear()
    company.clock.now += ROUND
    assert company.visit()
    company.assert_true()
    dice.shuffle(late)
    for event in late:
        company.push(*event)
    company.assert_true()


def test_addresses_of_recordings_are_not_kept_of_what_is_asked() -> None:
    one: Any = {"id": 7, "voicemail": VOICEMAIL, "recording": None}
    kept = {"id": 7, "voicemail": "[redacted]", "recording": None}
    assert API.taken("call", {"call": one}) == kept
    (found,) = API.listed("call", {"meta": {}, "calls": [one]}, 0, None).items
    assert (found.id, found.value) == ("7", kept)


def test_a_listing_that_is_too_long_begins_anew_behind_what_it_has_seen() -> None:
    begun = instant("2026-12-01T08:00:00Z") // SECOND
    answer: Any = {
        "meta": {"next_page_link": "https://elsewhere.example/v1/calls?page=9"},
        "calls": [{"id": 7, "started_at": begun + 60}],
    }
    page = API.listed("call", answer, 0, json.dumps([199, begun]))
    assert page.next == json.dumps([200, begun])
    page = API.listed("call", answer, 0, page.next)
    assert page.next == json.dumps([1, begun + 60])
    asked = API.page("call", 0, page.next, {})
    assert asked.path == f"/v1/calls?from={begun + 60}&order=asc&per_page=50&page=1"
    # As many within one second as no listing shows: told, and not gone round in for ever.
    with pytest.raises(ValueError, match="too many at once"):
        API.listed("call", answer, 0, json.dumps([200, begun + 60]))


@pytest.mark.parametrize("at", [None, "soon", True, -5, 5, 10**14, 1.5])
def test_a_time_that_is_none_moves_no_mark(at: Any) -> None:
    assert API.changed_at("call", {"started_at": at, "ended_at": at}) is None


def test_no_more_is_asked_in_a_minute_than_aircall_allows() -> None:
    bucket, waited, calls = Bucket(API.rate, 0.0), 0.0, 0
    while waited < 60:
        waited += bucket.take(waited)
        calls += waited < 60
    assert calls <= 60

"""RingCentral is asked for its call log: talk time, final results, calls that no event told of."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from app.domain.activities import State
from app.domain.errors import Invalid
from app.domain.instants import MINUTE, SECOND, instant, written_instant
from app.outbound.apis.ringcentral import API, LONGEST
from app.outbound.rates import Bucket
from app.store import fetchers, ledger
from app.usecases.asking import Asking, check_source
from app.usecases.fetch_channels import are_due
from app.usecases.fetch_subjects import subjects_of
from app.usecases.receiving import Connections
from app.usecases.rotating import rotate
from app.usecases.saving import Precondition
from app.usecases.sources import Liveness, get_source, put_source
from tests.engines import on_both, on_sqlite
from tests.intake.conformance import hook_of
from tests.intake.ringcentral_events import (
    SATO,
    TANAKA,
    asked,
    caller,
    event,
    posted,
    rung,
)
from tests.intake.ringcentral_events import TOKEN as VERIFICATION
from tests.outbound.accounts import SOURCE, Connected, W, inside
from tests.outbound.courses import (
    FAULTS,
    a_fault_costs_a_page,
    death_costs_no_thing,
    the_past_is_read_when_asked_for,
)
from tests.outbound.ringcentral_account import CLIENT, JWT, RingCentral
from tests.outbound.serving import serving
from tests.outbound.truths import OUTCOMES, differing, of_ringcentral
from tests.web.service import Clock

ADDRESS = "https://tassei.example.com"
START = "2026-12-01T09:00:00Z"
ROUND = 6 * MINUTE


@dataclass
class Company(Connected[RingCentral]):
    """A source of one company. Tests do not wait for the calls that may be made in a minute."""

    def push(self, told: dict[str, Any]) -> None:
        sent = posted(told)
        self.deliver(sent.headers, sent.body)

    def states(self) -> dict[str, State]:
        return self.standing(set(self.account.began))

    def assert_true(self) -> None:
        """What stands is what the log has, by the log itself."""
        truth = of_ringcentral(self.account)
        assert differing(truth, self.standing(truth)) == {}
        assert ledger.verify(self.context.store, W) == []


@pytest.fixture
def company(engine: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Company]:
    assert engine
    monkeypatch.setattr(Bucket, "take", lambda _self, _now: 0.0)
    clock = Clock(instant(START))
    at_home = inside(tmp_path, clock, public_url=ADDRESS)
    with serving(RingCentral(clock)) as account, at_home as context:
        client_id, client_secret = CLIENT
        body = {"provider": "ringcentral", "name": "RC", "settings": {"api_url": account.url}}
        credentials: Any = {"verification_token": VERIFICATION, "client_id": client_id}
        credentials |= {"client_secret": client_secret, "jwt": JWT}
        put_source(context, W, SOURCE, body, credentials, Precondition(None, None), "test")
        account.greets = greeted
        company = Company(context, account, clock, [])
        # Once there is a subscription, and nothing in the log.
        assert company.visit()
        account.asked.clear()
        yield company


def over(company: Company, *numbers: int, result: str = "Accepted", **more: Any) -> None:
    """Calls of a minute each, one after the other."""
    for number in numbers:
        company.account.begin(f"s-{number}")
        company.clock.now += MINUTE
        company.account.end(f"s-{number}", result, **more)


def told(sequence: int, at: int, session: str, *parties: dict[str, Any]) -> dict[str, Any]:
    """An event of a session at an instant."""
    moment = {"eventTime": written_instant(at), "telephonySessionId": session}
    return event(sequence, "00:00:00", *parties, **moment)


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
    # Three pages each, by one token.
    assert len(company.account.asked) == 6
    assert company.account.granted == 1


@on_both
def test_the_log_gives_what_was_talked_and_mends_what_events_told(company: Company) -> None:
    company.account.begin("s-1")
    began = company.clock.now
    company.push(told(2, began, "s-1", rung(2, SATO, "Proceeding")))
    # That Sato answered was lost, and somebody else is believed to have.
    company.push(told(9, began + SECOND, "s-1", rung(4, TANAKA, "Answered")))
    company.clock.now += MINUTE
    company.account.end("s-1")
    company.clock.now += ROUND
    assert company.visit()
    assert company.found == [(SOURCE, "newer")]
    company.assert_true()
    assert company.states()["s-1"].fields["talk_seconds"] == 57
    # Late, and out of order: nothing of it is news.
    company.push(told(12, began + MINUTE, "s-1", caller("Disconnected")))
    company.push(told(8, began, "s-1", rung(4, TANAKA, "Answered")))
    company.assert_true()


@on_both
def test_a_record_that_is_changed_afterwards_is_read_again(company: Company) -> None:
    over(company, 1, result="Missed")
    company.clock.now += ROUND
    assert company.visit()
    company.assert_true()
    later = written_instant(company.clock.now // SECOND * SECOND)
    company.account.end("s-1", "Voicemail", lastModifiedTime=later, duration=60)
    company.clock.now += ROUND
    assert company.visit()
    assert company.states()["s-1"].fields["outcome"] == "voicemail"
    assert company.found == [(SOURCE, "missing"), (SOURCE, "newer")]


@on_both
def test_a_call_that_was_long_under_way_is_found_when_it_is_over(company: Company) -> None:
    company.account.begin("s-1")
    for number in range(2, 14):
        over(company, number)
        company.clock.now += 13 * MINUTE
        assert company.visit()
    assert company.clock.now - instant(START) < LONGEST
    company.account.end("s-1")
    company.clock.now += ROUND
    assert company.visit()
    company.assert_true()
    assert Counter(company.found) == {(SOURCE, "missing"): 13}


@on_both
def test_calls_that_come_in_between_two_pages_hide_none(company: Company) -> None:
    """The latest are first: new ones move those that were not read yet to later pages."""
    company.account.page = 3
    over(company, *range(1, 9))
    company.clock.now += ROUND
    company.account.faults.extend(["", "503"])
    assert not company.visit()
    over(company, *range(9, 13))
    company.clock.now += ROUND
    assert company.visit()
    company.clock.now += ROUND
    assert company.visit()
    company.assert_true()
    assert Counter(company.found) == {(SOURCE, "missing"): 12}


@on_both
def test_an_access_token_is_asked_for_anew_before_it_ends_and_when_it_was_taken_back(
    company: Company,
) -> None:
    company.clock.now += 50 * MINUTE
    over(company, 1)
    assert company.visit()
    assert company.account.granted == 1
    company.clock.now += 8 * MINUTE
    assert company.visit()
    assert company.account.granted == 2
    company.account.revoke()
    over(company, 2)
    company.clock.now += ROUND
    assert company.visit()
    assert company.account.granted == 3
    # The refresh token, which is good for once, is never sent.
    assert all("refresh" not in form for form in company.account.posted)
    company.assert_true()


@on_both
def test_a_client_that_is_refused_is_told_and_asks_nothing_more(company: Company) -> None:
    company.account.client = ("another", "secret")
    company.account.revoke()
    over(company, 1)
    company.clock.now += ROUND
    assert not company.visit()
    with company.context.read() as reading:
        assert fetchers.state(reading, W, SOURCE).code == "provider_refuses_us"
    assert company.account.asked[1:] == ["/restapi/oauth/token"]


@on_sqlite
@pytest.mark.parametrize(("fault", "code", "least"), FAULTS)
@pytest.mark.parametrize("place", ["token", "page"])
def test_a_fault_costs_a_page_and_no_call(
    company: Company, fault: str, code: str, least: int, place: str
) -> None:
    # Another hour, another token.
    company.clock.now += 61 * MINUTE if place == "token" else 0
    faults = [fault] if place == "token" else ["", fault]
    a_fault_costs_a_page(company, partial(over, company), faults, (code, least), ROUND)


@on_both
def test_who_dies_between_a_page_and_its_mark_counts_nothing_twice(company: Company) -> None:
    death_costs_no_thing(company, partial(over, company), ROUND)


@on_both
def test_the_past_is_read_when_it_is_asked_for_and_counts_once(company: Company) -> None:
    the_past_is_read_when_asked_for(company, partial(over, company), START)


@on_both
def test_a_check_says_whether_ringcentral_answers_and_takes_nothing(company: Company) -> None:
    over(company, 1)
    assert check_source(company.context, W, SOURCE).asking == Asking.WORKING
    assert company.states() == {}


@on_both
@pytest.mark.parametrize("seed", range(4))
def test_any_course_of_calls_losses_and_faults_ends_as_the_log_has_them(
    company: Company, seed: int
) -> None:
    dice = random.Random(seed)
    under_way: list[str] = []
    late: list[dict[str, Any]] = []
    company.account.page = 7
    for number in range(1, 31):
        session = f"s-{number}"
        company.clock.now += dice.randint(1, 40 * SECOND)
        company.account.begin(session)
        under_way.append(session)
        events = [told(2, company.clock.now, session, rung(2, SATO, "Proceeding"))]
        if dice.random() < 0.7:
            ended = under_way.pop(dice.randrange(len(under_way)))
            result = dice.choice(list(OUTCOMES))
            company.account.end(ended, result)
            who = dice.choice([SATO, TANAKA])
            code = {"Accepted": "Answered", "Voicemail": "VoiceMail"}.get(result, "Disconnected")
            events.append(told(7, company.clock.now, ended, rung(3, who, code)))
            events.append(told(9, company.clock.now, ended, caller("Disconnected")))
        for one in events:
            match dice.choice(["told", "late", "lost"]):
                case "told":
                    company.push(one)
                case "late":
                    late.append(one)
        if late and dice.random() < 0.3:
            company.push(late.pop(dice.randrange(len(late))))
        if dice.random() < 0.3:
            faults = ["", "429", "500", "garbage", "drop", "401"]
            company.account.faults.extend(dice.choice(faults) for _ in range(2))
            company.visit()
    company.account.faults.clear()
    # A pass that was interrupted goes on behind the first page; what came since is in the next.
    for _ in range(2):
        company.clock.now += ROUND
        assert company.visit()
    company.assert_true()
    dice.shuffle(late)
    for one in late:
        company.push(one)
    company.assert_true()


# Its subscription.

LIFE = 6 * 60 * MINUTE


def liveness(company: Company) -> Liveness:
    return get_source(company.context, W, SOURCE).liveness


def subscribed(company: Company) -> str:
    ((id_, _),) = company.account.open_subscriptions().items()
    return id_


def greeted(address: str, token: str) -> bool:
    """What RingCentral asks of an address before it subscribes."""
    answer = hook_of("ringcentral").handshake(asked("a-challenge", verification_token=token))
    echo = answer.headers.get("validation-token") if answer else None
    return address.startswith(f"{ADDRESS}/v1/hooks/") and echo == "a-challenge"


@on_both
def test_the_source_subscribes_with_its_address_and_secret_and_renews_in_time(
    company: Company,
) -> None:
    first, account = subscribed(company), company.account
    one = account.subscriptions[first]
    shown = get_source(company.context, W, SOURCE)
    assert one["deliveryMode"]["address"] == shown.hook_url
    assert one["deliveryMode"]["verificationToken"] == VERIFICATION
    assert one["eventFilters"] == ["/restapi/v1.0/account/~/telephony/sessions"]
    assert greeted(str(shown.hook_url), VERIFICATION)
    for _ in range(60):
        company.clock.now += LIFE // 4
        assert subscribed(company) == first
        assert company.visit()
    renewals = [place for place in account.asked if place.endswith("/renew")]
    assert len(renewals) == 30
    assert liveness(company) is Liveness.ACTIVE


@on_both
@pytest.mark.parametrize("status", ["Blacklisted", "Suspended"])
def test_one_that_was_suspended_is_seen_and_another_takes_its_place(
    company: Company, status: str
) -> None:
    first = subscribed(company)
    company.account.subscriptions[first]["status"] = status
    company.clock.now += LIFE // 2
    assert company.visit()
    assert subscribed(company) != first
    assert first not in company.account.subscriptions
    assert liveness(company) is Liveness.ACTIVE


@on_both
@pytest.mark.parametrize("after", [LIFE // 2, 2 * LIFE])
def test_one_that_is_gone_is_opened_anew(company: Company, after: int) -> None:
    first = subscribed(company)
    if after < LIFE:
        company.account.subscriptions.clear()
    company.clock.now += after
    assert company.visit()
    assert subscribed(company) != first


@on_both
def test_who_may_not_subscribe_is_told_and_the_log_is_read_all_the_same(company: Company) -> None:
    company.account.may_subscribe = False
    for number in range(1, 5):
        company.clock.now += LIFE
        over(company, number)
        assert company.visit()
        company.assert_true()
    assert liveness(company) is Liveness.FAILING
    channels = check_source(company.context, W, SOURCE).channels
    assert {name: one.code for name, one in channels.items()} == {
        "telephony": "provider_refuses_us"
    }
    company.account.may_subscribe = True
    company.clock.now += LIFE
    assert company.visit()
    assert subscribed(company)
    assert liveness(company) is Liveness.ACTIVE


@on_both
def test_another_secret_wants_another_subscription(company: Company) -> None:
    first, other = subscribed(company), VERIFICATION[::-1]
    company.account.greets = lambda _address, token: token == other
    rotate(company.context, W, SOURCE, {"verification_token": other}, 60, "test")
    assert company.visit()
    second = subscribed(company)
    assert second != first
    assert company.account.subscriptions[second]["deliveryMode"]["verificationToken"] == other


@on_both
def test_another_address_wants_another_subscription_and_no_event_is_lost_meanwhile(
    company: Company,
) -> None:
    first = subscribed(company)
    shown = rotate(company.context, W, SOURCE, None, 60, "test", address=True)
    ending = str(company.account.subscriptions[first]["deliveryMode"]["address"])
    assert shown.hook_url != ending
    connections = Connections(company.context)
    assert not connections.find(ending.rpartition("/")[2]).has_ended(company.clock.now)
    assert company.visit()
    ((second, one),) = company.account.open_subscriptions().items()
    assert second != first
    assert one["deliveryMode"]["address"] == shown.hook_url


def test_without_a_public_address_there_is_nowhere_to_send(tmp_path: Path) -> None:
    clock = Clock(instant(START))
    client_id, client_secret = CLIENT
    body = {"provider": "ringcentral", "name": "RC"}
    asking: Any = {"client_id": client_id, "client_secret": client_secret, "jwt": JWT}
    with inside(tmp_path, clock) as context:
        # Events of a subscription of one's own need none that is known here.
        put_source(context, W, SOURCE, body, None, Precondition(None, None), "test")
        with pytest.raises(Invalid, match="public_url_required"):
            put_source(context, W, "rc", body, asking, Precondition(None, None), "test")


@on_both
def test_without_credentials_nothing_is_subscribed(engine: str, tmp_path: Path) -> None:
    assert engine
    clock = Clock(instant(START))
    at_home = inside(tmp_path, clock, public_url=ADDRESS)
    with serving(RingCentral(clock)) as account, at_home as context:
        body = {"provider": "ringcentral", "name": "RC", "settings": {"api_url": account.url}}
        put_source(context, W, SOURCE, body, None, Precondition(None, None), "test")
        with context.read() as reading:
            (subject,) = subjects_of(context, reading, W)
        assert not subject.configured
        assert not are_due(subject, "{}", clock.now)
        assert account.asked == []


def test_where_the_next_page_leads_is_not_for_an_answer_to_say() -> None:
    record: Any = {"id": "L7", "lastModifiedTime": "2026-12-01T09:00:00.123Z"}
    elsewhere: Any = {"nextPage": {"uri": "https://elsewhere.example/?page=9"}}
    page = API.listed("call-log", {"records": [record], "navigation": elsewhere}, 0, None)
    assert page.next == "2"
    asked = API.page("call-log", instant(START), page.next, {})
    path = "/restapi/v1.0/account/~/call-log?view=Detailed&dateFrom=2026-12-01T06%3A00%3A00Z"
    assert asked.path == f"{path}&perPage=100&page=2"
    # A link behind an empty page, as it was seen, leads nowhere.
    assert API.listed("call-log", {"records": [], "navigation": elsewhere}, 0, "2").next is None
    assert API.changed_at("call-log", record) == instant("2026-12-01T09:00:00.123Z")
    assert API.changed_at("call-log", {"lastModifiedTime": "soon"}) is None


def test_no_more_is_asked_in_a_minute_than_ringcentral_allows() -> None:
    bucket, waited, calls = Bucket(API.rate, 0.0), 0.0, 0
    while waited < 60:
        waited += bucket.take(waited)
        calls += waited < 60
    assert calls <= 10

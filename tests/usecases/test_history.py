"""What a forecast may learn from, against a recount of the very events that were posted."""

from __future__ import annotations

import random
import threading
from collections import Counter
from collections.abc import Iterator
from datetime import date, timedelta
from typing import Any

import pytest

from app.domain.history import NO_HISTORY, History, months_before
from app.domain.instants import instant
from app.domain.spans import Span
from app.store import documents
from app.usecases import history
from app.usecases.counted import knowing
from app.usecases.organisation import PLAN, Organisation
from tests.engines import on_both
from tests.web.service import Service, started

pytestmark = on_both

PLAN_KEY = "december"
NOW = "2026-12-10T12:00:00+09:00"
PEOPLE = {"sato": "301", "suzuki": "302", "mori": "400"}


@pytest.fixture(scope="module")
def events() -> list[tuple[str, str, date, int]]:
    """Half a year and more of calls; extension 999 is nobody, mori is not in the plan."""
    chance = random.Random(20261210)
    first = date(2026, 5, 20)
    made = []
    for number in range(700):
        day = first + timedelta(chance.randrange(200))
        made.append((f"c{number}", chance.choice(["301", "302", "400", "999"]), day, number % 90))
    return made


@pytest.fixture
def service(events: list[tuple[str, str, date, int]]) -> Iterator[Service]:
    with started(NOW) as service:
        workspace = service.get("/v1/workspace").json()
        wanted = {"name": "X", "time_zone": "Asia/Tokyo", "currency": "JPY", "locale": "ja-JP"}
        service.replace("/v1/workspace", {n: workspace[n] for n in ("calendar",)} | wanted)
        for team in ("east", "west"):
            assert service.put(f"/v1/teams/{team}", {"name": team}).status_code == 201
        for key, extension in PEOPLE.items():
            assert service.put(f"/v1/members/{key}", member(key, extension)).status_code == 201
        source = {"provider": "events", "name": "Phone", "counts": ["call"]}
        assert service.put("/v1/sources/phone", source).status_code == 201
        made = [call(*event) for event in events]
        for start in range(0, len(made), 300):
            service.counts(made[start : start + 300])
        yield service


def member(key: str, extension: str) -> dict[str, Any]:
    """suzuki has the extension 302 since August only; before, it meant nobody."""
    since = "2026-08-03" if key == "suzuki" else None
    return {
        "name": key,
        "memberships": [{"team": "west" if key == "mori" else "east", "from": "2026-04-01"}],
        "identities": [{"source": "phone", "kind": "extension", "value": extension, "from": since}],
    }


def call(number: str, extension: str, day: date, talk: int) -> dict[str, Any]:
    at = f"{day}T10:{talk % 60:02d}:00+09:00"
    return {
        "specversion": "1.0",
        "id": number,
        "source": "phone",
        "type": "call",
        "actor": extension,
        "data": {"direction": "outbound", "started_at": at, "talk_seconds": talk},
    }


def planned(service: Service, assignments: list[dict[str, str]]) -> None:
    body = {
        "name": "December",
        "period": {"month": "2026-12"},
        "root": {
            "metric": "talk_time",
            "target": "9000",
            "conversion": {"rate": "45", "from": {"metric": "calls"}},
        },
        "assignments": assignments,
    }
    assert service.put(f"/v1/plans/{PLAN_KEY}", body).status_code == 201


def found(service: Service, known_at: str | None = None) -> tuple[Organisation, History]:
    app: Any = service.client.app
    context = app.state.context
    with context.read() as reading:
        organisation: Organisation = context.organisations.at(reading, "default")
        document = documents.get(reading, "default", PLAN, PLAN_KEY)
        assert document is not None
        known = knowing(reading, organisation, None if known_at is None else instant(known_at))
        base = organisation.ground(reading, document)
        today = date(2026, 12, 10)
        return organisation, history.history_of(reading, organisation, base, today, known)


def meant(extension: str, day: date) -> str | None:
    if extension == "302" and day < date(2026, 8, 3):
        return None
    return {"301": "sato", "302": "suzuki"}.get(extension)


def recount(
    events: list[tuple[str, str, date, int]], span: Span, *, everybody: bool
) -> Counter[date]:
    return Counter(
        day
        for _, extension, day, _ in events
        if day in span and (everybody or meant(extension, day))
    )


@pytest.mark.parametrize("team", ["", "east"])
def test_every_day_is_what_these_people_did_on_it(
    service: Service, events: list[tuple[str, str, date, int]], team: str
) -> None:
    everybody = not team
    planned(service, [] if everybody else [{"team": team}])
    _, read = found(service)
    half_a_year = Span(date(2026, 6, 1), date(2026, 12, 1))
    assert read.months == months_before(date(2026, 12, 1))
    assert read.months[0] == Span(date(2026, 11, 1), date(2026, 12, 1))
    daily = {day: amount.number for day, amount in read.daily["calls"].items()}
    assert daily == recount(events, half_a_year, everybody=everybody)
    seconds: Counter[date] = Counter()
    for _, extension, day, talk in events:
        if day in half_a_year and (everybody or meant(extension, day)):
            seconds[day] += talk
    totals = {day: amount.total for day, amount in read.daily["talk_time"].items()}
    assert totals == dict(seconds)


def test_shares_are_those_of_the_latest_three_months_and_amounts_of_four(
    service: Service, events: list[tuple[str, str, date, int]]
) -> None:
    planned(service, [{"team": "east"}])
    _, read = found(service)
    three = Span(date(2026, 9, 1), date(2026, 12, 1))
    shares = Counter(meant(extension, day) for _, extension, day, _ in events if day in three)
    told = {member: amount.number for member, amount in read.recent["calls"].items()}
    assert told == {member: shares[member] for member in ("sato", "suzuki")}
    four = Span(date(2026, 8, 1), date(2026, 12, 1))
    amounts = [talk for _, ext, day, talk in events if day in four and meant(ext, day)]
    singles = read.singles["talk_time"]
    assert sum(one.number for one in singles) == len(amounts)
    assert sum(one.total for one in singles) == sum(amounts)


def test_it_is_read_again_only_when_something_of_it_moved(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    planned(service, [{"team": "east"}])
    _, first = found(service)
    read_here: list[int] = []
    read = history._read

    def reading(*given: Any) -> History:
        # The service's own threads read it as well, whenever they like.
        if threading.current_thread() is threading.main_thread():
            read_here.append(1)
        return read(*given)

    monkeypatch.setattr(history, "_read", reading)
    service.counts([call("now", "301", date(2026, 12, 9), 5)])
    assert found(service)[1] == first
    assert read_here == []
    service.counts([call("late", "301", date(2026, 11, 9), 5)])
    _, second = found(service)
    before, after = (read.daily["calls"].get(date(2026, 11, 9)) for read in (first, second))
    assert after is not None
    assert after.number == (before.number if before else 0) + 1


def test_as_it_was_known_then_stays_whatever_comes(service: Service) -> None:
    planned(service, [{"team": "east"}])
    _, now = found(service)
    service.clock.set("2026-12-10T13:00:00+09:00")
    corrected = call("c1", "301", date(2026, 11, 9), 5)
    corrected |= {"revision": "2026-12-10T12:59:00+09:00"}
    service.counts([call("late", "301", date(2026, 11, 9), 5), corrected])
    _, then = found(service, "2026-12-10T12:30:00+09:00")
    assert {d: a for d, a in then.daily["calls"].items() if a.number} == now.daily["calls"]
    assert {m: a for m, a in then.recent["calls"].items() if a.number} == now.recent["calls"]
    assert then.singles == now.singles
    assert found(service)[1] != now


def test_a_workspace_that_has_just_begun_has_none(service: Service) -> None:
    planned(service, [{"member": "suzuki"}])
    with_nothing = found(service)[1]
    assert len(with_nothing.months) == 4  # of suzuki nothing is known before August
    service.replace(
        "/v1/members/suzuki",
        member("suzuki", "777"),
    )
    assert found(service)[1] == NO_HISTORY

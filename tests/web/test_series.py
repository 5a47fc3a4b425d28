"""Numbers over time, through HTTP, against a recount of the events by the zone's own clock."""

from __future__ import annotations

import random
from collections.abc import Callable, Hashable, Iterator
from datetime import UTC, date, datetime, timedelta
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.engines import ENGINES, use
from tests.web.service import Service, started

HOME = "Asia/Tokyo"
ZONES = (
    "Asia/Tokyo",
    "America/New_York",
    "Asia/Kolkata",
    "Asia/Kathmandu",
    "Australia/Lord_Howe",
)
NOW = datetime(2026, 11, 20, 3, 7, tzinfo=UTC)
# Lord Howe goes forward half an hour on 4 October, New York back an hour on 1 November.
CLOCKS = (datetime(2026, 10, 3, 15, 30, tzinfo=UTC), datetime(2026, 11, 1, 6, 0, tzinfo=UTC))
QUARTER = timedelta(minutes=15)
MOVED = date(2026, 11, 2)  # sato changes teams, and extension 305 changes hands
Event = dict[str, Any]

METRICS: dict[str, dict[str, Any]] = {
    "held": {"aggregation": "count"},
    "paid": {"aggregation": "sum", "value": "price", "unit": "money"},
    "typical": {"aggregation": "average", "value": "price", "decimals": 2},
    "places": {"aggregation": "unique", "value": "place"},
    "least": {"aggregation": "min", "value": "price", "unit": "ratio"},
    "most": {"aggregation": "max", "value": "price", "unit": "ratio"},
    "last": {"aggregation": "latest", "value": "price", "unit": "ratio"},
}
PERIODS: dict[str, Callable[[datetime], Hashable]] = {
    "total": lambda _: 0,
    "quarter_hour": lambda t: t.astimezone(UTC),
    "hour": lambda t: (t.date(), t.hour, t.utcoffset()),
    "day": lambda t: t.date(),
    "week": lambda t: t.isocalendar()[:2],
    "month": lambda t: (t.year, t.month),
    "quarter": lambda t: (t.year, (t.month + 2) // 3),
    "year": lambda t: t.year,
}


def visits() -> list[Event]:
    """Events around the changes of the clocks and around the day on which people moved."""
    dice = random.Random(20261101)
    centres = (*CLOCKS, datetime(2026, 11, 1, 15, tzinfo=UTC), NOW - timedelta(days=2))
    return [
        {
            # No two at one instant: then the latest of them would be decided by their stamps.
            "at": dice.choice(centres)
            + timedelta(
                minutes=dice.randint(-2000, 2000), seconds=number % 60, microseconds=number
            ),
            "price": dice.randint(-5, 40),
            "place": dice.choice("abcde"),
            "actor": dice.choice(["sato", "305", "stranger", None]),
        }
        for number in range(260)
    ]


EVENTS = visits()


def member(event: Event) -> str | None:
    day = event["at"].astimezone(ZoneInfo(HOME)).date()
    if event["actor"] == "305":
        return "sato" if day < MOVED else "suzuki"
    return "sato" if event["actor"] == "sato" else None


def team(event: Event) -> str | None:
    day = event["at"].astimezone(ZoneInfo(HOME)).date()
    return {"sato": "east" if day < MOVED else "west", "suzuki": "east"}.get(member(event) or "")


def actor(event: Event) -> Any:
    return ("crm", event["actor"])


WHOSE: dict[str, Callable[[Event], Any]] = {"member": member, "team": team, "actor": actor}


# The engine is the fixture's own: one that lasts longer than a test is opened before the test's.
@pytest.fixture(scope="module", params=ENGINES)
def service(request: pytest.FixtureRequest) -> Iterator[Service]:
    with use(request.param), started(NOW.isoformat()) as running:
        settings = running.get("/v1/workspace").json()
        body = {k: v for k, v in settings.items() if k not in {"key", "version"}}
        running.replace("/v1/workspace", body | {"time_zone": HOME, "currency": "JPY"})
        assert (
            running.put("/v1/sources/crm", {"provider": "events", "name": "C"}).status_code == 201
        )
        _people(running)
        running.post_events([_event(n, one) for n, one in enumerate(EVENTS)])
        for key, definition in METRICS.items():
            usual = {"names": {"en": key}, "kind": "visit", "time": "at"}
            answer = running.put(f"/v1/metrics/{key}", usual | definition)
            assert answer.status_code == 201, answer.text
        yield running


def _people(service: Service) -> None:
    for key in ("east", "west"):
        assert service.put(f"/v1/teams/{key}", {"name": key}).status_code == 201
    moved = MOVED.isoformat()
    extension = {"source": "crm", "kind": "extension", "value": "305"}
    sato = {
        "name": "S",
        "memberships": [{"team": "east", "to": moved}, {"team": "west", "from": moved}],
        "identities": [
            {"source": "crm", "kind": "id", "value": "sato"},
            extension | {"to": moved},
        ],
    }
    suzuki = {
        "name": "Z",
        "memberships": [{"team": "east"}],
        "identities": [extension | {"from": moved}],
    }
    assert service.put("/v1/members/sato", sato).status_code == 201
    assert service.put("/v1/members/suzuki", suzuki).status_code == 201


def _event(number: int, event: Event) -> dict[str, Any]:
    data = {"at": event["at"].isoformat(), "price": event["price"], "place": event["place"]}
    attributes: dict[str, Any] = {"actor": event["actor"]} if event["actor"] else {}
    return attributes | {
        "specversion": "1.0",
        "id": f"v{number:03d}",
        "source": "crm",
        "type": "visit",
        "revision": "1",
        "data": data,
    }


def pages(service: Service, metric: str, limit: int = 500, **asked: Any) -> list[dict[str, Any]]:
    """Every item of a series, page by page."""
    found: list[dict[str, Any]] = []
    query = {name.rstrip("_"): said for name, said in asked.items() if said is not None}
    query["limit"] = limit
    while True:
        answer = service.client.get(f"/v1/metrics/{metric}/series", params=query)
        assert answer.status_code == 200, answer.text
        found += answer.json()["items"]
        if answer.json()["next"] is None:
            return found
        query["cursor"] = answer.json()["next"]


def value(metric: str, events: list[Event]) -> Fraction:
    prices = [Fraction(one["price"]) for one in events]
    worked: dict[str, Callable[[], Any]] = {
        "count": lambda: len(events),
        "sum": lambda: sum(prices),
        "average": lambda: sum(prices) / len(prices),
        "unique": lambda: len({one["place"] for one in events}),
        "min": lambda: min(prices),
        "max": lambda: max(prices),
        "latest": lambda: max(events, key=lambda one: one["at"])["price"],
    }
    return Fraction(worked[METRICS[metric]["aggregation"]]())


def recounted(
    metric: str, granularity: str, zone: str, start: datetime, end: datetime, by: str | None = None
) -> dict[tuple[Any, Any], tuple[Fraction, int]]:
    """Period and group -> value and count, of every event in the range."""
    found: dict[Any, list[Event]] = {}
    for event in EVENTS:
        if start <= event["at"] < end:
            period = PERIODS[granularity](quarter(event["at"]).astimezone(ZoneInfo(zone)))
            found.setdefault((period, WHOSE[by](event) if by else None), []).append(event)
    return {place: (rounded(value(metric, some)), len(some)) for place, some in found.items()}


def quarter(at: datetime) -> datetime:
    return at - timedelta(minutes=at.minute % 15, seconds=at.second, microseconds=at.microsecond)


def rounded(number: Fraction) -> Fraction:
    return Fraction(round(number * 10**6), 10**6)


def answered(items: list[dict[str, Any]], granularity: str, zone: str, by: str | None) -> Any:
    found = {}
    for item in items:
        begins, ends = (datetime.fromisoformat(item[name]) for name in ("from", "to"))
        assert begins < ends
        group: Any = item[by] if by else None
        if by == "actor":
            group = (group["source"], group["identity"])
        # The recount's period of every quarter hour of the bucket: one, and no other bucket's.
        own = begins.astimezone(UTC)
        period = PERIODS[granularity](own.astimezone(ZoneInfo(zone)))
        assert (
            PERIODS[granularity]((ends.astimezone(UTC) - QUARTER).astimezone(ZoneInfo(zone)))
            == period
        )
        assert (period, group) not in found
        found[period, group] = (Fraction(item["value"]), item["count"])
    return found


def moments(zone: str) -> tuple[datetime, datetime]:
    own = ZoneInfo(zone)
    return datetime(2026, 10, 1, tzinfo=own), datetime(2026, 11, 5, 12, 15, tzinfo=own)


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("granularity", PERIODS)
def test_every_granularity_in_every_zone_is_what_a_recount_says(
    service: Service, granularity: str, zone: str
) -> None:
    start, end = moments(zone)
    for metric in METRICS:
        items = pages(
            service, metric, from_="2026-10-01", to=end.isoformat(), time_zone=zone,
            granularity=granularity,
        )  # fmt: skip
        expected = recounted(metric, granularity, zone, start, end)
        assert expected
        assert answered(items, granularity, zone, None) == expected


@pytest.mark.parametrize("by", WHOSE)
@pytest.mark.parametrize("granularity", ["total", "hour", "day", "month"])
@pytest.mark.parametrize("zone", [HOME, "Australia/Lord_Howe"])
def test_whose_it_was_is_decided_by_its_day_and_nobody_is_lost(
    service: Service, by: str, granularity: str, zone: str
) -> None:
    start, end = moments(zone)
    for metric in METRICS:
        items = pages(
            service, metric, from_="2026-10-01", to=end.isoformat(), time_zone=zone,
            granularity=granularity, group_by=by, limit=37,
        )  # fmt: skip
        expected = recounted(metric, granularity, zone, start, end, by)
        assert answered(items, granularity, zone, by) == expected
        assert [item["from"] for item in items] == sorted(
            (item["from"] for item in items), key=datetime.fromisoformat
        )


def starts(window: str, zone: str, end: datetime) -> datetime:
    local = end.astimezone(ZoneInfo(zone))
    last = (end - timedelta(microseconds=1)).astimezone(ZoneInfo(zone))
    first = {"mtd": last.month, "qtd": 3 * ((last.month - 1) // 3) + 1, "ytd": 1}
    match window:
        case "1h" | "24h":
            return end - timedelta(hours=int(window[:-1]))
        case "7d" | "28d":
            wall = local.replace(tzinfo=None) - timedelta(days=int(window[:-1]))
            return wall.replace(tzinfo=ZoneInfo(zone))
        case _:
            return datetime(last.year, first[window], 1, tzinfo=ZoneInfo(zone))


@pytest.mark.parametrize("zone", ZONES)
@pytest.mark.parametrize("window", ["1h", "24h", "7d", "28d", "mtd", "qtd", "ytd"])
@pytest.mark.parametrize("as_of", [None, "2026-11-02T06:00:00Z", "2026-10-31"])
def test_every_window_in_every_zone_is_what_a_recount_says(
    service: Service, window: str, zone: str, as_of: str | None
) -> None:
    if as_of is None:
        end = NOW + timedelta(minutes=8)  # the end of the running quarter hour
    elif len(as_of) == 10:
        end = datetime(2026, 11, 1, tzinfo=ZoneInfo(zone))
    else:
        end = datetime.fromisoformat(as_of)
    start = starts(window, zone, end)
    asked: dict[str, Any] = {"window": window, "time_zone": zone}
    asked |= {"as_of": as_of} if as_of else {}
    for metric in METRICS:
        items = pages(service, metric, **asked)
        assert answered(items, "total", zone, None) == recounted(metric, "total", zone, start, end)


def test_empty_buckets_and_people_without_work_are_shown_when_asked_for(service: Service) -> None:
    asked: dict[str, Any] = {
        "from_": "2026-09-01",
        "to": "2026-09-04",
        "granularity": "day",
        "fill": "zero",
    }
    items = pages(service, "held", group_by="member", **asked)
    assert [(one["from"][:10], one["member"], one["value"]) for one in items] == [
        (f"2026-09-0{day}", who, "0") for day in (1, 2, 3) for who in ("sato", "suzuki", None)
    ]
    plain = pages(service, "held", limit=1, **asked)
    assert [(one["from"][:10], one["count"]) for one in plain] == [
        ("2026-09-01", 0), ("2026-09-02", 0), ("2026-09-03", 0),
    ]  # fmt: skip
    average = pages(service, "typical", **asked)
    assert [(one["value"], one["reasons"][0]["code"]) for one in average] == [
        (None, "nothing_counted")
    ] * 3
    teams = pages(service, "held", group_by="team", **asked)
    assert [one["team"] for one in teams[:3]] == ["east", "west", None]
    assert pages(service, "held", **(asked | {"fill": None})) == []


def test_what_lies_ahead_of_the_moment_evaluated_is_no_bucket(service: Service) -> None:
    asked: dict[str, Any] = {
        "from_": "2026-11-18",
        "to": "2026-12-01",
        "granularity": "day",
        "fill": "zero",
    }
    assert [one["from"][:10] for one in pages(service, "held", **asked)] == [
        "2026-11-18", "2026-11-19", "2026-11-20",
    ]  # fmt: skip
    cut = pages(service, "held", **asked, as_of="2026-11-18T12:00:00+09:00")
    assert [(one["from"][:10], one["to"][:10]) for one in cut] == [("2026-11-18", "2026-11-19")]


@pytest.mark.parametrize(
    ("query", "parameter", "code"),
    [
        ("", "from", "required"),
        ("from=2026-11-01&window=7d", "window", "window_or_range"),
        ("from=2026-11-01T00:07:00Z", "from", "as_of_between_quarters"),
        ("from=2026-11-01T00:00:00", "from", "time_without_offset"),
        ("from=2026-13-01", "from", "not_a_date"),
        ("from=1979-12-31", "from", "date_out_of_range"),
        ("from=1979-12-31T00:00:00Z", "from", "time_before_1980"),
        ("from=2026-12-01", "from", "as_of_ahead"),
        ("from=2026-11-02&to=2026-11-02", "to", "empty_span"),
        ("from=2026-11-02&as_of=2026-11-20", "as_of", "as_of_ahead"),
        ("from=2026-11-02&time_zone=Mars/Olympus", "time_zone", "unknown_zone"),
        ("from=2026-11-02&time_zone=../etc", "time_zone", "unknown_zone"),
    ],
)
def test_a_question_without_an_answer_names_its_parameter(
    service: Service, query: str, parameter: str, code: str
) -> None:
    answer = service.get(f"/v1/metrics/held/series?{query}")
    assert answer.status_code == 422, answer.text
    fault = answer.json()["errors"][0]
    assert (fault["code"], fault["params"]["parameter"]) == (code, parameter)


def test_more_buckets_than_anybody_reads_are_refused(service: Service) -> None:
    answer = service.get("/v1/metrics/held/series?from=2020-01-01&granularity=quarter_hour")
    assert (answer.status_code, answer.json()["type"]) == (
        422,
        "urn:tassei:problem:too-many-buckets",
    )
    assert service.get("/v1/metrics/nothing/series?window=7d").status_code == 404


def test_a_cursor_belongs_to_its_question_and_an_etag_to_its_answer(service: Service) -> None:
    path = "/v1/metrics/held/series?from=2026-10-01&granularity=day"
    first = service.get(f"{path}&limit=1")
    cursor = first.json()["next"]
    assert service.get(f"{path}&group_by=member&cursor={cursor}").status_code == 422
    again = service.get(f"{path}&limit=1", **{"if-none-match": first.headers["etag"]})
    assert again.status_code == 304
    other = service.get(f"{path}&limit=1&cursor={cursor}")
    assert other.headers["etag"] != first.headers["etag"]

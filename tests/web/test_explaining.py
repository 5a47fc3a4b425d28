"""Where a number comes from: the activities listed for it add up to it, whatever happened."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import Any
from urllib.parse import quote

import pytest
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from app.domain.progress import Scope
from app.store import deliveries
from app.usecases.progress import Asked
from app.web.pagination import cursor_of
from tests.web.example import PLAN, START, call, deal, member, settle
from tests.web.service import Service, started

PEOPLE = ("sato", "suzuki", "tanaka")
TEAMS = st.sampled_from(("east", "north", "west"))  # north is below east; west is not in the plan
DAYS = [f"2026-12-{day:02d}" for day in (1, 4, 7, 10, 11, 14)]
TIMES = ("00:00:00", "08:59:59.999999", "09:00:00", "23:59:59")
PAST = "2026-12-11T09:00:00+09:00"
QUERIES: tuple[dict[str, str], ...] = (
    {},
    {"team": "north"},
    {"member": "sato"},
    {"team": "east", "as_of": PAST},
)
TREE: dict[str, Any] = {
    "key": "revenue",
    "metric": "revenue",
    "target": "4000000",
    "conversion": {
        "rate": "400000",
        "from": {
            "metric": "deals_won",
            "conversion": {"rate": "0.05", "from": {"metric": "calls"}},
        },
    },
    "influences": [{"metric": "talk_time", "target": "600"}],
}


def listed(service: Service, path: str, limit: int = 3, **query: Any) -> tuple[list[Any], Any]:
    """All items of all pages, and the first page."""
    asked: dict[str, Any] = query | {"limit": limit}
    items: list[Any] = []
    first = None
    while True:
        answer = service.client.get(path, params=asked)
        assert answer.status_code == 200, answer.text
        body = answer.json()
        first = first or body
        assert len(body["items"]) == limit or body["next"] is None
        items += body["items"]
        if body["next"] is None:
            return items, first
        asked["cursor"] = body["next"]


def added(items: list[Any]) -> dict[str, tuple[int, Decimal]]:
    """Count and sum by currency."""
    found: dict[str, tuple[int, Decimal]] = {}
    for item in items:
        own = item["contribution"]
        count, value = found.get(own.get("currency", ""), (0, Decimal(0)))
        found[own.get("currency", "")] = count + own["count"], value + Decimal(own["value"])
    return found


def goals(body: Any) -> Iterator[Any]:
    yield body
    for child in body["children"]:
        yield from goals(child)


def assert_explained(service: Service, plan: str, limit: int = 3, **query: str) -> None:
    """Each number of each goal is the sum of what is listed for it, in order and each once."""
    for goal in goals(service.progress(plan, **query).body["root"]):
        path = f"/v1/plans/{plan}/goals/{goal['key']}/activities"
        currency = goal["unit"].get("currency", "")
        for part in ("actual", "unassigned", "outside_plan"):
            items, first = listed(service, path, limit, part=part, **query)
            assert_in_order(items)
            sums = added(items)
            assert set(sums) <= {currency}
            count, value = sums.get(currency, (0, Decimal(0)))
            assert value == Decimal(goal[part]), (goal["key"], part, query)
            (total,) = first["totals"]
            assert (total["count"], Decimal(total["value"])) == (count, value)
        items, _ = listed(service, path, limit, part="excluded", **query)
        assert_in_order(items)
        told = {o["currency"]: (o["count"], Decimal(o["total"])) for o in goal["excluded"]}
        assert added(items) == told


def assert_in_order(items: list[Any]) -> None:
    # All times are written with one offset, so text sorts as the instants do but for fractions.
    places = [(item["at"].replace("+09:00", ""), item["source"], item["key"]) for item in items]
    assert places == sorted(places)
    assert len({place[1:] for place in places}) == len(places)


class Explained(RuleBasedStateMachine):
    """Calls and deals come, change, are taken back; people move and are mapped late."""

    @initialize()
    def begin(self) -> None:
        self.running = started(START)
        self.service = settle(self.running.__enter__())
        self.service.put("/v1/teams/north", {"name": "n", "parents": [{"team": "east"}]})
        self.service.put("/v1/teams/west", {"name": "w"})
        self.service.put("/v1/members/tanaka", member("tanaka", team="west"))
        base = {name: value for name, value in PLAN.items() if name != "funnel"} | {"root": TREE}
        anybody = {name: value for name, value in base.items() if name != "assignments"}
        for plan, body in (
            ("everybody", anybody),
            ("team", base),
            ("inside", base | {"include_unassigned": True}),
        ):
            answer = self.service.put(f"/v1/plans/{plan}", body)
            assert answer.status_code == 201, answer.text
        self.revision = 0

    def teardown(self) -> None:
        if hasattr(self, "revision"):
            try:
                self.ask_everything()
            finally:
                self.running.__exit__(None, None, None)

    def send(self, event: dict[str, Any], *, retracted: bool, partial: bool = False) -> None:
        self.revision += 1
        event |= {"revision": str(self.revision)}
        if retracted:
            event |= {"retracted": True}
        if partial:
            event |= {"merge": True}
        self.service.post_events([event, event])

    @rule(
        who=st.sampled_from((*PEOPLE, "nobody")),
        day=st.sampled_from(DAYS),
        time=st.sampled_from(TIMES),
        key=st.integers(0, 6),
        seconds=st.integers(0, 90),
        direction=st.sampled_from(("outbound", "outbound", "inbound")),
        retracted=st.booleans().filter(bool) | st.just(value=False) | st.just(value=False),
    )
    def report_call(
        self, who: str, day: str, time: str, key: int, seconds: int, direction: str, *,
        retracted: bool,
    ) -> None:  # fmt: skip
        at = f"{day}T{time}+09:00"
        data = {"talk_seconds": seconds, "direction": direction}
        event = call(key, f"{who}@example.co.jp", at=at, data=data)
        self.send(event, retracted=retracted)

    @rule(
        who=st.sampled_from((*PEOPLE, "nobody")),
        day=st.sampled_from(DAYS),
        made=st.sampled_from(DAYS),
        key=st.integers(0, 4),
        amount=st.integers(-5, 400_000),
        currency=st.sampled_from(("JPY", "JPY", "USD", "EUR")),
        status=st.sampled_from(("won", "won", "lost", "open")),
    )
    def report_deal(
        self, who: str, day: str, made: str, key: int, amount: int, currency: str, status: str
    ) -> None:
        won = f"{day}T15:00:00+09:00"
        event = deal(
            key, f"{who}@example.co.jp", status=status, amount=str(amount), currency=currency,
            won_at=won, created_at=f"{made}T15:00:00+09:00",
        )  # fmt: skip
        self.send(event, retracted=False)

    @rule(key=st.integers(0, 4), amount=st.integers(0, 9))
    def reprice(self, key: int, amount: int) -> None:
        event = deal(key) | {"data": {"amount": str(amount)}}
        event.pop("actor")
        self.send(event, retracted=False, partial=True)

    @rule(who=st.sampled_from(PEOPLE), before=TEAMS, after=TEAMS, day=st.sampled_from(DAYS))
    def move(self, who: str, before: str, after: str, day: str) -> None:
        links = [{"team": before, "to": day}, {"team": after, "from": day}]
        self.service.replace(f"/v1/members/{who}", member(who, memberships=links))

    @rule(who=st.sampled_from(PEOPLE), first=st.sampled_from(DAYS), last=st.sampled_from(DAYS))
    def map_for_some_days(self, who: str, first: str, last: str) -> None:
        identity = {"source": "crm", "kind": "email", "value": f"{who}@example.co.jp"}
        after = f"2026-12-{int(max(first, last)[8:]) + 1:02d}"
        dated = identity | {"from": min(first, last), "to": after}
        self.service.replace(f"/v1/members/{who}", member(who, identities=[dated]))

    @rule(mapped=st.booleans())
    def map_nobody(self, *, mapped: bool) -> None:
        names = ["suzuki@example.co.jp"] + ["nobody@example.co.jp"] * mapped
        known = [{"source": "crm", "kind": "email", "value": name} for name in names]
        self.service.replace("/v1/members/suzuki", member("suzuki", identities=known))

    @rule(
        plan=st.sampled_from(("everybody", "team", "inside")),
        query=st.sampled_from(QUERIES),
        limit=st.sampled_from((1, 2, 500)),
    )
    def ask_a_goal(self, plan: str, query: dict[str, str], limit: int) -> None:
        answer = self.service.client.get(f"/v1/plans/{plan}/progress", params=query)
        if answer.status_code == 200:
            assert_explained(self.service, plan, limit, **query)

    @rule(
        metric=st.sampled_from(("talk_time", "revenue", "inbound_calls", "open_pipeline")),
        by=st.sampled_from(("member", "team")),
    )
    def ask_a_metric(self, metric: str, by: str) -> None:
        span = {"from": "2026-12-01T09:00:00+09:00", "to": "2026-12-11T09:00:00+09:00"}
        assert_series_explained(self.service, metric, by, span)

    def ask_everything(self) -> None:
        for plan in ("everybody", "team", "inside"):
            assert_explained(self.service, plan)
        assert self.service.mismatches() == []
        moved: Counter[tuple[str, str, str]] = Counter()
        for key in (f"{kind}-{number}" for kind in "cd" for number in range(7)):
            answer = self.service.get(f"/v1/activities/crm/{key}")
            if answer.status_code == 404:
                continue
            for count in answer.json()["counts"]:
                assert bool(count["cells"]) is (count["reason"] is None)
                for cell in count["cells"]:
                    moved[count["metric"], cell.get("currency", ""), cell["day"]] += cell["number"]
        assert {cell: n for cell, n in moved.items() if n} == days_of(self.service)


def days_of(service: Service) -> dict[tuple[str, str, str], int]:
    """The day tallies as they stand in the file."""
    query = (
        "SELECT metric, currency, day, sum(number) FROM tally_day JOIN metric_slot"
        " USING (workspace_id, slot) GROUP BY metric, currency, day"
    )
    with service.store.read() as reading:
        rows = reading.connection.exec_driver_sql(query).all()
    start = date(1970, 1, 1).toordinal()
    return {
        (metric, currency, date.fromordinal(start + day).isoformat()): number
        for metric, currency, day, number in rows
        if number
    }


def assert_series_explained(
    service: Service, metric: str, by: str, span: Mapping[str, Any]
) -> None:
    asked = {**span, "group_by": by}
    series = service.client.get(f"/v1/metrics/{metric}/series", params=asked).json()
    items, _ = listed(service, f"/v1/metrics/{metric}/activities", **span)
    told = {i[by]: (i["count"], Decimal(i["value"])) for i in series["items"]}
    groups = {item[by] for item in items}
    found = {
        group: next(iter(added([i for i in items if i[by] == group]).values())) for group in groups
    }
    assert found == told
    for group in groups - {None}:
        own, _ = listed(service, f"/v1/metrics/{metric}/activities", **span, **{by: group})
        assert own == [item for item in items if item[by] == group]


TestExplained = Explained.TestCase
TestExplained.settings = settings(
    max_examples=4,
    stateful_step_count=15,
    deadline=None,
    phases=(Phase.generate,),
    suppress_health_check=[HealthCheck.too_slow, HealthCheck.filter_too_much],
)


@pytest.fixture
def service() -> Iterator[Service]:
    with started(START) as running:
        yield settle(running)


GOAL = "/v1/plans/december/goals/calls/activities"
METRIC = "/v1/metrics/calls/activities"
SINCE: dict[str, Any] = {"from": "2026-12-01"}


def test_an_item_says_whose_it_is_and_what_it_adds(service: Service) -> None:
    service.post_events([call(1)])
    (item,), first = listed(service, GOAL)
    assert item == {
        "source": "crm",
        "key": "c-1",
        "kind": "call",
        "at": "2026-12-11T10:00:00+09:00",
        "actor": "sato@example.co.jp",
        "member": "sato",
        "team": "east",
        "in": "in_plan",
        "contribution": {"count": 1, "value": "1"},
    }
    assert (first["goal"], first["part"], first["plan"]["key"]) == ("calls", "actual", "december")


def test_pages_stay_apart_while_more_is_reported(service: Service) -> None:
    at = "2026-12-11T10:00:0{}+09:00"
    service.post_events([call(n, at=at.format(n)) for n in (1, 3, 5, 7)])
    first = service.get(f"{GOAL}?limit=2").json()
    service.post_events([call(n, at=at.format(n)) for n in (0, 2, 4, 6, 8)])
    second = service.get(f"{GOAL}?limit=500&cursor={first['next']}").json()
    seen = [item["key"] for item in (*first["items"], *second["items"])]
    assert seen == ["c-1", "c-3", "c-4", "c-5", "c-6", "c-7", "c-8"]


def test_a_page_has_a_tag_that_holds_until_anything_moves(service: Service) -> None:
    tag = service.get(GOAL).headers["etag"]
    assert service.get(GOAL, **{"if-none-match": tag}).status_code == 304
    service.post_events([call(1)])
    assert service.get(GOAL, **{"if-none-match": tag}).status_code == 200


def test_a_metric_is_explained_by_actor_and_for_nobody(service: Service) -> None:
    nobodys = call(3)
    del nobodys["actor"]
    service.post_events([call(1), call(2, "305"), nobodys])
    span: dict[str, Any] = {"from": "2026-12-01"}
    keys = {
        actor: [item["key"] for item in listed(service, METRIC, actor=actor, **span)[0]]
        for actor in ("sato@example.co.jp", "305", "")
    }
    assert keys == {"sato@example.co.jp": ["c-1"], "305": ["c-2"], "": ["c-3"]}
    assert listed(service, METRIC, source="crm", **span)[0] == listed(service, METRIC, **span)[0]


def test_distinct_and_extreme_values_are_shown_as_they_were_counted(service: Service) -> None:
    own = {"names": {"en": "x"}, "kind": "call", "time": "started_at"}
    unique = own | {"aggregation": "unique", "value": "counterpart"}
    longest = own | {"aggregation": "max", "value": "talk_seconds", "unit": "duration"}
    assert service.put("/v1/metrics/reached", unique).status_code == 201
    assert service.put("/v1/metrics/longest", longest).status_code == 201
    numbers = [("a", 5), ("a", 9), ("b", 7)]
    service.post_events(
        [
            call(n, data={"counterpart": who, "talk_seconds": seconds})
            for n, (who, seconds) in enumerate(numbers)
        ]
    )
    shown = {
        key: [
            i["contribution"] for i in listed(service, f"/v1/metrics/{key}/activities", **SINCE)[0]
        ]
        for key in ("reached", "longest")
    }
    assert len({one["text"] for one in shown["reached"]}) == 2
    assert all("value" not in one for one in shown["reached"])
    assert [one["value"] for one in shown["longest"]] == ["5", "9", "7"]


def test_a_thousand_cells_and_more_are_read_in_order(service: Service) -> None:
    """More quarter hours than are read at once, and more activities in one than a page holds."""
    service.replace("/v1/members/suzuki", member("suzuki"))
    spread = [
        call(n, at=f"2026-12-{1 + n % 13:02d}T{n // 13 % 24:02d}:{n // 312 * 15:02d}:00+09:00")
        for n in range(1_240)
    ]
    crowd = [call(10_000 + n, at="2026-12-05T12:00:00+09:00") for n in range(300)]
    for start in range(0, 1_540, 500):
        service.post_events((spread + crowd)[start : start + 500])
    items, first = listed(service, GOAL, 250)
    assert_in_order(items)
    assert len(items) == first["totals"][0]["count"] == 1_540


def test_what_was_partly_said_names_each_report_and_its_delivery(service: Service) -> None:
    service.post_events([deal(1) | {"revision": "1"}])
    changed = deal(1) | {"revision": "2", "merge": True, "data": {"amount": "5"}}
    changed.pop("actor")
    service.post_events([changed])
    body = service.get("/v1/activities/crm/d-1").json()
    base, part = body["revisions"]
    # A partial report names the kind as well, but does not touch whether it was retracted.
    assert part["stands"] == ["@kind", "amount"]
    assert {"won_at", "status", "@retracted"} <= set(base["stands"])
    assert not set(base["stands"]) & set(part["stands"])
    for revision in (base, part):
        delivery = service.get(f"/v1/deliveries/{revision['delivery']}").json()
        assert json.loads(delivery["body"])[0]["revision"] == revision["revision"]
    why = {count["metric"]: count["reason"] for count in body["counts"]}
    assert why["revenue"] is None
    assert (why["deals_created"]["code"], why["deals_created"]["params"]) == (
        "no_time",
        {"field": "created_at"},
    )


def test_an_expired_delivery_is_not_linked(service: Service) -> None:
    service.post_events([call(1)])
    assert service.get("/v1/activities/crm/c-1").json()["revisions"][0]["delivery"]
    with service.store.write("default", service.clock()) as writing:
        deliveries.expire(writing, 10, before=service.clock() + 1)
    assert service.get("/v1/activities/crm/c-1").json()["revisions"][0]["delivery"] is None


def test_each_reason_not_to_count_is_named(service: Service) -> None:
    inbound = call(1, data={"direction": "inbound", "outcome": "no_answer"})
    gone = call(2) | {"retracted": True}
    service.post_events([inbound, gone])

    def reasons(key: str) -> dict[str, Any]:
        counts = service.get(f"/v1/activities/crm/{key}").json()["counts"]
        return {one["metric"]: one["reason"] and one["reason"]["code"] for one in counts}

    assert reasons("c-1")["calls"] == "filtered"
    assert reasons("c-1")["inbound_calls"] is None
    assert set(reasons("c-2").values()) == {"retracted"}
    sources = service.get("/v1/sources/crm").json()
    service.replace(
        "/v1/sources/crm", {k: sources[k] for k in ("provider", "name")} | {"counts": ["deal"]}
    )
    assert set(reasons("c-1").values()) == {"kind_not_counted"}


@pytest.mark.parametrize("path", [GOAL, f"{METRIC}?from=2026-12-01"])
def test_a_cursor_that_was_not_given_out_here_is_refused(service: Service, path: str) -> None:
    service.post_events([call(1), call(2)])
    then = "&" if "?" in path else "?"
    good = service.get(f"{path}{then}limit=1").json()["next"]
    other = service.workspace("other")
    settle(other)
    foreign = "/v1/plans/december/goals/deals_won/activities"
    asked = ("default", "goal", "december", "calls", "actual")
    forged = [cursor_of(text, *asked) for text in ("[]", "[1]", '["a", "b", 1]', "{", "[1e999]")]
    for cursor in (*forged, "", "zzzz", good[:-2], good + "A"):
        answer = service.get(f"{path}{then}cursor={quote(cursor)}")
        assert answer.status_code == 422, cursor
        assert answer.json()["type"] == "urn:tassei:problem:invalid-cursor"
    for elsewhere, asking in ((path, other), (foreign, service)):
        more = "&" if "?" in elsewhere else "?"
        answer = asking.get(f"{elsewhere}{more}cursor={good}")
        assert answer.json()["type"] == "urn:tassei:problem:invalid-cursor"


def test_a_sealed_cursor_of_nonsense_is_refused(service: Service) -> None:
    """The seal is no secret: whoever reads the program can make one."""
    asked = Asked(None, Scope(), version=None)
    named = ("default", "goal", "december", "calls", "actual", repr(asked))
    for text in (
        "[]",
        "[1]",
        '["a", "b", 1, 2]',
        "{",
        '[1e999, "a", "b", 1]',
        f'[{2**70}, "a", "b", 1]',
    ):
        answer = service.get(f"{GOAL}?cursor={cursor_of(text, *named)}")
        assert answer.json()["type"] == "urn:tassei:problem:invalid-cursor", text
    place = json.dumps([0, "", "", 0])
    assert service.get(f"{GOAL}?cursor={cursor_of(place, *named)}").status_code == 200


def test_another_workspace_sees_nothing_of_it(service: Service) -> None:
    service.post_events([call(1)])
    other = service.workspace("other")
    assert other.get(GOAL).status_code == 404
    assert other.get("/v1/activities/crm/c-1").status_code == 404
    settle(other)
    assert listed(other, GOAL)[0] == []
    assert listed(other, METRIC, **SINCE)[0] == []
    other.post_events([call(1, "suzuki@example.co.jp")])
    assert [item["member"] for item in listed(other, GOAL)[0]] == ["suzuki"]
    assert [item["member"] for item in listed(service, GOAL)[0]] == ["sato"]


@pytest.mark.parametrize(
    ("path", "status", "code"),
    [
        ("/v1/plans/december/goals/none/activities", 404, "unknown-goal"),
        ("/v1/plans/none/goals/calls/activities", 404, "unknown-plan"),
        (f"{GOAL}?team=none", 404, "team-not-in-plan"),
        (f"{GOAL}?part=all", 422, "invalid-request"),
        (f"{GOAL}?as_of=2027-01-01", 422, "invalid-request"),
        ("/v1/metrics/none/activities?from=2026-12-01", 404, "unknown-metric"),
        (f"{METRIC}?from=2026-12-01&member=none", 404, "unknown-member"),
        (f"{METRIC}?from=2026-12-01&team=none", 404, "unknown-team"),
        (METRIC, 422, "invalid-request"),
    ],
)
def test_what_cannot_be_asked_is_said(service: Service, path: str, status: int, code: str) -> None:
    answer = service.get(path)
    assert (answer.status_code, answer.json()["type"]) == (status, f"urn:tassei:problem:{code}")

"""Where a number comes from: the activities listed for it add up to it, whatever happened."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from datetime import date
from decimal import Decimal
from typing import Any

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, rule

from tests.web.example import PLAN, START, call, deal, member, settle
from tests.web.service import Service, started

PEOPLE = ("sato", "suzuki", "tanaka")
TEAMS = st.sampled_from(("east", "north", "west"))  # north is below east; west is not in the plan
DAYS = [f"2026-12-{day:02d}" for day in (1, 4, 7, 10, 11, 14)]
TIMES = ("00:00:00", "08:59:59.999999", "09:00:00", "23:59:59")
PAST = "2026-12-11T09:00:00+09:00"
QUERIES = ({}, {"team": "north"}, {"member": "sato"}, {"team": "east", "as_of": PAST})
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


def listed(service: Service, path: str, limit: int = 3, **query: str) -> tuple[list[Any], Any]:
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
    service: Service, metric: str, by: str, span: Mapping[str, str]
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

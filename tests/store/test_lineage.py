"""What grew from what: in any order of arrival, as known at any commit, and rebuilt alike."""

from __future__ import annotations

import random
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from app.domain.activities import KIND, RETRACTED, Report, make_report
from app.domain.instants import QUARTER, instant
from app.domain.revisions import of_number
from app.store import actors, building, cohorts, ledger
from app.store.engine import Store
from tests.engines import overheard
from tests.store.own_metrics import DEFINITIONS, built, define, redefine
from tests.store.recount import fields_of, piles
from tests.store.test_building import small_steps
from tests.store.test_known_at import Life, life
from tests.store.worlds import W, call, delivery, report, sent, won

TIMES = [f"2026-12-{day:02}T{hour:02}:00:00Z" for day, hour in ((1, 3), (1, 9), (2, 3), (4, 3))]
FIRST, END = (instant(f"2026-{day}T00:00:00Z") // QUARTER for day in ("11-01", "12-31"))
EDGES = [("calls", "appointments"), ("appointments", "deals_won"), ("appointments", "revenue")]
Pair = tuple[int, str, int]  # when it began, whose it was, when it turned out

_links = st.lists(
    st.fixed_dictionaries(
        {"key": st.sampled_from(["c1", "c2", "m1", "m2", "m3", "d1"])},
        optional={"source": st.sampled_from(["crm", "other"])},
    ),
    max_size=2,
)
_people = st.sampled_from(["sato", "suzuki"])
_calls = st.fixed_dictionaries(
    {KIND: st.just("call"), "direction": st.sampled_from(["outbound", "outbound", "inbound"])},
    optional={"started_at": st.sampled_from(TIMES), "agent": _people},
)
_meetings = st.fixed_dictionaries(
    {KIND: st.just("meeting"), "booked_at": st.sampled_from(TIMES)},
    optional={"booked_by": _people, "origin": _links, RETRACTED: st.sampled_from([False, True])},
)
_deals = st.fixed_dictionaries(
    {KIND: st.just("deal"), "status": st.sampled_from(["won", "won", "open"])},
    optional={"won_at": st.sampled_from(TIMES), "owner": _people, "origin": _links | st.none()},
)


@st.composite
def told(draw: st.DrawFn) -> Report:
    letter = draw(st.sampled_from("cmmd"))
    fields: Any = {"c": _calls, "m": _meetings, "d": _deals}[letter]
    key = letter + draw(st.sampled_from("123"))
    revision = of_number(str(draw(st.integers(1, 5))))
    said: dict[str, Any] = draw(fields)
    return make_report(
        draw(st.sampled_from(["crm", "crm", "other"])),
        key,
        revision,
        said,
        full=draw(st.booleans()),
    )


_batches = st.lists(st.lists(told(), min_size=1, max_size=6), min_size=2, max_size=5)


def places(fields: dict[str, Any], metric: str) -> tuple[str, str] | None:
    """When and whose, by the words of the contract."""
    kind, gone = fields[KIND], fields.get(RETRACTED) is True
    at, who, counts = {
        "calls": ("started_at", "agent", fields.get("direction") == "outbound"),
        "appointments": ("booked_at", "booked_by", True),
        "deals_won": ("won_at", "owner", fields.get("status") == "won"),
    }[metric]
    wanted = {"calls": "call", "appointments": "meeting", "deals_won": "deal"}[metric]
    if kind != wanted or gone or not counts or fields.get(at) is None:
        return None
    return fields[at], fields.get(who) or ""


def grown_slowly(reports: list[Report], edge: tuple[str, str]) -> list[Pair]:
    """Every pair looked at, the earliest taken."""
    world = {where: fields_of(pile) for where, pile in piles(reports).items()}
    first: dict[Any, Any] = {}
    for child, fields in world.items():
        born = places(fields, edge[1])
        named = {(one.get("source") or child[0], one["key"]) for one in fields.get("origin") or []}
        found = [
            (begun[0], parent)
            for parent in named - {child}
            if parent in world and (begun := places(world[parent], edge[0]))
        ]
        if born and found:
            first.setdefault(min(found)[1], []).append(born[0])
    return sorted(
        (instant(begun[0]) // QUARTER, begun[1], instant(min(ends)) // QUARTER)
        for parent, ends in first.items()
        if (begun := places(world[parent], edge[0]))
    )


def grown(one: Life, edge: tuple[str, str], at: int | None = None) -> list[Pair]:
    seq = None if at is None else one.knowing(at).seq
    with one.store.read() as reading:
        who = actors.all_actors(reading, W)
        rows = cohorts.grown(reading, W, edge, (FIRST, END), END, seq)
    assert all(row.number == 1 for row in rows)
    return sorted((row.begun, who[row.actor].identity, row.became) for row in rows)


def stored(store: Store) -> list[list[Any]]:
    """All rows, without the numbers that slots happen to have."""
    placed = (
        "SELECT s.metric, s.currency, p.quarter, p.source, p.key, p.actor, p.since, p.until, "
        "p.number FROM placed p JOIN metric_slot s USING (workspace_id, slot)"
    )
    with store.read() as reading:
        return [
            sorted(tuple(row) for row in reading.connection.execute(text(query)))
            for query in ("SELECT * FROM link", placed)
        ]


_quickly = settings(max_examples=15, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@_quickly
@given(_batches, st.randoms(use_true_random=False))
def test_what_grew_from_what_is_what_the_reports_say_whenever_they_came_and_it_was_asked(
    batches: list[list[Report]], dice: random.Random
) -> None:
    with life(crm=None, other=None) as one:
        for place, batch in enumerate(batches):
            one.hears(*batch)
            if place == len(batches) // 2:
                redefine(one.store, "h_count", DEFINITIONS["h_count"], one.now)
            with small_steps(1):
                building.step(one.store, W, one.now)
            assert ledger.verify(one.store, W) == []
        built(one.store, one.now)
        assert ledger.verify(one.store, W) == []
        everything = [told for batch in batches for told in batch]
        for edge in EDGES[:2]:
            assert grown(one, edge) == grown_slowly(everything, edge)
            for at in one.moments(dice):
                assert grown(one, edge, at) == grown_slowly(one.by(at), edge)
        before = stored(one.store)
        ledger.rebuild(one.store, W, one.now)
        assert stored(one.store) == before
        redefine(one.store, "h_count", None, one.now)
        built(one.store, one.now)
        assert ledger.verify(one.store, W) == []
        assert not [row for row in stored(one.store)[1] if row[0].startswith("h_count")]


def won_from(key: str, *origin: str, **fields: Any) -> Report:
    return won(key, origin=[{"key": one} for one in origin], **fields)


def meeting(key: str, revision: int = 1, **fields: Any) -> Report:
    usual = {"kind": "meeting", "booked_at": TIMES[0], "booked_by": "sato"}
    return report(key, revision, **(usual | fields))


def test_a_child_may_come_before_its_parent_and_both_may_be_corrected(store: Store) -> None:
    def pairs() -> list[tuple[int, int]]:
        with store.read() as reading:
            rows = cohorts.grown(reading, W, EDGES[1], (FIRST, END), END)
        assert ledger.verify(store, W) == []
        return [(row.begun, row.became) for row in rows]

    first, second, _, last = (instant(at) // QUARTER for at in TIMES)
    sent(store, delivery(won_from("d", "m", won_at=TIMES[3])))
    assert pairs() == []
    sent(store, delivery(meeting("m")))
    assert pairs() == [(first, last)]
    sent(store, delivery(meeting("m", 2, booked_at=TIMES[1])))
    assert pairs() == [(second, last)]
    sent(store, delivery(report("d", 2, full=False, origin=[{"key": "n"}])))
    assert pairs() == []
    sent(store, delivery(meeting("n"), meeting("m", 3, booked_at=TIMES[2])))
    assert pairs() == [(first, last)]
    sent(store, delivery(report("d", 3, full=False, origin=None)))
    assert pairs() == []


def test_who_names_no_origin_pays_nothing(store: Store) -> None:
    def asked(*reports: Report) -> list[str]:
        with overheard(store) as found:
            sent(store, delivery(*reports))
        own = [one for one, _ in found if " link" in one or " placed" in one]
        # A process that starts asks once whether there is any.
        return own[1:]

    assert asked(won("d"), call("c"), meeting("m")) == []
    assert asked(won("d", 2), meeting("m", 2)) == []
    assert asked(won_from("e", "m")) != []
    assert asked(call("c", 2)) != []  # it may be what something grew from


_COPIED = "workspace_id, slot, quarter, source, 'x', actor, since, until, number"


@pytest.mark.parametrize(
    ("damage", "table"),
    [
        ("DELETE FROM link", "link"),
        ("UPDATE link SET since = since + 1", "link"),
        ("UPDATE link SET from_key = 'n'", "link"),
        ("UPDATE link SET until = since + 1", "link"),
        ("DELETE FROM placed WHERE key = 'm'", "placed"),
        ("UPDATE placed SET quarter = quarter + 1 WHERE key = 'd'", "placed"),
        ("UPDATE placed SET actor = actor + 1", "placed"),
        (f"INSERT INTO placed SELECT {_COPIED} FROM placed WHERE key = 'm'", "placed"),  # noqa: S608 - our own words
    ],
)  # fmt: skip
def test_any_damage_is_found_and_mended(store: Store, damage: str, table: str) -> None:
    sent(store, delivery(meeting("m"), won_from("d", "m"), call("c", agent="suzuki")))
    assert ledger.verify(store, W) == []
    before = stored(store)
    with store.transaction() as connection:
        assert connection.execute(text(damage)).rowcount > 0
    assert table in {one.what for one in ledger.verify(store, W)}
    ledger.rebuild(store, W, 0)
    assert ledger.verify(store, W) == []
    assert stored(store) == before


def test_shared_credit_is_shared_and_an_item_turns_out_once(store: Store) -> None:
    people = [{"identity": "sato", "share": "0.3"}, {"identity": "suzuki", "share": "0.7"}]
    shared = DEFINITIONS["s_count"] | {"kind": "meeting", "time": "booked_at"}
    define(store, "shared", {k: v for k, v in shared.items() if k not in {"roles", "where"}})
    sent(
        store,
        delivery(
            meeting("m", credits=people),
            won_from("d", "m", won_at=TIMES[3]),
            won_from("e", "m", won_at=TIMES[2]),
        ),
    )
    with store.read() as reading:
        rows = cohorts.grown(reading, W, ("shared", "deals_won"), (FIRST, END), END)
    assert [row.number for row in rows] == [300_000, 700_000]
    assert {row.became for row in rows} == {instant(TIMES[2]) // QUARTER}

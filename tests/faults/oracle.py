"""What must hold whatever broke: the laws, checked against a recount from outside.

The recount is that of the store's tests, written from the words of the law and not from the
program; `ledger.verify`, which is the program's own, is asked as well.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable
from dataclasses import dataclass
from typing import Any

from prometheus_client.parser import text_string_to_metric_families

from app.domain.activities import Report
from app.store import activities, heads, ledger
from app.store.engine import Store
from app.store.transactions import Reading
from tests.faults.load import Event
from tests.faults.service import OTHER, SOURCE, Service
from tests.store.recount import fields_of, piles, stored_tallies, tallies_of
from tests.store.worlds import W

MOST_SERIES = 3_000
_ZONE = "Asia/Tokyo"


@dataclass(frozen=True)
class Verdict:
    """Figures of a run: what was promised, what of it is missing, what counts too much."""

    acked: int
    lost: int
    doubled: int


def assert_laws(where: Service | Store, sent: Iterable[Event], acked: Collection[Event]) -> Verdict:
    """The laws hold of what is stored. `acked` are those of `sent` that were answered with 2xx."""
    if isinstance(where, Store):
        return _of_store(where, list(sent), set(acked))
    with where.store() as store:
        verdict = _of_store(store, list(sent), set(acked))
        _a_neighbour_notices_nothing(where, store)
    _the_exposition_is_bounded(where)
    return verdict


def _of_store(store: Store, sent: list[Event], acked: set[Event]) -> Verdict:
    with store.read() as reading:
        states = _states(reading)
        stored = _reports(reading, states)
        _the_database_is_whole(reading)
        _commits_are_a_prefix(reading)
    places = Counter((one.key, one.stamp.revision) for one in stored)
    lost = {event.place for event in acked} - places.keys()
    doubled = _doubled(store, stored)
    verdict = Verdict(len(acked), len(lost), doubled)
    assert (verdict.lost, verdict.doubled) == (0, 0), (verdict, sorted(lost)[:5])
    assert set(places) <= {event.place for event in sent}
    assert max(places.values(), default=1) == 1
    assert ledger.verify(store, W) == []
    meant = [event.report for event in sent if event.place in places]
    # The state is that of what is stored, in whatever order and however often it came.
    assert stored_tallies(store) == tallies_of(meant, {SOURCE: None}, _ZONE)
    assert states == {key: fields_of(pile) for (_, key), pile in piles(meant).items()}
    return verdict


def _doubled(store: Store, stored: list[Report]) -> int:
    """How much more is counted than what is stored says, over all days."""
    counted, _ = stored_tallies(store)
    right, _ = tallies_of(stored, {SOURCE: None}, _ZONE)
    return sum(
        max(0, number - right.get(place, (0, 0))[0]) for place, (number, _) in counted.items()
    )


def _states(reading: Reading) -> dict[str, dict[str, Any]]:
    """Every activity as it stands, by key."""
    found: dict[str, dict[str, Any]] = {}
    cursor: str | None = None
    while True:
        page = activities.page(reading, W, cursor, 5_000)
        found |= {one.key: dict(one.state.fields) for one in page.items}
        if (cursor := page.next) is None:
            return found


def _reports(reading: Reading, keys: Iterable[str]) -> list[Report]:
    return [
        Report(SOURCE, key, one.stamp, one.full, one.fields, "")
        for key in keys
        for one in activities.revisions(reading, W, SOURCE, key)
    ]


def _the_database_is_whole(reading: Reading) -> None:
    if reading.connection.dialect.name == "sqlite":
        found = reading.connection.exec_driver_sql("PRAGMA integrity_check").all()
        assert [row[0] for row in found] == ["ok"]


def _commits_are_a_prefix(reading: Reading) -> None:
    """No commit is missing below the head, and none is above it."""
    for workspace, head in heads.all_heads(reading).items():
        rows = reading.connection.exec_driver_sql(
            f"SELECT seq, at FROM workspace_commit WHERE workspace_id = '{workspace}' ORDER BY seq"  # noqa: S608 - our own keys
        ).all()
        assert [row[0] for row in rows] == list(range(1, head.seq + 1))
        instants = [row[1] for row in rows]
        assert instants == sorted(set(instants))
        assert instants[-1] == head.at


def _a_neighbour_notices_nothing(service: Service, store: Store) -> None:
    with store.read() as reading:
        assert heads.head(reading, OTHER) == service.other
        assert activities.page(reading, OTHER, None, 1).items == []


def _the_exposition_is_bounded(service: Service) -> None:
    text = service.ask("GET", "/metrics").body.decode()
    families = list(text_string_to_metric_families(text))
    series = [sample for family in families for sample in family.samples]
    assert 0 < len(series) < MOST_SERIES
    assert len({(one.name, tuple(sorted(one.labels.items()))) for one in series}) == len(series)

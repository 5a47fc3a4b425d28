"""The proof and the repair: tallies are a cache of the activities, and activities of reports.

`verify` believes nothing but the reports: it joins them anew and counts with the domain's own
`cells`, not with what the recorder uses. `rebuild` counts anew from the reports.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from itertools import islice
from typing import NamedTuple

from sqlalchemy import Table, exists, func, select, tuple_

from app.domain.activities import NOTHING, Report, Story, joined, make_report
from app.domain.errors import NotFound
from app.domain.tallies import Cell, Movement, cells, occurrences
from app.store import counting, heads, history, recounting, rules, states
from app.store.actors import Actor, all_actors
from app.store.engine import Store
from app.store.history import Told
from app.store.lineage_proof import Lineage
from app.store.proof import Commits, kept, named
from app.store.rules import Rules
from app.store.standing import stored_standing
from app.store.statements import upsert
from app.store.states import CHUNK, Where
from app.store.tables import (
    activity,
    activity_revision,
    credit,
    tally_day,
    tally_quarter,
    tally_values,
    verification,
)
from app.store.transactions import Access, Writing

_A, _R, _C = activity.c, activity_revision.c, credit.c
_CREDITS = select(_C.actor, _C.at, _C.source, _C.key)
_CREDIT = tuple_(_C.actor, _C.at, _C.source, _C.key)
Credit = tuple[int, int, str, str]  # actor, instant, source, key
Bucket = tuple[str, str, int, str, str]  # metric, currency, day or quarter, source, identity
Valued = tuple[str, str, int, str, str, str]  # a bucket of quarters, and the value
Histories = list[tuple[Where, list[Told]]]


@dataclass(frozen=True, slots=True)
class Mismatch:
    """Something stored that is not what the reports say. `what` names the table."""

    what: str
    place: tuple[str | int, ...]
    stored: str
    computed: str


def verify(store: Store, workspace: str) -> list[Mismatch]:
    """Recompute every state, credit and tally of a workspace; what is stored wrongly.

    One snapshot, so it may run while events pour in. Raises NotFound for an unknown workspace.
    """
    with store.read() as reading:
        if heads.head(reading, workspace) is None:
            raise NotFound("unknown_workspace")
        audit = _Audit(reading, workspace, rules.load(reading, workspace))
        histories = history.every(reading, workspace)
        while chunk := list(islice(histories, CHUNK)):
            audit.check(chunk)
        return audit.finish()


def note_verified(writing: Writing, mismatches: int) -> None:
    """Keep the result of a verification, for the gauge and whoever asks later."""
    row = {"workspace_id": writing.workspace, "at": writing.at, "mismatches": mismatches}
    writing.connection.execute(upsert(verification, replace=("at", "mismatches")), row)


def last_verified(access: Access, workspace: str) -> int | None:
    """How many mismatches the last verification found; None before the first one."""
    query = select(verification.c.mismatches).where(verification.c.workspace_id == workspace)
    return access.connection.execute(query).scalar_one_or_none()


def rebuild(store: Store, workspace: str, now: int) -> None:
    """Count everything anew, in one transaction."""
    with store.write(workspace, now) as writing:
        rebuild_in(writing)


def rebuild_in(writing: Writing) -> None:
    """Count everything anew inside a transaction, by the rules that stand in it.

    For a repair, and after a change of currency or of what a source counts. What was being built
    is built by it.
    """
    recounting.recount_all(writing)
    counting.note(writing)
    heads.reconfigure(writing)


class _Flags(NamedTuple):
    kind: str
    retracted: int
    has_partials: int
    uncounted: int


class _Audit:
    """Collects what differs, chunk by chunk; the tallies are compared at the end."""

    def __init__(self, access: Access, workspace: str, counting: Rules) -> None:
        self._access = access
        self._workspace = workspace
        self._rules = counting
        self._leaving = counting.leaving
        self._found: list[Mismatch] = []
        self._credits = 0
        actors = all_actors(access, workspace)
        self._actors = {who: number for number, who in actors.items()}
        self._quarters: dict[Bucket, tuple[int, int]] = {}
        self._days: dict[Bucket, tuple[int, int]] = {}
        self._values: Counter[Valued] = Counter()
        self._commits = Commits()
        self._lineage = Lineage(access, workspace, counting)

    def check(self, histories: Histories) -> None:
        stored = states.load_all(self._access, self._workspace, (where for where, _ in histories))
        flags = self._flags(histories)
        credited: set[Credit] = set()
        for where, told in histories:
            reports = [one.report for one in told]
            self._check_reports(where, reports)
            state = joined(reports)
            metrics = self._rules.tallied(where, state.kind)
            self._commits.expect(where, told, self._rules)
            told_of = history.last(told) if state.kind in self._rules.remembering else Story(state)
            stands = stored_standing(state, metrics, self._rules.currency, told_of.earlier)
            self._compare("activity", where, stored.get(where, NOTHING), state)
            expected = _Flags(state.kind, state.retracted, bool(state.stamps), stands.uncounted)
            self._compare("activity", where, flags.get(where), expected)
            self._count(where, told_of)
            credited |= {
                (self._actors.get(Actor(where[0], who), 0), at, *where)
                for who, at in stands.credits
            }
        self._check_credits(credited)
        for one in self._lineage.differing(histories):
            self._compare(one.what, one.where, one.stored, one.computed)

    def finish(self) -> list[Mismatch]:
        self._check_orphans()
        self._check_tallies(tally_quarter, self._quarters)
        self._check_tallies(tally_day, self._days)
        self._check_values()
        for one in self._lineage.beside():
            self._compare(one.what, one.where, one.stored, one.computed)
        stored = Commits()
        stored.read(self._access, self._workspace, self._leaving)
        for seq, is_stored, should_be in self._commits.differing(stored):
            self._compare("journal", (seq,), is_stored, should_be)
        query = select(func.count()).where(credit.c.workspace_id == self._workspace)
        self._compare("credit", (), self._access.connection.scalar(query), self._credits)
        return self._found

    def _compare(
        self, what: str, place: tuple[str | int, ...], stored: object, computed: object
    ) -> None:
        if stored != computed:
            self._found.append(Mismatch(what, place, repr(stored), repr(computed)))

    def _check_reports(self, where: Where, reports: list[Report]) -> None:
        for report in reports:
            revision, mapping, _ = report.stamp
            again = make_report(*where, revision, report.fields, full=report.full, mapping=mapping)
            self._compare("activity_revision", where, report.stamp, again.stamp)

    def _flags(self, histories: Histories) -> dict[Where, _Flags]:
        first, last = histories[0][0], histories[-1][0]
        place = tuple_(_A.source, _A.key)
        query = select(
            _A.source, _A.key, _A.kind, _A.retracted, _A.has_partials, _A.uncounted
        ).where(_A.workspace_id == self._workspace, place >= first, place <= last)
        found = self._access.connection.execute(query)
        return {(source, key): _Flags(*rest) for source, key, *rest in found}

    def _count(self, where: Where, story: Story) -> None:
        state, earlier = story
        source, metrics = where[0], kept(self._rules, where, state)
        for cell, movement in cells(state, metrics, self._rules.currency, earlier).items():
            _add(self._quarters, cell, cell.quarter, source, movement)
            _add(self._days, cell, self._rules.day_of(cell.quarter), source, movement)
        for metric, currency, quarter, who, value in occurrences(
            state, metrics, self._rules.currency, earlier
        ):
            self._values[metric, currency, quarter, source, who, value] += 1

    def _check_credits(self, expected: set[Credit]) -> None:
        self._credits += len(expected)
        probe = _CREDITS.where(_C.workspace_id == self._workspace)
        wanted = sorted(expected)
        for start in range(0, len(wanted), 100):
            some = wanted[start : start + 100]
            found = self._access.connection.execute(probe.where(_CREDIT.in_(some)))
            for missing in set(some) - {tuple(row) for row in found}:
                self._compare("credit", missing, None, "a row")

    def _check_orphans(self) -> None:
        reported = exists().where(
            _R.workspace_id == _A.workspace_id, _R.source == _A.source, _R.key == _A.key
        )
        query = select(_A.source, _A.key).where(_A.workspace_id == self._workspace, ~reported)
        for row in self._access.connection.execute(query):
            self._compare("activity", tuple(row), "state", None)

    def _check_tallies(self, table: Table, computed: dict[Bucket, tuple[int, int]]) -> None:
        bucket_of = table.c[table.name.removeprefix("tally_")]
        query = named(
            table, self._workspace, self._leaving, bucket_of, table.c.number, table.c.total
        )
        for row in self._access.connection.execute(query):
            bucket, amount = tuple(row[:5]), tuple(row[5:])
            self._compare(table.name, bucket, amount, computed.pop(bucket, (0, 0)))
        for missing, expected in computed.items():
            self._compare(table.name, missing, (0, 0), expected)

    def _check_values(self) -> None:
        of = tally_values.c
        for *place, n in self._access.connection.execute(
            named(tally_values, self._workspace, self._leaving, of.quarter, of.value, of.n)
        ):
            self._compare(tally_values.name, tuple(place), n, self._values.pop(tuple(place), 0))
        for missing, expected in self._values.items():
            self._compare(tally_values.name, missing, 0, expected)


def _add(
    buckets: dict[Bucket, tuple[int, int]], cell: Cell, bucket: int, source: str, by: Movement
) -> None:
    place = (cell.metric, cell.currency, bucket, source, cell.identity)
    number, total = buckets.get(place, (0, 0))
    buckets[place] = (number + by.number, total + by.total)

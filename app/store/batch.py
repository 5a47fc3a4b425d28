"""The items of one workspace in one transaction: joined in memory, written in a few statements."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from app.domain.activities import (
    NOTHING,
    Outcome,
    Report,
    State,
    canonical_json,
    join,
    outcome,
)
from app.domain.deliveries import Delivery, Item, ItemResult, Refused
from app.domain.errors import Conflict, Fault, Invalid
from app.domain.revisions import RevisionClock, clock_of
from app.store import (
    awaited,
    lineage,
    remembering,
    sources,
    states,
    strays,
    tallies,
)
from app.store.awaited import Taken
from app.store.contradictions import Contradictions
from app.store.deliveries import Shelf
from app.store.quarantine import Mark as Entry
from app.store.rules import Rules
from app.store.sources import SourceState
from app.store.standing import NOWHERE, Standing, standing, stored_standing
from app.store.states import Mark, Recorded, Saved, Where
from app.store.strays import Work
from app.store.tallies import Change, Numbers
from app.store.transactions import Writing

_FULL_HEAD, _FULL_TAIL = len('{"fields":'), len(',"full":true}')
_UNHEARD = SourceState(0, None)


@dataclass(slots=True)
class Memory:
    """What the recorder remembers of a workspace, and the commit with which it last knew it."""

    rules: Rules
    seq: int
    at: int
    numbers: Numbers = field(default_factory=Numbers)
    # As of that very commit: whoever finds another one behind its own reads them anew.
    heard: dict[str, SourceState] | None = None
    unawaited: set[str] = field(default_factory=set)

    def follow(self, writing: Writing) -> None:
        """Be of this commit."""
        if (self.seq, self.at) != (writing.seq - 1, writing.before):
            self.heard = None
            self.unawaited.clear()
        self.seq, self.at = writing.seq, writing.at


class Batch:
    """The items of one workspace in one transaction."""

    def __init__(self, writing: Writing, memory: Memory, shelf: Shelf) -> None:
        self._writing = writing
        self._shelf = shelf
        self._entries: set[Entry] = set()
        self._memory = memory
        self._rules = memory.rules
        self._numbers = memory.numbers
        if memory.heard is None:
            memory.heard = sources.states(writing, writing.workspace)
        self._sources = memory.heard
        self._heard: dict[str, SourceState] = {}
        self._states: dict[Where, State] = {}
        self._known: set[Mark] = set()
        self._before: dict[Where, State] = {}
        self._after: dict[Where, Standing] = {}
        self._texts: dict[Where, str] = {}
        self._recorded: list[Recorded] = []
        self._contradictions = Contradictions(writing)
        self._taken: list[Taken] = []

    def record(self, works: Sequence[Work], empty: Sequence[Delivery]) -> list[ItemResult]:
        self._load(work.item.report for work in works if isinstance(work.item, Item))
        results = [self._take(work) for work in works]
        self._hear_names(work.delivery for work in works if work.delivery.references)
        self._hear_names(empty)
        self._write()
        for delivery in empty:
            self._shelf.place(delivery)
        for work, result in zip(works, results, strict=True):
            self._shelf.count(work.delivery, result)
        self._shelf.write()
        self._settle()
        strays.resolve(self._writing, works, results, empty, self._entries)
        return results

    def _load(self, reports: Iterable[Report]) -> None:
        by_source: dict[str, list[Report]] = defaultdict(list)
        for report in reports:
            by_source[report.source].append(report)
        workspace = self._writing.workspace
        for source, brought in by_source.items():
            found = states.load(self._writing, workspace, source, {r.key for r in brought})
            if not found:
                continue
            self._states |= {(source, key): state for key, state in found.items()}
            again = [report for report in brought if report.key in found]
            known = states.known(self._writing, workspace, source, again)
            self._known |= known
            self._contradictions.load(source, again, known)

    def _take(self, work: Work) -> ItemResult:
        delivery, item = work
        if isinstance(item, Refused):
            return self._refuse(work, item.error)
        if delivery.replay is not None and _mark(item.report) in self._known:
            # Taken in once, it stays so: a source out of use must not put it in question.
            return ItemResult(item.index, item.id, Outcome.DUPLICATE)
        try:
            clock = self._admit(item.report)
            word = self._join(item.report, delivery)
        except Invalid as error:
            return self._refuse(work, error)
        self._hear(item.report.source, delivery.received_at, clock)
        if word is not Outcome.DUPLICATE:
            self._taken.append(Taken(item.report, item.id))
        if word is Outcome.CONFLICT:
            return ItemResult(item.index, item.id, word, Conflict("revision_conflict"))
        return ItemResult(item.index, item.id, word)

    def _refuse(self, work: Work, error: Invalid) -> ItemResult:
        delivery, item = work
        source = item.source if isinstance(item, Refused) else item.report.source
        if source in self._rules.serving:
            self._hear(source, delivery.received_at, None)
        if not delivery.quarantines:
            return ItemResult(item.index, item.id, Outcome.REJECTED, error)
        # What came before an entry cannot make up for it.
        self._settle()
        self._entries.add(strays.set_aside(self._writing, self._shelf, work, error))
        self._memory.unawaited.clear()
        return ItemResult(item.index, item.id, Outcome.QUARANTINED, error)

    def _settle(self) -> None:
        awaited.settle(self._writing, self._taken, self._memory.unawaited)
        self._taken.clear()

    def _admit(self, report: Report) -> RevisionClock | None:
        """The clock of its revision, which the source goes by once the report is taken in."""
        source = report.source
        if source not in self._rules.serving:
            raise Invalid("unknown_source", Fault("/source", "unknown_source"))
        clock = clock_of(report.stamp.revision)
        if clock and (used := self._state_of(source).clock) and used is not clock:
            raise Invalid("revision_clock_mixed")
        return clock

    def _hear(self, source: str, received_at: int, clock: RevisionClock | None) -> None:
        """A source has spoken, whatever becomes of what it said."""
        state = self._state_of(source)
        if received_at > state.last_received_at or (clock and not state.clock):
            latest = max(received_at, state.last_received_at)
            self._heard[source] = SourceState(latest, state.clock or clock)

    def _hear_names(self, deliveries: Iterable[Delivery]) -> None:
        """Who only names something has spoken as well."""
        for delivery in deliveries:
            for source in {reference.source for reference in delivery.references}:
                if source in self._rules.serving:
                    self._hear(source, delivery.received_at, None)

    def _state_of(self, source: str) -> SourceState:
        return self._heard.get(source) or self._sources.get(source) or _UNHEARD

    def _join(self, report: Report, delivery: Delivery) -> Outcome:
        where = (report.source, report.key)
        mark = _mark(report)
        if mark in self._known:
            return Outcome.DUPLICATE
        before = self._states.get(where, NOTHING)
        after = join(before, report)
        word = outcome(before, report, after, known=False)
        if after is not before:
            self._stand(where, before, after)
            if after.fields is report.fields:
                # A full report with nothing newer beside it is the state, text and all.
                self._texts[where] = report.content[_FULL_HEAD:-_FULL_TAIL]
            else:
                self._texts.pop(where, None)
        self._known.add(mark)
        brought_by = self._shelf.place(delivery)
        self._recorded.append(Recorded(*mark, report.full, report.content, brought_by))
        self._contradictions.meet(report)
        return word

    def _stand(self, where: Where, before: State, after: State) -> None:
        metrics = self._rules.tallied(where, after.kind)
        self._after[where] = standing(after, metrics, self._rules.currency)
        self._before.setdefault(where, before)
        self._states[where] = after

    def _write(self) -> None:
        states.record(self._writing, self._recorded)
        remembered = remembering.changes(
            self._writing, self._rules, self._recorded, self._before, self._states
        )
        self._after |= {w: one.after for w, one in remembered.items() if w in self._after}
        changed = {
            where: Saved(
                state := self._states[where],
                self._texts.get(where) or canonical_json(state.fields),
                stands.uncounted,
            )
            for where, stands in self._after.items()
        }
        self._contradictions.write()
        states.save(self._writing, changed)
        states.save_fields(
            self._writing,
            {
                where: saved.state
                for where, saved in changed.items()
                if saved.state.stamps or self._before[where].stamps
            },
        )
        changes = self._changes(remembered)
        tallies.post(self._writing, self._rules, self._numbers, changes)
        told = {where: self._states[where] for where in (*self._after, *remembered)}
        lineage.follow(self._writing, self._rules, self._numbers, told)
        sources.hear(self._writing, self._heard)
        self._sources |= self._heard

    def _changes(self, remembered: Mapping[Where, Change]) -> list[Change]:
        plain = [
            Change(*where, self._stood(where, self._before[where]), after)
            for where, after in self._after.items()
            if where not in remembered
        ]
        return [*plain, *remembered.values()]

    def _stood(self, where: Where, state: State) -> Standing:
        if state is NOTHING:
            return NOWHERE
        metrics = self._rules.tallied(where, state.kind)
        return stored_standing(state, metrics, self._rules.currency)


def _mark(report: Report) -> Mark:
    return report.source, report.key, report.stamp

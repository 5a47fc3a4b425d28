"""Counting anew over all history: everything, or one metric while the others are not touched.

Everything happens under the head's lock. Deliveries wait for it, and the committer then reads the
new definition inside its own transaction, so no event is counted by both or by neither. The
journal is written anew as well, commit by commit as the reports came: what had been received by
last Friday is asked of a definition that is younger, and answered.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Iterable, Iterator, Mapping

from sqlalchemy import exists, or_, select, tuple_
from sqlalchemy.exc import IntegrityError

from app.domain.activities import KIND, State, canonical_json
from app.domain.errors import Invalid
from app.store import actors, history, journal, rules, states, tallies
from app.store.dialect import AnySelect
from app.store.history import Told
from app.store.rules import Rules
from app.store.standing import NOWHERE, Standing, stored_standing
from app.store.states import CHUNK, Where
from app.store.tables import activity, activity_revision
from app.store.tallies import Change, Numbers
from app.store.transactions import Writing

_A, _R = activity.c, activity_revision.c
Stand = Callable[[str, State], Standing]
# Told how many activities are counted so far.
Progressed = Callable[[int], None]


def recount_all(writing: Writing, progressed: Progressed | None = None) -> None:
    """Count everything by the rules that stand in this transaction."""
    counting = rules.load(writing, writing.workspace)
    tallies.clear(writing)
    numbers = Numbers()
    done = 0

    def stand(source: str, state: State) -> Standing:
        metrics = counting.metrics_of(source, state.kind)
        return stored_standing(state, metrics, counting.currency)

    for flags in _chunks(writing, _activities(writing)):
        steps = _steps(history.of(writing, writing.workspace, flags), stand)
        finals = [Change(*where, NOWHERE, own[-1][1]) for where, own in steps.items()]
        tallies.move(writing, counting, tallies.moved(writing, numbers, finals))
        tallies.credit_anew(writing, numbers, finals)
        _journal(writing, numbers, steps)
        missing = {where: own[-1][1].uncounted for where, own in steps.items()}
        states.flag(writing, {w: flag for w, flag in missing.items() if flag != flags[w]})
        done += len(flags)
        if progressed is not None:
            progressed(done)


def recount(writing: Writing, metric: str, before: Rules) -> None:
    """Count a metric by the rules that now stand; `before` are those it was counted by.

    Raises Invalid `tally_does_not_fit` when its sums leave 64 bits.
    """
    after = rules.load(writing, writing.workspace)
    kinds = before.kinds_of(metric) | after.kinds_of(metric)
    tallies.clear_metric(writing, metric)
    numbers = Numbers()

    def stand(source: str, state: State) -> Standing:
        known = after.metrics_of(source, state.kind)
        own = tuple(one for one in known if one.key == metric)
        return stored_standing(state, own, after.currency)

    for flags in _chunks(writing, _ever_of(writing, kinds)):
        told = history.of(writing, writing.workspace, flags)
        steps = _steps(told, stand)
        final = {where: history.states(reports)[-1][1] for where, reports in told.items()}
        moved = {where: _move(where[0], state, before, after) for where, state in final.items()}
        _learn_credited(writing, numbers, moved)
        changes = list(_changes(moved, metric))
        try:
            tallies.move(writing, after, tallies.moved(writing, numbers, changes))
        except IntegrityError as error:
            raise Invalid("tally_does_not_fit") from error
        tallies.credit_anew(writing, numbers, changes)
        _journal(writing, numbers, steps)
        stands = {where: new.uncounted for where, (_, new) in moved.items()}
        states.flag(writing, {w: flag for w, flag in stands.items() if flag != flags[w]})


Steps = Mapping[Where, list[tuple[int, Standing]]]


def _steps(told: Mapping[Where, list[Told]], stand: Stand) -> Steps:
    """Where each activity stood after each commit that changed it."""
    return {
        where: [(seq, stand(where[0], state)) for seq, state in history.states(reports)]
        for where, reports in told.items()
    }


def _journal(writing: Writing, numbers: Numbers, steps: Steps) -> None:
    """Write down how each commit of the past moved the tallies."""
    by_commit: dict[int, list[Change]] = defaultdict(list)
    for where, own in steps.items():
        before = NOWHERE
        for seq, after in own:
            by_commit[seq].append(Change(*where, before, after))
            before = after
    journal.add(
        writing,
        [(seq, tallies.moved(writing, numbers, some)) for seq, some in sorted(by_commit.items())],
    )


def _chunks(writing: Writing, query: AnySelect) -> Iterator[Mapping[Where, bool]]:
    """Activities by source and key, and whether they are listed as uncounted."""
    place = tuple_(_A.source, _A.key)
    page = query.order_by(_A.source, _A.key).limit(CHUNK)
    last: Where | None = ("", "")
    while last is not None:
        rows = writing.connection.execute(page.where(place > last)).all()
        if rows:
            yield {(source, key): bool(uncounted) for source, key, uncounted in rows}
        last = (rows[-1][0], rows[-1][1]) if len(rows) == CHUNK else None


def _activities(writing: Writing) -> AnySelect:
    return select(_A.source, _A.key, _A.uncounted).where(_A.workspace_id == writing.workspace)


def _ever_of(writing: Writing, kinds: Iterable[str]) -> AnySelect:
    """Those that some report ever said to be of one of some kinds."""
    # A content is written in one way only, so its kind can be found in it as text.
    said = (f'"{KIND}":{canonical_json(kind)}' for kind in sorted(kinds))
    of_kind = or_(*(_R.content.contains(text, autoescape=True) for text in said))
    reported = exists().where(
        _R.workspace_id == _A.workspace_id, _R.source == _A.source, _R.key == _A.key, of_kind
    )
    return _activities(writing).where(reported)


def _move(source: str, state: State, before: Rules, after: Rules) -> tuple[Standing, Standing]:
    """Where a state stood and where it stands, in all metrics: whom it credits is theirs."""
    old, new = (
        stored_standing(state, known.metrics_of(source, state.kind), known.currency)
        for known in (before, after)
    )
    return old, new


def _learn_credited(
    writing: Writing, numbers: Numbers, moved: Mapping[Where, tuple[Standing, Standing]]
) -> None:
    """Whom nothing but the metric credited stands in no cell of the move, yet loses a credit."""
    named = {(where[0], who) for where, (old, _) in moved.items() for who, _ in old.credits}
    numbers.actors.update(actors.numbers(writing, named - numbers.actors.keys()))


def _changes(moved: Mapping[Where, tuple[Standing, Standing]], metric: str) -> Iterator[Change]:
    """From standing without the metric to standing with it; the other metrics cancel out."""
    for where, (old, new) in moved.items():
        cells = {cell: amount for cell, amount in old.cells.items() if cell[0] != metric}
        values = tuple(value for value in old.values if value[0] != metric)
        yield Change(*where, old._replace(cells=cells, values=values), new)

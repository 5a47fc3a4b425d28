"""A definition changes: one metric is counted anew over all history, the others are not touched.

Everything happens under the head's lock. Deliveries wait for it, and the committer then reads the
new definition inside its own transaction, so no event is counted by both or by neither.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from sqlalchemy import select, tuple_
from sqlalchemy.exc import IntegrityError

from app.domain.activities import State
from app.domain.errors import Invalid
from app.store import actors, rules, states, tallies
from app.store.rules import Rules
from app.store.standing import Standing, stored_standing
from app.store.states import CHUNK, Where
from app.store.tables import activity
from app.store.tallies import Change, Numbers
from app.store.transactions import Writing

_A = activity.c


def recount(writing: Writing, metric: str, before: Rules) -> None:
    """Count a metric by the rules that now stand; `before` are those it was counted by.

    Raises Invalid `tally_does_not_fit` when its sums leave 64 bits.
    """
    after = rules.load(writing, writing.workspace)
    kinds = before.kinds_of(metric) | after.kinds_of(metric)
    tallies.clear_metric(writing, metric)
    numbers = Numbers()
    for flags in _chunks(writing, kinds):
        found = states.load_all(writing, writing.workspace, flags)
        steps = {where: _step(where[0], state, before, after) for where, state in found.items()}
        _learn_credited(writing, numbers, steps)
        try:
            tallies.post(writing, after, numbers, list(_changes(steps, metric)))
        except IntegrityError as error:
            raise Invalid("tally_does_not_fit") from error
        stands = {where: new.uncounted for where, (_, new) in steps.items()}
        states.flag(writing, {w: flag for w, flag in stands.items() if flag != flags[w]})


def _chunks(writing: Writing, kinds: Iterable[str]) -> Iterator[Mapping[Where, bool]]:
    """The activities of some kinds by source and key, and whether they are listed as uncounted."""
    place = tuple_(_A.source, _A.key)
    query = (
        select(_A.source, _A.key, _A.uncounted)
        .where(_A.workspace_id == writing.workspace, _A.kind.in_(sorted(kinds)))
        .order_by(_A.source, _A.key)
        .limit(CHUNK)
    )
    last: Where | None = ("", "")
    while last is not None:
        rows = writing.connection.execute(query.where(place > last)).all()
        if rows:
            yield {(source, key): bool(uncounted) for source, key, uncounted in rows}
        last = (rows[-1][0], rows[-1][1]) if len(rows) == CHUNK else None


def _step(source: str, state: State, before: Rules, after: Rules) -> tuple[Standing, Standing]:
    """Where a state stood and where it stands, in all metrics: whom it credits is theirs."""
    old, new = (
        stored_standing(state, known.metrics_of(source, state.kind), known.currency)
        for known in (before, after)
    )
    return old, new


def _learn_credited(
    writing: Writing, numbers: Numbers, steps: Mapping[Where, tuple[Standing, Standing]]
) -> None:
    """Whom nothing but the metric credited stands in no cell of the step, yet loses a credit."""
    named = {(where[0], who) for where, (old, _) in steps.items() for who, _ in old.credits}
    numbers.actors.update(actors.numbers(writing, named - numbers.actors.keys()))


def _changes(steps: Mapping[Where, tuple[Standing, Standing]], metric: str) -> Iterator[Change]:
    """From standing without the metric to standing with it; the other metrics cancel out."""
    for where, (old, new) in steps.items():
        cells = {cell: amount for cell, amount in old.cells.items() if cell[0] != metric}
        values = tuple(value for value in old.values if value[0] != metric)
        yield Change(*where, old._replace(cells=cells, values=values), new)

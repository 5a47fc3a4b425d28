"""Counting everything anew over all history, in one transaction under the head's lock.

Deliveries wait for it, and the committer then reads the rules inside its own transaction, so no
event is counted by both or by neither. The journal is written anew as well, commit by commit as
the reports came: what had been received by last Friday is asked of a definition that is younger,
and answered.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Container, Iterator, Mapping

from sqlalchemy import select, tuple_

from app.domain.activities import Story
from app.store import dating, generations, history, journal, lineage, rules, states, tallies
from app.store.dialect import AnySelect
from app.store.history import Told
from app.store.standing import NOWHERE, Standing, stood
from app.store.states import CHUNK, Where
from app.store.tables import activity
from app.store.tallies import Change, Numbers
from app.store.transactions import Writing

_A = activity.c
Stand = Callable[[Where, Story], Standing]
Steps = Mapping[Where, list[tuple[int, Standing]]]
# Told how many activities are counted so far.
Progressed = Callable[[int], None]


def recount_all(writing: Writing, progressed: Progressed | None = None) -> None:
    """Count everything by the rules that stand in this transaction."""
    generations.settle(writing)
    counting = rules.load(writing, writing.workspace)
    dating.note(writing, counting.zone, counting.offsets)
    tallies.clear(writing)
    numbers = Numbers()
    growing: set[Where] = set()
    done = 0

    def stand(where: Where, story: Story) -> Standing:
        return stood(where, story, counting)

    for flags in _chunks(writing, _activities(writing)):
        told = history.of(writing, writing.workspace, flags)
        growing |= {where for where, own in told.items() if lineage.names_origin(where, own)}
        steps = steps_of(told, counting.remembering, stand)
        finals = [Change(*where, NOWHERE, own[-1][1]) for where, own in steps.items()]
        tallies.move(writing, counting, tallies.moved(writing, numbers, finals))
        tallies.credit_anew(writing, numbers, finals)
        journal_steps(writing, numbers, steps)
        missing = {where: own[-1][1].uncounted for where, own in steps.items()}
        states.flag(writing, {w: flag for w, flag in missing.items() if flag != flags[w]})
        done += len(flags)
        if progressed is not None:
            progressed(done)
    lineage.rebuild(writing, counting, numbers, growing)


def steps_of(told: Mapping[Where, list[Told]], remembering: Container[str], stand: Stand) -> Steps:
    """Where each activity stood after each commit that changed it."""
    return {
        where: [(seq, stand(where, story)) for seq, story in history.steps(reports, remembering)]
        for where, reports in told.items()
    }


def journal_steps(writing: Writing, numbers: Numbers, steps: Steps) -> None:
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

"""The builder: a definition changes while events pour in, and nobody waits for history.

A new definition is a new generation of its metric. Step by step, each a short transaction under
the head's lock, it counts the next activities in the order of source and key; whoever takes in
reports in between counts them in it as far as it has come. With the last step it serves, in the
commit that makes the one before it leave: until then the old numbers were whole, from then on
the new ones are, and the journal of the new ones says of every past commit how it moved them.
What leaves is cleared away by the same steps.

Where it stands is only in the database. So any process may take the next step, two may try at
once, and one that is killed has at worst not taken its last step.
"""

from __future__ import annotations

import logging
from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet
from typing import NamedTuple

from sqlalchemy import ColumnElement, Table, delete, exists, or_, select, tuple_
from sqlalchemy.exc import IntegrityError

from app.domain.activities import KIND, Story, canonical_json
from app.domain.errors import Invalid
from app.store import (
    actors,
    documents,
    generations,
    heads,
    history,
    lineage,
    reconfiguring,
    remembering,
    rules,
    states,
    tallies,
)
from app.store.documents import Document
from app.store.engine import Store
from app.store.generations import LAST, Generation, Stage
from app.store.recounting import journal_steps, steps_of
from app.store.rules import Rules
from app.store.standing import Standing, stood, stored_standing
from app.store.states import Where
from app.store.tables import (
    activity,
    activity_revision,
    journal,
    journal_values,
    placed,
    tally_day,
    tally_quarter,
    tally_values,
)
from app.store.tallies import Change, Numbers
from app.store.transactions import Access, Writing

METRIC = "metric"
AUTHOR = "tassei"
# Activities per step, which is how long a delivery may wait for one: a tenth of a second or two.
CHUNK = 1_000
# Rows that are cleared away per step, whatever the table.
BITE = 20_000
_TALLIES = (tally_day, tally_quarter, tally_values, journal, journal_values, placed)
_A, _R = activity.c, activity_revision.c

_log = logging.getLogger(__name__)


class Stepped(NamedTuple):
    """What a step came to. refused: the generation that was given up, and why."""

    left: bool
    refused: tuple[Generation, Invalid] | None = None


class _Unbuildable(Exception):
    def __init__(self, generation: Generation, why: Invalid) -> None:
        super().__init__(generation.name)
        self.generation = generation
        self.why = why


def begin(writing: Writing, document: Document, before: Document | None) -> Generation:
    """Count a metric by the document that was just put; `before` is what stood until then.

    What is being built of it already goes away, what serves goes on.
    """
    key = document.key
    own = [one for one in generations.of(writing, writing.workspace) if one.metric == key]
    standing = [one for one in own if one.stage is not Stage.LEAVING]
    if before is not None and not before.archived and not standing:
        generations.save(writing, Generation(key, 0, Stage.SERVING, before.version))
    _leave(writing, (one for one in own if one.stage is Stage.BUILDING))
    return reconfiguring.start(writing, (key, document.version))[0]


def drop(writing: Writing, metric: str) -> None:
    """Go on with what serves of a metric; what is being built of it goes away."""
    own = (one for one in generations.of(writing, writing.workspace) if one.metric == metric)
    _leave(writing, (one for one in own if one.stage is Stage.BUILDING))


def is_behind(access: Access, workspace: str, metric: str) -> bool:
    """Whether what serves of a metric still goes by what its sources counted before."""
    served = generations.in_stage(generations.of(access, workspace), Stage.SERVING)
    return metric in served and served[metric].config != 0


def end(writing: Writing, archived: Document) -> None:
    """The metric was taken out of use: whatever was counted of it goes away."""
    key = archived.key
    own = [one for one in generations.of(writing, writing.workspace) if one.metric == key]
    standing = [one for one in own if one.stage is not Stage.LEAVING]
    _leave(writing, standing or [Generation(key, 0, Stage.SERVING, archived.version)])


def building(access: Access, workspace: str) -> dict[str, Generation]:
    """What is being built, by the key of the metric."""
    found = generations.of(access, workspace)
    return generations.in_stage(found, Stage.BUILDING)


def step(store: Store, workspace: str, now: int) -> Stepped:
    """Take the next step of whatever is under way in a workspace, if anything is."""
    with store.read() as reading:
        if not generations.moving(reading, workspace):
            return Stepped(left=False)
    try:
        with store.write(workspace, now) as writing:
            return Stepped(left=_advance(writing))
    except _Unbuildable as error:
        _log.warning("%s cannot be counted: %s", error.generation.name, error.why.code)
        with store.write(workspace, now) as writing:
            _give_up(writing, error.generation)
        return Stepped(left=True, refused=(error.generation, error.why))


def _advance(writing: Writing) -> bool:
    found = generations.moving(writing, writing.workspace)
    if not found:
        return False  # another process took the last step meanwhile
    one = found[0]
    # What was begun, or left, together goes the same way: one pass counts all of it.
    along = [
        other
        for other in found
        if (other.stage, other.after, other.upto) == (one.stage, one.after, one.upto)
        and (other.number == one.number or one.stage is Stage.LEAVING)
    ]
    if one.stage is Stage.BUILDING:
        try:
            _build(writing, along)
        except (IntegrityError, Invalid) as error:
            raise _Unbuildable(one, Invalid("tally_does_not_fit")) from error
    elif one.after < one.upto:
        _uncredit(writing, along)
    elif not _clear(writing, one):
        generations.forget(writing, one)
    return True


def _build(writing: Writing, those: list[Generation]) -> None:
    """Count the next activities in them; at the end they serve."""
    before = rules.load(writing, writing.workspace)
    names = {one.name for one in those}
    kinds = _kinds_of(before, names)
    concerned = or_(*(_ever_of(kind) for kind in sorted(kinds)))
    flags, number, last = _next(writing, those[0].upto, LAST, concerned)
    further = [one._replace(upto=last or LAST, counted=one.counted + number) for one in those]
    after = before.moved(further)

    def stand(where: Where, story: Story) -> Standing:
        known = after.tallied(where, story.state.kind)
        own = tuple(counted for counted in known if counted.key in names)
        return stored_standing(story.state, own, after.currency, story.earlier)

    told = history.of(writing, writing.workspace, flags)
    steps = steps_of(told, after.remembering, stand)
    held = {where: stood(where, history.last(own), before) for where, own in told.items()}
    changes = [_added(where, held[where], own[-1][1]) for where, own in steps.items()]
    numbers = Numbers()
    tallies.move(writing, after, tallies.moved(writing, numbers, changes))
    _credit(writing, numbers, changes)
    journal_steps(writing, numbers, steps)
    if after.linked:
        own = lineage.related(writing, writing.workspace, flags)
        lineage.write(writing, after, numbers, own)
    _flag(writing, flags, changes)
    if last is None:
        _serve(writing, further)
    else:
        generations.save(writing, *further)


def _serve(writing: Writing, built: list[Generation]) -> None:
    served = generations.in_stage(generations.of(writing, writing.workspace), Stage.SERVING)
    _leave(writing, (served[one.metric] for one in built if one.metric in served))
    generations.save(writing, *(one._replace(stage=Stage.SERVING) for one in built))
    heads.reconfigure(writing)


def _uncredit(writing: Writing, those: list[Generation]) -> None:
    """Take the next activities out of them: whom only they credited, what only they missed."""
    before = rules.load(writing, writing.workspace)
    upto = those[0].upto
    kinds = _kinds_of(before, {one.name for one in those})
    flags, _, last = _next(writing, those[0].after, upto, _A.kind.in_(sorted(kinds)))
    further = {one.name: one._replace(after=last or upto) for one in those}
    after = before.moved(
        further.get(known.generation.name, known.generation) for known in before.moving
    )
    held = remembering.stories(
        writing,
        writing.workspace,
        before.remembering,
        states.load_all(writing, writing.workspace, flags),
    )
    changes = [
        Change(*where, stood(where, own, before), stood(where, own, after))
        for where, own in held.items()
    ]
    _credit(writing, Numbers(), changes)
    _flag(writing, flags, changes)
    generations.save(writing, *further.values())


def _kinds_of(by: Rules, names: AbstractSet[str]) -> set[str]:
    return {known.metric.kind for known in by.moving if known.metric.key in names}


def _clear(writing: Writing, one: Generation) -> bool:
    """Delete some of its rows; whether some are left."""
    known = tallies.slots(writing, writing.workspace)
    own = sorted(slot for (name, _), slot in known.items() if name == one.name)
    # Nothing short-circuits but a full bite: small tallies are gone in one step.
    return any(_bite(writing, table, slot) for table in _TALLIES for slot in own)


def _bite(writing: Writing, table: Table, slot: int) -> bool:
    bucket = list(table.c)[2]
    own = (table.c.workspace_id == writing.workspace, table.c.slot == slot)
    nth = select(bucket).where(*own).order_by(bucket).offset(BITE).limit(1)
    last = writing.connection.execute(nth).scalar_one_or_none()
    gone = delete(table).where(*own)
    writing.connection.execute(gone if last is None else gone.where(bucket <= last))
    return last is not None


def _give_up(writing: Writing, one: Generation) -> None:
    """Its sums do not fit: what is counted becomes again what it was, or is taken back."""
    built = building(writing, writing.workspace).get(one.metric)
    if built is None or built.number != one.number:
        return
    found = generations.of(writing, writing.workspace)
    served = generations.in_stage(found, Stage.SERVING).get(one.metric)
    if served is not None and served.version == one.version:
        reconfiguring.undo(writing, one, AUTHOR, "tally_does_not_fit")
        return
    drop(writing, one.metric)
    if served is None:
        documents.archive(writing, METRIC, one.metric, author=AUTHOR)
        return
    old = documents.version(writing, writing.workspace, METRIC, one.metric, served.version)
    assert old is not None  # noqa: S101 - versions are kept for ever
    put = documents.put(
        writing, METRIC, one.metric, old.body, author=AUTHOR, reason="tally_does_not_fit"
    )
    if served.config:
        # Nothing else brings it to what its sources have come to count.
        reconfiguring.start(writing, (one.metric, put.version))


def _leave(writing: Writing, those: Iterable[Generation]) -> None:
    generations.save(writing, *(one._replace(stage=Stage.LEAVING) for one in those))


def _next(
    writing: Writing, after: Where, upto: Where, concerned: ColumnElement[bool]
) -> tuple[dict[Where, bool], int, Where | None]:
    """The concerned among the next activities, and whether they are listed as uncounted.

    Also how many were gone through, and the last of them; None when none is left behind it.
    """
    place = tuple_(_A.source, _A.key)
    query = (
        select(_A.source, _A.key, _A.uncounted, concerned.label("concerned"))
        .where(_A.workspace_id == writing.workspace, place > after, place <= upto)
        .order_by(_A.source, _A.key)
        .limit(CHUNK)
    )
    rows = writing.connection.execute(query).all()
    flags = {(source, key): bool(flag) for source, key, flag, is_own in rows if is_own}
    last = (rows[-1][0], rows[-1][1]) if len(rows) == CHUNK else None
    return flags, len(rows), last


def _ever_of(kind: str) -> ColumnElement[bool]:
    """Whether some report ever said it to be of a kind: the journal tells of that as well."""
    # A content is written in one way only, so its kind can be found in it as text.
    said = f'"{KIND}":{canonical_json(kind)}'
    return exists().where(
        _R.workspace_id == _A.workspace_id,
        _R.source == _A.source,
        _R.key == _A.key,
        _R.content.contains(said, autoescape=True),
    )


def _added(where: Where, stood: Standing, own: Standing) -> Change:
    """From where an activity stood to there and in its own place: credits are all metrics'."""
    both = own._replace(
        credits=stood.credits | own.credits, uncounted=stood.uncounted or own.uncounted
    )
    return Change(*where, stood._replace(cells={}, values=()), both)


def _credit(writing: Writing, numbers: Numbers, changes: list[Change]) -> None:
    named = {
        (one.source, who) for one in changes for who, _ in one.before.credits ^ one.after.credits
    }
    numbers.actors.update(actors.numbers(writing, named - numbers.actors.keys()))
    tallies.credit_anew(writing, numbers, changes)


def _flag(writing: Writing, flags: Mapping[Where, bool], changes: list[Change]) -> None:
    stands = {(one.source, one.key): one.after.uncounted for one in changes}
    states.flag(writing, {w: flag for w, flag in stands.items() if flag != flags[w]})

"""What a source counts changes: which metrics are counted anew, and by what until then.

A generation goes by the documents that stand, and every reader of it with it. Where they change
it is pinned to those from before: it serves on, counting what comes as it always did, until a new
one beside it has counted all history by the new ones. So nobody waits, and no number is ever a
mixture of both.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from sqlalchemy import func, select

from app.domain.presets import PRESETS
from app.store import documents, generations, rules
from app.store.generations import Generation, Stage
from app.store.rules import Counts, counted
from app.store.tables import activity
from app.store.transactions import Access, Writing

SOURCE = "source"
METRIC = "metric"


class _Standing(NamedTuple):
    """A metric in use: the generation that serves, if one does, and the one in the making."""

    serving: Generation | None
    building: Generation | None


def start(writing: Writing, *metrics: tuple[str, int]) -> list[Generation]:
    """Begin to count metrics by versions of their documents; each once in a commit."""
    number = select(func.count()).where(activity.c.workspace_id == writing.workspace)
    expected = writing.connection.execute(number).scalar_one()
    new = [
        Generation(
            metric,
            writing.seq,
            Stage.BUILDING,
            version,
            upto=generations.FIRST,
            expected=expected,
        )
        for metric, version in metrics
    ]
    generations.save(writing, *new)
    return new


def recount(writing: Writing) -> int | None:
    """Begin to count anew what the documents that this commit has put make of history.

    The number of the generations that are begun; None when no metric counts otherwise.
    """
    then = _Then(writing)
    found = generations.of(writing, writing.workspace)
    leaving = [one for one in found if one.stage is Stage.LEAVING]
    generations.save(writing, *(then.pinned(one) for one in leaving))
    anew = [_go_on(writing, then, one) for one in _in_use(writing, found)]
    begun = [one for one in anew if one is not None]
    return start(writing, *begun)[0].number if begun else None


def undo(writing: Writing, refused: Generation, author: str, reason: str) -> None:
    """Count what was counted before: the sources' documents say so again."""
    served = generations.in_stage(generations.of(writing, writing.workspace), Stage.SERVING)
    pin = served[refused.metric].config
    if pin:
        _put_back(writing, pin, author, reason)
    recount(writing)


def _put_back(writing: Writing, pin: int, author: str, reason: str) -> None:
    then = {one.key: one for one in documents.all_of(writing, writing.workspace, SOURCE, pin)}
    for one in documents.all_of(writing, writing.workspace, SOURCE):
        old = then.get(one.key)
        if old is None or old.body.get("counts") == one.body.get("counts"):
            continue
        body = one.body | {"counts": old.body.get("counts")}
        documents.put(writing, SOURCE, one.key, body, author=author, reason=reason)
        if one.archived:
            documents.archive(writing, SOURCE, one.key, author=author)


def _in_use(access: Writing, found: list[Generation]) -> Iterator[_Standing]:
    serving = generations.in_stage(found, Stage.SERVING)
    building = generations.in_stage(found, Stage.BUILDING)
    own = {
        one.key: one.version
        for one in documents.all_of(access, access.workspace, METRIC)
        if not one.archived
    }
    for metric, version in (dict.fromkeys(PRESETS, 0) | own).items():
        serves = serving.get(metric)
        if serves is None and metric not in building:
            serves = Generation(metric, 0, Stage.SERVING, version)
        yield _Standing(serves, building.get(metric))


def _go_on(writing: Writing, then: _Then, one: _Standing) -> tuple[str, int] | None:
    """Leave a metric as it is where it counts the same; else what it is counted anew by."""
    serving, building = one
    if building is not None and then.same(building):
        if serving is not None and not then.same(serving):
            generations.save(writing, then.pinned(serving))
        return None
    newest = building or serving
    assert newest is not None  # noqa: S101 - one in use has either
    if building is not None:
        generations.save(writing, then.pinned(building)._replace(stage=Stage.LEAVING))
    if serving is not None and then.same(serving):
        if serving.config:
            generations.save(writing, serving._replace(config=0))
        if newest.version == serving.version:
            return None
    elif serving is not None:
        generations.save(writing, then.pinned(serving))
    return newest.metric, newest.version


class _Then:
    """What generations have counted until this commit, against what is counted now."""

    def __init__(self, writing: Writing) -> None:
        self._access: Access = writing
        self._workspace = writing.workspace
        self._before = writing.seq - 1
        self._now = rules.counts_at(writing, writing.workspace, writing.seq)
        self._known: dict[int, Counts] = {}

    def pinned(self, one: Generation) -> Generation:
        """The same, going on as it did."""
        return one if one.config else one._replace(config=self._before)

    def same(self, one: Generation) -> bool:
        """Whether the sources count its kind as they did for it."""
        then = self._counts(one.config or self._before)
        kind = rules.definition(self._access, self._workspace, one).kind
        return all(
            counted(then, source, kind) == counted(self._now, source, kind) for source in self._now
        )

    def _counts(self, seq: int) -> Counts:
        if seq not in self._known:
            self._known[seq] = rules.counts_at(self._access, self._workspace, seq)
        return self._known[seq]

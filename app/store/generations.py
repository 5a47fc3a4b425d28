"""The generations of a metric's count: one serves, one may be in the making, others go away.

A generation counts the activities between two places in the order of source and key. In the
making its end moves forward until it counts them all; going away its beginning does, until it
counts none. Whoever takes in a report asks only whether its activity lies between the two, so
the others go on being told while history is counted beside them.

A metric without a row here has one generation, number 0, which serves and counts everything.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from typing import NamedTuple

from sqlalchemy import delete, select

from app.store.dialect import AnyRow
from app.store.statements import inserting
from app.store.states import Where
from app.store.tables import metric_generation
from app.store.transactions import Access, Writing

_G = metric_generation.c
_SAVE = inserting(
    metric_generation,
    replace=(
        "stage",
        "version",
        "after_source",
        "after_key",
        "upto_source",
        "upto_key",
        "counted",
        "expected",
        "config",
    ),
)
_MARK = "@"  # no metric's key has it
FIRST: Where = ("", "")
LAST: Where = ("\U0010ffff", "")  # no source's key is as great


class Stage(StrEnum):
    """What a generation is there for."""

    BUILDING = "building"
    SERVING = "serving"
    LEAVING = "leaving"


class Generation(NamedTuple):
    """One count of a metric, by one version of its document.

    It counts the activities behind `after`, up to and with `upto`. counted: how many activities
    its making has gone through, of as many as were `expected`. config: it counts what the sources
    counted after that commit; 0: what they count now.
    """

    metric: str
    number: int
    stage: Stage
    version: int
    after: Where = FIRST
    upto: Where = LAST
    counted: int = 0
    expected: int = 0
    config: int = 0

    @property
    def name(self) -> str:
        """What its slots carry in place of the metric's key; never given twice."""
        return f"{self.metric}{_MARK}{self.number}" if self.number else self.metric

    def covers(self, where: Where) -> bool:
        """Whether it counts what happens to an activity."""
        return self.after < where <= self.upto


def key_of(name: str) -> str:
    """The metric whose generation has that name."""
    return name.partition(_MARK)[0]


def of(access: Access, workspace: str) -> list[Generation]:
    """Those that are written down, the oldest of each metric first."""
    query = select(
        _G.metric, _G.number, _G.stage, _G.version,
        _G.after_source, _G.after_key, _G.upto_source, _G.upto_key, _G.counted, _G.expected,
        _G.config,
    ).where(_G.workspace_id == workspace).order_by(_G.metric, _G.number)  # fmt: skip
    return [_generation(row) for row in access.connection.execute(query)]


def in_stage(found: Iterable[Generation], stage: Stage) -> dict[str, Generation]:
    """Of each metric the one that is in a stage; of several leaving ones some one."""
    return {one.metric: one for one in found if one.stage is stage}


def serving_names(access: Access, workspace: str) -> dict[str, str | None]:
    """Under what name the metrics are read that are not simply read by their key.

    None: nothing of it can be read yet
    """
    found = of(access, workspace)
    names: dict[str, str | None] = dict.fromkeys(in_stage(found, Stage.BUILDING))
    return names | {key: one.name for key, one in in_stage(found, Stage.SERVING).items()}


def moving(access: Access, workspace: str) -> list[Generation]:
    """Those that somebody has to carry on with: what is built comes before what is cleared."""
    found = [one for one in of(access, workspace) if one.stage is not Stage.SERVING]
    return sorted(found, key=lambda one: (one.stage is not Stage.BUILDING, one.number, one.metric))


def workspaces(access: Access) -> list[str]:
    """Where something has to be carried on with."""
    query = select(_G.workspace_id).where(_G.stage != Stage.SERVING.value).distinct()
    return sorted(access.connection.execute(query).scalars())


def save(writing: Writing, *generations: Generation) -> None:
    """Write them down as they now are."""
    rows = [
        (
            writing.workspace, one.metric, one.number, one.stage.value, one.version,
            *one.after, *one.upto, one.counted, one.expected, one.config,
        )
        for one in generations
    ]  # fmt: skip
    _SAVE.many(writing.connection, rows)


def forget(writing: Writing, generation: Generation) -> None:
    """Strike out one of which nothing is left."""
    writing.connection.execute(
        delete(metric_generation).where(
            _G.workspace_id == writing.workspace,
            _G.metric == generation.metric,
            _G.number == generation.number,
        )
    )


def settle(writing: Writing) -> None:
    """All is about to be counted anew: what was in the making then serves, the rest is gone."""
    found = of(writing, writing.workspace)
    built = in_stage(found, Stage.BUILDING)
    for one in found:
        if one.stage is Stage.LEAVING or (one.stage is Stage.SERVING and one.metric in built):
            forget(writing, one)
    serving = in_stage(of(writing, writing.workspace), Stage.SERVING).values()
    save(writing, *(one._replace(config=0) for one in serving))
    save(writing, *(one._replace(stage=Stage.SERVING, upto=LAST) for one in built.values()))


def _generation(row: AnyRow) -> Generation:
    metric, number, stage, version, *places, counted, expected, config = row
    after, upto = (places[0], places[1]), (places[2], places[3])
    stood = (after, upto, counted, expected, config)
    return Generation(metric, number, Stage(stage), version, *stood)

"""Sums of tallies: what progress is computed from, never the activities themselves."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import NamedTuple

from sqlalchemy import bindparam, select

from app.store import days, journal, tallies
from app.store.dialect import Whole, Words, halves, joined, summed
from app.store.journal import Knowing, Window
from app.store.tables import tally_quarter
from app.store.transactions import Access, once_a_snapshot

_Q = tally_quarter.c
_Sums = dict[tuple[int, int], tuple[int, int]]  # by slot and actor


class Total(NamedTuple):
    """What one actor has of a metric. `total` is an integer at the metric's scale."""

    metric: str
    currency: str
    actor: int
    number: int
    total: int


def totals(
    access: Access,
    workspace: str,
    metrics: Iterable[str],
    first_day: int,
    end_day: int,
    known: Knowing | None = None,
) -> list[Total]:
    """Per metric, currency and actor over the local days from `first_day` up to `end_day`.

    known: None counts everything that stands, here and below
    """
    chosen = _chosen(access, workspace, metrics)
    window = (first_day, end_day)
    found = days.sums(access, workspace, chosen, window, by_actor=True)
    standing = {(slot, actor): amount for (slot, _, actor), amount in found.items()}
    quarters = known.quarters(window) if known else window
    return _known(access, workspace, chosen, (standing, quarters), known)


def quarter_totals(
    access: Access,
    workspace: str,
    metrics: Iterable[str],
    first_quarter: int,
    end_quarter: int,
    known: Knowing | None = None,
) -> list[Total]:
    """Per metric, currency and actor over quarter hours (instant // QUARTER), end excluded."""
    chosen = _chosen(access, workspace, metrics)
    quarters = (first_quarter, end_quarter)
    standing = _summed(access, workspace, quarters, frozenset(chosen))
    return _known(access, workspace, chosen, (standing, quarters), known)


def _chosen(access: Access, workspace: str, metrics: Iterable[str]) -> dict[int, tuple[str, str]]:
    wanted = set(metrics)
    return {
        number: slot
        for slot, number in tallies.serving(access, workspace).items()
        if slot[0] in wanted
    }


def _known(
    access: Access,
    workspace: str,
    chosen: Mapping[int, tuple[str, str]],
    within: tuple[_Sums, Window],
    known: Knowing | None,
) -> list[Total]:
    """What stands in a window, less what has come into its quarter hours since."""
    sums, quarters = within
    if known is not None:
        sums = dict(sums)
        for slot, actor, *came in journal.since(access, workspace, chosen, known.seq, quarters):
            number, total = sums.get((slot, actor), (0, 0))
            sums[slot, actor] = (number - came[0], total - came[1])
    return [Total(*chosen[slot], actor, *sums[slot, actor]) for slot, actor in sorted(sums)]


# Made once: making it takes longer than asking it.
_SUMMED = (
    select(_Q.slot, _Q.actor, summed(_Q.number), *halves(_Q.total))
    .where(
        _Q.workspace_id == bindparam("workspace", type_=Words),
        _Q.slot.in_(bindparam("slots", expanding=True, type_=Whole)),
        _Q.quarter >= bindparam("first", type_=Whole),
        _Q.quarter < bindparam("end", type_=Whole),
    )
    .group_by(_Q.slot, _Q.actor)
)


@once_a_snapshot  # of the running day the evidence of drift asks again
def _summed(access: Access, workspace: str, window: Window, slots: frozenset[int]) -> _Sums:
    first, end = window
    bound = {"workspace": workspace, "slots": sorted(slots), "first": first, "end": end}
    return {
        (slot, actor): (number, joined(upper, lower))
        for slot, actor, number, upper, lower in access.connection.execute(_SUMMED, bound)
    }

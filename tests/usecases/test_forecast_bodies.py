"""What is kept of forecasts: by whom it was written, it is read as it was meant."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from app.domain.foreseen import ForecastLaw
from app.domain.scores import Made, Stage, Totals, score
from app.store.forecasts import Logged
from app.usecases.forecast_bodies import (
    Told,
    Whose,
    judged_body,
    read,
    row_beside,
    said_row,
    squares_of,
    totals,
    totals_by_law,
)

USUAL, BY_ITEMS = ForecastLaw.GAMMA_POISSON, ForecastLaw.PIPELINE
MADE = Made(True, 4.0, 0.25, 40.0, 20.0, 24.0, 29.0, 24.5, 3.5, 0.01)
OTHER = replace(MADE, low=30.0, median=33.0, high=36.0, mean=33.1)
WHOLE, OF_SATO = Whose("deals_won", "", ""), Whose("deals_won", "east", "sato")


def logged(body: Any) -> Logged:
    return Logged("2026-12-deals", 20_000, 0, json.loads(json.dumps(body)))


def test_a_day_of_two_laws_is_read_as_it_was_written() -> None:
    rows = [row_beside("deals_won", USUAL, OTHER), said_row(WHOLE, MADE), said_row(OF_SATO, MADE)]
    assert dict(read(logged(rows))) == {
        WHOLE: Told(MADE, BY_ITEMS, OTHER),
        OF_SATO: Told(MADE, BY_ITEMS),
    }


def test_who_knows_of_one_law_reads_past_the_other() -> None:
    """As it was read before: three names and a forecast, and no goal has an empty key."""
    rows = [row_beside("deals_won", BY_ITEMS, OTHER), said_row(WHOLE, MADE)]
    told = {Whose(*row[:3]): Made(*row[3:]) for row in rows}
    assert told.pop(WHOLE) == MADE
    assert [whose.goal for whose in told] == [""]


def test_a_day_that_was_kept_before_there_were_two_laws_has_one() -> None:
    assert dict(read(logged([said_row(WHOLE, MADE)]))) == {WHOLE: Told(MADE)}


def test_a_period_has_the_scores_of_both_laws_where_both_were_said() -> None:
    usual, by_items = score(MADE, 33.0), score(OTHER, 33.0)
    place = ("deals_won", "plan", Stage.EARLY)
    squares = {
        ("deals_won", True, Stage.EARLY, USUAL): (5.9, 1),
        ("deals_won", True, Stage.EARLY, BY_ITEMS): (0.1, 1),
    }
    judged = {place: ([usual], [usual])}
    both = {("deals_won", Stage.EARLY): {USUAL: [usual], BY_ITEMS: [by_items]}}
    body = judged_body(judged, squares, both)
    ((goal, stage, by),) = totals_by_law(logged(body))
    assert (goal, stage, by[USUAL].crps, by[BY_ITEMS].crps) == (
        "deals_won",
        Stage.EARLY,
        usual.crps,
        by_items.crps,
    )
    assert {(law, told) for _, _, _, law, told, _ in squares_of(logged(body))} == {
        (USUAL, 5.9),
        (BY_ITEMS, 0.1),
    }
    alone = judged_body(judged, {key: squares[key] for key in squares if key[3] is USUAL}, {})
    assert "laws" not in alone
    assert list(totals_by_law(logged(alone))) == []
    assert [law for *_, law, _, _ in squares_of(logged(alone))] == [USUAL]
    ((_, _, _, ours, _),) = totals(logged(alone))
    assert ours == Totals(1, 33.0, usual.error, usual.crps, 0, usual.brier)

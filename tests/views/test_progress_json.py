"""The JSON document says everything, exactly, in one order."""

from __future__ import annotations

import json
from datetime import datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Any

from app.domain.progress import GoalProgress, Verdict
from app.views.progress_json import (
    encoded,
    progress_document,
)
from tests.views.samples import END, NOW, deals, everything, progress, revenue, said, scoped


def written_and_read(root: GoalProgress, **changes: Any) -> Any:
    document = progress_document(progress(root, **changes), said, "ja")
    return json.loads(encoded(document))


def goals_of(goal: Any) -> list[Any]:
    return [goal, *(below for child in goal["children"] for below in goals_of(child))]


def test_the_worked_month_reads_as_it_was_worked_by_hand() -> None:
    root = written_and_read(revenue())["root"]
    expected = {
        "key": "revenue",
        "unit": {"kind": "money", "currency": "JPY"},
        "target": "2000000",
        "target_display": "2000000",
        "deadline": "2027-01-01T00:00:00+09:00",
        "actual": "380000",
        "expected": "1034482.758621",
        "attainment": "0.19",
        "pace": "0.367333",
        "gap": "-654482.758621",
        "required_per_day": "162000",
        "rate": {
            "assumed": "400000",
            "observed": "380000",
            "low": None,
            "high": None,
            "shrunken": None,
            "sample": 1,
            "basis": "period",
            "lag": None,
            "matured": None,
            "drift": {"state": "unproven", "since": None},
            "edge_state": None,
        },
        "freshness": {"state": "fresh", "last_event_at": "2026-12-14T17:40:00+09:00"},
        "verdict": "off_track",
    }
    assert {name: root[name] for name in expected} == expected
    calls = goals_of(root)[3]
    assert (calls["expected"], calls["gap"], calls["pace"]) == ("258.62069", "3.37931", "1.013067")
    assert calls["unit"] == {"kind": "count"}
    assert calls["rate"] is None


def test_every_quantity_is_the_exact_one_to_six_digits() -> None:
    root = everything()
    names = "target target_display actual next_period expected attainment pace gap".split()
    names += "required_per_day unassigned outside_plan".split()
    shown = written_and_read(root)["root"]
    pairs = list(zip(root.walk(), goals_of(shown), strict=True))
    assert len(pairs) == 8
    for goal, document in pairs:
        for name in names:
            value, text = getattr(goal, name), document[name]
            if value is None:
                assert text is None
                continue
            assert abs(Fraction(Decimal(text)) - value) <= Fraction(1, 2_000_000)
            assert "e" not in text.lower()
            assert text != "-0"
            assert "." not in text or not text.endswith("0")


def test_the_sample_has_every_verdict() -> None:
    assert {goal.verdict for goal in everything().walk()} == set(Verdict)


def test_reasons_carry_code_params_and_a_sentence_in_the_language() -> None:
    (reason,) = written_and_read(revenue())["root"]["reasons"]
    assert reason["code"] == "pace_below"
    assert reason["params"] == {"threshold": "0.8"}
    assert reason["message"] == "ja:pace_below:{'threshold': '0.8'}"


def test_amounts_in_other_currencies_stand_beside_with_their_number() -> None:
    cash = goals_of(written_and_read(everything())["root"])[-1]
    assert cash["excluded"] == [{"currency": "EUR", "count": 2, "total": "19.99"}]


def test_the_envelope_says_whose_progress_when_and_of_which_plan() -> None:
    document = written_and_read(revenue())
    del document["root"]
    assert document == {
        "workspace": "example",
        "plan": {
            "key": "2026-12-new",
            "alias": "new-business",
            "name": "新規開拓 12月",
            "version": 3,
        },
        "scope": {},
        "as_of": "2026-12-14T18:00:00+09:00",
        "known_at": "2026-12-14T18:00:00+09:00",
        "generated_at": "2026-12-14T18:00:00.000001+09:00",
        "time_zone": "Asia/Tokyo",
        "working_days": {"total": "20", "elapsed": "10.5", "remaining": "9.5"},
        "next_change_at": "2026-12-14T18:01:00+09:00",
    }


def test_a_breakdown_is_there_exactly_when_asked_for() -> None:
    east = scoped(deals(), "東日本", team="east")
    sato = scoped(deals(), "佐藤", member="sato")
    whole = progress(revenue(), east, sato)
    asked = progress_document(whole, said, "en", breakdown=True)
    assert [part["scope"] for part in asked["breakdown"]] == [{"team": "east"}, {"member": "sato"}]
    assert [part["root"]["key"] for part in asked["breakdown"]] == ["deals_won", "deals_won"]
    assert "breakdown" not in progress_document(whole, said, "en")
    nobody = progress_document(progress(revenue()), said, "en", breakdown=True)
    assert nobody["breakdown"] == []


def test_a_plan_that_time_no_longer_changes_says_null() -> None:
    assert written_and_read(revenue(), next_change_at=None)["next_change_at"] is None


def test_times_keep_their_instant_and_the_zone_they_came_in() -> None:
    talk = goals_of(written_and_read(everything())["root"])[-2]
    at = datetime.fromisoformat(talk["freshness"]["last_event_at"])
    assert at - NOW == timedelta(days=-3, minutes=5, seconds=7, microseconds=250_000)
    assert datetime.fromisoformat(talk["deadline"]) == END


def test_equal_progress_is_equal_bytes_and_text_stands_as_itself() -> None:
    first = encoded(progress_document(progress(revenue()), said, "ja"))
    second = encoded(progress_document(progress(revenue()), said, "ja"))
    assert first == second
    assert "新規開拓".encode() in first
    assert b": " not in first.replace(b"ja:pace_below:{'threshold': ", b"")

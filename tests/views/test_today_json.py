"""Today in words: what is worth saying, in the reader's language."""

from __future__ import annotations

from datetime import date
from fractions import Fraction
from math import ceil
from typing import Any

import pytest

from app.domain.progress import GoalProgress, Reason, Today
from app.views.messages import LANGUAGES, sentence
from app.views.today_json import today_list
from tests.views.samples import DURATION, YEN, goal, progress, scoped

DAY = date(2026, 12, 15)


def asked(required: str | None, *codes: str, done: int = 0) -> Today:
    exact = None if required is None else Fraction(required)
    return Today(
        day=DAY,
        required=exact,
        required_display=None if exact is None else Fraction(ceil(exact)),
        required_from_kgi=exact,
        done=Fraction(done),
        left=None if exact is None else max(exact - done, Fraction(0)),
        reasons=tuple(map(Reason, codes)),
    )


def chain(*goals: GoalProgress) -> GoalProgress:
    """Goals, each converted from the one after it."""
    root, *below = goals
    fields = {name: getattr(root, name) for name in root.__slots__}
    return GoalProgress(**(fields | {"children": (chain(*below),) if below else ()}))


def said(root: GoalProgress, language: str = "en") -> Any:
    return today_list(progress(root), (sentence, language))["sentence"]


def calls(required: str | None, *codes: str, **rest: Any) -> GoalProgress:
    return goal("calls", name="架電", today=asked(required, *codes, **rest))


def appointments(required: str | None, *codes: str, **rest: Any) -> GoalProgress:
    return goal("appointments", name="アポ", today=asked(required, *codes, **rest))


def revenue(required: str) -> GoalProgress:
    return goal("revenue", name="売上", unit=YEN, today=asked(required))


def test_what_is_less_than_one_a_day_is_not_said_and_money_is_what_becomes_of_it() -> None:
    deals = goal("deals_won", today=asked("0.07"))
    root = chain(revenue("30965.5"), deals, appointments("1.45"), calls("8.24"))
    assert said(root) == {"code": "today_asks", "message": "9 calls, 2 appointments today."}
    assert said(root, "ja")["message"] == "本日の目標: 架電 9件、アポ 2件。"


def test_one_of_it_is_one() -> None:
    held = goal("meetings_held", name="商談実施", today=asked("1"))
    root = chain(held, appointments("1"), calls("1"))
    assert said(root)["message"] == "1 call, 1 appointment, 1 meeting held today."
    assert said(root, "ja")["message"] == "本日の目標: 架電 1件、アポ 1件、商談実施 1件。"


def test_where_nothing_makes_a_whole_one_the_first_step_is_said_all_the_same() -> None:
    assert said(chain(appointments("0.1"), calls("0.5")))["message"] == "1 call today."
    assert said(revenue("30965.5"))["message"] == "30966 JPY revenue today."
    assert said(revenue("30965.5"), "ja")["message"] == "本日の目標: 売上 30966 JPY。"
    # The first step is reached, the rest is not.
    assert said(chain(appointments("0.1"), calls("0")))["message"] == "1 appointment today."


def test_time_is_said_in_hours_minutes_and_seconds() -> None:
    talk = goal("talk_time", name="通話時間", unit=DURATION, today=asked("5405"))
    assert said(talk)["message"] == "1:30:05 talk time today."
    assert said(talk, "ja")["message"] == "本日の目標: 通話時間 1:30:05。"


@pytest.mark.parametrize("name", ["Visits", "来店", "CALLS"])
def test_a_name_that_somebody_gave_is_left_as_it_is(name: str) -> None:
    for key in ("calls", "visits"):
        own = goal(key, name=name, today=asked("1"))
        assert said(own)["message"] == f"1 {name} today."
        assert said(own, "ja")["message"] == f"本日の目標: {name} 1件。"


def test_what_is_done_is_said_to_be_done() -> None:
    root = chain(appointments("1.45", done=2), calls("8.24", done=9))
    assert said(root) == {
        "code": "today_done",
        "message": "Done for today: 9 calls, 2 appointments.",
    }
    assert said(chain(appointments("1.45", done=1), calls("8.24", done=9)))["code"] == "today_asks"


@pytest.mark.parametrize(
    ("required", "codes", "code"),
    [
        ("0", (), "today_reached"),
        ("0", ("day_off",), "today_day_off"),
        ("0", ("day_without_weight",), "today_without_weight"),
        ("0", ("period_not_begun",), "today_not_begun"),
        (None, ("no_days_left",), "today_no_days_left"),
    ],
)
def test_a_day_that_asks_for_nothing_says_why(
    required: str | None, codes: tuple[str, ...], code: str
) -> None:
    root = chain(appointments("0"), calls(required, *codes))
    assert {said(root, language)["code"] for language in LANGUAGES} == {code}
    assert "{" not in said(root)["message"]


def test_what_can_no_longer_convert_is_said_beside_what_still_can() -> None:
    late = ("no_days_left", "too_late_to_convert")
    root = chain(goal("deals_won", name="受注", today=asked("2")), calls(None, *late))
    assert said(root)["message"] == (
        "2 deals won today. New calls can no longer convert in this period."
    )
    assert said(root, "ja")["message"] == (
        "本日の目標: 受注 2件。架電は、今から始めてもこの期間の成果にはつながりません。"
    )


def test_people_are_told_by_themselves() -> None:
    parts = [scoped(calls(n), who, member=who) for n, who in (("3", "sato"), ("1", "suzuki"))]
    told = today_list(progress(calls("4"), *parts), (sentence, "en"))
    assert [(one["member"], one["sentence"]["message"]) for one in told["people"]] == [
        ("sato", "3 calls today."),
        ("suzuki", "1 call today."),
    ]
    assert told["sentence"]["message"] == "4 calls today."
    assert told["date"] == "2026-12-15"


def test_a_progress_that_was_not_asked_for_today_has_none() -> None:
    with pytest.raises(ValueError, match="not asked for today"):
        today_list(progress(goal("calls")), (sentence, "en"))

"""Days of the week that weigh unlike: worked by hand, and against a walk from day to day."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import date, timedelta
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from app.domain.errors import Invalid
from app.domain.ground import Ground, blueprint, ground
from app.domain.lines import is_plain, sliced
from app.domain.plans import check_weekdays
from app.domain.progress import Scope, Today
from app.domain.slices import Slice
from app.domain.spans import Span
from app.domain.weekdays import EVEN, WEEKDAYS
from tests.domain.courses import MONTH, Did
from tests.domain.test_evaluation import DAYS, UNTIL, Recount, World, answered, worlds
from tests.domain.test_evaluation import moments as moments_of_recount
from tests.domain.test_lines import expected, lines, made, moments, read, revised
from tests.domain.test_today import DECEMBER, obey, of_one, today, worked
from tests.domain.worlds import codes, december, plan, values, workspace

HALF_MONDAYS = {"weekdays": {"mon": "0.5"}}
ZERO, HALF = Fraction(0), Fraction(1, 2)
ONE_DAY = timedelta(days=1)


# December 2026 has 20 working days, four Mondays among them: 16 + 4 x 0.5 = 18, so of 180 calls
# ten are for any other day and five for a Monday.
@pytest.mark.parametrize(
    ("at", "number"),
    [
        ("2026-12-02", 10),
        ("2026-12-05", 40),  # Tuesday to Friday
        ("2026-12-07", 40),
        ("2026-12-07T13:30", Fraction(85, 2)),  # half of a Monday
        ("2026-12-08", 45),
        ("2026-12-15", 90),  # half of the month: 40 + 45 + 5
        ("2026-12-28", 175),
        ("2026-12-28T13:30", Fraction(355, 2)),
        ("2026-12-29", 180),
        ("2027-01-01", 180),
    ],
)
def test_a_monday_that_weighs_half_asks_for_half(at: str, number: Fraction) -> None:
    assert expected(made("180", profile=HALF_MONDAYS), at) == number
    whole = made("180", people=(), profile=HALF_MONDAYS)
    assert expected(whole, at) == number


def test_who_carries_how_much_knows_no_weights() -> None:
    """Tanaka is away on a Thursday and a Friday and has 18 of 58 days all the same."""
    base = december(profile={"weekdays": {"thu": "0", "fri": "0"}})
    assert blueprint(base) == blueprint(december())
    calls = Fraction(500 * 18, 58)
    # Of tanaka's 13 Mondays to Wednesdays five are over when the 12th begins.
    line = [expected(base, f"2026-12-{day}", "calls", "tanaka") for day in ("12", "15", "25")]
    assert line == [calls * part for part in (Fraction(5, 12), HALF, Fraction(11, 12))]
    assert expected(base, "2026-12-29", "calls", "tanaka") == calls


def test_weights_work_within_each_slice() -> None:
    """Until the 13th 60, on 4 + 4.5 days; from the 14th on 120, on 4.5 + 4.5 + 0.5."""
    shares = ["0.25", "0.25", "0.25", "0.125", "0.125"]
    halves = [{"from": "2026-12-01", "share": "0.25"}, {"from": "2026-12-14", "share": "0.75"}]
    base = made("180", slices=halves, profile=HALF_MONDAYS)
    assert expected(base, "2026-12-08") == 45 * Fraction(9, 2) / Fraction(17, 2)
    assert expected(base, "2026-12-14") == 45
    assert expected(base, "2026-12-15") == 45 + 135 * HALF / Fraction(19, 2)
    assert [piece.target for piece in sliced(base)["calls"]] == [45, 135]
    weekly = made("180", profile={"by": "week", "shares": shares} | HALF_MONDAYS)
    assert expected(weekly, "2026-12-08") == 45 + 45 * HALF / Fraction(9, 2)
    assert expected(weekly, "2026-12-14") == 90


def test_a_goal_that_is_due_earlier_runs_by_its_own_days() -> None:
    """Calls are due on the 21st, after 4 + 4.5 + 4.5 days, of which 4.5 are over on the 8th."""
    funnel = [{"metric": "appointments", "target": "13"},
              {"metric": "calls", "rate": "0.1", "lag_days": 11}]  # fmt: skip
    base = made(funnel=funnel, profile=HALF_MONDAYS)
    assert expected(base, "2026-12-08") == 45
    assert expected(base, "2026-12-19") == expected(base, "2026-12-21") == 130
    assert expected(base, "2026-12-08", "appointments") == Fraction(13 * 9, 36)


def test_a_revision_to_weights_goes_on_from_where_the_line_was() -> None:
    """Half is over, and what is left weighs 4 + 4.5 + 0.5 = 9."""
    base = revised(made("180"), made("180", profile=HALF_MONDAYS, effective_from="2026-12-15"))
    assert expected(base, "2026-12-15") == 90
    assert expected(base, "2026-12-16") == 100
    assert expected(base, "2026-12-22") == 90 + 45 + 0
    assert expected(base, "2026-12-28") == 175
    back = revised(made("180", profile=HALF_MONDAYS), made("180", effective_from="2026-12-08"))
    assert [expected(back, f"2026-12-0{day}") for day in (7, 8)] == [40, 45]
    assert expected(back, "2026-12-09") == 54


def test_where_no_day_weighs_anything_all_is_due_at_the_end() -> None:
    """Only Mondays weigh anything, and the days from Tuesday the 8th to Friday have none."""
    week = {"period": {"start": "2026-12-08", "end": "2026-12-12"}}
    base = made("9", **week, profile={"weekdays": dict.fromkeys(WEEKDAYS[1:], "0")})
    assert [expected(base, at) for at in ("2026-12-11T17:00", "2026-12-12")] == [0, 9]


SUMS = {"mon": "2", "tue": "2", "wed": "2.0", "thu": "2", "fri": "2", "sat": "2", "sun": "2"}


@pytest.mark.parametrize("weekdays", [{}, {"mon": "1"}, SUMS])
def test_equal_weights_are_none(weekdays: dict[str, str]) -> None:
    base = december(profile={"weekdays": weekdays})
    assert base.plan.weights == EVEN
    assert is_plain(base)
    assert base.weighted is base.workdays
    at = "2026-12-14T12:45"
    assert read(base, at) == read(december(), at)


@pytest.mark.parametrize(
    ("weekdays", "found"),
    [
        ({"mon": "0.5", "sun": "0"}, (1, 2, 2, 2, 2, 2, 0)),
        ({"tue": "100", "sat": "0.0001"}, (10**4, 10**6, 10**4, 10**4, 10**4, 1, 10**4)),
        ({"mon": "1.2", "fri": "0.8"}, (6, 5, 5, 5, 4, 5, 5)),
    ],
)
def test_a_day_that_is_left_out_weighs_1(weekdays: Any, found: tuple[int, ...]) -> None:
    assert plan(profile={"weekdays": weekdays}).weights == found


ALL_ZERO = dict.fromkeys(WEEKDAYS, "0")
CUTS = {"by": "month", "shares": ["1"]}


@pytest.mark.parametrize(
    ("change", "pointer", "code"),
    [
        ({"weekdays": {"mon": "-0.1"}}, "/weekdays/mon", "weight_out_of_range"),
        ({"weekdays": {"sun": "100.1"}}, "/weekdays/sun", "weight_out_of_range"),
        ({"weekdays": {"fri": "0.00001"}}, "/weekdays/fri", "weight_out_of_range"),
        ({"weekdays": {"fri": "one"}}, "/weekdays/fri", "not_a_decimal"),
        ({"weekdays": ALL_ZERO}, "/weekdays", "weekdays_all_zero"),
        ({"by": "month"} | HALF_MONDAYS, "/shares", "profile_does_not_fit"),
        ({"shares": ["1"]} | HALF_MONDAYS, "/by", "not_a_text"),
        ({}, "/by", "not_a_text"),
    ],
)
def test_weights_that_are_none_are_refused(change: Any, pointer: str, code: str) -> None:
    with pytest.raises(Invalid) as refused:
        plan(profile=change)
    assert codes(refused.value) == [(f"/profile{pointer}", code)]


def test_shares_stand_in_the_profile_or_in_slices_and_weights_beside_both() -> None:
    slices = [{"from": "2026-12-01", "share": "1"}]
    assert plan(slices=slices, profile=HALF_MONDAYS).weights[0] == 1
    assert len(plan(profile=CUTS | HALF_MONDAYS).slices) == 1
    with pytest.raises(Invalid) as refused:
        plan(slices=slices, profile=CUTS | HALF_MONDAYS)
    assert codes(refused.value) == [("/profile", "slices_or_profile")]


def test_of_the_days_that_work_one_has_a_weight() -> None:
    sunday = plan(profile={"weekdays": ALL_ZERO | {"sun": "1"}})
    with pytest.raises(Invalid) as refused:
        check_weekdays(sunday, workspace().calendar)
    assert codes(refused.value) == [("/profile/weekdays", "weekdays_all_zero")]
    open_on_sundays = workspace(calendar={"weekdays": ["mon", "sun"]}).calendar
    check_weekdays(sunday, open_on_sundays)


def weighted(world: World, weights: Sequence[int], cuts: Sequence[tuple[date, Fraction]]) -> World:
    """The same world with weights, and with slices from these days on where there are any."""
    base, slices = world.base, []
    for n, (first, share) in enumerate(cuts):
        until = cuts[n + 1][0] if n + 1 < len(cuts) else base.plan.span.until
        slices.append(Slice(Span(first, until), share))
    later = replace(base.plan, weights=tuple(weights), slices=tuple(slices))
    return replace(world, base=ground(base.workspace, later, 1, base.people))


weights_of_week = st.lists(st.sampled_from([0, 1, 2, 5]), min_size=7, max_size=7).filter(any)


@st.composite
def cuts(draw: st.DrawFn) -> list[tuple[date, Fraction]]:
    """One to three slices, some of which are of no share or of no working day."""
    firsts = sorted(draw(st.sets(st.sampled_from(DAYS[1:]), max_size=2)))
    parts = draw(st.lists(st.integers(0, 4), min_size=len(firsts) + 1, max_size=len(firsts) + 1))
    assume(any(parts))
    whole = Fraction(sum(parts))
    return [(day, part / whole) for day, part in zip([DAYS[0], *firsts], parts, strict=True)]


class Walk:
    """How far each person is, walked from day to day."""

    def __init__(
        self, world: World, recount: Recount, cut: Sequence[tuple[date, Fraction]]
    ) -> None:
        self.recount, self.weights = recount, world.base.plan.weights
        ends = [*(first for first, _ in cut[1:]), UNTIL]
        self.slices = [(first, end, part) for (first, part), end in zip(cut, ends, strict=True)]

    def day(self, member: str, day: date) -> Fraction:
        return self.recount.effort(member, day) * self.weights[day.weekday()]

    def days(self, member: str, first: date, until: date) -> Fraction:
        inside = (day for day in DAYS if first <= day < until)
        return sum((self.day(member, day) for day in inside), ZERO)

    def way(self, member: str, day: date, share: Fraction) -> Fraction:
        """Of all slices, as far as they are over."""
        found = ZERO
        for first, end, part in self.slices:
            own = self.days(member, first, end)
            if day >= end:
                found += part
            elif day >= first and own:
                today = self.day(member, day) * share if day in DAYS else ZERO
                found += part * (self.days(member, first, day) + today) / own
        return found

    def expected(self, member: str, deadline: date, scope: Scope) -> Fraction:
        target = self.recount.target(member, deadline, scope)
        if self.recount.day >= deadline:
            return target
        whole = self.way(member, deadline, ZERO)
        now = self.way(member, self.recount.day, self.recount.share)
        return target * now / whole if whole else ZERO


@settings(max_examples=40, deadline=None)
@given(world=worlds(), now=moments_of_recount, weights=weights_of_week, cut=cuts())
def test_every_line_is_that_of_a_walk_from_day_to_day(
    world: World,
    now: tuple[date, Fraction],
    weights: list[int],
    cut: list[tuple[date, Fraction]],
) -> None:
    assume(len(set(weights)) > 1)
    bent = weighted(world, weights, cut)
    plan_, people = bent.base.plan, bent.base.persons
    progress, recount = answered(bent, *now, breakdown="member")
    walk = Walk(bent, recount, cut)
    for tree in (progress.whole, *progress.breakdown):
        for goal in tree.root.walk():
            deadline = plan_.deadlines[goal.key]
            due = [walk.expected(member, deadline, tree.scope) for member in people]
            assert goal.expected == plan_.targets[goal.key] * sum(due, ZERO)


@settings(max_examples=15, deadline=None)
@given(world=worlds(), at=moments, weights=weights_of_week, cut=cuts())
def test_a_weighted_line_never_falls_ends_at_the_target_and_adds_up_over_people(
    world: World, at: int, weights: list[int], cut: list[tuple[date, Fraction]]
) -> None:
    base = weighted(world, weights, cut).base
    midnight = base.workspace.calendar.midnight
    there, earlier = lines(base, at), lines(base, at - 5 * 3600 * 10**6)
    end = lines(base, midnight(UNTIL))
    worked_at_all = any(base.shares.values())
    for key, target in base.plan.targets.items():
        members = [line[key] for member, line in there.items() if member is not None]
        assert sum(members, ZERO) == there[None][key]
        assert all(earlier[member][key] <= line[key] for member, line in there.items())
        assert end[None][key] == (target if worked_at_all else 0)
        assert sum((piece.target for piece in sliced(base)[key]), ZERO) == target


@settings(max_examples=12, deadline=None)
@given(world=worlds(), at=moments, weights=weights_of_week, day=st.sampled_from(DAYS[1:]))
def test_a_revision_that_keeps_the_weights_changes_no_line(
    world: World, at: int, weights: list[int], day: date
) -> None:
    base = weighted(world, weights, [(DAYS[0], Fraction(1))]).base
    again = replace(base.plan, effective_from=day)
    assert lines(ground(base.workspace, again, 2, base.people, base), at) == lines(base, at)


@settings(max_examples=12, deadline=None)
@given(world=worlds(), at=moments, factor=st.integers(2, 9))
def test_weights_that_are_all_the_same_number_change_no_line(
    world: World, at: int, factor: int
) -> None:
    """Through all of what weights go through: only `plan_of` takes them for none."""
    base = weighted(world, [factor] * 7, []).base
    assert not is_plain(base)
    assert lines(base, at) == lines(world.base, at)


def weigh(day: date, weights: Mapping[str, str], halves: Mapping[date, str]) -> Fraction:
    weight = Fraction(weights.get(WEEKDAYS[day.weekday()], "1"))
    return worked(day, dict(halves)) * weight


some_weights = st.dictionaries(
    st.sampled_from(WEEKDAYS[:5]), st.sampled_from(["0", "0.5", "2"]), min_size=1, max_size=4
)
some_halves = st.dictionaries(st.sampled_from(DECEMBER), st.sampled_from(["1", "0.5"]), max_size=12)


@settings(max_examples=4, deadline=None)
@given(halves=some_halves, weights=some_weights, rate=st.integers(1, 5))
def test_who_does_each_day_what_it_asks_arrives_at_the_target(
    halves: dict[date, str], weights: dict[str, str], rate: int
) -> None:
    """Each day asks for whole numbers of calls, by its weight, until all are made."""
    own = {day: weigh(day, weights, halves) for day in DECEMBER}
    target = int(4 * rate * sum(own.values()))
    if target:
        base = of_one(halves, target, profile={"weekdays": weights})
        obey(base, target, lambda day: 4 * rate * own[day])


@settings(max_examples=40, deadline=None)
@given(
    halves=some_halves,
    weights=some_weights,
    numbers=st.lists(st.integers(0, 12), min_size=31, max_size=31),
    day=st.integers(0, 30),
)
def test_a_day_asks_for_its_weights_part_of_what_was_left_at_its_midnight(
    halves: dict[date, str], weights: dict[str, str], numbers: list[int], day: int
) -> None:
    did = [Did("calls", one, n) for one, n in zip(DECEMBER, numbers, strict=True)]
    base = of_one(halves, 300, profile={"weekdays": weights})
    asked = today(base, f"{DECEMBER[day].isoformat()}T23:45:00+09:00", did)["calls"]
    carried = any(worked(one, halves) for one in DECEMBER)
    left = max((300 if carried else 0) - sum(numbers[:day]), 0)
    rest = [weigh(one, weights, halves) for one in DECEMBER[day:]]
    if not any(rest):  # only days without weight are left, and they are days at work
        rest = [worked(one, halves) for one in DECEMBER[day:]]
    reasons = [reason.code for reason in asked.reasons]
    if not left:
        assert asked.required == 0
    elif not any(rest):
        assert values(asked.required, *reasons) == (None, "no_days_left")
    else:
        assert asked.required == left * rest[0] / sum(rest)
        why = "day_without_weight" if worked(DECEMBER[day], halves) else "day_off"
        assert reasons == ([] if rest[0] else [why])


def of_sato(day: str, profile: Any, funnel: Any = None) -> dict[str, Today]:
    changes = {} if funnel is None else {"funnel": funnel}
    return today(december(profile=profile, **changes), f"{day}T10:00:00+09:00", MONTH)


def test_the_mean_of_what_the_days_ask_is_what_is_required_per_day() -> None:
    """Of sato's ten days from the 15th on two are Mondays; together they weigh nine."""
    profile = HALF_MONDAYS
    left = Fraction(5000, 29) - 90
    tuesday, monday = of_sato("2026-12-15", profile), of_sato("2026-12-21", profile)
    assert tuesday["calls"].required == left / 9
    # Nothing was done from the 15th on: six days are left, which weigh 4 and two halves.
    assert monday["calls"].required == left * HALF / 5
    base = december(profile=profile)
    root = read(base, "2026-12-15", Scope(member="sato")).whole.root
    assert root.required_per_day == root.target / 10


def test_what_the_final_goal_asks_of_today_follows_the_weight_as_well() -> None:
    """Sato's 309,655.172414 yen are 77.413793 calls; the ten days that are left weigh nine."""
    calls = (Fraction(2_000_000 * 20, 58) - 380_000) / 400_000 / Fraction("0.05") / Fraction("0.2")
    assert of_sato("2026-12-15", HALF_MONDAYS)["calls"].required_from_kgi == calls / 9
    # Nothing was done since, and from Monday the 21st five days are left, which weigh five:
    # Tuesday to Friday and two halves.
    assert of_sato("2026-12-21", HALF_MONDAYS)["calls"].required_from_kgi == calls * HALF / 5


def test_a_day_without_weight_asks_for_nothing_and_says_why() -> None:
    nothing = of_sato("2026-12-18", {"weekdays": {"fri": "0"}})["calls"]
    assert values(nothing.required, nothing.required_from_kgi, nothing.left) == (0, 0, 0)
    assert [reason.code for reason in nothing.reasons] == ["day_without_weight"]
    saturday = of_sato("2026-12-19", {"weekdays": {"fri": "0"}})["calls"]
    assert [reason.code for reason in saturday.reasons] == ["day_off"]
    # On the last Monday there is no other day left, so what is left is asked of it.
    last = of_sato("2026-12-28", {"weekdays": {"mon": "0"}})["calls"]
    assert values(last.required, last.reasons) == (Fraction(5000, 29) - 90, ())


def test_of_a_plan_with_weights_nothing_else_moves() -> None:
    """Targets, days, what is required per day: all but the line, and what is foreseen by it."""
    at = "2026-12-14T13:30"
    plain, bent = (read(base, at).whole for base in (december(), december(profile=HALF_MONDAYS)))
    assert plain.working_days == bent.working_days
    for one, other in zip(plain.root.walk(), bent.root.walk(), strict=True):
        same = ("target", "target_display", "actual", "required_per_day", "deadline",
                "required_from_kgi_per_day")  # fmt: skip
        assert [getattr(one, name) for name in same] == [getattr(other, name) for name in same]
        assert one.expected != other.expected


def test_a_plan_remembers_no_weights_of_another() -> None:
    base: Ground = december(profile=HALF_MONDAYS)
    assert base.weighted.total == 16 * 2 + 4
    assert base.workdays.total == 20
    assert [base.weighted.on(date(2026, 12, day)) for day in (6, 7, 8, 29)] == [0, 1, 2, 0]

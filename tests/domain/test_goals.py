from __future__ import annotations

from dataclasses import replace
from datetime import date
from fractions import Fraction
from math import ceil
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.backcalc import display
from app.domain.errors import Invalid
from app.domain.metrics import Aggregation, UnitKind
from app.domain.plans import Plan, Unassigned, check_assignments, plan_of
from app.domain.presets import PRESETS
from app.domain.quantities import written
from app.domain.spans import Span
from tests.domain.worlds import FUNNEL, codes, east, plan, plan_document, workspace

METRICS = dict(PRESETS)
for _n in range(120):
    METRICS[f"m{_n}"] = replace(PRESETS["calls"], key=f"m{_n}", names={})
METRICS["deal_size"] = replace(PRESETS["revenue"], key="deal_size", aggregation=Aggregation.AVERAGE)


def tree(root: dict[str, Any]) -> Plan:
    return plan_of("p", plan_document(funnel=None, root=root), workspace(), METRICS)


def funnel(*stages: dict[str, Any]) -> Plan:
    return plan_of("p", plan_document(funnel=list(stages)), workspace(), METRICS)


def goal(metric: str, **rest: Any) -> dict[str, Any]:
    return {"metric": metric} | rest


def from_(rate: str, child: dict[str, Any], **rest: Any) -> dict[str, Any]:
    return {"rate": rate, "from": child} | rest


def targets(made: Plan) -> dict[str, str]:
    return {key: written(value) for key, value in made.targets.items()}


def refused(root: dict[str, Any]) -> Invalid:
    with pytest.raises(Invalid) as error:
        tree(root)
    return error.value


def test_ten_contracts_at_five_percent_need_two_hundred_calls() -> None:
    made = funnel(goal("deals_won", target="10"), goal("calls", rate="0.05"))
    assert targets(made) == {"deals_won": "10", "calls": "200"}


def test_a_thousand_calls_at_twenty_percent_give_two_hundred_appointments() -> None:
    made = funnel(goal("appointments"), goal("calls", rate="0.2", target="1000"))
    assert targets(made) == {"appointments": "200", "calls": "1000"}


def test_a_hundred_negotiations_at_five_percent_are_five_deals_and_ten_at_fifty() -> None:
    up = funnel(goal("deals_won"), goal("meetings_held", rate="0.05", target="100"))
    down = funnel(goal("deals_won", target="5"), goal("meetings_held", rate="0.5"))
    assert targets(up)["deals_won"] == "5"
    assert targets(down)["meetings_held"] == "10"


def test_each_goal_shows_its_exact_requirement_rounded_up() -> None:
    made = funnel(
        goal("revenue", target="10000000"),
        goal("deals_won", rate="430000"),
        goal("appointments", rate="0.18"),
        goal("calls", rate="0.07"),
    )
    shown = {g.key: display(g, made.targets[g.key]) for g in made.root.walk()}
    assert shown == {"revenue": 10_000_000, "deals_won": 24, "appointments": 130, "calls": 1846}
    assert round(made.targets["calls"], 2) == Fraction("1845.70")
    forward = Fraction("0.07") * Fraction("0.18") * 430_000
    assert 1846 * forward >= 10_000_000 > 1845 * forward


@given(k=st.integers(1, 200), percent=st.integers(1, 99))
def test_no_binary_float_ever_asks_for_one_too_many(k: int, percent: int) -> None:
    rate = written(Fraction(percent, 100))
    made = funnel(goal("deals_won", target=str(k)), goal("calls", rate=rate))
    shown = display(made.root.children[0], made.targets["calls"])
    assert shown == -(-k * 100 // percent)


@given(
    target=st.integers(1, 10**9),
    factor=st.integers(2, 9),
    rates=st.lists(st.integers(1, 3000), min_size=3, max_size=3),
)
def test_the_leaf_rounded_up_is_enough_and_one_less_is_not_and_targets_scale(
    target: int, factor: int, rates: list[int]
) -> None:
    stages = ["deals_won", "appointments", "calls"]
    edges = [goal(m, rate=written(Fraction(r, 1000))) for m, r in zip(stages, rates, strict=True)]
    one = funnel(goal("leads", target=str(target)), *edges)
    many = funnel(goal("leads", target=str(target * factor)), *edges)
    forward = Fraction(rates[0] * rates[1] * rates[2], 1000**3)
    leaf = ceil(one.targets["calls"])
    assert leaf * forward >= target > (leaf - 1) * forward
    assert all(many.targets[key] == factor * value for key, value in one.targets.items())


def test_a_rate_of_one_changes_nothing_and_a_rate_may_exceed_one() -> None:
    made = funnel(goal("deals_won", target="7"), goal("leads", rate="1"), goal("calls", rate="1.4"))
    assert targets(made) == {"deals_won": "7", "leads": "7", "calls": "5"}


def test_the_full_form_and_the_funnel_mean_the_same_tree() -> None:
    chain = goal("calls")
    for stage in reversed(FUNNEL[1:]):
        above = FUNNEL[FUNNEL.index(stage) - 1]
        chain = goal(above["metric"], conversion=from_(stage["rate"], chain))
    full = tree(chain | {"target": "2000000"})
    short = plan()
    assert full.targets == short.targets
    assert [g.key for g in full.root.walk()] == [g.key for g in short.root.walk()]


PARTS = [goal("m1", target="30"), goal("m2", target="70")]


def test_a_sum_is_solved_for_its_one_unknown() -> None:
    assert targets(tree(goal("m0", parts=PARTS)))["m0"] == "100"
    rest = tree(goal("m0", target="100", parts=[PARTS[0], goal("m2")]))
    assert targets(rest) == {"m0": "100", "m1": "30", "m2": "70"}
    assert targets(tree(goal("m0", target="100", parts=PARTS)))["m0"] == "100"


def test_values_run_through_chains_and_sums_in_any_direction() -> None:
    west = goal(
        "m3", conversion=from_("0.5", goal("m4", parts=[goal("m5"), goal("m6", target="8")]))
    )
    east_ = goal("m1", conversion=from_("0.25", goal("m2", target="40")))
    made = tree(goal("m0", target="20", parts=[east_, west]))
    assert targets(made) == {
        "m0": "20",
        "m1": "10",
        "m2": "40",
        "m3": "10",
        "m4": "20",
        "m5": "12",
        "m6": "8",
    }


def test_parts_that_do_not_add_up_are_a_named_mismatch_with_each_single_repair() -> None:
    error = refused(goal("m0", target="90", parts=PARTS))
    assert error.code == "targets_mismatch"
    assert [(f.pointer, f.params) for f in error.faults] == [
        ("/root", {"goal": "m0", "given": "90", "residual": "-10", "repair": "100"}),
        ("/root/parts/0", {"goal": "m1", "given": "30", "residual": "-10", "repair": "20"}),
        ("/root/parts/1", {"goal": "m2", "given": "70", "residual": "-10", "repair": "60"}),
    ]


def test_a_part_that_would_have_to_be_below_zero_is_refused() -> None:
    error = refused(goal("m0", target="20", parts=[PARTS[0], goal("m2")]))
    assert error.code == "negative_target"
    assert error.faults[0].params == {"goals": "m2", "solved": "-10"}


def pinned(target: str, rate: str = "0.2", root: str = "100") -> Plan:
    return funnel(
        goal("deals_won", target=root), goal("calls", rate=rate, target=target, pinned=True)
    )


def test_a_pinned_target_within_the_rounding_of_the_inputs_stands_unchanged() -> None:
    # 100 / 0.18 = 555.6; "0.18" may be 0.175 to 0.185, so 2.8 % either way is no contradiction.
    assert targets(pinned("560", "0.18"))["calls"] == "555.555556"
    assert targets(pinned("571", "0.18"))["deals_won"] == "100"


@pytest.mark.parametrize("number", range(500, 620))
def test_the_tolerance_is_the_rounding_of_the_inputs_and_nothing_more(number: int) -> None:
    allowed = Fraction(1, 200) + Fraction("0.005") / Fraction("0.18") + Fraction(1, 2 * number)
    off = abs(number * Fraction("0.18") / 100 - 1)
    if off <= allowed + Fraction(1, 10**9):
        assert pinned(str(number), "0.18")
    else:
        with pytest.raises(Invalid, match="targets_mismatch"):
            pinned(str(number), "0.18")


@pytest.mark.parametrize("place", [0, 1, 2])
def test_every_repair_of_a_pinned_mismatch_really_repairs_it(place: int) -> None:
    stages = [
        goal("deals_won", target="100"),
        goal("leads", rate="0.50"),
        goal("calls", rate="0.25"),
    ]
    if place == 0:
        stages[0] |= {"pinned": True}
        stages[2] |= {"target": "1000"}
    else:
        stages[place] |= {"target": "1000", "pinned": True}
    with pytest.raises(Invalid) as error:
        funnel(*stages)
    fields = [f.pointer for f in error.value.faults]
    assert len(fields) == len(set(fields)) == 2 + (place or 2)
    for fault in error.value.faults:
        _, _, stage, field = fault.pointer.split("/")
        mended = [dict(s) for s in stages]
        mended[int(stage)][field] = str(fault.params["repair"])
        assert funnel(*mended).targets
        assert fault.params["given"] == written(Fraction(stages[int(stage)][field]))


def test_a_pinned_zero_has_only_itself_to_repair() -> None:
    with pytest.raises(Invalid) as error:
        pinned("0")
    assert [(f.pointer, f.params["repair"]) for f in error.value.faults] == [
        ("/funnel/1/target", "500")
    ]


def test_a_target_of_zero_asks_for_nothing_below() -> None:
    assert targets(funnel(goal("deals_won", target="0"), goal("calls", rate="0.5")))["calls"] == "0"


def test_a_pinned_target_in_a_chain_that_a_sum_decides_is_checked_too() -> None:
    chain = goal("m1", conversion=from_("0.50", goal("m2", target="90", pinned=True)))
    error = refused(goal("m0", target="20", parts=[chain, goal("m3", target="10")]))
    assert [(f.pointer, f.params["repair"]) for f in error.faults] == [
        ("/root/parts/0/conversion/from/target", "20"),
        ("/root/parts/0/conversion/rate", "0.111111"),
    ]


def test_two_free_targets_in_a_chain_are_refused_by_name() -> None:
    with pytest.raises(Invalid) as error:
        funnel(goal("deals_won", target="5"), goal("calls", rate="0.5", target="10"))
    assert codes(error.value) == [
        ("/funnel/0/target", "two_free_targets"),
        ("/funnel/1/target", "two_free_targets"),
    ]
    assert error.value.params == {"goals": "deals_won, calls"}


@pytest.mark.parametrize(
    ("root", "missing"),
    [
        (goal("m0", conversion=from_("0.5", goal("m1"))), "m0, m1"),
        (goal("m0", target="5", pinned=True), "m0"),
        (
            goal("m0", target="5", parts=[goal("m1"), goal("m2"), PARTS[1] | {"metric": "m3"}]),
            "m1, m2",
        ),
    ],
)
def test_goals_that_nothing_decides_are_named(root: dict[str, Any], missing: str) -> None:
    error = refused(root)
    assert (error.code, error.params) == ("missing_target", {"goals": missing})


LEAF = goal("m1", target="5")


@pytest.mark.parametrize(
    ("root", "pointer", "code"),
    [
        (goal("m0", conversion=from_("0", LEAF)), "/root/conversion/rate", "unreachable"),
        (goal("m0", conversion=from_("-0.1", LEAF)), "/root/conversion/rate", "negative_rate"),
        (goal("m0", conversion={"from": LEAF}), "/root/conversion/rate", "missing_rate"),
        (goal("m0", conversion=from_("5%", LEAF)), "/root/conversion/rate", "not_a_decimal"),
        (
            goal("m0", conversion=from_("1", LEAF, lag_days=-1)),
            "/root/conversion/lag_days",
            "negative_lag",
        ),
        (
            goal("m0", conversion=from_("1", LEAF, lag_days=31)),
            "/root/conversion/from",
            "lag_exceeds_period",
        ),
        (
            goal("m0", conversion=from_("1", LEAF, lag_days=9**9)),
            "/root/conversion/lag_days",
            "lag_exceeds_period",
        ),
        (goal("m0", conversion=from_("1", LEAF), parts=[LEAF]), "/root", "conversion_or_parts"),
        (goal("m0", parts=[], target="1"), "/root/parts", "empty_parts"),
        (goal("m0", target="-1"), "/root/target", "negative_target"),
        (goal("nonsense", target="1"), "/root/metric", "unknown_metric"),
        (goal("deal_size", target="1"), "/root/metric", "not_additive"),
        (goal("open_pipeline", target="1"), "/root/metric", "not_additive"),
        (goal("m0", target="1", pinned="yes"), "/root/pinned", "not_a_boolean"),
        (goal("revenue", target="1", currency="USD"), "/root/currency", "mixed_currency"),
        (goal("revenue", target="1", parts=[LEAF]), "/root", "mixed_currency"),
        (goal("m0", target="1", parts=[goal("talk_time")]), "/root", "mixed_units"),
        (
            goal("m0", conversion=from_("1", goal("m1", conversion=from_("1", goal("m0"))))),
            "/root/conversion/from/conversion/from",
            "cyclic",
        ),
    ],
)
def test_a_tree_without_meaning_is_refused_where_it_is_wrong(
    root: dict[str, Any], pointer: str, code: str
) -> None:
    assert codes(refused(root)) == [(pointer, code)]


def test_a_cycle_names_its_goals() -> None:
    inner = goal("m1", conversion=from_("1", goal("m0")))
    assert refused(goal("m0", conversion=from_("1", inner))).params == {"goals": "m0, m1, m0"}


def test_one_key_for_two_goals_side_by_side_is_a_duplicate_at_both() -> None:
    error = refused(goal("m0", parts=[LEAF, LEAF]))
    assert codes(error) == [
        ("/root/parts/0", "duplicate_goal"),
        ("/root/parts/1", "duplicate_goal"),
    ]
    other = tree(goal("m0", parts=[LEAF | {"key": "east"}, LEAF | {"key": "west"}]))
    assert targets(other) == {"m0": "10", "east": "5", "west": "5"}


def test_trees_have_a_depth_and_a_size_that_they_cannot_pass() -> None:
    deep = goal("m32", target="1")
    for n in reversed(range(32)):
        deep = goal(f"m{n}", conversion=from_("1", deep))
    assert refused(deep).code == "goals_too_deep"
    assert tree(deep["conversion"]["from"]).targets["m1"] == 1
    wide = [goal(f"m{n}", target="1") for n in range(1, 101)]
    assert refused(goal("m0", parts=wide)).code == "too_many_goals"
    assert tree(goal("m0", parts=wide[:-1])).targets["m0"] == 99


def test_money_in_the_workspace_currency_adds_up() -> None:
    parts = [goal("revenue", key="new", target="5", currency="JPY"), goal("cash_in", target="6")]
    made = tree(goal("revenue", parts=parts))
    assert (made.root.unit.kind, made.root.unit.currency) == (UnitKind.MONEY, "JPY")
    assert made.targets["revenue"] == 11


@pytest.mark.parametrize(
    ("changes", "pointer", "code"),
    [
        ({"funnel": []}, "/funnel", "empty_funnel"),
        ({"funnel": None}, "", "funnel_or_root"),
        ({"root": LEAF}, "", "funnel_or_root"),
        (
            {"funnel": [goal("calls", target="1", rate="1")]},
            "/funnel/0/rate",
            "rate_on_first_stage",
        ),
        (
            {"funnel": [goal("calls", target="1", lag_days=3)]},
            "/funnel/0/lag_days",
            "rate_on_first_stage",
        ),
        ({"funnel": [goal("leads", target="1"), goal("calls")]}, "/funnel/1/rate", "missing_rate"),
        ({"funnel": [goal("calls", target="1"), goal("calls", rate="1")]}, "/funnel/1", "cyclic"),
        ({"period": {}}, "/period", "one_period"),
        ({"period": {"month": "2026-12", "quarter": "2026-Q4"}}, "/period", "one_period"),
        ({"period": {"month": "2026-12", "end": "2026-12-31"}}, "/period", "one_period"),
        ({"period": {"month": "2026-13"}}, "/period/month", "not_a_month"),
        ({"period": {"quarter": "2026-Q5"}}, "/period/quarter", "not_a_quarter"),
        ({"period": {"start": "2026-12-01", "end": "2026-12-01"}}, "/period/end", "empty_period"),
        ({"period": {"start": "2026-12-01"}}, "/period/end", "not_a_date"),
        (
            {"period": {"start": "1979-12-31", "end": "1980-02-01"}},
            "/period/start",
            "period_out_of_range",
        ),
        (
            {"period": {"start": "2026-01-01", "end": "2037-01-01"}},
            "/period/end",
            "period_too_long",
        ),
        ({"alias": "New Business"}, "/alias", "not_a_key"),
        ({"assignments": [{"weight": "1"}]}, "/assignments/0", "team_or_member"),
        ({"assignments": [{"team": "a", "member": "b"}]}, "/assignments/0", "team_or_member"),
        (
            {"assignments": [{"team": "a", "weight": "0"}]},
            "/assignments/0/weight",
            "weight_not_positive",
        ),
        ({"assignments": [{"team": "a"}, {"team": "a"}]}, "/assignments/1", "duplicate_assignment"),
    ],
)
def test_a_plan_without_meaning_is_refused_where_it_is_wrong(
    changes: dict[str, Any], pointer: str, code: str
) -> None:
    with pytest.raises(Invalid) as error:
        plan_of("p", plan_document(**changes), workspace(), METRICS)
    assert codes(error.value) == [(pointer, code)]


def test_an_assignment_to_strangers_is_refused() -> None:
    made = plan(
        assignments=[{"team": "east"}, {"team": "west"}, {"member": "sato"}, {"member": "x"}]
    )
    with pytest.raises(Invalid) as error:
        check_assignments(made, east())
    assert codes(error.value) == [
        ("/assignments/1", "unknown_team"),
        ("/assignments/3", "unknown_member"),
    ]


@pytest.mark.parametrize(
    ("period", "first", "until"),
    [
        ({"month": "2026-12"}, date(2026, 12, 1), date(2027, 1, 1)),
        ({"month": "2028-02"}, date(2028, 2, 1), date(2028, 3, 1)),
        ({"quarter": "2026-Q3"}, date(2026, 7, 1), date(2026, 10, 1)),
        ({"quarter": "2026-Q4", "fiscal": False}, date(2026, 10, 1), date(2027, 1, 1)),
        ({"quarter": "2026-Q1", "fiscal": True}, date(2026, 4, 1), date(2026, 7, 1)),
        ({"quarter": "2026-Q4", "fiscal": True}, date(2027, 1, 1), date(2027, 4, 1)),
        ({"start": "2026-12-07", "end": "2026-12-21"}, date(2026, 12, 7), date(2026, 12, 21)),
    ],
)
def test_a_period_is_half_open_days(period: dict[str, Any], first: date, until: date) -> None:
    assert plan(period=period).span == Span(first, until)


def test_lags_add_up_to_each_goals_own_deadline() -> None:
    stages: list[dict[str, Any]] = [dict(stage) for stage in FUNNEL]
    stages[2] |= {"lag_days": 14}
    stages[3] |= {"lag_days": 3}
    assert plan(funnel=stages).deadlines == {
        "revenue": date(2027, 1, 1),
        "deals_won": date(2027, 1, 1),
        "appointments": date(2026, 12, 18),
        "calls": date(2026, 12, 15),
    }


def test_a_plan_keeps_its_alias_names_and_choices() -> None:
    made = plan(alias="new-business", include_unassigned=True)
    assert (made.alias, made.unassigned) == ("new-business", Unassigned.INSIDE)
    assert (plan().alias, plan().unassigned) == ("2026-12-new", Unassigned.BESIDE)
    assert [g.name for g in plan().root.walk()] == ["売上", "受注", "アポ", "架電"]
    named = tree(goal("calls", name="Cold calls", target="1")).root.name
    assert (named, tree(goal("m0", target="1")).root.name) == ("Cold calls", "m0")
    english = plan_of("p", plan_document(), workspace(locale="fr-FR"), PRESETS)
    assert english.root.name == "Revenue"


def test_a_goal_named_like_the_displays_of_the_split_is_refused() -> None:
    inner = LEAF | {"key": "display"}
    assert codes(refused(goal("m0", parts=[inner]))) == [("/root/parts/0", "reserved_key")]

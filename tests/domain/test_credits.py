"""Shared credit: how it is written, and what each person's part of an activity is."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.activities import KIND, RETRACTED, ZERO, Report, State, joined, make_report
from app.domain.definitions import document_of, metric_of
from app.domain.errors import Invalid
from app.domain.instants import instant
from app.domain.kinds import KINDS, canonical_fields, identity, kind_of
from app.domain.metrics import Contribution, Credit, Metric, contribution, contributions
from app.domain.presets import PRESETS
from app.domain.quantities import INT64
from app.domain.revisions import of_number
from app.domain.tallies import Movement, cells, moved, occurrences
from app.domain.values import sorted_number
from tests.domain.worlds import codes

AT = "2026-12-14T09:00:00Z"
NOW = instant(AT)
REVENUE = replace(PRESETS["revenue"], key="shared", credit=Credit.SHARED)
WINS = replace(PRESETS["deals_won"], key="wins", credit=Credit.SHARED)


def people(*credited: tuple[Any, Any]) -> list[dict[str, Any]]:
    return [{"identity": who, "share": share} for who, share in credited]


def won(*credited: tuple[Any, Any], **fields: Any) -> State:
    usual: dict[str, Any] = {KIND: "deal", "status": "won", "won_at": AT, "owner": "boss"}
    shared = {"credits": people(*credited)} if credited else {}
    return State(ZERO, usual | {"amount": "1000000"} | shared | fields, {})


def read(value: Any, kind: str = "deal") -> Any:
    return canonical_fields(kind_of(kind), {"credits": value}, actor=None, now=NOW)["credits"]


def parts(metric: Metric, state: State, currency: str = "JPY") -> dict[str, tuple[int, int]]:
    """Number and total of each person, as they are tallied."""
    found = contributions(metric, state, currency)
    assert found is not None
    return {one.identity: (one.number, one.total) for one in found if isinstance(one, Contribution)}


@pytest.mark.parametrize("kind", [*KINDS, "site_visit"])
def test_credits_have_one_spelling_in_every_kind(kind: str) -> None:
    written = people(("+81 (3) 1234-5678", "0.30"), ("Sato@Example.JP", Decimal("0.700")))
    spelled = people(("+81312345678", "0.3"), ("sato@example.jp", "0.7"))
    assert read(written, kind) == spelled
    assert read(list(reversed(written)), kind) == spelled
    assert read(spelled, kind) == spelled


def test_one_person_may_have_all_of_it_and_twenty_may_share() -> None:
    assert read(people(("a", 1))) == people(("a", "1"))
    assert len(read(people(*((f"p{n}", "0.05") for n in range(20))))) == 20
    assert read(None) is None


NO_SHARES = [("/0/share", "not_a_share"), ("/1/share", "not_a_share")]
THIRD = "0.333333"


@pytest.mark.parametrize(
    ("value", "faults"),
    [
        ("sato", [("", "not_a_list")]),
        ({}, [("", "not_a_list")]),
        ([], [("", "too_few_items")]),
        (people(*((f"p{n}", "0.04") for n in range(25))), [("", "too_many_items")]),
        (["sato"], [("/0", "not_an_object")]),
        ([{}], [("/0/identity", "required"), ("/0/share", "required")]),
        (people(("a", None)), [("/0/share", "required")]),
        ([{"identity": "a", "share": "1", "role": "x"}], [("/0", "unknown_field")]),
        (people(("a", "0.5"), (" b", "0.5")), [("/1/identity", "not_a_name")]),
        (people((7, "1")), [("/0/identity", "not_a_text")]),
        (people(("@" + "ß" * 254, "1")), [("/0/identity", "not_a_name")]),
        (people(("a", "half")), [("/0/share", "not_a_decimal")]),
        (people(("a", True)), [("/0/share", "not_a_decimal")]),
        (people(("a", [1])), [("/0/share", "not_a_decimal")]),
        (people(("a", "1e0")), [("/0/share", "not_a_decimal")]),
        (people(("a", "0"), ("b", "1")), [("/0/share", "not_a_share")]),
        (people(("a", "-0.5"), ("b", "1.5")), NO_SHARES),
        (people(("a", "0.3333333"), ("b", "0.6666667")), NO_SHARES),
        (people(("a", "9" * 30)), [("/0/share", "not_a_share")]),
        (people(("a@x.jp", "0.5"), ("A@X.jp", "0.5")), [("/1/identity", "credited_twice")]),
        (people(("a", THIRD), ("b", THIRD), ("c", THIRD)), [("", "shares_do_not_sum")]),
        (people(("a", "0.5"), ("b", "0.500001")), [("", "shares_do_not_sum")]),
    ],
)  # fmt: skip
def test_what_is_no_exact_division_is_refused_where_it_stands(
    value: Any, faults: list[tuple[str, str]]
) -> None:
    with pytest.raises(Invalid) as refused:
        read(value)
    assert codes(refused.value) == [(f"/credits{pointer}", code) for pointer, code in faults]


def test_a_sum_that_is_wrong_is_told() -> None:
    with pytest.raises(Invalid) as refused:
        read(people(("a", "0.3"), ("b", "0.69")))
    assert dict(refused.value.faults[0].params) == {"sum": "0.99"}


def test_the_order_of_the_people_is_no_other_content() -> None:
    one, other = (
        make_report("crm", "d", "1", {KIND: "deal", "credits": read(value)}, full=True)
        for value in (
            people(("b", "0.50"), ("a", "0.5")),
            people(("a", "0.5"), ("b", "0.5")),
        )
    )
    assert one == other


def test_a_metric_divides_an_activity_only_when_it_says_so() -> None:
    state = won(("sato", "0.7"), ("suzuki", "0.3"))
    assert parts(PRESETS["revenue"], state) == {"boss": (1, 1_000_000)}
    assert parts(REVENUE, state) == {
        "sato": (700_000, 700_000 * 1_000_000),
        "suzuki": (300_000, 300_000 * 1_000_000),
    }


@pytest.mark.parametrize(("owner", "who"), [("boss", "boss"), (None, "")])
def test_an_activity_that_names_nobody_is_whole_for_its_role(owner: str | None, who: str) -> None:
    for cleared in ({}, {"credits": None}):
        assert parts(WINS, won(owner=owner, **cleared)) == {who: (1_000_000, 0)}


def test_a_re_split_moves_only_what_changes_hands() -> None:
    before, after = (
        cells(won(("sato", share), ("suzuki", other)), [REVENUE], "JPY")
        for share, other in (("0.7", "0.3"), ("0.5", "0.5"))
    )
    steps = {cell.identity: step for cell, step in moved(before, after).items()}
    part = 200_000
    assert steps == {
        "sato": Movement(-part, -part * 1_000_000),
        "suzuki": Movement(part, part * 1_000_000),
    }
    gone = cells(won(("sato", "1"), **{RETRACTED: True}), [REVENUE], "JPY")
    assert gone == {}


def test_a_pipeline_is_shared_when_it_comes_and_when_it_leaves() -> None:
    pipeline = replace(PRESETS["open_pipeline"], key="p", credit=Credit.SHARED)
    decided = won(("a", "0.25"), ("b", "0.75"), created_at="2026-12-01T00:00:00Z", amount="4")
    found = Counter[tuple[str, int]]()
    for cell, step in cells(decided, [pipeline], "JPY").items():
        found[cell.identity, 1 if step.number > 0 else -1] += step.total
    came = {("a", 1): 10**6, ("b", 1): 3 * 10**6}
    assert found == came | {(who, -step): -total for (who, step), total in came.items()}


@pytest.mark.parametrize(
    ("aggregation", "value"),
    [("unique", "5"), ("min", sorted_number(500)), ("max", sorted_number(500))],
)
def test_whoever_has_a_share_has_the_whole_value_of_a_multiset(
    aggregation: str, value: str
) -> None:
    metric = metric_of(
        "m",
        document_of(PRESETS["deals_won"])
        | {"aggregation": aggregation, "value": "size", "credit": "shared"}
        | ({} if aggregation == "unique" else {"decimals": 2}),
    )
    state = won(("a", "0.25"), ("b", "0.75"), size="5")
    found = [(one.identity, one.value) for one in occurrences(state, [metric], "JPY")]
    assert found == [("a", value), ("b", value)]


def test_the_average_of_shared_work_weighs_each_deal_by_the_share() -> None:
    average = metric_of(
        "a", document_of(PRESETS["revenue"]) | {"aggregation": "average", "credit": "shared"}
    )
    found = [
        parts(average, won(("sato", share), ("suzuki", other), amount=amount))["sato"]
        for share, other, amount in (("0.25", "0.75", "100"), ("0.5", "0.5", "400"))
    ]
    number, total = (sum(column) for column in zip(*found, strict=True))
    # (100 x 1/4 + 400 x 1/2) / (1/4 + 1/2)
    assert average.reading(number, total, "JPY") == 300


@pytest.mark.parametrize("sign", ["", "-"])
def test_a_value_that_cannot_be_divided_exactly_is_refused_and_never_rounded(sign: str) -> None:
    most = INT64 // 8 // 10**6
    state = won(("a", "0.5"), ("b", "0.5"), amount=f"{sign}{most}")
    assert sum(total for _, total in parts(REVENUE, state).values()) == int(f"{sign}{most}") * 10**6
    beyond = won(("a", "0.5"), ("b", "0.5"), amount=f"{sign}{most + 1}")
    with pytest.raises(Invalid, match="share_does_not_fit"):
        contributions(REVENUE, beyond, "JPY")
    assert cells(beyond, [REVENUE], "JPY") == {}
    assert cells(beyond, [PRESETS["revenue"]], "JPY") != {}


@pytest.mark.parametrize("kept", ["sato", [], [7], [{"identity": "a", "share": "0.5"}]])
def test_credits_that_were_taken_in_unread_count_nothing_and_are_told(kept: Any) -> None:
    with pytest.raises(Invalid):
        contributions(REVENUE, won(credits=kept), "JPY")
    assert parts(PRESETS["revenue"], won(credits=kept)) == {"boss": (1, 1_000_000)}


def test_a_definition_says_whether_it_honours_shares() -> None:
    copied = document_of(PRESETS["revenue"])
    assert copied["credit"] == "role"
    assert metric_of("r", {k: v for k, v in copied.items() if k != "credit"}).credit is Credit.ROLE
    assert metric_of("shared", copied | {"credit": "shared"}) == REVENUE
    with pytest.raises(Invalid) as refused:
        metric_of("m", copied | {"credit": "halves"})
    assert codes(refused.value) == [("/credit", "unknown_value")]
    assert all(metric.credit is Credit.ROLE for metric in PRESETS.values())


@pytest.mark.parametrize(
    ("changes", "pointer", "code"),
    [
        ({"where": [{"field": "credits", "in": ["a"]}]}, "/where/0/field", "not_comparable"),
        ({"value": "credits"}, "/value", "not_a_number_field"),
        ({"roles": ["credits"]}, "/roles/0", "not_a_role"),
        (
            {"aggregation": "unique", "value": "credits", "unit": "count"},
            "/value",
            "not_comparable",
        ),
    ],
)  # fmt: skip
def test_a_definition_cannot_measure_or_compare_credits(
    changes: dict[str, Any], pointer: str, code: str
) -> None:
    with pytest.raises(Invalid) as refused:
        metric_of("m", document_of(PRESETS["revenue"]) | changes)
    assert codes(refused.value) == [(pointer, code)]


millionths = st.integers(1, 10**6 - 1)
splits = st.lists(millionths, max_size=19, unique=True).map(
    lambda cuts: [
        (f"p{n}", str(Decimal(end - start).scaleb(-6)))
        for n, (start, end) in enumerate(
            zip([0, *sorted(cuts)], [*sorted(cuts), 10**6], strict=True)
        )
    ]
)


@given(splits, st.integers(-(10**12), 10**12), st.sampled_from(["JPY", "USD", "KWD"]))
def test_the_parts_are_the_exact_shares_and_add_up_to_the_whole(
    split: list[tuple[str, str]], minor: int, currency: str
) -> None:
    digits = {"JPY": 0, "USD": 2, "KWD": 3}[currency]
    amount = str(Decimal(minor).scaleb(-digits))
    state = won(amount=f"{Decimal(amount):f}", credits=read(people(*split)))
    found = parts(REVENUE, state, currency)
    for who, share in split:
        number, total = found[who]
        assert REVENUE.counted(number) == Fraction(share)
        assert REVENUE.summed(total, currency) == Fraction(share) * Fraction(amount)
    whole = contribution(PRESETS["revenue"], state, currency)
    assert isinstance(whole, Contribution)
    number, total = (sum(column) for column in zip(*found.values(), strict=True))
    assert (REVENUE.counted(number), REVENUE.summed(total, currency)) == (
        1,
        PRESETS["revenue"].summed(whole.total, currency),
    )


@st.composite
def reports(draw: st.DrawFn) -> Report:
    """Something about one deal: its credits said, cleared or left as they are."""
    fields: dict[str, Any] = {KIND: "deal", "status": "won", "won_at": AT, "amount": "7"}
    match draw(st.sampled_from(["said", "cleared", "silent"])):
        case "said":
            fields["credits"] = read(people(*draw(splits)))
        case "cleared":
            fields["credits"] = None
    revision = of_number(str(draw(st.integers(0, 3))))
    return make_report("crm", "d", revision, fields, full=draw(st.booleans()))


@given(st.lists(reports(), min_size=1, max_size=6), st.randoms(use_true_random=False))
def test_shares_end_the_same_in_any_order_and_however_often(said: list[Report], dice: Any) -> None:
    shuffled = dice.sample([*said, *said[:2]], len(said) + len(said[:2]))
    assert joined(shuffled) == joined(said)
    assert cells(joined(shuffled), [REVENUE], "JPY") == cells(joined(said), [REVENUE], "JPY")
    ordered = sorted(said, key=lambda one: one.stamp)
    base = max((one.stamp for one in ordered if one.full), default=ZERO)
    last: Any = None
    for one in ordered:
        if one.stamp >= base and (one.full or "credits" in one.fields):
            last = one.fields.get("credits")
    expected = {one["identity"]: Fraction(one["share"]) for one in last or people(("", "1"))}
    found = parts(WINS, joined(said))
    assert {who: WINS.counted(number) for who, (number, _) in found.items()} == expected


def test_identities_that_share_are_spelled_as_roles_are() -> None:
    for text in ("Sato@Example.JP", "+81 (3) 1234", "Agent-7", "sip:Sato@pbx"):
        assert read(people((text, "1")))[0]["identity"] == identity(text)

"""Kinds, metrics and tallies: what a report becomes, and what a state adds to which number."""

from __future__ import annotations

from decimal import Decimal
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.activities import KIND, RETRACTED, ZERO, JsonValue, State
from app.domain.errors import Invalid
from app.domain.instants import DAY, QUARTER, instant
from app.domain.kinds import KINDS, canonical_fields, identity, kind_of
from app.domain.metrics import (
    Aggregation,
    Contribution,
    Metric,
    Uncounted,
    Unit,
    UnitKind,
    contribution,
)
from app.domain.presets import PRESETS
from app.domain.tallies import Cell, Movement, cells, moved
from tests.domain.worlds import codes

NOW = instant("2026-12-14T09:00:00Z")
AT = "2026-12-14T09:00:00Z"


def canonical(kind: str, data: dict[str, Any], actor: Any = None) -> dict[str, JsonValue]:
    return canonical_fields(kind_of(kind), data, actor=actor, now=NOW)


def test_fields_have_one_spelling_however_they_were_typed() -> None:
    data = {
        "status": "won",
        "amount": Decimal("5.10"),
        "currency": "JPY",
        "owner": "Sato@Example.JP",
        "won_at": "2026-12-14T18:00:00+09:00",
        "expected_close_on": "2026-12-24",
        "stage": None,
    }
    assert canonical("deal", data) == {
        KIND: "deal",
        "status": "won",
        "amount": "5.1",
        "currency": "JPY",
        "owner": "sato@example.jp",
        "won_at": AT,
        "expected_close_on": "2026-12-24",
        "stage": None,
    }
    assert (
        canonical("deal", {"amount": 5})["amount"] == canonical("deal", {"amount": "5.0"})["amount"]
    )


@pytest.mark.parametrize(
    ("kind", "data", "filled"),
    [
        ("call", {}, {"agent": "301"}),
        ("call", {"agent": "302"}, {"agent": "302"}),
        ("call", {"agent": None}, {"agent": None}),
        ("meeting", {"organizer": "x"}, {"booked_by": "301", "organizer": "x"}),
        ("deal", {}, {"owner": "301"}),
        ("payment", {}, {"owner": "301"}),
        ("lead", {}, {"owner": "301"}),
        ("site_visit", {}, {"actor": "301"}),
    ],
)
def test_a_bare_actor_fills_the_roles_that_the_data_leave_open(
    kind: str, data: dict[str, Any], filled: dict[str, str]
) -> None:
    assert canonical(kind, data, actor="301") == {KIND: kind} | filled


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("Sato@Example.JP", "sato@example.jp"),
        ("+81 (3) 1234-5678", "+81312345678"),
        ("sip:Sato@pbx", "sip:Sato@pbx"),
        ("Agent-7", "Agent-7"),
    ],
)
def test_identities_are_spelled_as_people_are_looked_up(text: str, value: str) -> None:
    assert identity(text) == value


def test_a_custom_kind_keeps_any_fields_with_decimals_exact() -> None:
    data = {
        "a": Decimal("1.50"),
        "b": [Decimal(2), {"c": "x"}],
        "d": True,
        "e": 7,
        "actor": "A@b.c",
    }
    assert canonical("site_visit", data) == {
        KIND: "site_visit",
        "a": "1.5",
        "b": ["2", {"c": "x"}],
        "d": True,
        "e": 7,
        "actor": "a@b.c",
    }


@pytest.mark.parametrize(
    ("kind", "field", "value", "code"),
    [
        ("call", "direction", "sideways", "unknown_value"),
        ("call", "direction", 1, "unknown_value"),
        ("call", "talk_seconds", True, "not_an_integer"),
        ("call", "talk_seconds", "7", "not_an_integer"),
        ("call", "talk_seconds", -1, "out_of_range"),
        ("call", "talk_seconds", 0, None),
        ("call", "counterpart", 7, "not_a_text"),
        ("call", "counterpart", "x" * 10_001, "text_too_long"),
        ("call", "counterpart", "\x00", "nul_in_text"),
        ("call", "agent", 7, "not_a_text"),
        ("call", "agent", "", "not_a_name"),
        ("call", "agent", " x", "not_a_name"),
        ("call", "agent", "a\nb", "not_a_name"),
        ("call", "agent", "x" * 256, "not_a_name"),
        ("call", "started_at", 1734170400, "not_a_time"),
        ("call", "started_at", "2026-12-14T09:00:00", "time_without_offset"),
        ("call", "started_at", "1979-12-31T23:59:59Z", "time_before_1980"),
        ("call", "started_at", "2026-12-15T09:00:00.000001Z", "time_too_far_ahead"),
        ("deal", "amount", True, "not_a_decimal"),
        ("deal", "amount", None, None),
        ("deal", "amount", "1e3", "not_a_decimal"),
        ("deal", "currency", "yen", "not_a_currency"),
        ("deal", "currency", 392, "not_a_currency"),
        ("deal", "expected_close_on", "2026-02-30", "not_a_date"),
        ("deal", "expected_close_on", "20261201", "not_a_date"),
        ("payment", "refunded_amount", "-1", "negative"),
        ("payment", "refunded_amount", "1.0", None),
        ("deal", "expected_close_on", "2999-01-01", None),
        ("meeting", "starts_at", "2999-01-01T00:00:00Z", None),
        ("call", "started_at", "2026-12-15T09:00:00Z", None),
    ],
)
def test_a_field_is_read_strictly(kind: str, field: str, value: Any, code: str | None) -> None:
    if code is None:
        assert field in canonical(kind, {field: value})
        return
    with pytest.raises(Invalid) as refused:
        canonical(kind, {field: value})
    assert codes(refused.value) == [(f"/{field}", code)]


def test_every_bad_field_is_named_with_its_pointer() -> None:
    with pytest.raises(Invalid) as refused:
        canonical("call", {"direction": 1, "a/b~c\x00": "x", "@kind": "deal", "agent": ""})
    assert codes(refused.value) == [
        ("/direction", "unknown_value"),
        ("/a~1b~0c\x00", "not_a_field_name"),
        ("/@kind", "not_a_field_name"),
        ("/agent", "not_a_name"),
    ]
    with pytest.raises(Invalid, match="too_many_fields"):
        canonical("call", {f"f{n}": 1 for n in range(201)})


@pytest.mark.parametrize("kind", ["", "Call", "1call", "x" * 64, 7, None])
def test_a_kind_has_a_plain_name(kind: Any) -> None:
    with pytest.raises(Invalid, match="not_a_kind"):
        kind_of(kind)


def test_a_role_is_a_field_of_its_kind() -> None:
    for kind in KINDS.values():
        assert set(kind.actor_roles) <= set(kind.roles) <= set(kind.readers)


def state(kind: str, **fields: Any) -> State:
    found: dict[str, JsonValue] = {KIND: kind, RETRACTED: False}
    return State(ZERO, found | fields, {})


CALL: dict[str, JsonValue] = {"started_at": AT, "agent": "301", "talk_seconds": 90}
MEETING: dict[str, JsonValue] = {"booked_at": AT, "starts_at": AT, "organizer": "o"}
DEAL: dict[str, JsonValue] = {"created_at": AT, "won_at": AT, "owner": "o", "amount": "450000"}
PAYMENT: dict[str, JsonValue] = {"paid_at": AT, "owner": "o", "amount": "10.50", "currency": "USD"}
COUNTED = [
    ("calls", state("call", direction="outbound", outcome="busy", **CALL), ("", "301", 0)),
    (
        "connected_calls",
        state("call", direction="outbound", outcome="connected", **CALL),
        ("", "301", 0),
    ),
    ("talk_time", state("call", direction="inbound", **CALL), ("", "301", 90)),
    ("inbound_calls", state("call", direction="inbound", **CALL), ("", "301", 0)),
    ("appointments", state("meeting", status="canceled", booked_by="b", **MEETING), ("", "b", 0)),
    ("appointments", state("meeting", status="booked", **MEETING), ("", "o", 0)),
    ("appointments_kept", state("meeting", status="no_show", **MEETING), ("", "o", 0)),
    ("meetings_held", state("meeting", status="held", booked_by="b", **MEETING), ("", "o", 0)),
    ("leads", state("lead", created_at=AT), ("", "", 0)),
    ("deals_created", state("deal", **DEAL), ("", "o", 0)),
    ("deals_created", state("deal", type="new", **DEAL), ("", "o", 0)),
    ("deals_won", state("deal", status="won", **DEAL), ("", "o", 0)),
    ("revenue", state("deal", status="won", **DEAL), ("JPY", "o", 450_000)),
    ("revenue", state("deal", status="won", currency="KWD", **DEAL), ("KWD", "o", 450_000_000)),
    ("open_pipeline", state("deal", status="open", **DEAL), ("JPY", "o", 450_000)),
    ("cash_in", state("payment", **PAYMENT), ("USD", "o", 1050)),
    ("cash_in", state("payment", refunded_amount="12", **PAYMENT), ("USD", "o", -150)),
]


@pytest.mark.parametrize(("metric", "of", "added"), COUNTED)
def test_a_preset_counts_what_its_words_say(
    metric: str, of: State, added: tuple[str, str, int]
) -> None:
    currency, who, total = added
    expected = Contribution(currency, NOW, who, 1, total)
    assert contribution(PRESETS[metric], of, "JPY") == expected


def test_every_preset_was_written_out_by_hand() -> None:
    assert {metric for metric, _, _ in COUNTED} == set(PRESETS)


@pytest.mark.parametrize(
    ("metric", "of"),
    [
        ("calls", state("call", direction="inbound", **CALL)),
        ("calls", state("call", **CALL)),
        ("calls", state("meeting", direction="outbound", **CALL)),
        ("calls", state("call", direction="outbound", **CALL, **{RETRACTED: True})),
        ("connected_calls", state("call", direction="outbound", outcome="voicemail", **CALL)),
        ("appointments_kept", state("meeting", status="canceled", **MEETING)),
        ("meetings_held", state("meeting", status="booked", **MEETING)),
        ("deals_created", state("deal", type="existing", **DEAL)),
        ("deals_won", state("deal", status="open", **DEAL)),
        ("revenue", state("deal", status="lost", **DEAL)),
    ],
)
def test_a_preset_leaves_out_what_it_is_not_about(metric: str, of: State) -> None:
    assert contribution(PRESETS[metric], of, "JPY") is None


def test_what_should_count_and_cannot_says_why() -> None:
    timeless = state("deal", status="won", owner="o", amount="1", won_at=None)
    assert contribution(PRESETS["revenue"], timeless, "JPY") == Uncounted("no_time", "won_at")
    free = state("deal", status="won", owner="o", won_at=AT)
    assert contribution(PRESETS["revenue"], free, "JPY") == Uncounted("no_value", "amount")
    with pytest.raises(Invalid, match="amount_does_not_fit"):
        contribution(
            PRESETS["revenue"], state("deal", status="won", **DEAL | {"amount": "0.5"}), "JPY"
        )


def test_a_metric_reads_its_value_from_sums() -> None:
    size = Metric(
        "size", {}, "deal", Aggregation.AVERAGE, "won_at", (), UnitKind.MONEY, value="amount"
    )
    assert PRESETS["calls"].reading(7, 0, "") == 7
    assert PRESETS["revenue"].reading(2, 1234, "USD") == Fraction("12.34")
    assert size.reading(4, 1000, "USD") == Fraction("2.5")
    assert size.reading(0, 0, "USD") is None
    assert PRESETS["revenue"].unit_in("USD") == Unit(UnitKind.MONEY, "USD")
    assert (Unit(UnitKind.MONEY, "USD").decimals, PRESETS["calls"].unit_in("USD").decimals) == (
        2,
        0,
    )


def test_a_state_stands_in_one_cell_of_each_metric_it_counts_for() -> None:
    won = state("deal", status="won", **DEAL)
    assert cells(won, PRESETS.values(), "JPY") == {
        Cell("deals_created", "", NOW // QUARTER, "o"): Movement(1, 0),
        Cell("deals_won", "", NOW // QUARTER, "o"): Movement(1, 0),
        Cell("revenue", "JPY", NOW // QUARTER, "o"): Movement(1, 450_000),
        # Won in the quarter hour in which it was created: never in the pipeline.
        Cell("open_pipeline", "JPY", NOW // QUARTER, "o"): Movement(0, 0),
    }
    assert cells(state("deal", status="won", owner="o"), PRESETS.values(), "JPY") == {}
    assert DAY % QUARTER == 0


movements = st.dictionaries(
    st.builds(Cell, st.sampled_from(["a", "b"]), st.just(""), st.integers(0, 2), st.just("x")),
    st.builds(Movement, st.integers(-3, 3), st.integers(-3, 3)),
)


@given(movements, movements)
def test_what_moves_leads_from_the_old_standing_to_the_new(
    before: dict[Cell, Movement], after: dict[Cell, Movement]
) -> None:
    delta, zero = moved(before, after), Movement(0, 0)
    for cell in before.keys() | after.keys():
        old, step, new = (side.get(cell, zero) for side in (before, delta, after))
        assert (old.number + step.number, old.total + step.total) == new
    assert zero not in delta.values()

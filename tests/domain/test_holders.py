"""Credit that stays where the work was done: whoever had the role when it came to count."""

from __future__ import annotations

from collections.abc import Iterable
from itertools import permutations
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.activities import KIND, RETRACTED, Report, make_report, story
from app.domain.definitions import document_of, metric_of
from app.domain.errors import Invalid
from app.domain.metrics import Contribution, Uncounted, contributions
from app.domain.presets import PRESETS
from app.domain.revisions import of_number
from app.domain.tallies import cells
from tests.store.own_recount import Document, entries

MARCH, APRIL = "2026-03-10T03:00:00Z", "2026-04-10T03:00:00Z"
CURRENT: Document = {
    "names": {"en": "Won"},
    "kind": "deal",
    "aggregation": "sum",
    "value": "amount",
    "unit": "money",
    "time": "won_at",
    "roles": ["owner"],
    "where": [{"field": "status", "in": ["won"]}],
}
STAYS = CURRENT | {"holder": "at_time"}
SHARED = STAYS | {"credit": "shared"}
WON: dict[str, Any] = {"status": "won", "won_at": MARCH, "amount": "100"}


def told(revision: int, /, *, full: bool = True, mapping: int = 1, **fields: Any) -> Report:
    text = of_number(str(revision))
    return make_report("crm", "d", text, {KIND: "deal", **fields}, full=full, mapping=mapping)


def credited(document: Document, reports: Iterable[Report]) -> list[tuple[str, int]]:
    """Who is credited by a metric, and with how much."""
    metric = metric_of("m", document)
    state, earlier = story(reports)
    added = contributions(metric, state, "JPY", earlier)
    assert not isinstance(added, Uncounted)
    return [(one.identity, one.total) for one in added or ()]


SATO: dict[str, Any] = {"owner": "sato"}
SUZUKI: dict[str, Any] = {"owner": "suzuki"}
TANAKA: dict[str, Any] = {"owner": "tanaka"}
GONE: dict[str, Any] = {RETRACTED: True}
LIVES: dict[str, tuple[list[Report], str]] = {
    "a handover keeps it": ([told(1, **WON, **SATO), told(2, **WON, **SUZUKI)], "sato"),
    "so does one that says only that": (
        [told(1, **WON, **SATO), told(2, full=False, **SUZUKI)],
        "sato",
    ),
    "another price keeps it": (
        [told(1, **WON, **SATO), told(2, **WON | {"amount": "70"} | SUZUKI)],
        "sato",
    ),
    "so does a price that was missing": (
        [told(1, status="won", won_at=MARCH, **SATO), told(2, full=False, amount="1", **SUZUKI)],
        "sato",
    ),
    "a handover before the win moves it": (
        [told(1, status="open", **SATO), told(2, **WON, **SUZUKI)],
        "suzuki",
    ),
    "another day of the win is another win": (
        [told(1, **WON, **SATO), told(2, **WON | {"won_at": APRIL} | SUZUKI)],
        "suzuki",
    ),
    "so is one after it was open again": (
        [
            told(1, **WON, **SATO),
            told(2, **WON | {"status": "open"} | SATO),
            told(3, **WON, **SUZUKI),
        ],
        "suzuki",
    ),
    "so is one after it was taken back": (
        [
            told(1, **WON, **SATO),
            told(2, full=False, **GONE),
            told(3, **WON, **SUZUKI),
            told(4, **WON, **TANAKA),
        ],
        "suzuki",
    ),
    "and one whose day came back": (
        [
            told(1, **WON, **SATO),
            told(2, **WON | {"won_at": APRIL} | SATO),
            told(3, **WON, **SUZUKI),
        ],
        "suzuki",
    ),
    "nobody had it, and nobody keeps it": ([told(1, **WON), told(2, **WON, **SUZUKI)], ""),
    "what a repaired mapping read again was never otherwise": (
        [
            told(1, mapping=1, **WON, **TANAKA),
            told(1, mapping=2, **WON, **SATO),
            told(2, mapping=1, **WON, **SUZUKI),
        ],
        "sato",
    ),
    "of another kind it was another thing": (
        [
            told(1, **WON | {KIND: "ticket"} | SATO),
            told(2, **WON, **SUZUKI),
        ],
        "suzuki",
    ),
}


@pytest.mark.parametrize(("reports", "who"), LIVES.values(), ids=LIVES)
def test_who_is_credited_in_any_order_of_arrival(reports: list[Report], who: str) -> None:
    now = reports[-1].fields.get("owner", reports[0].fields.get("owner"))
    for order in permutations(reports):
        assert [one for one, _ in credited(STAYS, order)] == [who]
        assert [one for one, _ in credited(CURRENT, order)] == [now]


def test_the_price_is_what_it_finally_is_whoever_has_it() -> None:
    reports = [told(1, **WON, **SATO), told(2, **WON | {"amount": "70"} | SUZUKI)]
    assert credited(STAYS, reports) == [("sato", 70)]


def test_shares_stay_as_they_were_when_it_was_won() -> None:
    def split(**parts: str) -> dict[str, Any]:
        return {"credits": [{"identity": who, "share": part} for who, part in parts.items()]}

    reports = [
        told(1, **WON, **split(sato="0.7", suzuki="0.3")),
        told(2, **WON | {"amount": "10"} | split(tanaka="1")),
    ]
    assert credited(SHARED, reports) == [("sato", 7_000_000), ("suzuki", 3_000_000)]


def test_a_time_of_a_custom_kind_is_compared_as_an_instant() -> None:
    """No kind spells it in one way."""
    metric = metric_of("m", CURRENT | {"kind": "ticket", "time": "done", "holder": "at_time"})
    said = {KIND: "ticket", "status": "won", "amount": "1"}
    once = ("2026-03-10T12:00:00+09:00", MARCH)
    for before in ("yesterday", "2026-03-10T12:00:00", 7):
        times: list[Any] = [before, *once]
        reports = [
            make_report(
                "crm", "t", of_number(str(n)), said | {"done": at, "owner": f"w{n}"}, full=True
            )
            for n, at in enumerate(times)
        ]
        state, earlier = story(reports)
        added = contributions(metric, state, "JPY", earlier)
        assert added is not None
        assert not isinstance(added, Uncounted)
        assert [one.identity for one in added] == ["w1"]


def test_it_is_written_as_it_is_read_and_presets_go_with_their_owner() -> None:
    assert {document_of(one)["holder"] for one in PRESETS.values()} == {"current"}
    for document in (STAYS, SHARED):
        metric = metric_of("m", document)
        assert metric_of("m", document_of(metric)) == metric
        assert document_of(metric)["holder"] == "at_time"
    with pytest.raises(Invalid) as refused:
        metric_of("m", CURRENT | {"holder": "first"})
    assert [(one.pointer, one.code) for one in refused.value.faults] == [
        ("/holder", "unknown_value")
    ]


_states = st.fixed_dictionaries(
    {"status": st.sampled_from(["won", "won", "won", "open"])},
    optional={
        "won_at": st.sampled_from([MARCH, MARCH, MARCH, APRIL, None]),
        "owner": st.sampled_from(["sato", "suzuki", "tanaka", None]),
        "amount": st.sampled_from(["1", "20", None]),
        "credits": st.sampled_from([None, [{"identity": "aoki", "share": "1"}]]),
        KIND: st.sampled_from(["deal", "deal", "deal", "ticket"]),
        RETRACTED: st.sampled_from([False, False, True]),
    },
)


@st.composite
def _reports(draw: st.DrawFn) -> list[Report]:
    return [
        told(
            draw(st.integers(1, 6)),
            full=draw(st.booleans()),
            mapping=draw(st.sampled_from([1, 1, 2])),
            **draw(_states),
        )
        for _ in range(draw(st.integers(1, 9)))
    ]


@given(_reports(), st.randoms(use_true_random=False), st.sampled_from([CURRENT, STAYS, SHARED]))
def test_any_order_and_repetition_credits_whom_the_slow_count_credits(
    reports: list[Report], dice: Any, document: Document
) -> None:
    shuffled = [*reports, *dice.choices(reports, k=3)]
    dice.shuffle(shuffled)
    metric = metric_of("m", document)
    state, earlier = story(shuffled)
    if state.fields[KIND] != "deal":
        assert contributions(metric, state, "JPY", earlier) is None
        return
    added = contributions(metric, state, "JPY", earlier)
    found = [one for one in added if isinstance(one, Contribution)] if added else []
    expected = entries(document, set_of(reports))
    assert [one.identity for one in found] == [one.who for one in expected]
    assert {cell.identity for cell in cells(state, [metric], "JPY", earlier)} == {
        one.who for one in expected
    }


def set_of(reports: list[Report]) -> list[Report]:
    return list({one.stamp: one for one in reports}.values())

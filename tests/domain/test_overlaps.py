"""Activities that look like one: against a recount that compares everything with everything."""

from __future__ import annotations

from datetime import date
from itertools import product
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.activities import NOTHING, State, join, make_report
from app.domain.directory import directory
from app.domain.freshness import Source
from app.domain.instants import SECOND, instant
from app.domain.kinds import canonical_fields, kind_of
from app.domain.overlaps import (
    Agreement,
    Counterpart,
    Overlap,
    Pair,
    Sighting,
    overlaps,
    pairs,
    same_counterpart,
    sighting,
    time_of,
    without,
)
from app.domain.people import Identity, IdentityKind, Member

DAY = date(2026, 12, 11)
AT = instant("2026-12-11T01:00:00Z")
NOW = instant("2026-12-14T00:00:00Z")
PEOPLE = directory(
    [],
    [
        Member(
            "sato",
            "Sato",
            identities=(
                Identity("crm", IdentityKind.EMAIL, "sato@example.co.jp"),
                Identity("phone", IdentityKind.EXTENSION, "305"),
            ),
        )
    ],
)


def state(kind: str, **data: Any) -> State:
    fields = canonical_fields(kind_of(kind), data, actor=None, now=NOW)
    return join(NOTHING, make_report("crm", "k", "1", fields, full=True))


def looked(source: str, kind: str = "call", **data: Any) -> Sighting:
    found = state(kind, **data)
    return sighting(source, f"{source}-1", found, time_of(found, AT), PEOPLE, DAY)


def call(source: str, **data: Any) -> Sighting:
    return looked(source, **({"started_at": "2026-12-11T10:00:00+09:00"} | data))


def alike(one: Sighting, other: Sighting) -> set[Agreement] | None:
    """What one pair agrees in; None where they do not look like one."""
    found = pairs([one], [other])
    return set(found[0].agrees) if found else None


def test_the_call_that_a_crm_logs_and_a_phone_system_reports_is_one_pair() -> None:
    logged = call("crm", agent="SATO@example.co.jp", counterpart="03-1234-5678")
    rang = call(
        "phone", agent="305", counterpart="+81 3 1234 5678", started_at="2026-12-11T01:02:00Z"
    )
    assert alike(logged, rang) == {Agreement.MEMBER, Agreement.COUNTERPART}
    (pair,) = pairs([logged], [rang])
    assert pair.apart == 120 * SECOND


@pytest.mark.parametrize(
    "other",
    [
        {"started_at": "2026-12-11T01:02:01Z", "agent": "305"},
        {"agent": "306"},
        {"agent": "305", "counterpart": "0312345679"},
        {"agent": "305", "direction": "inbound"},
    ],
)
def test_too_late_or_nothing_in_common_or_a_contradiction_is_no_pair(
    other: dict[str, str],
) -> None:
    logged = call("crm", agent="sato@example.co.jp", counterpart="0312345678", direction="outbound")
    assert alike(logged, call("phone", **other)) is None
    assert alike(logged, call("phone", agent="305")) == {Agreement.MEMBER}


def test_an_address_that_nobody_has_yet_says_the_same_in_every_source() -> None:
    one = call("crm", agent="tanaka@example.co.jp")
    assert alike(one, call("phone", agent="Tanaka@Example.co.jp")) == {Agreement.IDENTITY}
    # An extension, or an id, means something else in every source.
    assert alike(call("crm", agent="305"), call("other", agent="305")) is None
    # Somebody whom only one source is known to name may be anybody in the other.
    assert alike(call("crm", agent="sato@example.co.jp"), call("other", agent="9")) is None


def test_names_of_companies_differ_without_contradicting() -> None:
    one = call("crm", agent="sato@example.co.jp", counterpart="株式会社エーシーエムイー")
    assert alike(one, call("phone", agent="305", counterpart="ACME")) == {Agreement.MEMBER}
    assert alike(one, call("phone", agent="305", counterpart="+81312345678")) == {Agreement.MEMBER}


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        ("+81 90-1234-5678", "090 1234 5678", True),
        ("0081 90 1234 5678", "(090) 1234-5678", True),
        ("+1 (415) 555-0123", "415.555.0123", True),
        ("+1 415 555 0123", "+1 315 555 0123", False),
        ("０３－１２３４－５６７８", "03-1234-5678", True),
        ("305", "0305", False),
        ("1234567", "21234567", True),
        (" Buyer@Example.com", "buyer@example.com ", True),
        ("Acme", "Acme Inc.", False),
    ],
)
def test_numbers_are_compared_without_decoration_and_country(
    one: str, other: str, *, same: bool
) -> None:
    parts = [call("crm", counterpart=text).counterpart for text in (one, other)]
    assert parts[0] is not None
    assert parts[1] is not None
    assert same_counterpart(parts[0], parts[1]) is same
    assert same_counterpart(parts[1], parts[0]) is same


def test_a_deal_is_compared_by_when_it_was_won_and_its_amount() -> None:
    won: dict[str, Any] = {"status": "won", "won_at": "2026-12-11T15:00:00+09:00"}
    one = looked("crm", "deal", **won, amount="400000", currency="JPY")
    assert alike(one, looked("b", "deal", **won, amount="400000.0", currency="JPY")) == {
        Agreement.AMOUNT
    }
    assert alike(one, looked("b", "deal", **won, amount="400001", currency="JPY")) is None
    assert alike(one, looked("b", "deal", **won, amount="400000", currency="USD")) is None
    later = won | {"won_at": "2026-12-11T15:03:00+09:00", "created_at": won["won_at"]}
    assert alike(one, looked("b", "deal", **later, amount="400000", currency="JPY")) is None


def test_what_has_no_time_of_its_own_is_where_it_counts() -> None:
    assert time_of(state("demo_given"), AT) == AT
    assert time_of(state("deal", status="open"), AT) == AT
    assert time_of(state("meeting", starts_at="2026-12-11T03:00:00Z"), AT) == instant(
        "2026-12-11T03:00:00Z"
    )


def test_every_pair_of_sources_that_count_a_kind_is_told_and_no_other() -> None:
    sources = [
        Source("zoom", frozenset({"call"})),
        Source("crm", frozenset({"call", "deal"})),
        Source("any", None),
    ]
    assert overlaps(sources, ["deal", "call", "lead"]) == [
        Overlap("call", "any", "crm"),
        Overlap("call", "any", "zoom"),
        Overlap("call", "crm", "zoom"),
        Overlap("deal", "any", "crm"),
    ]


def test_a_source_that_counts_every_kind_is_left_with_all_others() -> None:
    assert without(None, "call", ["deal", "call", "lead"]) == ["deal", "lead"]
    assert without(frozenset({"call"}), "call", ["deal", "call"]) == []


# --- against everything compared with everything ---

NUMBERS = [None, *(Counterpart(t, is_number=True) for t in ("312345678", "81312345678", "5550123"))]
NAMES = [Counterpart("acme", is_number=False), Counterpart("beta", is_number=False)]


def seen(source: str) -> st.SearchStrategy[list[Sighting]]:
    one = st.builds(
        Sighting,
        source=st.just(source),
        key=st.integers(0, 30).map(lambda n: f"{n:02d}"),
        at=st.integers(0, 8).map(lambda n: AT + n * 40 * SECOND),
        members=st.frozensets(st.sampled_from(["sato", "suzuki"]), max_size=2),
        addresses=st.frozensets(st.sampled_from(["a@x", "b@x"]), max_size=1),
        counterpart=st.sampled_from([*NUMBERS, *NAMES]),
        amount=st.sampled_from([None, ("1", "JPY"), ("2", "JPY")]),
        direction=st.sampled_from([None, "inbound", "outbound"]),
    )
    return st.lists(one, max_size=8, unique_by=lambda sighted: sighted.key)


def judged(one: Sighting, other: Sighting) -> frozenset[str]:
    """The definition written once more: each part is common, unknown, or a contradiction."""
    parts: dict[str, bool | None] = {
        "member": met(one.members, other.members),
        "identity": met(one.addresses, other.addresses) or None,
        "counterpart": same(one.counterpart, other.counterpart),
        "amount": told(one.amount, other.amount),
        "direction": told(one.direction, other.direction),
        "time": abs(one.at - other.at) <= 120 * SECOND,
    }
    if False in parts.values():
        return frozenset()
    return frozenset(name for name, common in parts.items() if common) - {"direction", "time"}


def met(one: frozenset[str], other: frozenset[str]) -> bool | None:
    return bool(one & other) if one and other else None


def told(one: Any, other: Any) -> bool | None:
    return one == other if one and other else None


def same(one: Counterpart | None, other: Counterpart | None) -> bool | None:
    if one is None or other is None:
        return None
    if not (one.is_number and other.is_number):
        return one == other or None
    shorter, longer = sorted((one.text, other.text), key=len)
    return longer[len(longer) - len(shorter) :] == shorter


def recounted(ones: list[Sighting], others: list[Sighting]) -> list[Pair]:
    """The best of all that are left, again and again."""
    left = list(product(ones, others))
    found: list[Pair] = []
    while True:
        rated = [(len(judged(a, b)), -abs(a.at - b.at), a, b) for a, b in left if judged(a, b)]
        if not rated:
            return sorted(found, key=lambda pair: (pair.one.at, pair.one.key))
        most = max(rated, key=lambda r: r[:2])[:2]
        _, _, a, b = min((r for r in rated if r[:2] == most), key=lambda r: (r[2].key, r[3].key))
        found.append(Pair(a, b, frozenset(map(Agreement, judged(a, b)))))
        left = [(x, y) for x, y in left if x is not a and y is not b]


@given(seen("crm"), seen("phone"))
def test_it_finds_what_comparing_everything_finds(
    ones: list[Sighting], others: list[Sighting]
) -> None:
    found = pairs(ones, others)
    assert found == recounted(ones, others)
    keys = [(seen.source, seen.key) for pair in found for seen in pair[:2]]
    assert len(keys) == len(set(keys))


@given(seen("crm"), seen("phone"), st.randoms())
def test_neither_order_nor_side_changes_what_is_found(
    ones: list[Sighting], others: list[Sighting], dice: Any
) -> None:
    found = pairs(ones, others)
    mixed = [dice.sample(some, len(some)) for some in (ones, others)]
    assert pairs(*mixed) == found
    assert len(pairs(others, ones)) <= min(len(ones), len(others))

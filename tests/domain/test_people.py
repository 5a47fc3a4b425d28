from __future__ import annotations

from datetime import date, timedelta
from fractions import Fraction
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.directory import Directory, directory
from app.domain.errors import Invalid
from app.domain.people import (
    Identity,
    IdentityKind,
    Member,
    absences_of,
    guessed_kind,
    member_of,
    team_of,
)
from app.domain.spans import Span, overlapping
from tests.domain.worlds import codes, member_document, values

DAY = date(2026, 12, 1)
LATER = date(2026, 12, 15)


def member(key: str, identities: list[dict[str, Any]], **rest: Any) -> Member:
    return member_of(key, {"name": key, "identities": identities} | rest)


def known(kind: str, value: str, **dates: Any) -> dict[str, Any]:
    return {"source": "crm", "kind": kind, "value": value} | dates


def people(*members: Member, teams: dict[str, list[dict[str, Any]]] | None = None) -> Directory:
    made = [team_of(key, {"name": key, "parents": p}) for key, p in (teams or {}).items()]
    return directory(made, members)


def test_an_identity_is_tried_as_id_then_email_then_extension_then_phone() -> None:
    kinds = ["phone", "extension", "email", "id"]
    everyone = [member(kind, [known(kind, "+81312345678")]) for kind in kinds]
    for kind in reversed(kinds):
        assert people(*everyone).who("crm", "+81312345678", DAY) == kind
        everyone.pop()
    assert people().who("crm", "+81312345678", DAY) is None


def test_the_kinds_of_identity_stand_in_the_order_of_the_look_up() -> None:
    assert [str(kind) for kind in IdentityKind] == ["id", "email", "extension", "phone"]


def test_emails_are_folded_and_numbers_lose_their_decoration() -> None:
    found = people(
        member("sato", [known("email", "Sato@Example.co.jp")]),
        member("suzuki", [known("phone", "+81 (3) 1234-5678")]),
        member("tanaka", [known("id", "Agent-7")]),
    )
    assert found.who("crm", "SATO@example.CO.JP", DAY) == "sato"
    assert found.who("crm", "+81312345678", DAY) == "suzuki"
    assert found.who("crm", "+81-3-1234.5678", DAY) == "suzuki"
    assert found.who("crm", "Agent-7", DAY) == "tanaka"
    assert found.who("crm", "agent-7", DAY) is None
    assert found.who("other", "Agent-7", DAY) is None


def test_an_extension_changes_hands_on_a_day() -> None:
    found = people(
        member("old", [known("extension", "301", to=LATER.isoformat())]),
        member("new", [known("extension", "301", **{"from": LATER.isoformat()})]),
    )
    assert found.who("crm", "301", LATER - timedelta(days=1)) == "old"
    assert found.who("crm", "301", LATER) == "new"


def test_one_identity_for_two_members_on_a_day_is_refused_in_both_documents() -> None:
    with pytest.raises(Invalid) as refused:
        people(
            member("a", [known("id", "x"), known("email", "A@b.c", to="2026-12-02")]),
            member("b", [known("email", "a@B.c", **{"from": "2026-12-01"})]),
        )
    assert codes(refused.value) == [
        ("/identities/1", "shared_identity"),
        ("/identities/0", "shared_identity"),
    ]
    assert [fault.params["member"] for fault in refused.value.faults] == ["a", "b"]


def test_a_member_may_repeat_an_identity() -> None:
    twice = [known("id", "x", to="2026-12-01"), known("id", "x")]
    assert people(member("a", twice)).who("crm", "x", DAY) == "a"


@pytest.mark.parametrize(
    ("identity", "kind"),
    [
        ("sato@example.co.jp", "email"),
        ("+81312345678", "phone"),
        ("+81 3 1234", "phone"),
        ("301", "extension"),
        ("123456", "extension"),
        ("1234567", "id"),
        ("agent-7", "id"),
        ("+", "id"),
        ("", "id"),
    ],
)
def test_an_unmatched_identity_is_guessed_from_its_look(identity: str, kind: str) -> None:
    assert guessed_kind(identity) == kind


def test_a_person_who_moves_takes_the_future_along_and_leaves_history() -> None:
    moves = [
        {"team": "east", "from": None, "to": "2026-12-15"},
        {"team": "west", "from": "2026-12-15", "to": None},
    ]
    parents = [
        {"team": "japan", "from": None, "to": "2026-12-20"},
        {"team": "asia", "from": "2026-12-20"},
    ]
    teams: dict[str, Any] = {"east": parents, "west": [], "japan": [{"team": "asia"}], "asia": []}
    found = people(member("sato", [], memberships=moves), teams=teams)
    assert found.line("sato", date(2026, 12, 14)) == ("east", "japan", "asia")
    assert found.line("sato", date(2026, 12, 15)) == ("west",)
    assert found.ancestors("east", date(2026, 12, 20)) == ("asia",)
    year = Span(date(2026, 1, 1), date(2027, 1, 1))
    assert found.tree_changes(year) == {date(2026, 12, 20)}
    assert found.changes(year) == {date(2026, 12, 15), date(2026, 12, 20)}


def test_a_member_without_a_team_stands_in_no_line() -> None:
    gone = [{"team": "east", "from": None, "to": "2026-12-01"}]
    assert people(member("a", [], memberships=gone), teams={"east": []}).line("a", DAY) == ()


def test_changes_are_the_days_inside_the_period_on_which_an_identity_begins_or_ends() -> None:
    found = people(member("a", [known("id", "x", **{"from": "2026-12-01", "to": "2026-12-09"})]))
    assert found.changes(Span(date(2026, 12, 1), date(2027, 1, 1))) == {date(2026, 12, 9)}


def test_an_unknown_team_is_refused_where_it_is_named() -> None:
    with pytest.raises(Invalid) as refused:
        people(
            member("a", [], memberships=[{"team": "nowhere"}]),
            teams={"east": [{"team": "japan"}]},
        )
    assert codes(refused.value) == [
        ("/parents/0/team", "unknown_team"),
        ("/memberships/0/team", "unknown_team"),
    ]


def test_teams_above_themselves_are_refused_on_whatever_day_the_ring_closes() -> None:
    later = {"team": "c", "from": "2027-01-01"}
    with pytest.raises(Invalid) as refused:
        people(
            teams={"a": [{"team": "b"}], "b": [later], "c": [{"team": "a"}], "d": [{"team": "a"}]}
        )
    assert refused.value.params == {"teams": "a, b, c"}
    assert codes(refused.value) == [("/parents", "cyclic_teams")]


def test_a_team_that_is_its_own_parent_is_refused() -> None:
    with pytest.raises(Invalid, match="cyclic_teams"):
        team_of("a", {"name": "A", "parents": [{"team": "a"}]})


def test_a_chain_of_parents_that_swap_over_time_is_no_ring() -> None:
    teams = {"a": [{"team": "b", "to": "2026-12-01"}], "b": [{"team": "a", "from": "2026-12-01"}]}
    assert people(teams=teams).ancestors("b", DAY) == ("a",)


def test_two_parents_on_a_day_are_refused() -> None:
    with pytest.raises(Invalid, match="overlapping_parents"):
        team_of("a", {"name": "A", "parents": [{"team": "b"}, {"team": "c", "from": "2026-01-01"}]})


@pytest.mark.parametrize(
    ("changes", "pointer", "code"),
    [
        ({"capacity": "0"}, "/capacity", "capacity_not_positive"),
        ({"capacity": "-1"}, "/capacity", "capacity_not_positive"),
        ({"capacity": "much"}, "/capacity", "not_a_decimal"),
        ({"capacity": 1}, "/capacity", "not_a_decimal"),
        (
            {
                "memberships": [
                    {"team": "a", "to": "2026-12-02"},
                    {"team": "b", "from": "2026-12-01"},
                ]
            },
            "/memberships",
            "overlapping_memberships",
        ),
        (
            {"memberships": [{"team": "a", "from": "2026-12-02", "to": "2026-12-01"}]},
            "/memberships/0/to",
            "empty_span",
        ),
        ({"identities": [known("fax", "1")]}, "/identities/0/kind", "unknown_kind"),
        ({"identities": [known("phone", "0312345678")]}, "/identities/0/value", "not_a_phone"),
        ({"identities": [known("id", " x")]}, "/identities/0/value", "not_a_name"),
    ],
)
def test_a_member_without_meaning_is_refused_where_it_is_wrong(
    changes: dict[str, Any], pointer: str, code: str
) -> None:
    with pytest.raises(Invalid) as refused:
        member_of("sato", member_document("sato", "301") | changes)
    assert codes(refused.value) == [(pointer, code)]


def test_a_member_without_capacity_is_one_whole_person() -> None:
    assert member_of("a", {"name": "A"}) == Member("a", "A", Fraction(1))


def test_a_person_joins_another_team_on_the_day_the_old_one_ends() -> None:
    moves = [{"team": "b", "from": "2026-12-01"}, {"team": "a", "to": "2026-12-01"}]
    assert len(member_of("x", {"name": "X", "memberships": moves}).memberships) == 2


def test_absences_are_whole_or_half_days() -> None:
    half, whole = absences_of(
        {
            "absences": [
                {"from": "2026-12-01", "to": "2026-12-02", "share": "0.5", "reason": "通院"},
                {"from": "2026-12-03", "to": "2026-12-04"},
            ]
        }
    )
    assert values(half.share, half.reason, whole.share, whole.reason) == (
        Fraction(1, 2),
        "通院",
        1,
        None,
    )


@pytest.mark.parametrize("share", ["0.25", "2", "", 1])
def test_other_shares_of_a_day_are_refused(share: object) -> None:
    with pytest.raises(Invalid) as refused:
        absences_of({"absences": [{"from": "2026-12-01", "to": "2026-12-02", "share": share}]})
    assert codes(refused.value) == [("/absences/0/share", "not_a_share")]


@given(st.lists(st.tuples(st.integers(0, 30), st.integers(1, 10)), max_size=6))
def test_spans_overlap_exactly_when_some_day_lies_in_two(raw: list[tuple[int, int]]) -> None:
    spans = [Span(DAY + timedelta(first), DAY + timedelta(first + length)) for first, length in raw]
    days = [DAY + timedelta(n) for n in range(45)]
    shared = any(sum(day in span for span in spans) > 1 for day in days)
    assert (overlapping(spans, lambda span: span) is not None) is shared


def test_an_identity_is_kept_normalised() -> None:
    made = member("a", [known("email", "A@B.C", **{"from": "2026-01-01"})])
    assert made.identities == (
        Identity("crm", IdentityKind.EMAIL, "a@b.c", Span(date(2026, 1, 1))),
    )

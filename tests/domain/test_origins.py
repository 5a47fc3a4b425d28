"""What an activity grew from: how it is written, and what cannot be read."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.activities import KIND
from app.domain.definitions import document_of, metric_of
from app.domain.errors import Invalid
from app.domain.instants import instant
from app.domain.kinds import KINDS, canonical_fields, kind_of
from app.domain.origins import MOST, Link, links
from app.domain.presets import PRESETS
from tests.domain.worlds import codes

NOW = instant("2026-12-14T09:00:00Z")
GROWING = ("meeting", "deal", "payment")
KEYS = st.text(st.characters(categories=("L", "N")), min_size=1, max_size=20)
SOURCES = st.none() | st.from_regex(r"[a-z0-9][a-z0-9_.-]{0,5}", fullmatch=True)


def read(value: Any, kind: str = "deal") -> Any:
    return canonical_fields(kind_of(kind), {"origin": value}, actor=None, now=NOW)["origin"]


@pytest.mark.parametrize("kind", GROWING)
def test_origins_have_one_spelling(kind: str) -> None:
    one = [{"key": "c-1", "source": "zoom"}]
    assert read(one, kind) == read(one[0], kind) == read([*one, None, *one], kind) == one
    assert read("c-1", kind) == read(["c-1"], kind) == [{"key": "c-1"}]
    assert read({"key": "c-1", "source": None}, kind) == [{"key": "c-1"}]
    assert read([7], kind) == read("7", kind)
    assert read([], kind) is read(None, kind) is read([None], kind) is None


@given(st.lists(st.tuples(SOURCES, KEYS), max_size=MOST), st.randoms())
def test_order_and_repetition_say_nothing_and_what_is_written_is_read_again(
    named: list[tuple[str | None, str]], luck: Any
) -> None:
    told = [{"key": key} | ({"source": source} if source else {}) for source, key in named]
    spelled = read(told)
    luck.shuffle(told)
    assert read(told) == spelled
    assert read(spelled) == spelled
    found = links({KIND: "deal", "origin": spelled})
    assert set(found) == {Link(source, key) for source, key in named}
    assert len(found) == len(set(named))


@pytest.mark.parametrize(
    ("told", "expected"),
    [
        (True, [("/origin", "not_an_object")]),
        ([["c-1"]], [("/origin/0", "not_an_object")]),
        ([{"source": "zoom"}], [("/origin/0/key", "required")]),
        ([{"key": "c", "kind": "call"}], [("/origin/0", "unknown_field")]),
        ([{"key": "c", "source": "Zoom Phone"}], [("/origin/0/source", "not_a_key")]),
        ([{"key": " c"}], [("/origin/0/key", "not_a_name")]),
        (["ok", "x" * 256], [("/origin/1", "not_a_name")]),
        ({"key": ""}, [("/origin/key", "not_a_name")]),
        ([str(n) for n in range(MOST + 1)], [("/origin", "too_many_items")]),
    ],
)
def test_what_cannot_be_an_origin_is_refused_at_its_place(
    told: Any, expected: list[tuple[str, str]]
) -> None:
    with pytest.raises(Invalid) as refused:
        read(told)
    assert codes(refused.value) == expected


def test_elsewhere_a_field_of_that_name_is_the_senders_own() -> None:
    for kind in (*(KINDS.keys() - set(GROWING)), "visit"):
        assert read("the web", kind) == "the web"
        assert links({KIND: kind, "origin": [{"key": "c-1"}]}) == ()
    # As it may have been stored before it meant anything.
    assert links({KIND: "deal", "origin": "the web"}) == ()
    assert links({KIND: "deal", "origin": [3, {"key": 4}, {"key": "c", "source": 5}]}) == (
        Link(None, "c"),
    )


def test_a_list_of_origins_is_no_condition() -> None:
    named = {"where": [{"field": "origin", "in": ["c-1"]}]}
    with pytest.raises(Invalid) as refused:
        metric_of("from-calls", document_of(PRESETS["deals_won"]) | named)
    assert codes(refused.value) == [("/where/0/field", "not_comparable")]

"""Cursors: a collection is paged whatever its names are, and no forged place breaks an answer.

The seal of a cursor tells mistakes, not intentions: whoever reads this program can make one.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from app.web import changes, explaining, metric_routes, pagination, resources
from tests.engines import on_both
from tests.web.example import START, call, deal, settle
from tests.web.service import Service, started

pytestmark = on_both
LATER = "2026-12-14T09:00:05+09:00"
NAMES = ["達" * 255, "🎉" * 255, '"' * 255, "\\" * 254 + "a", "%2F?#&" * 40, "A" * 255]
LISTS: list[tuple[str, dict[str, str]]] = [
    ("/v1/activities", {}),
    ("/v1/activities", {"known_at": LATER}),
    ("/v1/activities", {"counted": "false"}),
    ("/v1/metrics/calls/activities", {"from": "2026-12-01"}),
    ("/v1/plans/december/goals/calls/activities", {"part": "unassigned"}),
    ("/v1/plans/open/changes", {"known_from": "2026-12-14T08:00:00+09:00"}),
    ("/v1/identities/unmatched", {}),
    (
        "/v1/metrics/calls/series",
        {"from": "2026-12-01", "granularity": "day", "group_by": "actor"},
    ),
]


@pytest.fixture
def service() -> Iterator[Service]:
    with started(START) as found:
        settle(found)
        plan = {"name": "All", "period": {"month": "2026-12"}, "root": {"metric": "calls"}}
        plan["root"]["target"] = "10"  # type: ignore[index] # the document just above
        assert found.put("/v1/plans/open", plan).status_code == 201
        found.clock.now += 1_000_000
        found.post_events(
            [
                call(1, actor=name) | {"id": f"c-{n}", "subject": name}
                for n, name in enumerate(NAMES)
            ]
        )
        found.post_events(
            [
                deal(1, won_at=None) | {"id": f"d-{n}", "subject": f"{name[:-1]}d"}
                for n, name in enumerate(NAMES)
            ]
        )
        found.clock.now += 60_000_000
        yield found


def test_a_list_is_paged_to_its_end_whatever_its_names_are(service: Service) -> None:
    for path, query in LISTS:
        _assert_pages(service, path, query)


def _assert_pages(service: Service, path: str, query: dict[str, str]) -> None:
    whole = service.client.get(path, params=query | {"limit": "500"}).json()["items"]
    assert len(whole) >= len(NAMES)
    paged: list[Any] = []
    cursor: str | None = None
    for _ in whole:
        more = {"cursor": cursor} if cursor else {}
        answer = service.client.get(path, params=query | {"limit": "1"} | more)
        assert answer.status_code == 200, answer.text
        paged += answer.json()["items"]
        cursor = answer.json()["next"]
    assert cursor is None
    assert paged == whole


_NUMBERS = [-1, 2**62, 2**63, None, "x"]
_TEXTS = ["\0", "\ud800", 5]
_UNREADABLE = ["", "null", "[]", "[1", "\0", "[NaN]", "[" * 1400]


def _forged(place: str) -> list[str]:
    values = json.loads(place)
    others = [_NUMBERS if isinstance(value, int) else _TEXTS for value in values]
    return _UNREADABLE + [
        json.dumps([*values[:at], other, *values[at + 1 :]])
        for at, some in enumerate(others)
        for other in some
    ]


def test_a_forged_place_is_answered_or_refused(
    service: Service, monkeypatch: pytest.MonkeyPatch
) -> None:
    made: list[tuple[str, tuple[str, ...]]] = []

    def made_of(key: str, *collection: str) -> str:
        made.append((key, collection))
        return pagination.cursor_of(key, *collection)

    for module in (changes, explaining, metric_routes, resources):
        monkeypatch.setattr(module, "cursor_of", made_of)
    for path, query in LISTS:
        made.clear()
        service.client.get(path, params=query | {"limit": "1"})
        for place, collection in tuple(made):
            for text in _forged(place):
                cursor = pagination.cursor_of(text, *collection)
                answer = service.client.get(path, params=query | {"limit": "1", "cursor": cursor})
                assert answer.status_code in {200, 404, 422}, text


@pytest.mark.parametrize(
    ("path", "collection"),
    [("/v1/members", "member"), ("/v1/plans", "plans"), ("/v1/keys", "keys")],
)
def test_no_page_begins_behind_what_no_column_holds(
    service: Service, path: str, collection: str
) -> None:
    cursor = pagination.cursor_of("a\0b", "default", collection)
    answer = service.client.get(path, params={"cursor": cursor})
    assert answer.json()["type"].endswith(":invalid-cursor")


@pytest.mark.parametrize(
    "path",
    [
        "/v1/plans/december?version=9223372036854775808",
        "/v1/plans/december/progress?version=9223372036854775808",
        "/v1/plans/december/goals/calls/activities?version=9223372036854775808",
        "/v1/deliveries?source=%00",
    ],
)
def test_a_parameter_that_no_column_holds_is_refused(service: Service, path: str) -> None:
    assert service.get(path).status_code == 422


def test_no_source_of_a_table_has_a_nul(service: Service) -> None:
    kind = {"content-type": "text/csv"}
    answer = service.client.post("/v1/events?source=a%00b", content=b"id\n1\n", headers=kind)
    assert answer.status_code == 422
    assert answer.json()["errors"][0]["params"]["parameter"] == "source"

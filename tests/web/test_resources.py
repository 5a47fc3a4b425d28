"""Resources through HTTP: versions, pages, keys, workspaces beside each other, restarts."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from app.web.pagination import cursor_of
from tests.web.example import EVENTS, PLAN, SETTINGS, START, TEAM, call, deal, member, settle
from tests.web.service import ADMIN, Service, started, started_in


@pytest.fixture
def service() -> Iterator[Service]:
    with started(START) as running:
        yield settle(running)


# A thing that stands, and another form of it.
STANDING = [
    ("/v1/teams/east", TEAM, {"name": "other"}),
    ("/v1/members/sato", member("sato"), member("sato", capacity="0.5")),
    ("/v1/members/sato/absences", {"absences": []}, None),
    ("/v1/sources/crm", EVENTS, EVENTS | {"name": "other"}),
    ("/v1/plans/december", PLAN, PLAN | {"name": "other", "reason": "a better name"}),
]


@pytest.mark.parametrize(
    ("path", "body", "other"), STANDING, ids=lambda v: v if isinstance(v, str) else ""
)
def test_nobody_overwrites_what_they_have_not_seen(
    service: Service, path: str, body: Any, other: Any
) -> None:
    if other is None:
        assert service.put(path, body).status_code == 201
        other = {"absences": [{"from": "2026-12-24", "to": "2026-12-25"}]}
    etag = service.get(path).headers["etag"]
    language = ".en" if path.startswith("/v1/sources") else ""  # its sentences have one
    assert etag == f'"1{language}"'
    told = {
        "same": service.put(path, body),
        "same, old": service.put(path, body, if_match='"0"'),
        "same, insisting": service.put(path, body, if_none_match="*"),
        "unseen": service.put(path, other),
        "stale": service.put(path, other, if_match='"0"'),
        "weak": service.put(path, other, if_match=f"W/{etag}"),
        "insisting": service.put(path, other, if_none_match="*"),
        "not this": service.put(path, other, if_match="*", if_none_match=f"W/{etag}"),
        "delete unseen": service.client.delete(path),
        "delete stale": service.client.delete(path, headers={"if-match": '"0"'}),
    }
    if path.endswith("absences"):
        for name in ("delete unseen", "delete stale"):
            assert told.pop(name).status_code == 405
    expected = {
        "same": 200,
        "same, old": 200,
        "same, insisting": 412,
        "unseen": 428,
        "stale": 412,
        "weak": 412,
        "insisting": 412,
        "not this": 412,
        "delete unseen": 428,
        "delete stale": 412,
    }
    assert {n: a.status_code for n, a in told.items()} == {n: expected[n] for n in told}
    assert told["same"].headers["etag"] == etag
    assert service.get(path).headers["etag"] == etag
    changed = service.put(path, other, if_match=f'"7", {etag}')
    assert (changed.status_code, changed.headers["etag"]) == (200, f'"2{language}"')


@pytest.mark.parametrize("path", ["/v1/teams/east", "/v1/members/sato", "/v1/sources/crm"])
def test_who_has_the_copy_is_not_sent_it_again(service: Service, path: str) -> None:
    etag = service.get(path).headers["etag"]
    same = service.client.get(path, headers={"if-none-match": f'"9", W/{etag}'})
    assert (same.status_code, same.content, same.headers["etag"]) == (304, b"", etag)
    assert service.client.get(path, headers={"if-none-match": '"9"'}).status_code == 200


def test_a_thing_that_is_not_there_matches_nothing(service: Service) -> None:
    answer = service.put("/v1/teams/new", TEAM, if_match="*")
    assert (answer.status_code, answer.json()["type"]) == (412, "urn:tassei:problem:does-not-exist")
    assert service.put("/v1/teams/new", TEAM, if_none_match="*").status_code == 201


def test_what_was_archived_can_be_made_again_and_its_versions_go_on(service: Service) -> None:
    service.put("/v1/teams/new", TEAM)
    assert service.client.delete("/v1/teams/new", headers={"if-match": '"1"'}).status_code == 204
    assert service.get("/v1/teams/new").status_code == 404
    assert service.client.delete("/v1/teams/new", headers={"if-match": "*"}).status_code == 404
    again = service.put("/v1/teams/new", TEAM)
    assert (again.status_code, again.headers["etag"]) == (201, '"3"')


def walked(service: Service, path: str, limit: int) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = []
    cursor = None
    while True:
        query = {"limit": limit} | ({"cursor": cursor} if cursor else {})
        page = service.client.get(path, params=query).json()
        assert len(page["items"]) <= limit
        items += page["items"]
        cursor = page["next"]
        if cursor is None:
            return items


def test_pages_hold_still_while_others_write(service: Service) -> None:
    for key in "bdfhj":
        service.put(f"/v1/teams/{key}", TEAM)
    first = service.client.get("/v1/teams", params={"limit": 3}).json()
    assert [team["key"] for team in first["items"]] == ["b", "d", "east"]
    service.put("/v1/teams/a", TEAM)
    service.put("/v1/teams/g", TEAM)
    rest = service.client.get("/v1/teams", params={"cursor": first["next"]}).json()
    assert [team["key"] for team in rest["items"]] == ["f", "g", "h", "j"]
    assert [team["key"] for team in walked(service, "/v1/teams", 2)] == [
        "a",
        "b",
        "d",
        "east",
        "f",
        "g",
        "h",
        "j",
    ]


PAGED = ["teams", "members", "sources", "plans", "keys", "identities/unmatched", "activities"]
PAGED += ["activities/conflicts", "quarantine"]


@pytest.mark.parametrize("name", PAGED)
def test_every_collection_can_be_walked_one_by_one(service: Service, name: str) -> None:
    service.put("/v1/teams/west", TEAM)
    service.put("/v1/sources/other", EVENTS)
    service.put("/v1/plans/second", PLAN)
    service.key("read")
    service.post_events([call(n, actor=f"nobody{n}@example.com") for n in range(3)])
    service.post_events([call(n, data={"talk_seconds": 61}) for n in range(3)])
    whole = service.get(f"/v1/{name}").json()
    assert whole["next"] is None
    assert walked(service, f"/v1/{name}", 1) == whole["items"]
    assert len(whole["items"]) >= (0 if name == "quarantine" else 2)


@settings(max_examples=30, deadline=None)
@given(place=st.recursive(st.integers() | st.text() | st.floats(), st.lists, max_leaves=5))
def test_a_forged_cursor_is_an_invalid_one(forging: Service, place: Any) -> None:
    """Forged well: sealed as the service seals, which is no secret."""
    for name, parts in (
        ("activities", ("activities", "None")),
        ("activities/conflicts", ("conflicts",)),
        ("quarantine", ("quarantine",)),
    ):
        cursor = cursor_of(json.dumps(place), "default", *parts)
        answer = forging.client.get(f"/v1/{name}", params={"cursor": cursor})
        assert answer.status_code in {200, 422}, answer.text


@pytest.fixture(scope="module")
def forging() -> Iterator[Service]:
    with started(START) as running:
        yield running


@pytest.mark.parametrize(
    ("name", "parts", "place"),
    [
        ("activities", ("activities", "None"), '["\\ud800", ""]'),
        ("quarantine", ("quarantine",), "[99999999999999999999]"),
        ("quarantine", ("quarantine",), "[true]"),
        ("activities/conflicts", ("conflicts",), '["", "", "", 0, "zz"]'),
        ("activities/conflicts", ("conflicts",), '["", "", "", 99999999999999999999, ""]'),
        ("activities/conflicts", ("conflicts",), "{}"),
    ],
)
def test_a_sealed_cursor_with_an_impossible_place_is_refused(
    forging: Service, name: str, parts: tuple[str, ...], place: str
) -> None:
    cursor = cursor_of(place, "default", *parts)
    answer = forging.client.get(f"/v1/{name}", params={"cursor": cursor})
    assert (answer.status_code, answer.json()["type"]) == (422, "urn:tassei:problem:invalid-cursor")


# Keys.


def test_each_scope_opens_its_doors_only(service: Service) -> None:
    asked: dict[str, Callable[[Service], Any]] = {
        "read": lambda s: s.get("/v1/teams"),
        "write": lambda s: s.put("/v1/teams/east", TEAM),
        "admin": lambda s: s.get("/v1/keys"),
        "ingest": lambda s: s.client.post(
            "/v1/events", json=[], headers={"content-type": "application/cloudevents-batch+json"}
        ),
    }
    opened = {
        "read": {"read"},
        "write": {"read", "write"},
        "ingest": {"ingest"},
        "admin": {"read", "write", "ingest", "admin"},
    }
    for scope, doors in opened.items():
        client = service.key(scope)
        statuses = {door: ask(client).status_code for door, ask in asked.items()}
        assert statuses == {door: 200 if door in doors else 403 for door in asked}


def test_a_revoked_key_is_unknown_at_once_and_no_key_at_all_is_told_so(service: Service) -> None:
    reader = service.key("read")
    assert reader.get("/v1/teams").status_code == 200
    key = next(k for k in service.get("/v1/keys").json()["items"] if k["name"] == "k")
    assert service.client.delete(f"/v1/keys/{key['id']}").status_code == 204
    answer = reader.get("/v1/teams")
    assert (answer.status_code, answer.headers["www-authenticate"]) == (
        401,
        'Bearer realm="tassei"',
    )
    assert service.client.delete(f"/v1/keys/{key['id']}").status_code == 404
    del reader.client.headers["authorization"]
    assert reader.get("/v1/teams").json()["type"].endswith("no-key")
    listed = next(k for k in service.get("/v1/keys").json()["items"] if k["id"] == key["id"])
    assert listed["revoked_at"] is not None
    assert "token" not in listed


def test_nobody_locks_everybody_out(service: Service) -> None:
    (admin,) = service.get("/v1/keys").json()["items"]
    refused = service.client.delete(f"/v1/keys/{admin['id']}")
    assert (refused.status_code, refused.json()["type"]) == (
        409,
        "urn:tassei:problem:last-admin-key",
    )
    second = service.key("admin")
    assert second.client.delete(f"/v1/keys/{admin['id']}").status_code == 204
    assert service.get("/v1/teams").status_code == 401


# Workspaces.

READS = [
    "/v1/teams/east", "/v1/members/sato", "/v1/members/sato/absences", "/v1/sources/crm",
    "/v1/plans/december", "/v1/plans/december/progress", "/v1/activities/crm/c-1",
]  # fmt: skip


def test_one_workspace_sees_and_changes_nothing_of_another(service: Service) -> None:
    service.put("/v1/members/sato/absences", {"absences": []})
    service.post_events([call(1), call(2, actor="nobody"), deal(1, won_at=None)])
    service.post_events([call(1, data={"talk_seconds": 61})])
    other = service.workspace("other")
    for path in READS:
        assert service.get(path).status_code == 200, path
        theirs, nothing = other.get(path), other.get(path + "-no")
        assert theirs.status_code == nothing.status_code == 404, path
        if theirs.json()["type"] == nothing.json()["type"]:
            assert set(theirs.json()) == set(nothing.json())
        deleted = other.client.delete(path, headers={"if-match": "*"})
        assert deleted.status_code in {404, 405}, path
    for name in (*PAGED, "activities?counted=false"):
        mine = [item for item in other.get(f"/v1/{name}").json()["items"] if name != "keys"]
        assert mine == [], name
    (key,) = service.get("/v1/keys").json()["items"]
    assert other.client.delete(f"/v1/keys/{key['id']}").status_code == 404
    cursor = service.client.get("/v1/members", params={"limit": 1}).json()["next"]
    assert other.client.get("/v1/members", params={"cursor": cursor}).status_code == 422
    rejected = other.post_events([call(9)]).json()["rejected"]
    assert [one["problem"]["type"] for one in rejected] == ["urn:tassei:problem:unknown-source"]
    assert other.put("/v1/members/x", member("x")).status_code == 422  # their team is not ours
    assert other.get("/v1/workspace").json()["key"] == "other"
    assert service.progress("december").goal("calls")["actual"] == "1"


def test_the_same_keys_in_two_workspaces_are_two_things(service: Service) -> None:
    other = settle(service.workspace("other_one"))
    service.post_events([call(1), call(2)])
    other.post_events([call(1)])
    assert service.progress("december").goal("calls")["actual"] == "2"
    assert other.progress("december").goal("calls")["actual"] == "1"


def test_data_survive_a_restart(tmp_path: Path) -> None:
    with started_in(tmp_path, START) as first:
        settle(first)
        first.post_events([call(1), deal(1)])
        token = first.key("read").client.headers["authorization"].removeprefix("Bearer ")
        before = first.progress("december").body
        dump = first.dump()
    with started_in(tmp_path, START) as second:
        assert second.progress("december").body == before
        assert second.with_key(token).get("/v1/plans/december").status_code == 200
        assert second.counts([call(1), deal(1)]) == {"duplicate": 2}
        assert second.mismatches() == []
        assert second.get("/v1/teams", authorization=f"Bearer {ADMIN}").status_code == 200
    assert dump


def test_the_settings_of_a_workspace_can_be_read_as_they_were_put(service: Service) -> None:
    body = service.get("/v1/workspace").json()
    assert (body["key"], body["time_zone"]) == ("default", "Asia/Tokyo")
    assert body["calendar"]["weekdays"] == SETTINGS["calendar"]["weekdays"]

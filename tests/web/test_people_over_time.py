"""Changes of settings and people, and what they do to numbers that were counted already."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from tests.engines import on_both
from tests.web.example import EVENTS, PLAN, SETTINGS, START, actual, call, deal, member, settle
from tests.web.service import Service, started

pytestmark = on_both

NDJSON = "application/x-ndjson"


@pytest.fixture
def service() -> Iterator[Service]:
    with started(START) as running:
        yield settle(running)


def test_another_zone_moves_activities_to_its_days(service: Service) -> None:
    # 23:30 on the last of November in Tokyo is the 30th, 14:30 in London; half past midnight on
    # the first of December in Tokyo is still November in London.
    service.post_events(
        [
            call(1, at="2026-11-30T23:30:00+09:00"),
            call(2, at="2026-12-01T00:30:00+09:00"),
            call(3, at="2026-12-01T09:30:00+09:00"),
        ]
    )
    assert actual(service) == "2"
    service.replace("/v1/workspace", SETTINGS | {"time_zone": "Europe/London"})
    assert actual(service) == "1"
    assert service.mismatches() == []
    service.replace("/v1/workspace", SETTINGS)
    assert actual(service) == "2"
    assert service.mismatches() == []


def test_a_currency_can_change_until_amounts_exist(service: Service) -> None:
    service.post_events([call(1)])
    service.replace("/v1/workspace", SETTINGS | {"currency": "USD"})
    service.post_events([deal(1, amount="12.50", currency="USD")])
    before = service.dump()
    refused = service.put("/v1/workspace", SETTINGS, if_match="*")
    assert (refused.status_code, refused.json()["type"]) == (
        409,
        "urn:tassei:problem:currency-fixed",
    )
    assert service.dump() == before


def test_an_amount_that_no_metric_could_count_fixes_the_currency_all_the_same(
    service: Service,
) -> None:
    """It may be counted yet, and was meant in the currency of its time."""
    service.post_events([deal(1, status="open", won_at=None, amount="7", currency=None)])
    refused = service.put("/v1/workspace", SETTINGS | {"currency": "USD"}, if_match="*")
    assert refused.json()["type"] == "urn:tassei:problem:currency-fixed"


def test_an_amount_of_a_source_that_does_not_count_it_is_in_the_currency_of_the_day(
    service: Service,
) -> None:
    service.replace("/v1/sources/crm", EVENTS | {"counts": ["call"]})
    service.post_events([deal(1, amount="12.50", currency=None), call(1)])
    service.replace("/v1/workspace", SETTINGS | {"currency": "USD"})
    assert service.mismatches() == []
    service.replace("/v1/sources/crm", EVENTS)
    asked = {"from": "2026-12-01"}
    answer = service.client.get("/v1/metrics/revenue/series", params=asked).json()
    assert (answer["items"][0]["value"], answer["unit"]["currency"]) == ("12.5", "USD")
    assert service.mismatches() == []


def test_what_a_source_counts_recounts_all_of_it(service: Service) -> None:
    service.post_events([call(1), deal(1)])
    assert (actual(service), actual(service, "deals_won")) == ("1", "1")
    service.replace("/v1/sources/crm", EVENTS | {"counts": ["deal"]})
    assert (actual(service), actual(service, "deals_won")) == ("0", "1")
    service.post_events([call(2)])
    service.replace("/v1/sources/crm", EVENTS)
    assert (actual(service), actual(service, "deals_won")) == ("2", "1")
    assert service.mismatches() == []


def test_two_sources_that_count_a_kind_are_warned_of(service: Service) -> None:
    service.replace("/v1/sources/crm", EVENTS | {"counts": ["call", "deal"]})
    answer = service.put("/v1/sources/zoom", EVENTS | {"counts": ["call"]}).json()
    told = [(w["code"], w["params"]["kind"], w["params"]["source"]) for w in answer["warnings"]]
    assert told == [("kind_counted_twice", "call", "crm")]


def test_who_left_keeps_what_they_did_and_gives_their_extension_back(service: Service) -> None:
    identity = {"source": "crm", "kind": "extension", "value": "301"}
    known = member("sato", identities=[identity])
    service.replace("/v1/members/sato", known)
    service.post_events([call(1, actor="301")])
    taken = service.put("/v1/members/next", member("next", identities=[identity]))
    assert (taken.status_code, taken.json()["type"]) == (422, "urn:tassei:problem:shared-identity")
    assert [f["pointer"] for f in taken.json()["errors"]] == ["/identities/0"]
    etag = service.get("/v1/members/sato").headers["etag"]
    assert service.client.delete("/v1/members/sato", headers={"if-match": etag}).status_code == 204
    assert service.get("/v1/members/sato").status_code == 404
    assert actual(service) == "1"
    mine = {**identity, "from": "2026-12-14"}
    successor = member("next", identities=[mine], memberships=[{"team": "east"}])
    assert service.put("/v1/members/next", successor).status_code == 201
    service.clock.set("2026-12-15T12:00:00+09:00")
    service.post_events([call(2, actor="301", at="2026-12-15T10:00:00+09:00")])
    body = service.progress("december", breakdown="member").body
    done = {share["scope"]["member"]: _calls(share) for share in body["breakdown"]}
    assert {key: calls for key, calls in done.items() if calls != "0"} == {"sato": "1", "next": "1"}
    assert actual(service) == "2"


def _calls(share: dict[str, Any]) -> str:
    goals = {goal["key"]: goal["actual"] for goal in _walk(share["root"])}
    return str(goals["calls"])


def _walk(goal: dict[str, Any]) -> Iterator[dict[str, Any]]:
    yield goal
    for child in goal["children"]:
        yield from _walk(child)


def test_a_team_that_is_needed_is_not_archived(service: Service) -> None:
    for body in ([{"team": "new"}], [{"team": "new", "from": "2027-01-01"}]):
        service.put("/v1/teams/new", {"name": "n"})
        service.put("/v1/members/x", member("x", memberships=body), if_match="*")
        service.put("/v1/members/x", member("x", memberships=body))
        refused = service.client.delete("/v1/teams/new", headers={"if-match": "*"})
        assert (refused.status_code, refused.json()["type"].split(":")[-1]) == (409, "team-in-use")
    past = [{"team": "new", "to": "2026-12-01"}]
    service.replace("/v1/members/x", member("x", memberships=past))
    assert service.client.delete("/v1/teams/new", headers={"if-match": "*"}).status_code == 204


def test_absences_move_the_share_of_a_plan(service: Service) -> None:
    def share() -> str:
        split = service.get("/v1/plans/december").json()["split"]
        return str(split["sato"]["calls"])

    assert share() == "100"
    away = {"absences": [{"from": "2026-12-01", "to": "2027-01-01"}]}
    assert service.put("/v1/members/sato/absences", away).status_code == 201
    assert service.get("/v1/members/sato/absences").json()["absences"][0]["share"] == "1"
    assert (
        service.get("/v1/plans/december").json()["split"].get("sato", {"calls": "0"})["calls"]
        == "0"
    )


def test_a_plan_changes_with_a_reason_and_keeps_its_versions(service: Service) -> None:
    other = PLAN | {"name": "other"}
    silent = service.put("/v1/plans/december", other, if_match='"1"')
    assert (silent.status_code, silent.json()["errors"][0]["pointer"]) == (422, "/reason")
    changed = service.put("/v1/plans/december", other | {"reason": "moved"}, if_match='"1"')
    assert (changed.status_code, changed.json()["version"]) == (200, 2)
    assert service.progress("december").body["plan"]["version"] == 2
    assert (
        service.client.delete("/v1/plans/december", headers={"if-match": '"2"'}).status_code == 204
    )
    assert service.get("/v1/plans/december/progress").status_code == 404


def test_who_is_unknown_is_listed_until_mapped_and_dated_mappings_hold(service: Service) -> None:
    service.post_events(
        [
            call(1, actor="301", at="2026-12-10T10:00:00+09:00"),
            call(2, actor="301", at="2026-12-11T10:00:00+09:00"),
            call(3, actor="new@example.com"),
        ]
    )
    listed = service.get("/v1/identities/unmatched").json()["items"]
    assert [(one["kind"], one["value"], one["activities"]) for one in listed] == [
        ("extension", "301", 2),
        ("email", "new@example.com", 1),
    ]
    assert listed[0]["first_at"] == "2026-12-10T10:00:00+09:00"
    identity = {"source": "crm", "kind": "extension", "value": "301", "from": "2026-12-11"}
    service.replace("/v1/members/sato", member("sato", identities=[identity]))
    listed = service.get("/v1/identities/unmatched").json()["items"]
    assert (listed[0]["value"], listed[0]["activities"]) == ("301", 1)
    assert actual(service) == "1"


def test_what_cannot_be_counted_is_listed_with_the_reason(service: Service) -> None:
    service.post_events([deal(1, won_at=None), deal(2), call(1)])
    listed = service.get("/v1/activities?counted=false").json()["items"]
    told = {
        item["key"]: {one["metric"]: one["field"] for one in item["uncounted"]} for item in listed
    }
    created = {"deals_created": "created_at", "open_pipeline": "created_at"}
    # Neither says when it was created; only the first one does not say when it was won.
    assert told == {
        "d-1": created | {"deals_won": "won_at", "revenue": "won_at"},
        "d-2": created,
    }
    assert actual(service, "deals_won") == "1"
    assert len(service.get("/v1/activities").json()["items"]) == 3


def test_a_won_deal_without_its_day_is_found_among_all_deals_that_lack_something(
    service: Service,
) -> None:
    service.post_events([deal(n) for n in range(40)] + [deal(99, won_at=None)])
    path = "/v1/activities?counted=false"
    assert len(service.get(path).json()["items"]) == 41
    found = service.get(f"{path}&metric=deals_won").json()
    assert ([item["key"] for item in found["items"]], found["next"]) == (["d-99"], None)
    told = service.get(f"{path}&metric=deals_created&limit=40").json()
    assert len(told["items"]) == 40
    last = service.get(f"{path}&metric=deals_created&cursor={told['next']}").json()
    assert (len(last["items"]), last["next"]) == (1, None)
    # A page belongs to its question.
    assert service.get(f"{path}&metric=revenue&cursor={told['next']}").status_code == 422


def test_reports_that_contradict_each_other_are_listed(service: Service) -> None:
    service.post_events([call(1)])
    answer = service.post_events([call(1, data={"talk_seconds": 61})]).json()
    assert [one["problem"]["status"] for one in answer["conflicts"]] == [409]
    listed = service.get("/v1/activities/conflicts").json()["items"]
    assert {(one["source"], one["key"]) for one in listed} == {("crm", "c-1")}
    assert {one["fields"]["talk_seconds"] for one in listed} == {60, 61}
    one = service.get("/v1/activities/crm/c-1").json()
    assert len(one["revisions"]) == 2
    assert actual(service) == "1"


# Many members at once.


def lines(*members: dict[str, Any]) -> bytes:
    return "\n".join(json.dumps(one, ensure_ascii=False) for one in members).encode() + b"\n\n"


def put_lines(service: Service, body: bytes, kind: str = NDJSON) -> Any:
    return service.client.put("/v1/members", content=body, headers={"content-type": kind})


def test_many_members_come_in_one_request(service: Service) -> None:
    body = lines(
        {"key": "sato"} | member("sato"),
        {"key": "suzuki"} | member("suzuki", capacity="0.5"),
        *({"key": f"m{n}"} | member(f"m{n}") for n in range(50)),
    )
    answer = put_lines(service, body)
    assert answer.status_code == 200, answer.text
    assert answer.json() == {"created": 50, "changed": 1, "unchanged": 1}
    assert put_lines(service, body).json() == {"created": 0, "changed": 0, "unchanged": 52}
    assert service.get("/v1/members/suzuki").json()["capacity"] == "0.5"


def test_an_extension_changes_hands_within_one_import(service: Service) -> None:
    first, second = member("sato"), member("suzuki")
    first["identities"], second["identities"] = second["identities"], first["identities"]
    swapped = put_lines(service, lines({"key": "sato"} | first, {"key": "suzuki"} | second))
    assert swapped.json() == {"created": 0, "changed": 2, "unchanged": 0}


@pytest.mark.parametrize(
    ("body", "status", "code", "pointer"),
    [
        (b"", 422, "no_members", ""),
        (b'{"key": "a"', 400, "not_json", None),
        (b"[]", 422, "not_an_object", "/0"),
        (lines({"key": "a"} | member("a"), member("b")), 422, "required", "/1/key"),
        (lines({"key": "a"} | member("a"), {"key": "B"} | member("b")), 422, "malformed", "/1/key"),
        (lines(*2 * [{"key": "a"} | member("a")]), 422, "duplicate_member", "/1/key"),
        (
            lines({"key": "a"} | member("a"), {"key": "b"} | member("b", capacity="0")),
            422,
            "capacity_not_positive",
            "/1/capacity",
        ),
        (
            lines({"key": "a"} | member("a"), {"key": "b"} | member("b", team="no")),
            422,
            "unknown_team",
            "/1/memberships/0/team",
        ),
        (
            lines({"key": "a"} | member("a"), {"key": "b"} | member("sato")),
            422,
            "shared_identity",
            "/1/identities/0",
        ),
    ],
)
def test_one_bad_line_and_nobody_comes_in(
    service: Service, body: bytes, status: int, code: str, pointer: str | None
) -> None:
    before = service.dump()
    answer = put_lines(service, body)
    assert answer.status_code == status, answer.text
    if pointer is None:
        assert answer.json()["type"] == "urn:tassei:problem:not-json"
        assert answer.json()["params"] == {"line": 1}
    else:
        told = [(fault["code"], fault["pointer"]) for fault in answer.json()["errors"]]
        assert told == [(code, pointer)]
    assert service.dump() == before

"""Everything a caller can get wrong: the documented refusal, and nothing has changed."""

from __future__ import annotations

import gzip
import json
from collections.abc import Iterator
from typing import Any, NamedTuple

import pytest

from tests.web.example import EVENTS, PLAN, SETTINGS, START, call, member, settle
from tests.web.service import Service, started

BATCH = "application/cloudevents-batch+json"
ONE = "application/cloudevents+json"
JSON = "application/json"


@pytest.fixture(scope="module")
def service() -> Iterator[Service]:
    with started(START, public_url="https://tassei.example.co.jp") as running:
        yield settle(running)


class Bad(NamedTuple):
    method: str
    path: str
    body: Any
    status: int
    code: str
    pointer: str | None = None
    headers: dict[str, str] = {"content-type": JSON}  # noqa: RUF012 - never changed


def put(path: str, body: Any, code: str, pointer: str | None = None, status: int = 422) -> Bad:
    return Bad("PUT", path, body, status, code, pointer)


def funnel(*stages: dict[str, Any]) -> dict[str, Any]:
    return PLAN | {"funnel": list(stages)}


def tree(root: dict[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in PLAN.items() if name != "funnel"} | {"root": root}


def post(body: Any, status: int, code: str, kind: str = BATCH, **headers: str) -> Bad:
    return Bad("POST", "/v1/events", body, status, code, None, {"content-type": kind} | headers)


def without(name: str) -> dict[str, Any]:
    return {key: value for key, value in SETTINGS.items() if key != name}


def calendar(**rest: Any) -> dict[str, Any]:
    return SETTINGS | {"calendar": SETTINGS["calendar"] | rest}


DEEP = b"[" * 40 + b"]" * 40
HUGE_NUMBER = "9" * 30
TEAM, MEMBER, NEW, SOURCE = "/v1/teams/new", "/v1/members/new", "/v1/plans/new", "/v1/sources/new"
CALLS = {"metric": "calls", "rate": "0.2"}
WON = {"metric": "deals_won", "target": "5"}
BAD = [
    # Bytes that are no JSON, or that two readers would read differently.
    put(TEAM, b'{"name": ', "not_json", status=400),
    put(TEAM, b'{"name": NaN}', "not_json", status=400),
    put(TEAM, b'{"name": Infinity}', "not_json", status=400),
    put(TEAM, b'{"name": 1e999}', "number_out_of_range", status=400),
    put(TEAM, b'{"name": "a", "name": "b"}', "duplicate_key", status=400),
    put(TEAM, b'{"name": "\xff"}', "not_utf8", status=400),
    put(TEAM, b"\xef\xbb\xbf{}", "byte_order_mark", status=400),
    put(TEAM, b'{"name": "\\ud800"}', "not_json", status=400),
    put(TEAM, b'{"name": ' + DEEP + b"}", "too_deep", status=400),
    put(TEAM, b"[" * 100_000, "too_deep", status=400),
    put(TEAM, b'{"name": "' + b"a" * 2**20 + b'"}', "body_too_large", status=413),
    post(b'[{"specversion": ', 400, "not_json"),
    post(b'[{"a": 1, "a": 2}]', 400, "duplicate_key"),
    post(b"[NaN]", 400, "not_json"),
    post(b"[" + DEEP + b"]", 400, "too_deep"),
    post(b"{}", 400, "not_an_array"),
    post(b"[" + b" " * 2**20 + b"]", 413, "body_too_large"),
    post(b"[" + b"1," * 10_000 + b"1]", 413, "too_many_items"),
    post(gzip.compress(b" " * 30 * 2**20), 413, "body_too_large", **{"content-encoding": "gzip"}),
    post(gzip.compress(b"[]")[:-4], 400, "not_gzip", **{"content-encoding": "gzip"}),
    post(b"[]", 415, "unsupported_encoding", **{"content-encoding": "br"}),
    post(b"[]", 415, "unsupported_encoding", **{"content-encoding": "gzip, gzip"}),
    # Another language than ours.
    post(b"<a/>", 415, "unsupported_media_type", kind="application/xml"),
    post(b"[]", 415, "unsupported_charset", kind=f"{BATCH}; charset=shift_jis"),
    Bad("PUT", TEAM, b"name=a", 415, "unsupported_media_type", None, {"content-type": "text/csv"}),
    Bad("PUT", "/v1/members", b"{}", 415, "unsupported_media_type"),
    # Types and shapes.
    put(TEAM, b"[]", "not_an_object", ""),
    put(TEAM, b"", "required", ""),
    put(TEAM, {}, "required", "/name"),
    put(TEAM, {"name": 7}, "not_a_text", "/name"),
    put(TEAM, {"name": ""}, "too_short", "/name"),
    put(TEAM, {"name": "   "}, "malformed", "/name"),
    put(TEAM, {"name": "a\0b"}, "malformed", "/name"),
    put(TEAM, {"name": "a\nb"}, "malformed", "/name"),
    put(TEAM, {"name": "a" * 201}, "too_long", "/name"),
    put(TEAM, {"name": "a", "workspace_id": "b"}, "unknown_field", "/workspace_id"),
    put("/v1/teams/NEW", {"name": "a"}, "malformed", ""),
    put("/v1/teams/" + "a" * 64, {"name": "a"}, "malformed", ""),
    # Teams and members.
    put(TEAM, {"name": "a", "parents": [{"team": "nowhere"}]}, "unknown_team", "/parents/0/team"),
    put(TEAM, {"name": "a", "parents": [{"team": "new"}]}, "cyclic_teams", "/parents"),
    put(
        TEAM,
        {"name": "a", "parents": [{"team": "east", "from": "2026-02-30"}]},
        "not_a_date",
        "/parents/0/from",
    ),
    put(MEMBER, member(capacity="-1"), "capacity_not_positive", "/capacity"),
    put(MEMBER, member(capacity="0"), "capacity_not_positive", "/capacity"),
    put(MEMBER, member(capacity=1), "not_a_text", "/capacity"),
    put(MEMBER, member(capacity="1e3"), "malformed", "/capacity"),
    put(MEMBER, member(capacity="9" * 31), "malformed", "/capacity"),
    put(MEMBER, member(team="nowhere"), "unknown_team", "/memberships/0/team"),
    put(
        MEMBER,
        member("new", memberships=[{"team": "east"}, {"team": "east", "from": "2026-12-01"}]),
        "overlapping_memberships",
        "/memberships",
    ),
    put(
        MEMBER,
        member("new", memberships=[{"team": "east", "from": "2026-12-02", "to": "2026-12-01"}]),
        "empty_span",
        "/memberships/0/to",
    ),
    put(MEMBER, member("sato"), "shared_identity", "/identities/0"),
    put(
        "/v1/members/nobody/absences",
        {"absences": []},
        "unknown_member",
        status=404,
    ),
    put(
        "/v1/members/sato/absences",
        {"absences": [{"from": "2026-12-02", "to": "2026-12-03", "share": "0.7"}]},
        "not_one_of",
        "/absences/0/share",
    ),
    # The workspace.
    put("/v1/workspace", without("currency"), "required", "/currency"),
    put("/v1/workspace", SETTINGS | {"time_zone": "Asia/Edo"}, "unknown_zone", "/time_zone"),
    put("/v1/workspace", SETTINGS | {"time_zone": "../etc"}, "unknown_zone", "/time_zone"),
    put("/v1/workspace", SETTINGS | {"time_zone": "a\0"}, "unknown_zone", "/time_zone"),
    put("/v1/workspace", calendar(holidays="XX"), "unknown_country", "/calendar/holidays"),
    put("/v1/workspace", calendar(weekdays=[]), "too_few_items", "/calendar/weekdays"),
    put(
        "/v1/workspace",
        calendar(working_hours={"from": "18:00", "to": "09:00"}),
        "empty_working_hours",
        "/calendar/working_hours/to",
    ),
    put(
        "/v1/workspace",
        SETTINGS | {"fiscal_year_start_month": int(HUGE_NUMBER)},
        "too_large",
        "/fiscal_year_start_month",
    ),
    put(
        "/v1/workspace",
        SETTINGS | {"fiscal_year_start_month": True},
        "not_an_integer",
        "/fiscal_year_start_month",
    ),
    # Sources.
    put(SOURCE, EVENTS | {"provider": "fax"}, "unknown_provider", "/provider"),
    put(SOURCE, EVENTS | {"expect": {"every": "soon"}}, "not_a_duration", "/expect/every"),
    put(SOURCE, EVENTS | {"credentials": {"x": "y"}}, "unknown_field", "/credentials"),
    put(SOURCE, {"provider": "twilio", "name": "t"}, "required", "/credentials/auth_tokens"),
    put(
        SOURCE,
        {"provider": "standard_webhooks", "name": "s", "credentials": {"secret": "whsec_short"}},
        "not_a_webhook_secret",
        "/credentials/secret",
    ),
    put(
        SOURCE,
        {"provider": "pipedrive", "name": "p", "credentials": {"user": "a:b", "password": "c"}},
        "colon_in_user",
        "/credentials/user",
    ),
    # Plans.
    put(NEW, funnel({"metric": "nonsense", "target": "1"}), "unknown_metric", "/funnel/0/metric"),
    put(NEW, funnel({"metric": "deals_won"}, CALLS), "missing_target", "/funnel/0"),
    put(NEW, funnel(WON, CALLS | {"target": "100"}), "two_free_targets", "/funnel/1/target"),
    put(NEW, funnel(WON, CALLS | {"rate": "0"}), "unreachable", "/funnel/1/rate"),
    put(NEW, funnel(WON, CALLS | {"rate": "-0.1"}), "negative_rate", "/funnel/1/rate"),
    put(NEW, funnel(WON, {"metric": "calls"}), "missing_rate", "/funnel/1/rate"),
    put(NEW, funnel(WON, CALLS | {"rate": "5%"}), "malformed", "/funnel/1/rate"),
    put(NEW, funnel(WON, CALLS | {"lag_days": 31}), "lag_exceeds_period", "/funnel/1"),
    put(
        NEW,
        tree(
            {
                "key": "a",
                "metric": "deals_won",
                "target": "5",
                "conversion": {"rate": "0.1", "from": {"key": "a", "metric": "calls"}},
            }
        ),
        "cyclic",
        "/root/conversion/from",
    ),
    put(NEW, PLAN | {"period": {}}, "one_period", "/period"),
    put(NEW, PLAN | {"period": {"month": "2026-13"}}, "malformed", "/period/month"),
    put(
        NEW,
        PLAN | {"period": {"start": "0001-01-01", "end": "0001-02-01"}},
        "period_out_of_range",
        "/period/start",
    ),
    put(NEW, PLAN | {"assignments": [{"team": "no"}]}, "unknown_team", "/assignments/0"),
    put(NEW, PLAN | {"assignments": [{}]}, "team_or_member", "/assignments/0"),
    put(
        NEW,
        PLAN | {"assignments": [{"team": "east", "weight": "0"}]},
        "weight_not_positive",
        "/assignments/0/weight",
    ),
    # Queries, headers, addresses.
    Bad("GET", "/v1/teams?limit=0", None, 422, "too_small", ""),
    Bad("GET", "/v1/teams?limit=501", None, 422, "too_large", ""),
    Bad("GET", f"/v1/teams?limit={HUGE_NUMBER}", None, 422, "too_large", ""),
    Bad("GET", "/v1/teams?limit=1&limit=2", None, 422, "repeated_parameter", ""),
    Bad("GET", "/v1/teams?cursor=forged", None, 422, "invalid_cursor", ""),
    Bad("GET", "/v1/teams?sort=name", None, 422, "unknown_parameter", ""),
    Bad("GET", "/v1/teams?key=tsk_default_x", None, 422, "unknown_parameter", ""),
    Bad("POST", "/v1/events?key=tsk_default_x", b"[]", 422, "unknown_parameter", ""),
    Bad("GET", "/v1/plans/december/progress?as_of=soon", None, 422, "not_a_time", ""),
    Bad(
        "GET",
        "/v1/plans/december/progress?as_of=2026-12-14T09:00:00",
        None,
        422,
        "time_without_offset",
        "",
    ),
    Bad("GET", "/v1/plans/december/progress?as_of=2026-12-15", None, 422, "as_of_ahead", ""),
    Bad("GET", "/v1/plans/december/progress?as_of=9999-12-31", None, 422, "date_out_of_range", ""),
    Bad("GET", "/v1/plans/december/progress?as_of=0001-01-01", None, 422, "date_out_of_range", ""),
    Bad(
        "GET",
        "/v1/plans/december/progress?as_of=2026-12-14T08:50:00%2B09:00",
        None,
        422,
        "as_of_between_quarters",
        "",
    ),
    Bad("GET", "/v1/plans/december/progress?team=nowhere", None, 404, "team_not_in_plan"),
    Bad("GET", "/v1/plans/december/progress?member=nobody", None, 404, "member_not_in_plan"),
    Bad("GET", "/v1/plans/none/progress", None, 404, "unknown_plan"),
    Bad("GET", "/v1/workspace/calendar?from=2026-12-01", None, 422, "required", ""),
    Bad(
        "GET",
        "/v1/workspace/calendar?from=2026-12-02&to=2026-12-01",
        None,
        422,
        "empty_span",
    ),
    Bad(
        "GET",
        "/v1/workspace/calendar?from=0001-01-01&to=9999-12-31",
        None,
        422,
        "period_too_long",
        "",
    ),
    Bad("GET", "/v1/activities?counted=true", None, 422, "only_false", ""),
    Bad("GET", "/v1/activities?metric=calls", None, 422, "only_uncounted", ""),
    Bad("GET", "/v1/activities?counted=false&metric=none", None, 404, "unknown_metric"),
    Bad("GET", "/v1/activities/crm/none", None, 404, "unknown_activity"),
    Bad("GET", "/v1/teams/%00", None, 400, "malformed_path"),
    Bad("GET", "/v1/nothing", None, 404, "no_such_route"),
    Bad("GET", "/v1/teams/", None, 404, "no_such_route"),
    Bad("DELETE", "/v1/workspace", None, 405, "method_not_allowed"),
    Bad("TRACE", "/v1/teams", None, 405, "method_not_allowed"),
    Bad("DELETE", "/v1/teams/nowhere", None, 404, "unknown_team"),
    Bad("DELETE", "/v1/members/nobody", None, 404, "unknown_member"),
    Bad("DELETE", "/v1/keys/nothing", None, 404, "no_such_key"),
    Bad("PUT", TEAM, b"{}", 400, "malformed_etag", None, {"content-type": JSON, "if-match": "1"}),
    Bad("POST", "/v1/keys", {"name": "a", "scopes": []}, 422, "too_few_items", "/scopes"),
    Bad("POST", "/v1/keys", {"name": "a", "scopes": ["root"]}, 422, "not_one_of", "/scopes/0"),
]


@pytest.mark.parametrize("bad", BAD, ids=lambda bad: f"{bad.method} {bad.path[:60]} {bad.code}")
def test_bad_input_is_refused_as_documented_and_changes_nothing(service: Service, bad: Bad) -> None:
    before = service.dump()
    body = bad.body if bad.body is None or isinstance(bad.body, bytes) else json.dumps(bad.body)
    # What stands may be replaced: it is the body that must not.
    seen = {"if-match": "*"} if bad.path == "/v1/workspace" else {}
    answer = service.client.request(bad.method, bad.path, content=body, headers=bad.headers | seen)
    assert answer.headers["content-type"] == "application/problem+json", answer.text
    problem = answer.json()
    assert (answer.status_code, problem["status"]) == (bad.status, bad.status), problem
    if "errors" in problem:
        assert bad.code in {fault["code"] for fault in problem["errors"]}, problem
    else:
        assert problem["type"] == f"urn:tassei:problem:{bad.code.replace('_', '-')}"
    if bad.pointer is not None:
        places = {f["pointer"] for f in problem["errors"] if f["code"] == bad.code}
        assert bad.pointer in places, problem
    assert service.dump() == before


ITEMS = [
    (call(1, source="nowhere"), "unknown_source", "/source"),
    (call(1, at="2026-12-11T10:00:00"), "time_without_offset", "/time"),
    (call(1, data={"started_at": "2026-12-16T10:00:00+09:00"}), "time_too_far_ahead", None),
    (call(1, data={"started_at": "9998-12-31T23:59:59Z"}), "time_too_far_ahead", None),
    (call(1, data={"started_at": "1969-12-31T23:59:59Z"}), "time_before_1980", None),
    (call(1, data={"started_at": 1765400000}), "not_a_time", None),
    (call(1, data={"talk_seconds": "sixty"}), None, "/data/talk_seconds"),
    (call(1, data={"talk_seconds": -1}), None, "/data/talk_seconds"),
    (call(1, data={"talk_seconds": int(HUGE_NUMBER)}), None, "/data/talk_seconds"),
    (call(1, data={"direction": "sideways"}), "unknown_value", "/data/direction"),
    (call(1, id=""), None, "/id"),
    (call(1, id="a\0b"), None, "/id"),
    (call(1, specversion="0.3"), "unsupported_version", "/specversion"),
    (call(1, type="Call!"), None, "/type"),
    ({"specversion": "1.0"}, "required", "/id"),
    (7, "not_an_object", ""),
    (None, "not_an_object", ""),
]


@pytest.mark.parametrize(("item", "code", "pointer"), ITEMS)
def test_one_bad_event_is_rejected_alone(
    service: Service, item: Any, code: str | None, pointer: str | None
) -> None:
    answer = service.post_events([item]).json()
    assert len(answer["rejected"]) == 1, answer
    problem = answer["rejected"][0]["problem"]
    assert problem["status"] == 422
    told = {(fault["code"], fault["pointer"]) for fault in problem["errors"]}
    assert any(
        (code is None or code == found) and (pointer is None or pointer == place)
        for found, place in told
    ), problem
    assert service.get("/v1/activities").json()["items"] == []
    assert service.mismatches() == []


def test_teams_in_a_ring_are_refused(service: Service) -> None:
    service.put("/v1/teams/below", {"name": "b", "parents": [{"team": "east"}]})
    before = service.dump()
    answer = service.put(
        "/v1/teams/east", {"name": "e", "parents": [{"team": "below"}]}, if_match="*"
    )
    assert (answer.status_code, answer.json()["errors"][0]["code"]) == (422, "cyclic_teams")
    assert service.dump() == before


def test_a_provider_that_signs_its_address_needs_one() -> None:
    with started(START) as private:
        before = private.dump()
        twilio = {"provider": "twilio", "name": "t", "credentials": {"auth_tokens": ["a" * 32]}}
        answer = private.put("/v1/sources/phone", twilio)
        assert answer.json()["type"].endswith("public-url-required")
        assert answer.status_code == 422
        assert private.dump() == before

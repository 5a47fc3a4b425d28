"""Plans through HTTP: patched, previewed, remembered, copied, and what nobody measures."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.web.example import EVENTS, START, call, deal, settle
from tests.web.example import PLAN as STAGES
from tests.web.service import Service, started

PATCH = "application/merge-patch+json"
PLAN = "/v1/plans/december"
WHY = {"reason": "we know better now"}


@pytest.fixture
def service() -> Iterator[Service]:
    with started(START) as running:
        yield settle(running)


@pytest.fixture(scope="module")
def shared() -> Iterator[Service]:
    with started(START) as running:
        yield settle(running)


def patch(service: Service, body: Any, etag: str | None = '"1"', kind: str = PATCH) -> Any:
    headers = {"content-type": kind} | ({"if-match": etag} if etag else {})
    return service.client.patch(PLAN, json=body, headers=headers)


def post(service: Service, path: str, body: Any) -> Any:
    return service.client.post(path, json=body)


def targets(answer: Any) -> dict[str, str]:
    return {goal["key"]: goal["target"] for goal in answer.json()["goals"]}


PATCHES: list[tuple[dict[str, Any], dict[str, Any]]] = [
    ({"name": "Dec"}, STAGES | {"name": "Dec"}),
    ({"include_unassigned": True}, STAGES | {"include_unassigned": True}),
    ({"alias": "new"}, STAGES | {"alias": "new"}),
    (
        {"period": {"month": None, "quarter": "2026-Q4"}},
        STAGES | {"period": {"quarter": "2026-Q4"}},
    ),
    ({"assignments": None}, {n: v for n, v in STAGES.items() if n != "assignments"}),
    (
        {"funnel": None, "root": {"metric": "calls", "target": "7"}},
        {n: v for n, v in STAGES.items() if n != "funnel"}
        | {"root": {"metric": "calls", "target": "7"}},
    ),
    (
        {"funnel": [{"metric": "calls", "target": "12.5"}]},
        STAGES | {"funnel": [{"metric": "calls", "target": "12.5"}]},
    ),
    ({"name": None}, {n: v for n, v in STAGES.items() if n != "name"}),
    ({"period": {"quarter": "2026-Q4"}},
     STAGES | {"period": {"month": "2026-12", "quarter": "2026-Q4"}}),
    ({"funnel": [{"metric": "calls"}]}, STAGES | {"funnel": [{"metric": "calls"}]}),
    ({"surprise": 1}, STAGES | {"surprise": 1}),
    ({"period": 12}, STAGES | {"period": 12}),
    ({"funnel": [{"metric": "calls", "target": 0.5}]},
     STAGES | {"funnel": [{"metric": "calls", "target": 0.5}]}),
]  # fmt: skip


@pytest.mark.parametrize(("change", "whole"), PATCHES, ids=lambda v: str(v)[:40])
def test_a_patch_is_answered_as_a_put_of_the_whole_it_means(
    change: dict[str, Any], whole: dict[str, Any]
) -> None:
    with started(START) as one, started(START) as two:
        patched = patch(settle(one), change | WHY)
        replaced = settle(two).put(PLAN, whole | WHY, if_match='"1"')
        assert patched.status_code == replaced.status_code
        assert patched.headers.get("etag") == replaced.headers.get("etag")
        one_body, two_body = patched.json(), replaced.json()
        assert one_body.pop("instance", None) != two_body.pop("instance", "")
        assert one_body == two_body
        assert one.get(PLAN).json() == two.get(PLAN).json()


def test_a_patch_says_which_version_it_changes_and_why(service: Service) -> None:
    new = {"name": "Dec"} | WHY
    refused = {
        428: patch(service, new, etag=None),
        412: patch(service, new, etag='"2"'),
        415: patch(service, new, kind="text/plain"),
        404: service.client.patch(
            "/v1/plans/nothing", json=new, headers={"if-match": "*", "content-type": PATCH}
        ),
    }
    assert {status: answer.status_code for status, answer in refused.items()} == {
        status: status for status in refused
    }
    reasonless = patch(service, {"name": "Dec"})
    assert reasonless.json()["errors"][0]["pointer"] == "/reason"
    assert patch(service, []).status_code == 422
    assert service.get(PLAN).headers["etag"] == '"1"'
    assert patch(service, new, kind="application/json").status_code == 200


def test_a_patch_that_changes_nothing_makes_no_version(service: Service) -> None:
    answer = patch(service, {"name": STAGES["name"]})
    assert (answer.status_code, answer.headers["etag"]) == (200, '"1"')


def test_a_merge_patch_is_no_whole_plan(service: Service) -> None:
    answer = service.client.put(
        PLAN, json=STAGES | WHY, headers={"content-type": PATCH, "if-match": "*"}
    )
    assert answer.status_code == 415


def test_changes_name_a_plan_by_its_key_for_a_version_seen_by_alias_may_be_anothers(
    service: Service,
) -> None:
    assert patch(service, {"alias": "new"} | WHY).status_code == 200
    headers = {"if-match": '"2"', "content-type": PATCH}
    assert service.get("/v1/plans/new").json()["key"] == "december"
    assert service.client.patch("/v1/plans/new", json=WHY, headers=headers).status_code == 404
    assert service.client.delete("/v1/plans/new", headers=headers).status_code == 404


def history(service: Service, query: str = "") -> Any:
    answer = service.get(f"{PLAN}/versions{query}")
    assert answer.status_code == 200, answer.text
    return answer.json()


def test_every_version_stays_with_author_reason_and_time(service: Service) -> None:
    service.clock.set("2026-12-14T10:00:00+09:00")
    assert (
        patch(service, {"funnel": [{"metric": "calls", "target": "90"}]} | WHY).status_code == 200
    )
    service.clock.set("2026-12-14T11:00:00+09:00")
    service.client.delete(PLAN, headers={"if-match": '"2"'})
    items = history(service)["items"]
    assert [(v["version"], v["reason"], v["at"][:16], v["archived"]) for v in items] == [
        (1, None, "2026-12-14T09:00", False),
        (2, "we know better now", "2026-12-14T10:00", False),
        (3, None, "2026-12-14T11:00", True),
    ]
    [admin] = [key["id"] for key in service.get("/v1/keys").json()["items"]]
    assert {version["author"] for version in items} == {admin}
    assert [stage["metric"] for stage in items[0]["document"]["funnel"]] == ["deals_won", "calls"]
    assert items[1]["document"]["funnel"][0]["target"] == "90"


def test_versions_come_in_pages_and_a_foreign_cursor_is_refused(service: Service) -> None:
    for number in range(1, 5):
        assert patch(service, {"name": f"v{number}"} | WHY, etag=f'"{number}"').status_code == 200
    seen: list[list[int]] = []
    cursor: str | None = ""
    while cursor is not None:
        found = history(service, f"?limit=2{cursor and '&cursor=' + cursor}")
        seen.append([version["version"] for version in found["items"]])
        cursor = found["next"]
    assert seen == [[1, 2], [3, 4], [5]]
    assert service.get(f"{PLAN}/versions?cursor=AAAA").status_code == 422
    assert service.get("/v1/plans/nothing/versions").status_code == 404


def test_another_version_is_read_and_measured_by_todays_facts(service: Service) -> None:
    service.counts([call(n) for n in range(5)])
    fewer = {"funnel": [{"metric": "calls", "target": "10"}]} | WHY
    assert patch(service, fewer).status_code == 200
    first, second = (service.get(f"{PLAN}?version={n}") for n in (1, 2))
    assert targets(first) == {"deals_won": "10", "calls": "200"}
    assert targets(second) == {"calls": "10"}
    assert (first.headers["etag"], second.headers["etag"]) == ('"1"', '"2"')
    old = service.progress("december", version="1")
    assert old.body["plan"]["version"] == 1
    assert (old.goal("calls")["target"], old.goal("calls")["actual"]) == ("200", "5")
    now = service.progress("december")
    assert (now.goal("calls")["target"], now.goal("calls")["actual"]) == ("10", "5")
    assert service.get(f"{PLAN}?version=3").json()["type"].endswith("unknown-version")
    assert service.get(f"{PLAN}/progress?version=0").status_code == 422


def test_an_archived_plan_can_be_read_by_version_alone(service: Service) -> None:
    service.client.delete(PLAN, headers={"if-match": '"1"'})
    assert service.get(PLAN).status_code == 404
    assert service.get(f"{PLAN}/progress").status_code == 404
    assert targets(service.get(f"{PLAN}?version=1")) == {"deals_won": "10", "calls": "200"}
    assert service.progress("december", version="1").body["plan"]["version"] == 1


DECIMALS = st.integers(1, 10**6).map(str)
RATES = st.integers(1, 999).map(lambda n: f"0.{n:03}".rstrip("0"))


@settings(max_examples=15, deadline=None)
@given(
    target=DECIMALS,
    rate=RATES,
    weight=st.integers(1, 5).map(str),
    whole=st.booleans(),
    tracked=st.booleans(),
)
def test_a_preview_says_what_a_put_would_answer_and_stores_nothing(
    shared: Service, target: str, rate: str, weight: str, *, whole: bool, tracked: bool
) -> None:
    stages: list[Any] = [
        {"metric": "deals_won", "target": target},
        {"metric": "calls", "rate": rate},
    ]
    if tracked:
        stages[1]["influences"] = [{"metric": "talk_time", "target": "3600", "weight": weight}]
    people = [] if whole else [{"team": "east"}, {"member": "sato", "weight": weight}]
    body = STAGES | {"funnel": stages, "assignments": people, "reason": "trying"}
    before = shared.dump()
    asked = post(shared, "/v1/plans/preview", body)
    assert asked.status_code == 200, asked.text
    assert shared.dump() == before
    key = f"p{abs(hash((target, rate, weight, whole, tracked)))}"
    made = shared.put(f"/v1/plans/{key}", body)
    assert made.status_code == 201, made.text
    answered = made.json()
    for known_once_it_stands in ("key", "alias", "version"):
        del answered[known_once_it_stands]
    assert asked.json() == answered
    shared.client.delete(f"/v1/plans/{key}", headers={"if-match": '"1"'})


def test_a_preview_tells_the_difference_for_every_goal_and_person(service: Service) -> None:
    body = STAGES | {
        "funnel": [
            {"metric": "deals_won", "target": "12"},
            {"metric": "meetings_held", "rate": "0.5"},
        ],
        "assignments": [{"member": "sato"}],
    }
    asked = post(service, "/v1/plans/preview", body | {"plan": "december"}).json()
    assert (asked["key"], asked["difference"]["plan"]) == (
        "december",
        {"key": "december", "version": 1},
    )
    difference = asked["difference"]
    assert difference["goals"] == [
        {"key": "deals_won", "before": "10", "after": "12", "change": "2"},
        {"key": "meetings_held", "after": "24"},
        {"key": "calls", "before": "200"},
    ]
    assert difference["split"] == {
        "sato": {
            "deals_won": {"before": "5", "after": "12", "change": "7"},
            "meetings_held": {"after": "24"},
            "calls": {"before": "100"},
        },
        "suzuki": {"deals_won": {"before": "5"}, "calls": {"before": "100"}},
    }
    assert service.get(PLAN).headers["etag"] == '"1"'


def test_whoever_may_read_may_ask_what_if_and_change_nothing(service: Service) -> None:
    reader = service.key("read")
    assert post(reader, "/v1/plans/preview", STAGES).status_code == 200
    assert reader.put("/v1/plans/x", STAGES).status_code == 403
    assert patch(reader, WHY).status_code == 403
    assert post(reader, f"{PLAN}/copy", {"period": {"month": "2027-01"}}).status_code == 403


@pytest.mark.parametrize(
    ("change", "status", "code"),
    [
        ({"plan": "nothing"}, 404, "unknown-plan"),
        ({"funnel": [{"metric": "calls"}]}, 422, "missing-target"),
        ({"assignments": [{"team": "north"}]}, 422, "unknown-team"),
        ({"surprise": 1}, 422, "invalid-request"),
        (
            {"funnel": [{"metric": "calls", "target": "1", "influences": [{"metric": "leads"}]}]},
            422,
            "missing-target",
        ),
    ],
)
def test_a_preview_refuses_what_cannot_be_worked_out(
    shared: Service, change: dict[str, Any], status: int, code: str
) -> None:
    asked = post(shared, "/v1/plans/preview", STAGES | change)
    assert asked.status_code == status
    assert asked.json()["type"] == f"urn:tassei:problem:{code}"


def test_a_goal_that_no_source_counts_is_refused_unless_it_is_meant(service: Service) -> None:
    service.replace("/v1/sources/crm", EVENTS | {"counts": ["deal"]})
    new = STAGES | {"period": {"month": "2027-01"}}
    refused = service.put("/v1/plans/january", new)
    assert refused.status_code == 422
    assert refused.json()["type"] == "urn:tassei:problem:unmeasured"
    [fault] = refused.json()["errors"]
    assert (fault["pointer"], fault["code"]) == ("/funnel/1", "unmeasured")
    assert fault["params"] == {"goals": "calls", "kind": "call"}
    assert service.get("/v1/plans/january").status_code == 404
    assert post(service, "/v1/plans/preview", new).json()["unmeasured"] == ["calls"]
    meant = service.put("/v1/plans/january", new | {"allow_unmeasured": True})
    assert (meant.status_code, meant.json()["unmeasured"]) == (201, ["calls"])


def test_what_stands_is_not_refused_when_its_source_goes_only_its_next_change_is(
    service: Service,
) -> None:
    service.client.delete("/v1/sources/crm", headers={"if-match": "*"})
    assert service.put(PLAN, STAGES).status_code == 200
    assert service.get(PLAN).json()["unmeasured"] == ["deals_won", "calls"]
    assert patch(service, {"name": "Dec"} | WHY).status_code == 422
    assert patch(service, {"name": "Dec", "allow_unmeasured": True} | WHY).status_code == 200


def test_a_second_plan_for_the_same_people_and_kgi_is_warned_of(service: Service) -> None:
    second = service.put("/v1/plans/stretch", STAGES | {"assignments": [{"member": "sato"}]})
    warning = next(w for w in second.json()["warnings"] if w["code"] == "overlapping_plan")
    assert (warning["code"], warning["params"]) == ("overlapping_plan", {"plan": "december"})
    told = service.get(PLAN, **{"accept-language": "ja"}).json()["warnings"]
    overlapping = [
        (w["params"], "計画" in w["message"]) for w in told if w["code"] == "overlapping_plan"
    ]
    assert overlapping == [({"plan": "stretch"}, True)]


def test_a_copy_is_the_same_plan_for_the_next_period_with_what_was_learned(
    service: Service,
) -> None:
    service.counts([call(n) for n in range(8)] + [deal(n) for n in range(3)])
    assert patch(service, {"alias": "new"} | WHY).status_code == 200
    copied = post(service, f"{PLAN}/copy", {"period": {"month": "2027-01"}, "reason": "next"})
    assert (copied.status_code, copied.headers["etag"]) == (201, '"1"')
    assert copied.headers["location"] == "/v1/plans/new-2027-01"
    body = copied.json()
    assert body["proposals"] == [
        {"goal": "deals_won", "assumed": "0.05", "observed": "0.375", "sample": 8}
    ]
    assert body["period"] == {"start": "2027-01-01", "end": "2027-02-01"}
    assert (body["key"], body["alias"], body["version"]) == ("new-2027-01", "new", 1)
    stored, old = (service.get(f"/v1/plans/{key}/versions").json()["items"][-1]
                   for key in ("new-2027-01", "december"))  # fmt: skip
    assert stored["reason"] == "next"
    assert stored["document"] == old["document"] | {"period": {"month": "2027-01", "fiscal": False}}
    assert post(service, f"{PLAN}/copy", {"period": {"month": "2027-01"}}).status_code == 409


def test_a_copy_proposes_only_rates_that_a_plan_could_be_built_on(service: Service) -> None:
    service.counts([call(n) for n in range(8)])
    free = {"period": {"month": "2027-01"}, "key": "january"}
    body = post(service, f"{PLAN}/copy", free).json()
    assert (body["proposals"], body["key"], body["alias"]) == ([], "january", "january")


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        ({"period": {"month": "2027-01"}, "key": "december"}, 409, "plan-exists"),
        ({"period": {}}, 422, "one-period"),
        ({}, 422, "invalid-request"),
        ({"period": {"month": "2026-13"}}, 422, "invalid-request"),
    ],
)
def test_a_copy_without_a_place_of_its_own_is_refused(
    shared: Service, body: dict[str, Any], status: int, code: str
) -> None:
    refused = post(shared, f"{PLAN}/copy", body)
    assert refused.status_code == status
    assert refused.json()["type"] == f"urn:tassei:problem:{code}"
    assert (
        post(shared, "/v1/plans/nothing/copy", {"period": {"month": "2027-01"}}).status_code == 404
    )

"""Tables over the API: the same activities as by events, whatever is in the cells."""

from __future__ import annotations

import csv
import gzip
import io
import json
from collections.abc import Iterator
from itertools import count
from typing import Any

import pytest
from hypothesis import Phase, given, settings
from hypothesis import strategies as st

from tests.web.example import EVENTS, SETTINGS, START
from tests.web.service import Service, started
from tests.web.test_replay import listed, replayed

MAPPING: dict[str, Any] = {
    "activity": {"kind": "deal", "key": "no", "revision": "rev", "actor": "who"},
    "fields": {
        "status": {"column": "stage", "map": {"Won": "won", "Lost": "lost"}},
        "won_at": {"column": "day", "type": "date", "when": {"stage": "Won"}, "zone": "Asia/Tokyo"},
        "amount": {"column": "net", "type": "decimal"},
        "currency": {"constant": "JPY"},
        "note/~": "note",
    },
}
FILES: dict[str, Any] = {"provider": "csv", "name": "Files", "mapping": MAPPING}
HEADER = ["no", "rev", "who", "stage", "day", "net", "gross", "note"]
HEAD = ",".join(HEADER) + "\n"
ROW = "{},1,Sato,Won,2026-12-11,100,110,\n"
DOOR = "/v1/events?source=crm"
CSV = "text/csv"


@pytest.fixture
def service() -> Iterator[Service]:
    with started(START) as running:
        running.replace("/v1/workspace", SETTINGS)
        assert running.put("/v1/sources/crm", FILES).status_code == 201
        yield running


def post(
    service: Service, body: str | bytes, path: str = DOOR, kind: str = CSV, **more: str
) -> Any:
    content = body if isinstance(body, bytes) else body.encode()
    headers = {"content-type": kind} | {name.replace("_", "-"): v for name, v in more.items()}
    return service.client.post(path, content=content, headers=headers)


def taken(answer: Any) -> dict[str, Any]:
    """The answer to a body that was read, but for what is zero."""
    assert answer.status_code == 200, answer.text
    return {word: told for word, told in answer.json().items() if told}


def code_of(answer: Any) -> str:
    assert answer.headers["content-type"] == "application/problem+json"
    return str(answer.json()["type"]).rpartition(":")[2].replace("-", "_")


def state(service: Service) -> Any:
    """What the workspace holds and counts, without when it came."""
    activities = service.get("/v1/activities?limit=500").json()["items"]
    for one in activities:
        del one["changed_at"]
    path = "/v1/metrics/{}/series?from=2026-11-01&to=2027-02-01&group_by=actor"
    return activities, [service.get(path.format(m)).json() for m in ("deals_won", "revenue")]


TEXT = st.text(st.characters(codec="utf-8"), max_size=6) | st.sampled_from(
    ['"', '""', "a,b", "a\nb", "a\r\nb", "\r", "\0", "\ufeff", " x ", "=1+1", "佐藤", "é" * 200]
)
ROWS = st.lists(
    st.tuples(
        st.sampled_from(["d1", "d2", "d,3", 'd"4', "取引"]) | TEXT,
        st.sampled_from(["1", "2", "10", "", "2026-12-01T00:00:00Z", "later"]),
        st.sampled_from(["Sato", "sato@example.co.jp", ""]) | TEXT,
        st.sampled_from(["Won", "Lost", "open", "", "won", "Perhaps"]),
        st.sampled_from(["2026-12-11", "2026-11-30", "", "2026-02-30", "11.12.2026"]),
        st.sampled_from(["100", "0.5", "-3", "1e3", "", "a lot", "1,200"]) | TEXT,
        st.just("x"),
        TEXT,
    ),
    max_size=12,
)


def event_of(cells: tuple[str, ...]) -> dict[str, Any]:
    """The event that a row is by MAPPING, made by hand."""
    key, revision, actor, stage, day, net, _, note = (cell.strip() for cell in cells)
    told = {"id": key, "revision": revision, "actor": actor}
    words = {"Won": "won", "Lost": "lost"}
    data = {"status": words.get(stage, stage), "amount": net, "currency": "JPY", "note/~": note}
    if cells[3] == "Won":
        # Noon in Tokyo; what is no day of this form is as wrong in an event.
        data["won_at"] = f"{day}T12:00:00+09:00" if day else ""
    event = {"specversion": "1.0", "type": "deal", "source": "crm"}
    data = {label: text for label, text in data.items() if text}
    return event | {label: text for label, text in told.items() if text} | {"data": data}


numbers = count(1)


@pytest.fixture(scope="module")
def many() -> Iterator[Service]:
    with started(START) as running:
        yield running


# No shrinking: each example makes two workspaces, and hundreds of them would take minutes.
@settings(max_examples=30, deadline=None, phases=[Phase.explicit, Phase.generate])
@given(
    rows=ROWS,
    # Of a minimal writer that ends lines with a bare \n, a \r would end them as well.
    form=st.sampled_from(
        [("\r\n", csv.QUOTE_MINIMAL), ("\r\n", csv.QUOTE_ALL), ("\n", csv.QUOTE_ALL)]
    ),
    mark=st.sampled_from(["utf-8", "utf-8-sig"]),
)
def test_rows_come_to_the_same_as_the_events_that_they_mean(
    many: Service, rows: list[tuple[str, ...]], form: tuple[str, Any], mark: str
) -> None:
    number = next(numbers)
    by_rows, by_events = many.workspace(f"rows{number}"), many.workspace(f"events{number}")
    assert by_rows.put("/v1/sources/crm", FILES).status_code == 201
    assert by_events.put("/v1/sources/crm", EVENTS).status_code == 201
    file = io.StringIO(newline="")
    writer = csv.writer(file, lineterminator=form[0], quoting=form[1])
    writer.writerows([tuple(HEADER), *rows])
    lines = "".join(json.dumps(event_of(row)) + "\n" for row in rows)
    table = file.getvalue().encode(mark)
    one = taken(post(by_rows, table))
    other = taken(post(by_events, lines, "/v1/events", "application/x-ndjson"))
    for part in ("rejected", "conflicts"):
        # The header is row 1.
        places = [item["index"] - 2 for item in one.pop(part, [])]
        assert places == [item["index"] for item in other.pop(part, [])]
    assert one == other
    assert state(by_rows) == state(by_events)
    again = taken(post(by_rows, table))
    assert again.keys() <= {"duplicate", "rejected"}
    assert again.get("duplicate", 0) + len(again.get("rejected", [])) == len(rows)
    assert state(by_rows) == state(by_events)


def test_a_row_that_breaks_a_rule_is_rejected_alone_and_by_its_cells(service: Service) -> None:
    table = HEAD + ROW.format("a") + "b,1,,Perhaps,,x,,\n\n" + "c,1\n" + ROW.format("d")
    told = taken(post(service, table))
    assert told["accepted"] == 2
    rejected = {
        item["index"]: {(e["pointer"], e["code"]) for e in item["problem"]["errors"]}
        for item in told["rejected"]
    }
    assert rejected == {
        3: {("/row/3/stage", "unknown_value"), ("/row/3/net", "not_a_decimal")},
        5: {("/row/5", "wrong_number_of_cells")},
    }


HOSTILE = [
    (b"", 422, "unknown_column"),
    (b"\n\n", 422, "unknown_column"),
    (b"\xef\xbb\xbf", 422, "unknown_column"),
    (HEAD.replace("net", "Net").encode(), 422, "unknown_column"),
    (HEAD.replace("gross", "net").encode(), 422, "repeated_column"),
    (HEAD.encode("utf-16"), 400, "not_utf8_file"),
    (HEAD.encode() + ROW.format("a").encode() + b"\xff\xfe,1\n", 400, "not_utf8_file"),
    (HEAD.encode() + "b,1,佐藤\n".encode("shift_jis"), 400, "not_utf8_file"),
    (HEAD.encode() + ROW.format("a").encode() + b'"b,1\n' * 9, 400, "not_csv"),
    (HEAD.encode() + ROW.format('"a"b').encode(), 400, "not_csv"),
    (HEAD.encode() + b"a" * 200_000 + b",1\n", 400, "cell_too_large"),
    (HEAD.encode() + b'"' + b"a,1\n" * 50_000, 400, "cell_too_large"),
    (HEAD.encode() + b"\n" * 5 + (ROW.format("a") * 10_001).encode(), 413, "too_many_items"),
    (HEAD.encode() + b"," * 2**20, 413, "body_too_large"),
    (b"," * 100_000 + b"\n", 422, "unknown_column"),
    (gzip.compress(HEAD.encode() + b" " * 2**21), 413, "body_too_large"),
]


@pytest.mark.parametrize(("body", "status", "code"), HOSTILE, ids=range(len(HOSTILE)))
def test_what_is_no_table_of_the_source_is_refused_whole(
    service: Service, body: bytes, status: int, code: str
) -> None:
    before = service.dump()
    more = {"content_encoding": "gzip"} if body.startswith(b"\x1f\x8b") else {}
    answer = post(service, body, **more)
    assert (answer.status_code, code_of(answer)) == (status, code)
    assert service.dump() == before


def test_odd_tables_are_read_and_their_odd_rows_rejected(service: Service) -> None:
    wide = HEAD.strip() + "," * 100_000 + "\n" + ROW.format("w").strip() + "," * 100_000 + "\n"
    assert taken(post(service, wide))["accepted"] == 1
    assert taken(post(service, HEAD + HEAD))["rejected"][0]["index"] == 2
    assert taken(post(service, HEAD + ROW.format("\0")))["rejected"][0]["index"] == 2
    assert taken(post(service, HEAD + ",,,,,,,\n \n"))["rejected"][0]["index"] == 3
    assert taken(post(service, HEAD.replace("\n", "\r") + ROW.format("r")))["accepted"] == 1
    assert taken(post(service, HEAD)) == {}
    whole = HEAD + "".join(ROW.format(f"d{n}") for n in range(10_000))
    packed = gzip.compress(whole.encode())
    assert taken(post(service, packed, content_encoding="gzip")) == {"accepted": 10_000}
    assert service.mismatches() == []


def test_a_key_that_may_report_is_enough_and_one_that_may_read_is_not(service: Service) -> None:
    assert taken(post(service.key("ingest"), HEAD + ROW.format("a"))) == {"accepted": 1}
    refused = post(service.key("read"), HEAD + ROW.format("b"))
    assert (refused.status_code, code_of(refused)) == (403, "scope_missing")


REFUSED = [
    ("/v1/events", CSV, 422, "source_required"),
    ("/v1/events?source=", CSV, 422, "source_required"),
    ("/v1/events?source=nowhere", CSV, 404, "unknown_source"),
    ("/v1/events?source=%00", CSV, 422, "invalid_request"),
    ("/v1/events?source=gone", CSV, 404, "unknown_source"),
    ("/v1/events?source=own", CSV, 409, "source_not_of_files"),
    ("/v1/events?source=bare", CSV, 409, "source_without_mapping"),
    ("/v1/events?source=crm&source=own", CSV, 422, "invalid_request"),
    ("/v1/events?source=crm&dry=1", CSV, 422, "invalid_request"),
    (DOOR, "application/x-ndjson", 422, "source_only_for_tables"),
    (DOOR, "", 422, "source_only_for_tables"),
    (DOOR, "text/csv; charset=shift_jis", 415, "unsupported_charset"),
    (DOOR, "text/csv; charset=utf-16", 415, "unsupported_charset"),
]


@pytest.mark.parametrize(("path", "kind", "status", "code"), REFUSED)
def test_a_table_without_a_meaning_is_refused_in_both_languages(
    service: Service, path: str, kind: str, status: int, code: str
) -> None:
    bare = {"provider": "csv", "name": "No mapping yet"}
    for key, body in (("own", EVENTS), ("bare", bare), ("gone", FILES)):
        assert service.put(f"/v1/sources/{key}", body).status_code == 201
    service.client.delete("/v1/sources/gone", headers={"if-match": '"1"'})
    before = service.dump()
    told = [
        post(service, HEAD + ROW.format("a"), path, kind, accept_language=language)
        for language in ("en", "ja")
    ]
    assert [(one.status_code, code_of(one)) for one in told] == [(status, code)] * 2
    english, japanese = (one.json()["detail"] for one in told)
    assert english.isascii()
    assert not japanese.isascii()
    assert service.dump() == before


@pytest.mark.parametrize("kind", ["text/csv; charset=UTF-8", 'TEXT/CSV;charset="utf-8"'])
def test_utf_8_may_be_said(service: Service, kind: str) -> None:
    assert taken(post(service, HEAD + ROW.format("a"), kind=kind)) == {"accepted": 1}


def files(**mapping: Any) -> dict[str, Any]:
    return FILES | {"mapping": MAPPING | mapping}


def fields(**more: Any) -> dict[str, Any]:
    return files(fields=MAPPING["fields"] | more)


def activity(**more: Any) -> dict[str, Any]:
    return files(activity=MAPPING["activity"] | more)


PEOPLE = {"activity": {"kind": "member", "key": "who"}, "fields": {"name": "who"}}
CONSTANT = {"constant": "a" * 1_000}
WRONG = [
    (FILES | {"mapping": []}, "/mapping", "not_an_object"),
    (FILES | {"mapping": "m.toml"}, "/mapping", "not_an_object"),
    (FILES | {"mapping": {}}, "/mapping/activity", "required"),
    (files(fields=None), "/mapping/fields", "required"),
    (files(source={"key": "other"}), "/mapping/source/key", "differs_from_source"),
    (files(source={"name": "Other"}), "/mapping/source/name", "differs_from_source"),
    (files(source={"provider": "events"}), "/mapping/source/provider", "differs_from_source"),
    (files(source={"file": "x"}), "/mapping/source/file", "unknown_field"),
    (files(source="crm"), "/mapping/source", "not_an_object"),
    (files(rows=1), "/mapping/rows", "unknown_field"),
    (activity(kind="Deal!"), "/mapping/activity/kind", "not_a_kind"),
    (activity(kind={"constant": "Deal!"}), "/mapping/activity/kind/constant", "not_a_kind"),
    (activity(key=None), "/mapping/activity/key", "required"),
    (activity(who="who"), "/mapping/activity/who", "unknown_field"),
    (fields(amount=1), "/mapping/fields/amount", "not_an_object"),
    (fields(amount=None), "/mapping/fields/amount", "not_an_object"),
    (fields(amount={}), "/mapping/fields/amount", "column_or_constant"),
    (fields(amount={"constant": 1.5}), "/mapping/fields/amount/constant", "not_a_text"),
    (fields(amount={"constant": 2**63}), "/mapping/fields/amount/constant", "number_out_of_range"),
    (fields(**{"a/b~c": {"column": 1}}), "/mapping/fields/a~1b~0c/column", "not_a_text"),
    (fields(day={"column": "d", "zone": "Asia/Edo"}), "/mapping/fields/day/zone", "unknown_zone"),
    (fields(day={"column": "d", "type": "week"}), "/mapping/fields/day/type", "unknown_value"),
    (
        fields(day={"column": "d", "map": {"a/b": 1.5}}),
        "/mapping/fields/day/map/a~1b",
        "not_a_text",
    ),
    (fields(**{f"f{n}": "note" for n in range(200)}), "/mapping/fields", "too_many_items"),
    (fields(**{f"f{n}": CONSTANT for n in range(40)}), "/mapping", "mapping_too_large"),
    (FILES | {"mapping": PEOPLE}, "/mapping/activity/kind", "people_not_as_events"),
    (EVENTS | {"mapping": MAPPING}, "/mapping", "mapping_not_used"),
]


@pytest.mark.parametrize(("body", "pointer", "code"), WRONG)
def test_a_mapping_is_refused_where_it_is_wrong(
    service: Service, body: dict[str, Any], pointer: str, code: str
) -> None:
    before = service.dump()
    answer = service.put("/v1/sources/new", body)
    assert answer.status_code == 422, answer.text
    assert [(e["pointer"], e["code"]) for e in answer.json()["errors"]] == [(pointer, code)]
    assert service.dump() == before


def test_a_mapping_is_kept_as_what_it_says_and_shown_so(service: Service) -> None:
    shown = service.get("/v1/sources/crm")
    assert shown.json()["mapping"] == MAPPING
    assert "mapping_version" not in shown.json()
    assert "mapping" not in service.put("/v1/sources/own", EVENTS).json()
    wordy = activity(kind="deal") | {"mapping": MAPPING | {"source": {"key": "crm", "name": None}}}
    wordy["mapping"]["fields"] = {**MAPPING["fields"], "note/~": "note"}
    same = service.put("/v1/sources/crm", wordy)
    assert (same.status_code, same.headers["etag"]) == (200, shown.headers["etag"])
    unseen = service.put("/v1/sources/crm", fields(amount="gross"))
    assert (unseen.status_code, code_of(unseen)) == (428, "if_match_required")
    changed = service.replace("/v1/sources/crm", fields(amount="gross"))
    assert changed.headers["etag"] == '"2.en"'
    without = {name: value for name, value in FILES.items() if name != "mapping"}
    assert "mapping" not in service.replace("/v1/sources/crm", without).json()
    assert code_of(post(service, HEAD)) == "source_without_mapping"


def test_kinds_that_nobody_counts_are_warned_of(service: Service) -> None:
    told = service.replace("/v1/sources/crm", FILES | {"counts": ["call"]}).json()["warnings"]
    assert [(one["code"], one["params"]) for one in told] == [
        ("kind_not_counted", {"source": "crm", "kind": "deal"})
    ]
    assert service.replace("/v1/sources/crm", FILES | {"counts": ["deal"]}).json()["warnings"] == []


def amounts(service: Service) -> dict[str, str]:
    items = service.get("/v1/activities").json()["items"]
    return {item["key"]: item["fields"]["amount"] for item in items}


def test_a_kept_table_is_read_again_by_the_mapping_of_today(service: Service) -> None:
    table = HEAD + ROW.format("a") + ROW.format("b").replace("Won", "Perhaps")
    assert taken(post(service, table))["accepted"] == 1
    (kept,) = listed(service, source="crm")
    assert (kept["media_type"], kept["sources"], kept["door"]) == (CSV, ["crm"], "events")
    whole = service.get(f"/v1/deliveries/{kept['id']}").json()
    assert (whole["query"], whole["body"]) == ("source=crm", table)
    assert replayed(service)["outcomes"] == {"duplicate": 1, "rejected": 1}
    mended = {"column": "stage", "map": {"Won": "won", "Perhaps": "open"}}
    service.replace("/v1/sources/crm", fields(status=mended, amount="gross"))
    assert replayed(service, source="crm")["outcomes"] == {"revised": 1, "accepted": 1}
    assert amounts(service) == {"a": "110", "b": "110"}
    assert replayed(service)["outcomes"] == {"duplicate": 2}
    # What is sent again by a late sender is read by today's mapping as well.
    assert taken(post(service, table)) == {"duplicate": 2}
    assert service.mismatches() == []


def test_going_back_to_an_earlier_mapping_is_a_change_like_any_other(service: Service) -> None:
    assert taken(post(service, HEAD + ROW.format("a"))) == {"accepted": 1}
    for column, amount in (("gross", "110"), ("net", "100")):
        changed = {"column": column, "type": "decimal"}
        service.replace("/v1/sources/crm", fields(amount=changed))
        assert replayed(service)["outcomes"] == {"revised": 1}
        assert amounts(service) == {"a": amount}
    without = {name: value for name, value in FILES.items() if name != "mapping"}
    service.replace("/v1/sources/crm", without)
    service.client.delete("/v1/sources/crm", headers={"if-match": "*"})
    assert service.put("/v1/sources/crm", fields(amount="gross")).status_code == 201
    assert replayed(service)["outcomes"] == {"revised": 1}
    assert amounts(service) == {"a": "110"}
    assert service.mismatches() == []


def test_a_table_that_today_cannot_be_read_is_skipped(service: Service) -> None:
    assert taken(post(service, HEAD + ROW.format("a"))) == {"accepted": 1}
    service.replace("/v1/sources/crm", fields(amount="brutto"))
    assert replayed(service)["skipped"] == 1
    without = {name: value for name, value in FILES.items() if name != "mapping"}
    service.replace("/v1/sources/crm", without)
    assert replayed(service)["skipped"] == 1
    assert amounts(service) == {"a": "100"}

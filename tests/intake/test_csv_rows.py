"""Rows become events by a mapping; faults point at cells."""

from __future__ import annotations

import io
import tomllib
from typing import Any

import pytest

from app.domain.deliveries import Item, Refused
from app.domain.errors import Invalid, TasseiError
from app.domain.instants import instant
from app.intake.csv_rows import read_person, read_row, rows
from app.intake.mapping import RowMapping, mapping_of

NOW = instant("2026-12-01T00:00:00Z")
DEALS = """
[source]
key = "crm"
[activity]
kind = "deal"
key = "id"
actor = "agent"
[fields]
status = { column = "stage", map = { Won = "won", Open = "open" } }
won_at = { column = "closed", type = "date", zone = "Asia/Tokyo", when = { stage = "Won" } }
expected_close_on = { column = "closed", type = "date" }
created_at = { column = "made", type = "time", zone = "America/New_York" }
amount = { column = "value", type = "decimal" }
currency = { constant = "JPY" }
seats = { column = "seats", type = "integer" }
hot = { column = "hot", type = "boolean" }
"""
HEADER = "id,agent,stage,closed,made,value,seats,hot\n"


def mapping(text: str = DEALS) -> RowMapping:
    return mapping_of(tomllib.loads(text))


def read(line: str, text: str = DEALS, header: str = HEADER) -> Item | Refused:
    found = mapping(text)
    [row] = rows(io.StringIO(header + line, newline=""), found)
    return read_row(found, row, NOW)


def fields(line: str) -> dict[str, Any]:
    item = read(line)
    assert isinstance(item, Item)
    return dict(item.report.fields)


def faults(line: str) -> set[tuple[str, str]]:
    refused = read(line)
    assert isinstance(refused, Refused)
    return {(fault.pointer, fault.code) for fault in refused.error.faults}


def test_a_row_is_read_by_type_and_map_and_empty_cells_are_left_out() -> None:
    assert fields("7,Sato@x.jp,Won,2026-11-05,2026-11-01T09:30,1200.50,3,TRUE\n") == {
        "@kind": "deal",
        "@retracted": False,
        "owner": "sato@x.jp",
        "status": "won",
        "won_at": "2026-11-05T03:00:00Z",  # noon in Tokyo
        "expected_close_on": "2026-11-05",
        "created_at": "2026-11-01T14:30:00Z",  # an hour after New York left summer time
        "amount": "1200.5",
        "currency": "JPY",
        "seats": 3,
        "hot": True,
    }
    assert fields("8,,Open,2026-12-20,,,,\n") == {
        "@kind": "deal",
        "@retracted": False,
        "status": "open",
        "expected_close_on": "2026-12-20",
        "currency": "JPY",
    }


def test_a_column_may_say_what_a_deal_grew_from() -> None:
    text = DEALS + 'origin = { column = "meeting", source = "zoom" }\n'
    header = HEADER.replace("\n", ",meeting\n")
    named = read("7,,,,,,,,m-1\n", text, header)
    nothing = read("7,,,,,,,,\n", text, header)
    assert isinstance(named, Item)
    assert isinstance(nothing, Item)
    assert named.report.fields["origin"] == [{"key": "m-1", "source": "zoom"}]
    assert "origin" not in nothing.report.fields


def test_the_first_of_two_equal_hours_is_meant_and_an_offset_speaks_for_itself() -> None:
    assert fields("7,,Open,,2026-11-01 01:30,,,\n")["created_at"] == "2026-11-01T05:30:00Z"
    assert fields("7,,Open,,2026-11-01T01:30:00-05:00,,,\n")["created_at"] == (
        "2026-11-01T06:30:00Z"
    )


def test_every_fault_of_a_row_points_at_its_cell() -> None:
    assert faults("7,,Won,05.11.2026,,,three,maybe\n") == {
        ("/row/2/closed", "not_a_date"),
        ("/row/2/seats", "not_an_integer"),
        ("/row/2/hot", "not_a_boolean"),
    }
    assert faults('7,,Perhaps,,,"1,200",,\n') == {
        ("/row/2/stage", "unknown_value"),
        ("/row/2/value", "not_a_decimal"),
    }
    assert faults(",,Won,,,,,\n") == {("/row/2/id", "required")}
    assert faults("7,,Won\n") == {("/row/2", "wrong_number_of_cells")}


def test_rows_are_numbered_as_a_spreadsheet_shows_them() -> None:
    text = HEADER + '1,"a\nb",Open,,,,,\n,,,,,,,\n2,,Open,,,,,\n'
    assert [row.number for row in rows(io.StringIO(text, newline=""), mapping())] == [2, 4]


def test_the_revision_comes_from_its_column() -> None:
    text = DEALS.replace('key = "id"', 'key = "id"\nrevision = "seats"')
    first, later = (read(f"7,,Open,,,,{seats},\n", text) for seats in (9, 10))
    assert isinstance(first, Item)
    assert isinstance(later, Item)
    assert first.report.stamp.revision < later.report.stamp.revision


@pytest.mark.parametrize(
    ("header", "code"),
    [("id,agent,stage,closed,made,value,seats\n", "unknown_column"),
     (HEADER.replace("hot", "hot,hot"), "repeated_column"), ('a"b\n', "unknown_column")],
)  # fmt: skip
def test_a_header_that_does_not_fit_the_mapping_is_refused(header: str, code: str) -> None:
    with pytest.raises(TasseiError) as error:
        list(rows(io.StringIO(header), mapping()))
    assert error.value.code == code


def test_an_open_quote_is_refused_with_its_row() -> None:
    with pytest.raises(TasseiError) as error:
        list(rows(io.StringIO(HEADER + '1,"a'), mapping()))
    assert (error.value.code, error.value.params) == ("not_csv", {"row": 2})


@pytest.mark.parametrize(
    ("old", "new", "pointer", "code"),
    [
        ('key = "crm"', "", "/source/key", "required"),
        ('"Asia/Tokyo"', '"Tokyo"', "/fields/won_at/zone", "unknown_zone"),
        ('"decimal"', '"yen"', "/fields/amount/type", "unknown_value"),
        ('constant = "JPY"', "", "/fields/currency", "column_or_constant"),
        ('kind = "deal"', 'kind = "Deal"', "/activity/kind", "not_a_kind"),
        ('actor = "agent"', 'owner = "agent"', "/activity/owner", "unknown_field"),
        ('kind = "deal"', 'kind = "member"', "/activity/actor", "unknown_field"),
    ],
)
def test_a_mapping_is_refused_at_its_place(old: str, new: str, pointer: str, code: str) -> None:
    with pytest.raises(Invalid) as error:
        mapping(DEALS.replace(old, new, 1))
    assert [(fault.pointer, fault.code) for fault in error.value.faults] == [(pointer, code)]


def test_the_kinds_of_a_mapping_are_those_it_can_make() -> None:
    text = DEALS.replace('kind = "deal"', 'kind = { column = "stage", map = { a = "call" } }')
    assert (mapping().kinds, mapping(text).kinds) == (("deal",), ("call",))


@pytest.mark.parametrize(
    ("text", "key"),
    [("Mei-Mei Johns", "mei-mei-johns"), ("José  Niño", "jose-nino"), ("佐藤 A", None)],
)
def test_a_name_becomes_a_key_unless_letters_would_be_lost(text: str, key: str | None) -> None:
    member = '[source]\nkey="crm"\n[activity]\nkind="member"\nkey="n"\n[fields]\nname="n"\n'
    [row] = rows(io.StringIO(f"n\n{text}\n"), mapping(member))
    if key is None:
        with pytest.raises(Invalid):
            read_person(mapping(member), row)
    else:
        person = read_person(mapping(member), row)
        assert (person.key, person.values) == (key, {"name": text})

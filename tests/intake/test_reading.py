"""Strict reading: every body has one meaning or a stable code."""

from __future__ import annotations

import json
import time
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.errors import TooDeep, Unreadable
from app.intake.reading import MAX_DEPTH, read_json, written


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"", "not_json"),
        (b" ", "not_json"),
        (b'{"a":1', "not_json"),
        (b'{"a":1}{"a":2}', "not_json"),
        (b"[1,]", "not_json"),
        (b'{"a":"\x00"}', "not_json"),
        (b"NaN", "not_json"),
        (b'{"a":Infinity}', "not_json"),
        (b'{"a":-Infinity}', "not_json"),
        (b'"\\ud800"', "not_json"),
        (b'"\\ude00\\ud83d"', "not_json"),
        (b'{"a":1e999}', "number_out_of_range"),
        (b'{"a":[{"b":-1E400}]}', "number_out_of_range"),
        (b"1e" + b"9" * 40, "number_out_of_range"),
        (b"1" * 5_000, "number_out_of_range"),
        # Written out it is a gigabyte.
        (b'{"a":1e-999999999}', "number_out_of_range"),
        (b"[0e-999999999]", "number_out_of_range"),
        (b"-1e-309", "number_out_of_range"),
        (b'{"a":1,"a":2}', "duplicate_key"),
        (b'{"a":[{"recursion limit":1,"recursion limit":1}]}', "duplicate_key"),
        (b'{"a":1,"\\u0061":2}', "duplicate_key"),
        (b"\xff", "not_utf8"),
        (b'"\xed\xa0\x80"', "not_utf8"),
        (b'{"\xc0\x80":1}', "not_utf8"),
        (b'\xef\xbb\xbf{"a":1}', "byte_order_mark"),
        ('{"a":1}'.encode("utf-16"), "byte_order_mark"),
        ('{"a":1}'.encode("utf-16-le"), "not_json"),
    ],
)
def test_a_body_with_two_meanings_or_none_is_unreadable(body: bytes, code: str) -> None:
    with pytest.raises(Unreadable) as refusal:
        read_json(body)
    assert refusal.value.code == code
    assert refusal.value.__cause__ is None


def nested(depth: int) -> bytes:
    return b'{"a":[' * (depth // 2) + b"[" * (depth % 2) + b"]" * (depth % 2) + b"]}" * (depth // 2)


@pytest.mark.parametrize("depth", [1, 2, MAX_DEPTH - 1, MAX_DEPTH])
def test_thirty_two_levels_are_read(depth: int) -> None:
    assert read_json(nested(depth)) == json.loads(nested(depth))


@pytest.mark.parametrize(
    "body",
    [
        nested(MAX_DEPTH + 1),
        nested(34),
        nested(150),
        nested(100_000),
        b"[" * 2**20,
        b'{"a":' * 2**17,
    ],
)
def test_deeper_bodies_are_refused_at_once(body: bytes) -> None:
    start = time.perf_counter()
    with pytest.raises(TooDeep) as refusal:
        read_json(body)
    assert time.perf_counter() - start < 0.1
    assert (refusal.value.code, refusal.value.params) == ("too_deep", {"limit": MAX_DEPTH})


def test_depth_counts_containers_beside_each_other_once() -> None:
    beside = b"[" + b",".join([nested(MAX_DEPTH - 1)] * 40) + b"]"
    assert len(read_json(beside)) == 40  # type: ignore[arg-type] # a list, as written above


def test_the_place_of_a_text_stands_in_the_error() -> None:
    with pytest.raises(Unreadable) as refusal:
        read_json(b"{", line=7)
    assert refusal.value.params == {"line": 7}


def test_numbers_keep_every_digit() -> None:
    text = b'{"a":0.1000000000000000055,"b":123456789012345678901234567890,"c":1.50,"d":7}'
    assert read_json(text) == {
        "a": Decimal("0.1000000000000000055"),
        "b": 123456789012345678901234567890,
        "c": Decimal("1.50"),
        "d": 7,
    }
    assert written(read_json(b'{"a":1.50}')) == '{"a": "1.50"}'


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=12,
)


@given(JSON)
def test_what_the_standard_library_writes_is_read_back(value: Any) -> None:
    assert read_json(json.dumps(value).encode()) == value
    assert read_json(json.dumps(value, ensure_ascii=False).encode()) == value


@given(
    st.binary(max_size=60) | st.text(alphabet='{}[]",:0123456789.eE+-\\uatrfNn ').map(str.encode)
)
def test_arbitrary_bytes_are_read_as_the_standard_library_reads_them_or_refused(
    body: bytes,
) -> None:
    try:
        value = read_json(body)
    except Unreadable:
        return
    assert json.loads(body, parse_float=Decimal) == value

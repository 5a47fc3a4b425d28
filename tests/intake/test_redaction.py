"""What is taken out, what stays, and how long it takes."""

from __future__ import annotations

import json
import time
from typing import Any
from urllib.parse import parse_qsl, quote, urlencode
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.intake.redaction import (
    REDACTED,
    form_without,
    json_without,
    redacted,
    redacted_bytes,
    xml_without,
)

SECRET = 'tök/en"with\\every&thing %+'
HELD = {"secret": (SECRET,)}
TEXTS = st.text(max_size=12) | st.sampled_from(["token", "a", SECRET, '"token": "x"', "\\", '"'])
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=10,
)
WRITERS = st.sampled_from(
    [
        json.dumps,
        lambda value: json.dumps(value, ensure_ascii=False, indent=2),
        lambda value: json.dumps(value).replace("/", "\\/"),
        lambda value: json.dumps(value, separators=(" , ", " : ")),
    ]
)


def without(value: Any, names: tuple[str, ...]) -> Any:
    """The oracle: the same on the value itself."""
    if isinstance(value, list):
        return [without(item, names) for item in value]
    if isinstance(value, dict):
        return {
            label: REDACTED if label in names and isinstance(item, str) else without(item, names)
            for label, item in value.items()
        }
    return value


@given(JSON, WRITERS, st.lists(TEXTS, max_size=2))
def test_json_without_members_is_the_json_without_their_texts(
    value: Any, write: Any, more: list[str]
) -> None:
    names = ("token", *more)
    body = write(value).encode(errors="replace")
    value = json.loads(body)
    assert json.loads(json_without(body, *names)) == without(value, names)
    if without(value, names) == value:
        assert json_without(body, *names) == body


@given(st.binary(max_size=200))
def test_any_bytes_are_passed(body: bytes) -> None:
    json_without(body, "token")
    xml_without(body, "token")
    redacted_bytes(body, HELD)


@given(JSON, WRITERS)
def test_a_credential_is_found_however_json_escapes_it(value: Any, write: Any) -> None:
    value = {"data": value, "leak": f"x{SECRET}y"}
    body = write(value).encode(errors="replace")
    kept = json.loads(redacted_bytes(body, HELD))
    assert kept["leak"] == f"x{REDACTED}y"
    assert SECRET not in json.dumps(kept, ensure_ascii=False)
    assert SECRET not in str(kept)


@pytest.mark.parametrize(
    "body",
    [
        urlencode({"a": SECRET, "b": "1"}),
        f"a={quote(SECRET, safe='')}&b=1",
        json.dumps({"a": "".join(f"\\u{ord(letter):04x}" for letter in SECRET)}).replace(
            "\\\\", "\\"
        ),
    ],
)
def test_a_credential_is_found_in_forms_and_behind_escapes(body: str) -> None:
    for kept in (redacted_bytes(body.encode(), HELD).decode(), redacted(body, HELD)):
        assert REDACTED in kept
        assert SECRET not in dict(parse_qsl(kept)).values()
        assert len(kept) < len(body)


def test_a_credential_is_found_in_xml() -> None:
    root = ET.Element("a", {"k": SECRET})
    root.text = SECRET
    kept = ET.fromstring(redacted_bytes(ET.tostring(root, encoding="utf-8"), HELD))  # noqa: S314 - our own
    assert (kept.text, kept.get("k")) == (REDACTED, REDACTED)


@given(st.lists(st.tuples(TEXTS, TEXTS), max_size=5))
def test_a_form_keeps_everything_but_the_values_named(pairs: list[tuple[str, str]]) -> None:
    pairs = [
        (n.encode(errors="replace").decode(), v.encode(errors="replace").decode()) for n, v in pairs
    ]
    form = urlencode(pairs)
    kept = parse_qsl(form_without(form, "token"), keep_blank_values=True)
    expected = [(n, REDACTED if n == "token" else v) for n, v in pairs]
    assert kept == [pair for pair in expected if form]


SOAP = b"""<?xml version="1.0" encoding="UTF-8"?>
<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/"><soapenv:Body>
<notifications xmlns="http://soap.sforce.com/2005/09/outbound">
<OrganizationId>00D000000000001EAA</OrganizationId><SessionId>00D!AQ.secret</SessionId>
<x:SessionId xmlns:x="u" a="1">another</x:SessionId><SessionId/>
<SessionIdOther>kept</SessionIdOther>
</notifications></soapenv:Body></soapenv:Envelope>"""


def test_xml_loses_the_contents_of_the_elements_named() -> None:
    kept = xml_without(SOAP, "SessionId")
    assert b"secret" not in kept
    assert b"another" not in kept
    texts = {
        element.tag.rpartition("}")[2]: element.text
        for element in ET.fromstring(kept).iter()  # noqa: S314 - our own text
        if (element.text or "").strip()
    }
    assert texts == {
        "OrganizationId": "00D000000000001EAA",
        "SessionId": REDACTED,
        "SessionIdOther": "kept",
    }
    assert xml_without(SOAP, "Nothing") == SOAP


@pytest.mark.parametrize(
    "body",
    [
        b'"' + b'\\"' * 500_000,
        b'""' * 500_000,
        b'"token"' * 150_000,
        b'"token":' * 130_000,
        b"<SessionId" * 100_000,
        b"<SessionId>" * 90_000,
        b"<" + b"a" * 1_000_000,
        b"<a:" * 300_000,
        b"\\" * 1_000_000,
    ],
    ids=lambda body: body[:10].decode(),
)
def test_a_megabyte_of_anything_takes_a_moment(body: bytes) -> None:
    began = time.process_time()
    json_without(body, "token")
    xml_without(body, "SessionId")
    redacted_bytes(body, HELD)
    assert time.process_time() - began < 4


def test_short_credentials_tear_no_holes() -> None:
    assert redacted("an umbrella", {"user": ("a",)}) == "an umbrella"
    assert redacted_bytes(b"an umbrella", {"user": ("a",)}) == b"an umbrella"

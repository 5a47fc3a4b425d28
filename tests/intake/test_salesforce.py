"""Salesforce: what proves a request, what is kept of it, what it is told, and what it refuses."""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from app.domain.errors import Invalid
from app.intake.credentials import Use
from app.intake.providers.salesforce import PROVIDER
from app.intake.receiving import received
from app.intake.requests import Connecting, HookRequest
from app.intake.source_settings import read_settings
from tests.intake.conformance import assert_refused, failing, flipped_headers
from tests.intake.salesforce_events import (
    ALL,
    API_KEY,
    CALL,
    DEAL_ID,
    OPEN,
    ORGANIZATION,
    SESSION,
    WON,
    change,
    envelope,
    fields,
    flow,
    message,
    posted,
    read,
    report,
    request_,
    without_key,
)
from tests.intake.senders import HOOK

assert PROVIDER.hook
HOOKED = PROVIDER.hook
SOAP = "{http://schemas.xmlsoap.org/soap/envelope/}"
OUTBOUND = "{http://soap.sforce.com/2005/09/outbound}"
AT = 1796709601000


def test_the_organization_of_15_or_18_characters_is_asked_for() -> None:
    request = message(("Opportunity", OPEN))
    HOOKED.verify(request)
    HOOKED.verify(request_(envelope(("Opportunity", OPEN), organization=ORGANIZATION[:15])))
    HOOKED.verify(message(("Opportunity", OPEN), organization_id=ORGANIZATION[:15]))
    other = "00D5g000004XyZ2EAK"
    assert_refused(
        "salesforce",
        [
            request_(envelope(("Opportunity", OPEN), organization=other)),
            request_(envelope(("Opportunity", OPEN), organization="")),
            message(("Opportunity", OPEN), organization_id=other),
            message(("Opportunity", OPEN), shapes=["flow"]),
        ],
    )


def test_every_letter_of_the_organization_counts() -> None:
    for place in range(15):
        letter = "y" if ORGANIZATION[place] != "y" else "z"
        other = ORGANIZATION[:place] + letter + ORGANIZATION[place + 1 :]
        assert_refused("salesforce", [request_(envelope(organization=other))])


def test_json_needs_the_api_key_and_every_letter_of_it() -> None:
    for request in (flow("Opportunity", WON), change("Opportunity", "DELETE", {}, at=AT)):
        HOOKED.verify(request)
        assert_refused("salesforce", flipped_headers(request, "x-api-key"))
        assert_refused("salesforce", [without_key(request), replace(request, credentials={})])
    assert_refused("salesforce", [posted({"records": []}, shapes=["outbound_message"])])


def test_a_session_is_never_a_proof() -> None:
    body = envelope(("Opportunity", OPEN), organization="00D5g000004XyZ2EAK", session=ORGANIZATION)
    assert_refused("salesforce", [request_(body)])


@pytest.mark.parametrize("session", [SESSION, f"<![CDATA[{SESSION}]]>", None])
def test_a_session_is_never_kept(session: str | None) -> None:
    request = request_(envelope(("Opportunity", WON | {"CloseDate": "?"}), session=session))
    delivery = received(HOOKED, request, failing)
    assert delivery.raw
    assert not delivery.raw.altered
    assert SESSION.encode() not in delivery.raw.body
    assert SESSION not in delivery.refused[0].content
    assert b"<sf:Amount>450000.0</sf:Amount>" in delivery.raw.body


@pytest.mark.parametrize(
    "hidden",
    [
        f"<SessionId><!-- </SessionId> -->{SESSION}</SessionId>",
        f"<SessionId><![CDATA[</SessionId>]]>{SESSION}</SessionId>",
        f"<!-- <SessionId> --><SessionId>{SESSION}</SessionId>",
        f'<SessionId a=">">{SESSION}</SessionId>',
        f'<é:SessionId xmlns:é="urn:x">{SESSION}</é:SessionId>',
        f'<é:SessionId xmlns:é="urn:x">[redacted]<x/>{SESSION}</é:SessionId>',
    ],
)
def test_a_session_that_cannot_be_taken_out_for_certain_is_refused(hidden: str) -> None:
    whole = f"<SessionId>{SESSION}</SessionId>".encode()
    body = envelope(("Opportunity", OPEN)).replace(whole, hidden.encode())
    assert SESSION.encode() in body
    assert_refused("salesforce", [request_(body)])


# Each is well-formed and uses only what it declares: nothing but its document type refuses it.
NINE = b"".join(b'<!ENTITY %c "%s">' % (98 + n, b"&%c;" % (97 + n) * 10) for n in range(9))
BOMBS = {
    "billion laughs": (b'<!DOCTYPE x [<!ENTITY a "ha">' + NINE + b"]>", b"&j;"),
    "quadratic blow-up": (
        b'<!DOCTYPE x [<!ENTITY a "' + b"a" * 50_000 + b'">]>',
        b"&a;" * 20_000,
    ),
    "external entity": (b'<!DOCTYPE x [<!ENTITY a SYSTEM "file:///etc/passwd">]>', b"&a;"),
    "external parameter entity": (
        b'<!DOCTYPE x [<!ENTITY % a SYSTEM "http://127.0.0.1:9/a"> %a;]>',
        b"",
    ),
    "external document type": (b'<!DOCTYPE x SYSTEM "http://127.0.0.1:9/x.dtd">', b""),
    "an empty document type": (b"<!DOCTYPE x>", b""),
}


@pytest.mark.parametrize(("prologue", "use"), BOMBS.values(), ids=BOMBS)
def test_xml_with_a_document_type_is_refused_at_once(prologue: bytes, use: bytes) -> None:
    first, _, rest = envelope(("Opportunity", OPEN)).partition(b"\n")
    body = first + prologue + rest.replace(b"Prospecting", b"Prospecting" + use)
    began = time.perf_counter()
    assert_refused("salesforce", [request_(body)])
    assert time.perf_counter() - began < 1


@pytest.mark.parametrize(
    "body",
    [
        b"<",
        b"<a/>",
        envelope().decode().encode("utf-16"),
        envelope().replace(b"UTF-8", b"UTF-16"),
        envelope().replace(b"soapenv:Body", b"soapenv:Head"),
        b"\xff" + envelope(),
        b"<a>" * 100_000,
        envelope(*[("Opportunity", OPEN)] * 101),
    ],
    ids=range(8),
)
def test_what_is_no_outbound_message_proves_nothing(body: bytes) -> None:
    request = request_(body)
    if body.startswith(b'<?xml version="1.0" encoding="UTF-16"'):
        HOOKED.verify(request)  # read as the UTF-8 that it is, whatever it says of itself
        return
    assert_refused("salesforce", [request])


def test_deep_xml_is_read_without_recursion() -> None:
    deep = b"<a>" * 50_000 + b"</a>" * 50_000
    body = envelope(("Opportunity", OPEN)).replace(b"Prospecting", deep)
    HOOKED.verify(request_(body))
    assert fields(report(request_(body)))["amount"] == "450000"


@pytest.mark.parametrize(("answer", "ack"), [("answer", "true"), ("failed", "false")])
def test_the_answer_is_the_acknowledgement_that_salesforce_reads(answer: str, ack: str) -> None:
    told = HOOKED.answer(message(("Opportunity", OPEN))) if answer == "answer" else HOOKED.failed
    assert told
    assert told.media_type == "text/xml; charset=utf-8"
    root = ET.fromstring(told.body)  # noqa: S314 - our own text
    found = root.find(f"{SOAP}Body/{OUTBOUND}notificationsResponse/{OUTBOUND}Ack")
    assert found is not None
    assert found.text == ack
    # JSON's senders read the status alone: not stored must be no success for them either.
    assert told.status == (200 if ack == "true" else 503)


def test_json_is_answered_without_xml() -> None:
    assert HOOKED.answer(flow("Opportunity", WON)).status == 204


def check(**settings: Any) -> list[tuple[str, str]]:
    document = {"organization_id": ORGANIZATION} | settings
    with pytest.raises(Invalid) as caught:
        PROVIDER.check(read_settings(PROVIDER.settings, document), {})
    return [(fault.pointer, fault.code) for fault in caught.value.faults]


def test_settings_that_cannot_work_are_refused() -> None:
    assert check(organization_id="Acme") == [("/settings/organization_id", "not_a_salesforce_id")]
    assert check(shapes=["soap"]) == [("/settings/shapes/0", "unknown_value")]
    assert check(shapes=[]) == [("/settings/shapes", "required")]
    assert check(shapes=["change_data_capture"]) == [("/settings/won_at", "unknown_value")]
    good = {"organization_id": ORGANIZATION, "shapes": ALL, "won_at": "stage_change"}
    PROVIDER.check(read_settings(PROVIDER.settings, good), {})


def test_only_json_has_a_key() -> None:
    def names(*shapes: str) -> list[str]:
        document = {"organization_id": ORGANIZATION, "shapes": list(shapes)}
        settings = read_settings(PROVIDER.settings, document)
        wanted = PROVIDER.secrets_of(settings)
        return [secret.name for secret in wanted if secret.use is Use.PROVING]

    assert names("outbound_message") == []
    assert names("outbound_message", "flow") == ["api_key"]


def test_the_steps_name_address_and_fields_of_the_chosen_shapes() -> None:
    def codes(*shapes: str) -> list[str]:
        document = {"organization_id": ORGANIZATION, "shapes": list(shapes)}
        settings = read_settings(PROVIDER.settings, document)
        return [step.code for step in HOOKED.next_steps(Connecting(HOOK, settings))]

    assert codes("outbound_message").count("choose_salesforce_fields") == 4
    several = {"organization_id": ORGANIZATION, "several_currencies": True}
    told = HOOKED.next_steps(Connecting(HOOK, read_settings(PROVIDER.settings, several)))
    chosen = {
        step.params["object"]: step.params["fields"] for step in told if step.params.get("object")
    }
    assert {kind for kind, names in chosen.items() if "CurrencyIsoCode" in str(names)} == {
        "Opportunity"
    }
    assert codes("flow") == ["call_out_of_salesforce", "name_salesforce_credential"]
    assert "create_eventbridge_destination" in codes("change_data_capture")


def test_a_shape_that_the_source_does_not_take_is_kept_with_a_reason() -> None:
    def reason(request: HookRequest, shapes: list[str]) -> str:
        settings = {**request.settings.values, "shapes": tuple(shapes)}
        changed = replace(request, settings=replace(request.settings, values=settings))
        (refused,) = read(changed).refused
        return refused.error.faults[0].code

    event = change("Opportunity", "DELETE", {}, at=AT)
    assert reason(event, ["flow"]) == "shape_not_accepted"
    assert reason(flow("Task", CALL), ["change_data_capture"]) == "shape_not_accepted"


def test_json_of_another_organization_is_kept_and_not_counted() -> None:
    document = {"organization_id": "00D5g000004XyZ2EAK", "object": "Lead", "records": [{}]}
    (refused,) = read(posted(document)).refused
    assert refused.error.faults[0].pointer == "/organization_id"


def test_one_bad_record_does_not_keep_the_others_from_counting() -> None:
    bad = OPEN | {"Id": "0065g00000AbCdFAAV", "Amount": "dear"}
    delivery = read(message(("Opportunity", WON), ("Opportunity", bad), ("Task", CALL)))
    assert [item.index for item in delivery.items] == [0, 2]
    (refused,) = delivery.refused
    assert (refused.index, refused.error.faults[0].pointer) == (1, "/Notification/1/sObject/Amount")
    assert refused.about
    assert refused.about.key == "Opportunity:0065g00000AbCdFAAV"
    assert API_KEY not in refused.content
    assert DEAL_ID not in refused.content

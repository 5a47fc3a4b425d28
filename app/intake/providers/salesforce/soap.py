"""The SOAP envelope of an Outbound Message, and its answers.

XML from outside: defusedxml refuses every document type, so there are no entities to expand and
nothing external to fetch, before anything of it is built.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple
from xml.etree.ElementTree import Element, ParseError

from defusedxml.common import DefusedXmlException
from defusedxml.ElementTree import fromstring

from app.domain.errors import Invalid, Unreadable
from app.domain.kinds import RawValue
from app.intake.records import Record
from app.intake.redaction import REDACTED, xml_without
from app.intake.requests import Answer

MEDIA_TYPE = "text/xml; charset=utf-8"
SESSION = "SessionId"
_ENVELOPE = "{http://schemas.xmlsoap.org/soap/envelope/}"
_OUTBOUND = "{http://soap.sforce.com/2005/09/outbound}"
_INSTANCE = "{http://www.w3.org/2001/XMLSchema-instance}"
_MAX_NOTIFICATIONS = 100
_ACK = (
    '<?xml version="1.0" encoding="UTF-8"?>'
    '<soapenv:Envelope xmlns:soapenv="http://schemas.xmlsoap.org/soap/envelope/">'
    "<soapenv:Body>"
    '<notificationsResponse xmlns="http://soap.sforce.com/2005/09/outbound">'
    "<Ack>{ack}</Ack>"
    "</notificationsResponse>"
    "</soapenv:Body>"
    "</soapenv:Envelope>"
)

STORED = Answer(200, MEDIA_TYPE, _ACK.format(ack="true").encode())
# One source also takes JSON, whose senders read the status alone: with 200 they would forget it.
NOT_STORED = Answer(503, MEDIA_TYPE, _ACK.format(ack="false").encode())


class Message(NamedTuple):
    """An Outbound Message: whose it is, and what it tells."""

    organization: str
    notifications: tuple[Notification, ...]


class Notification(NamedTuple):
    """One changed record. `object` is its type's name; Id and type are among the fields."""

    id: str | None
    object: str
    fields: Record


def is_xml(body: bytes) -> bool:
    """Whether a body is XML rather than JSON."""
    return body.lstrip()[:1] == b"<"


def read_message(body: bytes) -> Message:
    """What a body says. Raises Unreadable (not_xml, not_utf8), Invalid (not_a_message)."""
    root = _parsed(body)
    found = root.find(f"{_ENVELOPE}Body/{_OUTBOUND}notifications")
    if root.tag != f"{_ENVELOPE}Envelope" or found is None:
        raise Invalid("not_a_message")
    organization = found.findtext(f"{_OUTBOUND}OrganizationId") or ""
    told = found.findall(f"{_OUTBOUND}Notification")
    if len(told) > _MAX_NOTIFICATIONS:
        raise Invalid("not_a_message")
    return Message(organization.strip(), tuple(_notifications(told)))


def without_session(body: bytes) -> bytes:
    """A message without its session, with which its holder could act in Salesforce.

    Raises Invalid (not_a_message) where it is written as Salesforce does not write it (comments
    and CDATA around it, a prefix of other letters), so that it could not be taken out.
    """
    bare = xml_without(body, SESSION)
    try:
        sessions = [one for one in _parsed(bare).iter() if _local(one.tag) == SESSION]
    except Unreadable:
        raise Invalid("not_a_message") from None
    if any("".join(one.itertext()) not in {REDACTED, ""} for one in sessions):
        raise Invalid("not_a_message")
    return bare


def _parsed(body: bytes) -> Element:
    try:
        # As text: so that no declaration can make the parser see other letters than we do.
        root: Element = fromstring(body.decode(), forbid_dtd=True)
    except UnicodeDecodeError:
        raise Unreadable("not_utf8") from None
    except (ParseError, DefusedXmlException, ValueError):
        raise Unreadable("not_xml") from None
    return root


def _notifications(told: list[Element]) -> Iterator[Notification]:
    for number, element in enumerate(told):
        record = element.find(f"{_OUTBOUND}sObject")
        pointer = f"/Notification/{number}/sObject"
        if record is None:
            record = Element("sObject")
        kind = record.get(f"{_INSTANCE}type", "").rpartition(":")[2]
        values = {_local(field.tag): _value(field) for field in record}
        yield Notification(element.findtext(f"{_OUTBOUND}Id"), kind, Record(values, pointer))


def _value(field: Element) -> RawValue:
    if field.get(f"{_INSTANCE}nil") in {"true", "1"}:
        return None
    return "".join(field.itertext())


def _local(tag: object) -> str:
    # Comments and processing instructions have a function where elements have a name.
    return tag.rpartition("}")[2] if isinstance(tag, str) else ""

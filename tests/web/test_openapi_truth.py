"""The document is true: every answer of the worked month is held against it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, get_args

import pytest
from pydantic import BaseModel

from app.domain.errors import Invalid
from app.domain.kinds import KINDS
from app.web.schemas import cloudevents
from tests.web.document import (
    DOCUMENT,
    GOOD,
    Schema,
    content_of,
    documented,
    faults,
    operations,
    validator,
)
from tests.web.recorder import exchanges, template_of


def test_every_answer_of_the_month_is_as_documented() -> None:
    for exchange in exchanges():
        template, method, operation = documented(exchange)
        status = str(exchange.status)
        assert status in operation["responses"], (exchange.line, status)
        contents = content_of(operation["responses"][status])
        if not exchange.answer:
            assert not contents, exchange.line
            continue
        assert exchange.answer_type in contents, exchange.line
        checker = validator("components", "schemas", "Problem")
        if exchange.status < 400:
            place = ("responses", status, "content", exchange.answer_type, "schema")
            checker = validator("paths", template, method, *place)
        assert not faults(checker, exchange.heard), exchange.line


def test_what_the_month_sent_with_success_is_as_documented() -> None:
    for exchange in exchanges():
        template, method, operation = documented(exchange)
        if not exchange.request or exchange.status >= 400:
            continue
        assert exchange.media_type in operation["requestBody"]["content"]
        place = ("requestBody", "content", exchange.media_type, "schema")
        checker = validator("paths", template, method, *place)
        assert not faults(checker, exchange.said), exchange.line


def test_the_month_sees_every_operation_and_every_good_status() -> None:
    promised = {
        (path, method, status)
        for path, method, operation in operations(DOCUMENT)
        for status in operation["responses"]
        if status in GOOD
    }
    seen = {
        (template_of(exchange), exchange.method.lower(), str(exchange.status))
        for exchange in exchanges()
        if exchange.status < 400
    }
    assert seen == promised


def test_headers_are_documented_where_they_are_sent_and_nowhere_else() -> None:
    for exchange in exchanges():
        answer = documented(exchange)[2]["responses"][str(exchange.status)]
        if "$ref" in answer:
            answer = DOCUMENT["components"]["responses"][answer["$ref"].rpartition("/")[2]]
        told = {name.lower() for name in answer.get("headers", {})}
        sent = {"etag", "retry-after", "www-authenticate", "location"} & set(
            exchange.answer_headers
        )
        assert told == sent, (exchange.line, exchange.status)


def test_a_field_nobody_documented_is_noticed_wherever_it_appears() -> None:
    """Each object of each answer is given one field more; free maps alone may take it."""
    free = {"fields", "params", "split", "display"}
    tried = 0
    for exchange in exchanges():
        if exchange.status >= 300 or not exchange.answer or len(exchange.answer) > 20_000:
            continue
        template, method, _ = documented(exchange)
        answered = exchange.answer_type
        place = ("responses", str(exchange.status), "content", answered, "schema")
        checker = validator("paths", template, method, *place)
        body = exchange.heard
        for node in list(closed(body, free)):
            node["surprise"] = {"not": ["known"]}
            assert not checker.is_valid(body), (exchange.line, list(node))
            del node["surprise"]
            tried += 1
    assert tried > 200


def closed(node: Any, free: set[str]) -> Iterator[Schema]:
    """Every object of an answer that is no free map."""
    if isinstance(node, list):
        for child in node:
            yield from closed(child, free)
    if isinstance(node, dict):
        yield node
        for name, child in node.items():
            if name not in free:
                yield from closed(child, free)


DATA: dict[str, type[BaseModel]] = {
    "call": cloudevents.CallFields,
    "meeting": cloudevents.MeetingFields,
    "deal": cloudevents.DealFields,
    "payment": cloudevents.PaymentFields,
    "lead": cloudevents.LeadFields,
}


@pytest.mark.parametrize("kind", KINDS)
def test_documented_fields_of_a_kind_are_those_it_reads(kind: str) -> None:
    readers = KINDS[kind].readers
    properties = DOCUMENT["components"]["schemas"][DATA[kind].__name__]["properties"]
    assert list(properties) == list(readers)
    for name, shape in properties.items():
        for form in shape["anyOf"]:
            if "enum" in form:
                assert form["enum"] == allowed_by(readers[name])


def test_every_way_to_say_an_event_is_documented() -> None:
    events = get_args(cloudevents.AnyEvent)
    assert len(events) == len(KINDS) + 1
    checker = validator("components", "schemas", "CloudEvent")
    event = {"specversion": "1.0", "id": "1", "source": "crm", "type": "deal"}
    assert checker.is_valid(event | {"data": {"status": "won", "of_ours": 1}})
    assert checker.is_valid(event | {"type": "demo_given", "data": {"status": 1}})
    assert checker.is_valid(event | {"retracted": True, "traceparent": "00-1"})
    assert not checker.is_valid(event | {"data": {"status": "sold"}})
    assert not checker.is_valid(event | {"type": "Deal"})
    assert not checker.is_valid({**event, "id": ""})


def allowed_by(reader: Callable[[Any, int], Any]) -> list[str]:
    with pytest.raises(Invalid) as refused:
        reader("none of them", 0)
    return str(refused.value.params["allowed"]).split(", ")

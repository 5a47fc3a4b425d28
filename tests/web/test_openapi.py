"""The document: valid, complete, committed, and true about what the service really answers."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any, get_args

import pytest
from jsonschema import Draft202012Validator, FormatChecker
from openapi_spec_validator import OpenAPIV31SpecValidator
from pydantic import BaseModel
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012
from starlette.testclient import TestClient

from app.domain.errors import Invalid
from app.domain.kinds import KINDS
from app.main import described
from app.settings import Settings
from app.web.openapi import written
from app.web.schemas import cloudevents
from tests.web import recorder
from tests.web.recorder import Exchange, exchanges, template_of
from tests.web.sample import bearer, service

ROOT = Path(__file__).parents[2]
Schema = dict[str, Any]
Operation = tuple[str, str, Schema]
GOOD = ("200", "201", "204", "304")
FORMATS = FormatChecker(formats=())


@FORMATS.checks("date-time", raises=ValueError)
def has_offset(text: object) -> bool:
    return datetime.fromisoformat(str(text)).tzinfo is not None


@FORMATS.checks("date", raises=ValueError)
def is_date(text: object) -> bool:
    return len(str(text)) == 10 and bool(datetime.fromisoformat(str(text)))


def operations(schema: Schema) -> list[Operation]:
    return [
        (path, method, operation)
        for path, item in schema["paths"].items()
        for method, operation in item.items()
    ]


def documents() -> list[Schema]:
    return [described(Settings()).openapi(), service().openapi()]


DOCUMENT = documents()[0]
both = pytest.mark.parametrize("schema", documents(), ids=["service", "sample"])


def registry_of(schema: Schema) -> Registry[Any]:
    resource = Resource.from_contents(schema, default_specification=DRAFT202012)
    return Registry().with_resource("urn:document", resource).crawl()


REGISTRY = registry_of(DOCUMENT)


@cache
def validator(*place: str) -> Draft202012Validator:
    """Checks against the schema at a place of the document, references and formats included."""
    return against(REGISTRY, *place)


def against(registry: Registry[Any], *place: str) -> Draft202012Validator:
    steps = (step.replace("~", "~0").replace("/", "~1") for step in place)
    pointer = "urn:document#/" + "/".join(steps)
    return Draft202012Validator({"$ref": pointer}, registry=registry, format_checker=FORMATS)


def problem_of(schema: Schema) -> Draft202012Validator:
    return against(registry_of(schema), "components", "schemas", "Problem")


def faults(checker: Draft202012Validator, value: Any) -> list[str]:
    return [f"{error.json_path}: {error.message[:200]}" for error in checker.iter_errors(value)]


def documented(exchange: Exchange) -> tuple[str, str, Schema]:
    template, method = template_of(exchange), exchange.method.lower()
    return template, method, DOCUMENT["paths"][template][method]


def content_of(response: Schema) -> Schema:
    if "$ref" in response:
        response = DOCUMENT["components"]["responses"][response["$ref"].rpartition("/")[2]]
    content: Schema = response.get("content", {})
    return content


def test_the_committed_document_is_the_generated_one() -> None:
    committed = (ROOT / "openapi" / "openapi.json").read_text(encoding="utf-8")
    assert committed == written(described(Settings()).openapi()), "run `make openapi`"


def test_the_committed_examples_are_what_the_worked_month_answers() -> None:
    committed = (ROOT / "app" / "web" / "examples.json").read_text(encoding="utf-8")
    assert committed == recorder.written(), "run `make openapi`"


@both
def test_the_document_is_valid_openapi(schema: Schema) -> None:
    assert schema["openapi"].startswith("3.1.")
    OpenAPIV31SpecValidator(schema).validate()


def test_nothing_has_both_an_example_and_examples() -> None:
    assert not [node for node in nodes(DOCUMENT["paths"]) if {"example", "examples"} <= set(node)]


@both
def test_every_reference_leads_somewhere(schema: Schema) -> None:
    references = {node["$ref"] for node in nodes(schema) if isinstance(node.get("$ref"), str)}
    assert references
    for reference in references:
        found = schema
        for step in reference.removeprefix("#/").split("/"):
            found = found[step]


def test_no_schema_stands_about_unused() -> None:
    used = {node["$ref"] for node in nodes(DOCUMENT) if isinstance(node.get("$ref"), str)}
    assert {f"#/components/schemas/{name}" for name in DOCUMENT["components"]["schemas"]} <= used


def nodes(node: Any) -> Iterator[Schema]:
    """Every object of a document."""
    if isinstance(node, dict):
        yield node
    for child in node.values() if isinstance(node, dict) else node:
        if isinstance(child, dict | list):
            yield from nodes(child)


@both
def test_every_operation_is_named_tagged_and_lists_its_problems(schema: Schema) -> None:
    names = [operation["operationId"] for _, _, operation in operations(schema)]
    assert len(names) == len(set(names))
    for path, method, operation in operations(schema):
        place = f"{method} {path}"
        assert operation["tags"], place
        assert operation["summary"], place
        assert {"400", "500", "503"} <= set(operation["responses"]), place
        if "requestBody" in operation:
            assert {"408", "413", "415"} <= set(operation["responses"]), place
    assert "HTTPValidationError" not in str(schema)


def test_every_operation_and_tag_is_described() -> None:
    described_tags = {tag["name"] for tag in DOCUMENT["tags"] if tag["description"]}
    for path, method, operation in operations(DOCUMENT):
        assert operation["description"], (method, path)
        assert set(operation["tags"]) <= described_tags


@both
def test_every_example_of_a_problem_is_one(schema: Schema) -> None:
    checker = problem_of(schema)
    for name, answer in schema["components"]["responses"].items():
        examples = answer["content"]["application/problem+json"]["examples"]
        assert examples
        for code, example in examples.items():
            checker.validate(example["value"])
            assert name == f"Problem{example['value']['status']}"
            assert example["value"]["type"] == "urn:tassei:problem:" + code.replace("_", "-")


def test_every_good_answer_and_every_request_has_an_example_that_fits() -> None:
    checked = 0
    for path, method, operation in operations(DOCUMENT):
        place = ("paths", path, method)
        contents = [
            (*place, "responses", s, "content") for s in GOOD if s in operation["responses"]
        ]
        contents += [(*place, "requestBody", "content")] if "requestBody" in operation else []
        for where in contents:
            checked += examples_that_fit(where)
        for parameter in operation.get("parameters", ()):
            assert parameter["in"] != "path" or parameter["example"], (place, parameter["name"])
    assert checked > 60


def examples_that_fit(where: Sequence[str]) -> int:
    found: Any = DOCUMENT
    for step in where:
        found = found.get(step, {})
    for media_type, content in found.items():
        assert content["examples"], (where, media_type)
        for name, example in content["examples"].items():
            checker = validator(*where, media_type, "schema")
            assert not faults(checker, example["value"]), (where, name)
            assert example["summary"]
    return sum(len(content["examples"]) for content in found.values())


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
            place = ("responses", status, "content", "application/json", "schema")
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
        place = ("responses", str(exchange.status), "content", "application/json", "schema")
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


def test_a_route_that_asks_for_a_key_says_so_with_its_scope() -> None:
    schema = service().openapi()
    scheme = schema["components"]["securitySchemes"]["key"]
    assert (scheme["type"], scheme["scheme"]) == ("http", "bearer")
    paths = schema["paths"]
    assert paths["/v1/things/{key}"]["put"]["security"] == [{"key": ["write"]}]
    assert paths["/v1/raw"]["post"]["security"] == [{"key": ["ingest"]}]
    assert {"401", "403", "429"} <= set(paths["/v1/things/{key}"]["put"]["responses"])
    assert "401" not in paths["/livez"]["get"]["responses"]


def test_the_service_answers_what_it_documents_and_serves_the_document() -> None:
    client = TestClient(service())
    schema = client.get("/openapi.json").json()
    for answer in (
        client.get("/v1/things/a"),
        client.get("/v1/things?limit=0", headers=bearer("read")),
        client.put("/v1/things/a", headers=bearer("write"), json={}),
        client.put("/v1/things/a", headers=bearer("read"), json={"name": "a"}),
    ):
        problem_of(schema).validate(answer.json())
        template = "/v1/things/{key}" if answer.url.path.endswith("/a") else "/v1/things"
        responses = schema["paths"][template][answer.request.method.lower()]["responses"]
        assert str(answer.status_code) in responses
    assert schema["paths"]["/v1/raw"]["post"]["operationId"] == "take_raw"


def test_the_public_address_is_the_documented_server() -> None:
    schema = described(Settings(public_url="https://tassei.example.com")).openapi()
    assert schema["servers"] == [{"url": "https://tassei.example.com"}]


def test_the_examples_come_with_the_package() -> None:
    known = json.loads((ROOT / "app" / "web" / "examples.json").read_text(encoding="utf-8"))
    names = {operation["operationId"] for _, _, operation in operations(DOCUMENT)}
    assert set(known["exchanges"]) == names

"""The document: valid, complete, committed, with examples that fit."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator
from starlette.testclient import TestClient

from app.main import described
from app.settings import Settings
from app.web.openapi import written
from tests.web import examples
from tests.web.document import (
    DOCUMENT,
    GOOD,
    ROOT,
    Schema,
    faults,
    operations,
    problem_of,
    validator,
)
from tests.web.sample import bearer, service

both = pytest.mark.parametrize("schema", [DOCUMENT, service().openapi()], ids=["service", "sample"])


def test_the_committed_document_is_the_generated_one() -> None:
    committed = (ROOT / "openapi" / "openapi.json").read_text(encoding="utf-8")
    assert committed == written(described(Settings()).openapi()), "run `make openapi`"


def test_the_committed_examples_are_what_the_worked_month_answers() -> None:
    committed = (ROOT / "app" / "web" / "examples.json").read_text(encoding="utf-8")
    assert timeless(committed) == timeless(examples.written()), "run `make openapi`"


def timeless(text: str) -> str:
    """While the clock stands, commits are a microsecond apart, and some are nobody's request."""
    return re.sub(r"(T\d\d:\d\d:\d\d)\.0000\d\d", r"\1.0000", text)


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


def test_no_schema_is_named_by_where_it_is_written() -> None:
    """Two classes of one name: a client that is generated would call them by our modules."""
    assert [name for name in DOCUMENT["components"]["schemas"] if "__" in name] == []


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
        contents: list[tuple[str, ...]] = [
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

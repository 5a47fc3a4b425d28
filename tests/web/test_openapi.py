"""The document: valid, complete, committed, and true about what it promises."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import jsonschema
import pytest
from openapi_spec_validator import OpenAPIV31SpecValidator
from starlette.testclient import TestClient

from app.main import described
from app.settings import Settings
from app.web.openapi import PROBLEM, written
from tests.web.sample import bearer, service

ROOT = Path(__file__).parents[2]
Operation = tuple[str, str, dict[str, Any]]


def operations(schema: dict[str, Any]) -> list[Operation]:
    return [
        (path, method, operation)
        for path, item in schema["paths"].items()
        for method, operation in item.items()
    ]


def documents() -> list[dict[str, Any]]:
    return [described(Settings()).openapi(), service().openapi()]


def test_the_committed_document_is_the_generated_one() -> None:
    committed = (ROOT / "openapi" / "openapi.json").read_text(encoding="utf-8")
    assert committed == written(described(Settings()).openapi()), "run `make openapi`"


@pytest.mark.parametrize("schema", documents(), ids=["service", "sample"])
def test_the_document_is_valid_openapi(schema: dict[str, Any]) -> None:
    assert schema["openapi"].startswith("3.1.")
    OpenAPIV31SpecValidator(schema).validate()


@pytest.mark.parametrize("schema", documents(), ids=["service", "sample"])
def test_every_operation_is_named_tagged_and_lists_its_problems(schema: dict[str, Any]) -> None:
    names = [operation["operationId"] for _, _, operation in operations(schema)]
    assert len(names) == len(set(names))
    for path, method, operation in operations(schema):
        place = f"{method} {path}"
        assert operation["tags"], place
        assert operation["summary"], place
        assert {"400", "500", "503"} <= set(operation["responses"]), place
        if "requestBody" in operation:
            assert {"408", "413", "415", "422"} <= set(operation["responses"]), place
    assert "HTTPValidationError" not in str(schema)


@pytest.mark.parametrize("schema", documents(), ids=["service", "sample"])
def test_every_example_of_a_problem_is_one(schema: dict[str, Any]) -> None:
    for name, answer in schema["components"]["responses"].items():
        example = answer["content"]["application/problem+json"]["example"]
        jsonschema.validate(example, PROBLEM)
        assert name == f"Problem{example['status']}"


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
        jsonschema.validate(answer.json(), PROBLEM)
        template = "/v1/things/{key}" if answer.url.path.endswith("/a") else "/v1/things"
        documented = schema["paths"][template][answer.request.method.lower()]["responses"]
        assert str(answer.status_code) in documented
    assert schema["paths"]["/v1/raw"]["post"]["operationId"] == "take_raw"


def test_the_public_address_is_the_documented_server() -> None:
    schema = described(Settings(public_url="https://tassei.example.com")).openapi()
    assert schema["servers"] == [{"url": "https://tassei.example.com"}]

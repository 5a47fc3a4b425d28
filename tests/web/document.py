"""The document as the tests read it: its operations, and checks against any place in it."""

from __future__ import annotations

from datetime import datetime
from functools import cache
from pathlib import Path
from typing import Any

from jsonschema import Draft202012Validator, FormatChecker
from referencing import Registry, Resource
from referencing.jsonschema import DRAFT202012

from app.main import described
from app.settings import Settings
from tests.web.recorder import Exchange, template_of

ROOT = Path(__file__).parents[2]
Schema = dict[str, Any]
Operation = tuple[str, str, Schema]
GOOD = ("200", "201", "204", "304")


def has_offset(text: object) -> bool:
    return datetime.fromisoformat(str(text)).tzinfo is not None


def is_date(text: object) -> bool:
    return len(str(text)) == 10 and bool(datetime.fromisoformat(str(text)))


FORMATS = FormatChecker(formats=())
FORMATS.checks("date-time", raises=ValueError)(has_offset)
FORMATS.checks("date", raises=ValueError)(is_date)


def operations(schema: Schema) -> list[Operation]:
    return [
        (path, method, operation)
        for path, item in schema["paths"].items()
        for method, operation in item.items()
    ]


DOCUMENT = described(Settings()).openapi()


def registry_of(schema: Schema) -> Registry[Any]:
    resource = Resource.from_contents(schema, default_specification=DRAFT202012)
    registry: Registry[Any] = Registry().with_resource("urn:document", resource)
    return registry.crawl()


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

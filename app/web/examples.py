"""Examples in the OpenAPI document: exchanges that really took place.

A month of a small team is played through the service at a set clock, and what was said there is
kept in examples.json. A test plays it again and compares, so no example can outlive the truth.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from importlib.resources import files
from typing import Any

Json = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Examples:
    """Exchanges by operationId, and problems by status."""

    exchanges: Mapping[str, Sequence[Json]] = field(default_factory=dict)
    problems: Mapping[str, Sequence[Json]] = field(default_factory=dict)


@cache
def recorded() -> Examples:
    """The examples that come with the service."""
    return Examples(**json.loads(files("app.web").joinpath("examples.json").read_bytes()))


def illustrate(schema: Json, examples: Examples) -> None:
    """Puts each exchange into the operation it is of."""
    for operations in schema["paths"].values():
        for operation in operations.values():
            for exchange in examples.exchanges.get(operation["operationId"], ()):
                _illustrate(operation, exchange)


def _illustrate(operation: Json, exchange: Json) -> None:
    for parameter in operation.get("parameters", ()):
        if parameter["name"] in exchange["parameters"]:
            parameter.setdefault("example", exchange["parameters"][parameter["name"]])
    if "request" in exchange:
        _show(operation["requestBody"]["content"][exchange["media_type"]], exchange, "request")
    if "answer" in exchange:
        contents = operation["responses"][str(exchange["status"])]["content"]
        kind = exchange.get("answer_type") or next(iter(contents))
        _show(contents[kind], exchange, "answer")


def _show(content: Json, exchange: Json, part: str) -> None:
    shown = {"summary": exchange["summary"], "value": exchange[part]}
    content.setdefault("examples", {})[exchange["name"]] = shown

"""What is mutated: a provider's samples, and objects as its API answers with them.

An input is bytes: one that names the sample, then the query, the headers and the body as HTTP
writes them. Whatever is not to be mutated (settings, credentials, the method) is the sample's.
"""

from __future__ import annotations

import importlib
import json
import re
from collections.abc import Mapping
from dataclasses import replace
from functools import cache
from typing import NamedTuple

from app.intake.registry import FETCHED, PROVIDERS
from app.intake.requests import HookRequest
from tests.intake import samples

HOOKED = tuple(name for name, provider in PROVIDERS.items() if provider.hook)
# What no HTTP parser lets through: the door never sees it.
_CONTROL = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_NO_NAME = re.compile(r"[^!#$%&'*+.^_`|~0-9a-z-]")
_ADDRESS = "https://tassei.example.co.jp/v1/hooks/h_default_s3cr3t"


class Seed(NamedTuple):
    """A request; or, with the provider's word for what it is, an object as its body."""

    request: HookRequest
    fetched: str | None = None


@cache
def seeds_of(name: str) -> tuple[Seed, ...]:
    """Everything a provider's samples have."""
    module = importlib.import_module(f"{samples.__name__}.{name}")
    requests = [Seed(request) for request in module.SAMPLES]
    like = requests[0].request
    objects = [
        Seed(replace(like, headers={}, url=_ADDRESS, body=_written(value)), kind)
        for kind, value in (module.FETCHED if name in FETCHED else ())
    ]
    return (*requests, *objects)


def packed(place: int, request: HookRequest) -> bytes:
    """A request of a seed as an input."""
    lines = [request.url.partition("?")[2]]
    lines += [f"{label}: {value}" for label, value in request.headers.items()]
    head = "\n".join(lines).encode("latin-1", "replace")
    return bytes([place]) + head + b"\n\n" + request.body


def unpacked(name: str, data: bytes) -> Seed:
    """The request that any bytes are."""
    seeds = seeds_of(name)
    seed = seeds[data[0] % len(seeds)] if data else seeds[0]
    head, _, body = data[1:].partition(b"\n\n")
    query, *lines = head.decode("latin-1").split("\n")
    query = _CONTROL.sub("", query).replace("#", "")
    url = f"{_ADDRESS}?{query}" if query else _ADDRESS
    return seed._replace(request=replace(seed.request, url=url, headers=_headers(lines), body=body))


def _headers(lines: list[str]) -> Mapping[str, str]:
    """By names as any parser gives them: in lower case, each of them once."""
    pairs = (line.partition(":") for line in lines)
    return {
        _NO_NAME.sub("", label.lower()): _CONTROL.sub("", value).strip()
        for label, _, value in pairs
        if _NO_NAME.sub("", label.lower())
    }


def _written(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False).encode()

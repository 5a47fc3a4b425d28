"""What every provider's tests ask of it. An author gives requests; the questions are the same.

SAMPLES: authentic requests as the provider sends them, in tests/intake/samples/<name>.py
"""

from __future__ import annotations

import importlib
import pkgutil
import random
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from typing import NoReturn

import pytest

from app.domain.activities import State, joined
from app.domain.deliveries import Delivery
from app.domain.errors import Unauthenticated
from app.intake.receiving import ADDRESS, read_again, received
from app.intake.registry import PROVIDERS
from app.intake.requests import Hook, HookRequest
from tests.intake import samples


def hook_of(name: str) -> Hook:
    """The hook of a provider that has one."""
    hook = PROVIDERS[name].hook
    assert hook
    return hook


def failing(error: Exception) -> NoReturn:
    """A reader never raises; in a test it is not forgiven."""
    raise error


def read(name: str, request: HookRequest) -> Delivery:
    """A request as the service takes it: proved, stripped of secrets, read."""
    hook = hook_of(name)
    hook.verify(request)
    return received(hook, request, failing)


def replayed(name: str, request: HookRequest) -> Delivery:
    """The same, read again from what was kept of it."""
    hook = hook_of(name)
    raw = received(hook, request, failing).raw
    assert raw
    assert not raw.altered
    headers = dict(raw.headers) | ({"content-type": raw.media_type} if raw.media_type else {})
    kept = replace(
        request,
        url=f"{ADDRESS}?{raw.query}",
        method=raw.method,
        headers=headers,
        body=raw.body,
        credentials={},
    )
    return read_again(hook, kept, request.credentials, failing)


def states(deliveries: Iterable[Delivery]) -> dict[str, State]:
    """What deliveries come to, by the key of the activity, in whatever order they are given."""
    reports = [item.report for delivery in deliveries for item in delivery.items]
    return {key: joined(r for r in reports if r.key == key) for key in {r.key for r in reports}}


def assert_any_order_ends_alike(deliveries: Sequence[Delivery], rounds: int = 50) -> None:
    """Any order and any repetition of these ends in the state of the given order."""
    expected = states(deliveries)
    shuffle = random.Random(20261201)
    for _ in range(rounds):
        order = [*deliveries, *shuffle.choices(deliveries, k=len(deliveries))]
        shuffle.shuffle(order)
        assert states(order) == expected


def assert_refused(name: str, requests: Iterable[HookRequest]) -> None:
    """None of these is authentic."""
    hook = hook_of(name)
    for request in requests:
        with pytest.raises(Unauthenticated):
            hook.verify(request)


def flipped_bodies(request: HookRequest) -> Iterator[HookRequest]:
    """The request with one byte of its body changed, each in turn."""
    for place, byte in enumerate(request.body):
        changed = bytes([byte ^ 1])
        body = request.body[:place] + changed + request.body[place + 1 :]
        yield replace(request, body=body)


def flipped_headers(request: HookRequest, *names: str) -> Iterator[HookRequest]:
    """The request with one character of these headers changed, each in turn."""
    for label in names:
        text = request.headers[label]
        for place, letter in enumerate(text):
            changed = text[:place] + chr(ord(letter) ^ 1) + text[place + 1 :]
            yield replace(request, headers={**request.headers, label: changed})


def all_samples() -> Iterator[tuple[str, HookRequest]]:
    """Every provider's authentic requests."""
    for module in sorted(found.name for found in pkgutil.iter_modules(samples.__path__)):
        for request in importlib.import_module(f"{samples.__name__}.{module}").SAMPLES:
            yield module, request

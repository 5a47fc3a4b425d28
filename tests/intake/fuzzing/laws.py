"""What must hold of any request, whatever is in it; an AssertionError says which law is broken.

A request goes the whole way of the door: handshake, proof, what is kept, reading, answer. Where the
proof is wrong, which after a change it nearly always is, it goes on as if it had been right.
"""

from __future__ import annotations

import json
import re
import time
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from typing import Any

from app.domain.activities import KIND, RETRACTED, Report, canonical_json
from app.domain.deliveries import Delivery, Item, Raw, Refused
from app.domain.errors import Invalid, Unauthenticated, Unreadable
from app.domain.kinds import canonical_fields, kind_of
from app.intake.credentials import Credentials, Use
from app.intake.reading import read_json
from app.intake.receiving import ADDRESS, read_again, read_object, received
from app.intake.registry import FETCHED, MAPPED, PROVIDERS
from app.intake.requests import Answer, Hook, HookRequest, ReadFetched, hook_delivery
from app.views.messages import LANGUAGES, MESSAGES, sentence
from tests.intake.conformance import failing, hook_of
from tests.intake.fuzzing.inputs import Seed

# Of the processor, for an input of at most 64 KiB; instrumented code is some times slower.
LONGEST_SECONDS = 2.0
_SHORTEST_SECRET = 8
# An Outbound Message proves itself by the organization that it names, and by nothing else.
_PROVED_BY_CONTENT = frozenset({"salesforce"})
_REVISION = re.compile(r"|n\d{3,}|t\d{19}", re.ASCII)
_HEADER = re.compile(r"[\t\x20-\x7e\x80-\xff]*")


def delivered(name: str, seed: Seed) -> Delivery:
    """What an input comes to. Raises whatever was raised, and AssertionError for a broken law."""
    began = time.thread_time()
    if seed.fetched is None:
        delivery = _hooked(name, seed.request)
    else:
        delivery = _fetched(name, seed.request, seed.fetched)
    assert time.thread_time() - began < LONGEST_SECONDS, "it takes too long"
    _lawful(name, seed.request, delivery)
    return delivery


def _hooked(name: str, request: HookRequest) -> Delivery:
    hook = hook_of(name)
    _greet(hook, request)
    authentic = _is_authentic(hook, request)
    if not authentic and name in _PROVED_BY_CONTENT:
        return hook_delivery(request)
    _needs_a_proof(name, hook, request)
    delivery = received(hook, request, failing)
    assert delivery.raw is not None
    _sendable(hook.answer(request))
    _secret_free(delivery, delivery.raw, request.credentials)
    if not delivery.raw.altered:
        _read_alike(hook, request, delivery, delivery.raw)
    return delivery


def _greet(hook: Hook, request: HookRequest) -> None:
    """What is no handshake is refused as what the provider did not send, and in no other way."""
    try:
        told = hook.handshake(request)
    except Unauthenticated:
        return
    if told is not None:
        _sendable(told)


def _is_authentic(hook: Hook, request: HookRequest) -> bool:
    try:
        hook.verify(request)
    except Unauthenticated:
        return False
    return True


def _needs_a_proof(name: str, hook: Hook, request: HookRequest) -> None:
    secrets = PROVIDERS[name].secrets_of(request.settings)
    proving = any(secret.use is Use.PROVING for secret in secrets)
    if proving and name not in _PROVED_BY_CONTENT:
        bare = replace(request, credentials={})
        assert not _is_authentic(hook, bare), "authentic without a credential"


def _sendable(answer: Answer) -> None:
    assert 200 <= answer.status < 300, "an answer that is no thanks"
    told = [*answer.headers.values(), answer.media_type or ""]
    assert all(_HEADER.fullmatch(value) for value in told), "a header that cannot be sent"
    assert len(answer.body) <= 2_000, "an echo that is long"


def _read_alike(hook: Hook, request: HookRequest, delivery: Delivery, raw: Raw) -> None:
    """Read again from what was kept, it is the same."""
    headers = dict(raw.headers) | ({"content-type": raw.media_type} if raw.media_type else {})
    kept = replace(
        request,
        url=f"{ADDRESS}?{raw.query}",
        method=raw.method,
        headers=headers,
        body=raw.body,
        credentials={},
    )
    again = read_again(hook, kept, request.credentials, failing)
    assert again.items == delivery.items, "a replay reads other items"
    assert again.references == delivery.references, "a replay names other objects"
    assert _refusals(again) == _refusals(delivery), "a replay refuses otherwise"


def _refusals(delivery: Delivery) -> list[tuple[object, ...]]:
    return [
        (one.index, one.id, one.error.code, one.error.faults, one.content, one.about)
        for one in delivery.refused
    ]


def _fetched(name: str, request: HookRequest, kind: str) -> Delivery:
    """An object of the API: what is no JSON object is none that a reader meets."""
    try:
        found = read_json(request.body)
    except Unreadable:
        found = None
    told: tuple[Item | Refused, ...] = ()
    if isinstance(found, dict):
        read: ReadFetched = FETCHED[name]
        if request.mapping is not None and name in MAPPED:
            read = partial(MAPPED[name], request.mapping)
        told = read_object(read, kind, found, request, failing)
    refused = tuple(one for one in told if isinstance(one, Refused))
    return hook_delivery(request, *(one for one in told if isinstance(one, Item)), refused=refused)


def _secret_free(delivery: Delivery, raw: Raw, credentials: Credentials) -> None:
    kept = [raw.body, raw.query.encode(), canonical_json(raw.headers).encode()]
    kept += [one.content.encode() for one in delivery.refused]
    kept += [item.report.content.encode() for item in delivery.items]
    for secrets in credentials.values():
        for secret in secrets:
            known = len(secret) >= _SHORTEST_SECRET and any(secret.encode() in one for one in kept)
            assert not known, "a credential is kept"


def _lawful(name: str, request: HookRequest, delivery: Delivery) -> None:
    for text in _texts(delivery):
        # What no column of text holds: SQLite takes no lone surrogate, PostgreSQL no zero.
        text.encode()
        assert "\x00" not in text, "a zero that PostgreSQL does not hold"
    counted = [item.index for item in delivery.items]
    assert not set(counted) & {one.index for one in delivery.refused}, "an item and its refusal"
    for item in delivery.items:
        _sound(name, request, item.report)
    for refused in delivery.refused:
        _explained(refused.error)


def _texts(delivery: Delivery) -> Iterator[str]:
    for item in delivery.items:
        report = item.report
        yield from (item.id, report.source, report.key, report.stamp.revision, report.content)
    for one in delivery.references:
        yield from (one.source, one.object, one.id, one.revision)
    for refused in delivery.refused:
        yield refused.content
        yield from refused.about or ()
    if delivery.raw:
        raw = delivery.raw
        yield from (raw.method, raw.query, raw.media_type, *raw.headers, *raw.headers.values())


def _sound(name: str, request: HookRequest, report: Report) -> None:
    """A report as it is counted: canonical already, in its own content, with a revision."""
    counts = PROVIDERS[name].counts
    kind = str(report.fields[KIND])
    assert counts is None or kind in counts, "a kind that the provider does not count"
    assert _REVISION.fullmatch(report.stamp.revision), "a revision of no clock"
    written = canonical_json({"full": report.full, "fields": dict(report.fields)})
    assert report.content == written, "a content that is not its fields"
    assert json.loads(report.content, parse_float=_float) == json.loads(written)
    values: dict[str, Any] = {
        label: value
        for label, value in report.fields.items()
        if label not in {KIND, RETRACTED} and value is not None
    }
    again = canonical_fields(kind_of(kind), values, actor=None, now=request.received_at)
    assert again == values | {KIND: kind}, "fields that are not canonical"


def _float(text: str) -> float:
    raise AssertionError(f"a binary float: {text}")


def _explained(error: Invalid) -> None:
    """Every code has its sentence, with the parameters that it speaks of."""
    canonical_json([[one.pointer, one.code, dict(one.params)] for one in error.faults])
    for code, params in [(error.code, error.params), *((f.code, f.params) for f in error.faults)]:
        assert code in MESSAGES, f"no sentence for {code}"
        for text, language in zip(MESSAGES[code], LANGUAGES, strict=True):
            assert sentence(code, params, language) == text.format(**params)

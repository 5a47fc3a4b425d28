"""What holds for every provider, asked of each with its own samples."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.activities import KIND
from app.domain.errors import Invalid, Unauthenticated
from app.domain.kinds import KINDS
from app.intake.credentials import Absence
from app.intake.receiving import received
from app.intake.registry import PROVIDERS
from app.intake.requests import Connecting, HookRequest
from app.intake.source_settings import NO_SETTINGS, read_settings
from app.views.messages import MESSAGES
from tests.intake.conformance import all_samples, failing, hook_of, read, replayed
from tests.intake.senders import NOW

SAMPLES = list(all_samples())
HOOKED = [name for name, provider in PROVIDERS.items() if provider.hook]
DOCS = Path(__file__).parents[2] / "docs" / "senders"
samples = pytest.mark.parametrize(
    ("name", "request_"), SAMPLES, ids=[f"{name}-{n}" for n, (name, _) in enumerate(SAMPLES)]
)


@pytest.mark.parametrize("name", HOOKED)
def test_a_provider_has_samples_and_a_page_in_both_languages(name: str) -> None:
    assert [request for sample, request in SAMPLES if sample == name]
    english, japanese = DOCS / f"{name}.md", DOCS / f"{name}.ja.md"
    assert english.read_text(encoding="utf-8").startswith("# ")
    assert japanese.read_text(encoding="utf-8").startswith("# ")


@pytest.mark.parametrize("name", PROVIDERS)
def test_a_provider_is_declared_soundly(name: str) -> None:
    provider = PROVIDERS[name]
    assert provider.name == name
    assert set(provider.counts or ()) <= set(KINDS)
    secrets = [secret.name for secret in provider.secrets]
    assert len(set(secrets)) == len(secrets)
    assert all(secret.about for secret in provider.secrets)
    # Its value is shown under one name, once.
    made = [s for s in provider.secrets if s.absence is Absence.GENERATED]
    assert len(made) <= 1
    for secret in made:
        secret.check(secret.written(bytes(range(32))))
    labels = [setting.name for setting in provider.settings]
    assert len(set(labels)) == len(labels)
    assert all(setting.schema["description"] for setting in provider.settings)


@pytest.mark.parametrize("name", HOOKED)
def test_what_to_do_at_the_provider_has_sentences_with_its_address(name: str) -> None:
    url = "https://tassei.example.co.jp/v1/hooks/h_default_s3cr3t"
    steps = hook_of(name).next_steps(Connecting(url, NO_SETTINGS))
    assert steps
    assert any(url in str(value) for step in steps for value in step.params.values())
    for step in steps:
        for text in MESSAGES[step.code]:
            assert text.format(**step.params)


@samples
def test_a_sample_is_authentic_and_the_empty_proof_is_not(name: str, request_: HookRequest) -> None:
    hook = hook_of(name)
    hook.verify(request_)
    assert request_.method in hook.methods
    if PROVIDERS[name].secrets_of(request_.settings):
        with pytest.raises(Unauthenticated):
            hook.verify(replace(request_, credentials={}))
        with pytest.raises(Unauthenticated):
            hook.verify(replace(request_, headers={}, body=b"", url="https://x/"))


@samples
def test_what_is_kept_reads_as_what_came(name: str, request_: HookRequest) -> None:
    came, again = read(name, request_), replayed(name, request_)
    assert (came.items, came.references) == (again.items, again.references)
    told = [(r.index, r.id, r.error.code, r.content) for r in came.refused]
    assert told == [(r.index, r.id, r.error.code, r.content) for r in again.refused]
    assert came.quarantines


@samples
def test_nothing_that_is_kept_holds_a_credential(name: str, request_: HookRequest) -> None:
    delivery = read(name, request_)
    assert delivery.raw
    kept = [delivery.raw.body, delivery.raw.query.encode(), repr(delivery.raw.headers).encode()]
    kept += [refused.content.encode() for refused in delivery.refused]
    kept += [item.report.content.encode() for item in delivery.items]
    for secrets in request_.credentials.values():
        for secret in secrets:
            assert len(secret) < 8 or not any(secret.encode() in text for text in kept)


@samples
def test_later_settings_stand_over_earlier_ones(name: str, request_: HookRequest) -> None:
    before = read(name, request_)
    after = read(name, replace(request_, changes=request_.changes + 1))
    if name != "standard_webhooks":  # an event says everything itself
        assert all(
            later.report.stamp > earlier.report.stamp
            for earlier, later in zip(before.items, after.items, strict=True)
        )


@samples
def test_a_sample_counts_only_what_the_provider_is_for(name: str, request_: HookRequest) -> None:
    counts = PROVIDERS[name].counts
    kinds = {str(item.report.fields[KIND]) for item in read(name, request_).items}
    assert counts is None or kinds <= set(counts)


SCALARS = st.none() | st.booleans() | st.integers() | st.text(max_size=20)
VALUES = st.recursive(
    SCALARS | st.sampled_from(["2026-12-01T09:00:00Z", "9999-12-31T23:59:59-12:00", "1e9", "-0"]),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner),
    max_leaves=8,
)
BODIES = st.binary(max_size=80) | VALUES.map(lambda value: json.dumps(value).encode())
HEADERS = st.dictionaries(
    st.sampled_from(sorted({label for _, request in SAMPLES for label in request.headers})),
    st.text(st.characters(max_codepoint=255), max_size=30),
)


@given(st.sampled_from(HOOKED), BODIES, HEADERS, st.text(max_size=30))
def test_arbitrary_requests_are_never_authentic_and_never_break_a_reader(
    name: str, body: bytes, headers: dict[str, str], query: str
) -> None:
    provider, hook = PROVIDERS[name], hook_of(name)
    credentials = {secret.name: ("whsec_" + "A" * 32,) for secret in provider.secrets}
    for method in hook.methods:
        url = f"https://x/{query}"
        request = HookRequest("w", "s", url, method, headers, body, credentials, NOW)
        if credentials:
            with pytest.raises(Unauthenticated):
                hook.verify(request)
        received(hook, request, failing)


@given(st.data())
def test_any_value_in_any_place_of_a_json_sample_is_read_or_refused(data: st.DataObject) -> None:
    bodies = [(n, r) for n, r in SAMPLES if r.body[:1] in b"{[" and r.body[:1]]
    name, request = data.draw(st.sampled_from(bodies))
    try:
        document = json.loads(request.body)
    except ValueError:
        return
    changed = _with(document, data)
    body = json.dumps(changed).encode()
    received(hook_of(name), replace(request, body=body), failing)


def _with(node: Any, data: st.DataObject) -> Any:
    """The document with another value somewhere in it."""
    if isinstance(node, dict) and node and data.draw(st.booleans()):
        label = data.draw(st.sampled_from(sorted(node)))
        return node | {label: _with(node[label], data)}
    if isinstance(node, list) and node and data.draw(st.booleans()):
        place = data.draw(st.integers(0, len(node) - 1))
        return [*node[:place], _with(node[place], data), *node[place + 1 :]]
    return data.draw(VALUES)


@given(st.sampled_from(sorted(PROVIDERS)), VALUES)
def test_any_settings_are_read_or_refused(name: str, document: Any) -> None:
    try:
        read_settings(PROVIDERS[name].settings, document)
    except Invalid:
        return
    assert document is None or isinstance(document, dict)

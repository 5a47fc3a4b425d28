"""Through every provider's door: no credential and no proof in any file, row, log line or answer.

The whole folder of the database is searched, its log too, and every body as it was before it was
compressed. Providers that sign the public address are held to it by `tests/intake/test_providers`.
"""

from __future__ import annotations

import io
import json
import logging
import zlib
from base64 import b64encode
from collections.abc import Iterator
from importlib import import_module
from typing import Any
from urllib.parse import quote, quote_plus

import pytest
import structlog

from app.intake.credentials import Arity
from app.intake.registry import PROVIDERS
from app.intake.requests import HookRequest, SignedUrl
from app.store.tables import METADATA
from app.telemetry import configure_logs
from tests.intake import samples
from tests.intake.conformance import all_samples, hook_of
from tests.intake.senders import NOW
from tests.web.example import START, settle
from tests.web.service import Service, started

SAMPLES = [
    (name, request) for name, request in all_samples() if hook_of(name).signed_url is SignedUrl.NO
]
cases = pytest.mark.parametrize(
    ("name", "sample"), SAMPLES, ids=[f"{name}-{n}" for n, (name, _) in enumerate(SAMPLES)]
)


@pytest.fixture(scope="module")
def log() -> Iterator[io.StringIO]:
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    stream = io.StringIO()
    configure_logs("json", stream)
    yield stream
    structlog.reset_defaults()
    root.handlers[:], root.level = before, level


@pytest.fixture(scope="module")
def service(log: io.StringIO) -> Iterator[Service]:
    with started(START, public_url="https://tassei.example.co.jp") as running:
        running.clock.now = NOW
        yield settle(running)
    assert log.getvalue()


def settings_of(request: HookRequest) -> dict[str, Any]:
    """The settings of a sample as a source's document has them."""
    return {
        name: list(value) if isinstance(value, tuple) else value
        for name, value in request.settings.values.items()
        if value not in (None, (), {})
    }


def connected(service: Service, key: str, name: str, sample: HookRequest) -> str:
    """A source with every credential of a sample; two where one is being rotated."""
    several = {s.name for s in PROVIDERS[name].secrets if s.arity is Arity.SEVERAL}
    wanted = {s.name for s in PROVIDERS[name].secrets_of(sample.settings)}
    first = {
        label: list(values) if label in several else values[0]
        for label, values in sample.credentials.items()
        if label in wanted
    }
    body: dict[str, Any] = {"provider": name, "name": key, "settings": settings_of(sample)}
    body |= {"credentials": first} if first else {}
    if sample.mapping is not None:
        body |= {"mapping": import_module(f"{samples.__name__}.{name}").MAPPING}
    answer = service.put(f"/v1/sources/{key}", body)
    assert answer.status_code == 201, answer.text
    then = {
        label: values[1]
        for label, values in sample.credentials.items()
        if label in wanted and label not in several and len(values) > 1
    }
    if then:
        rotated = service.client.post(f"/v1/sources/{key}/rotate", json={"credentials": then})
        assert rotated.status_code == 200, rotated.text
    return "/v1/hooks/" + str(answer.json()["hook_url"]).rpartition("/")[2]


def spellings(text: str) -> set[bytes]:
    """How a text may stand in a file."""
    texts = {text, quote(text, safe=""), quote_plus(text), json.dumps(text)[1:-1]}
    texts |= {json.dumps(text, ensure_ascii=False)[1:-1], b64encode(text.encode()).decode()}
    return {one.encode() for one in texts}


def everything(service: Service, log: io.StringIO) -> dict[str, bytes]:
    """All that is stored or told, by where it stands."""
    app: Any = service.client.app
    app.state.context.refusals.flush()
    found = {
        str(path.relative_to(service.folder)): path.read_bytes()
        for path in service.folder.rglob("*")
        if path.is_file() and path.name != "secret.key"
    }
    with service.store.read() as reading:
        for table in METADATA.sorted_tables:
            rows = reading.connection.execute(table.select()).all()
            found[table.name] = b"\n".join(readable(value) for row in rows for value in row)
    return found | {"the log": log.getvalue().encode()}


def readable(value: object) -> bytes:
    if not isinstance(value, bytes):
        return str(value).encode(errors="replace")
    try:
        return zlib.decompress(value)
    except zlib.error:
        return value


def sent(service: Service, path: str, sample: HookRequest, body: bytes | None = None) -> Any:
    query = sample.url.partition("?")[2]
    return service.client.request(
        sample.method,
        path + (f"?{query}" if query else ""),
        content=sample.body if body is None else body,
        headers={name.encode(): value.encode() for name, value in sample.headers.items()},
    )


@cases
def test_no_credential_and_no_proof_is_stored_logged_or_answered(
    service: Service, log: io.StringIO, name: str, sample: HookRequest
) -> None:
    key = f"s{zlib.crc32(repr((name, sample.body, sample.headers, sample.url)).encode())}"
    path = connected(service, key, name, sample)
    answer = sent(service, path, sample)
    assert answer.is_success, answer.text
    tampered = sent(service, path, sample, body=sample.body + b"\n{")
    kept = ("content-type", *hook_of(name).headers)
    proofs = {value for label, value in sample.headers.items() if label not in kept}
    secrets = {value for values in sample.credentials.values() for value in values}
    # A timestamp proves nothing by itself, and looks like any other.
    secret_texts = {text for text in proofs | secrets if len(text) >= 8 and not text.isdigit()}
    secret_texts.add(path.rpartition("_")[2])
    places = everything(service, log) | {"the refusal": tampered.content}
    for text in secret_texts:
        for spelling in spellings(text):
            found = [place for place, octets in places.items() if spelling in octets]
            assert found == [], f"a secret of {name} stands in {found}"


def test_the_search_finds_what_is_there(service: Service, log: io.StringIO) -> None:
    """The check can fail: what is not secret is found in the file, in the rows and in the log."""
    sample = next(request for name, request in all_samples() if name == "pipedrive")
    # A source of its own: whichever test runs first, something was sent.
    assert sent(service, connected(service, "own", "pipedrive", sample), sample).is_success
    where = everything(service, log)
    assert any(
        b"pipedrive" in octets for place, octets in where.items() if "db" in place or "sql" in place
    )
    assert b"meta" in where["delivery"]
    assert b"/v1/hooks/" in where["the log"]

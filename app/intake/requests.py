"""What a provider is to the rest of the service: one value with the same few parts for each.

A hook's request is verified first and read only then. What is authentic never fails loudly:
events of no interest make an empty delivery, unusable ones a refused item, because a provider
that sees an error sends it again for days and then stops sending altogether.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from app.domain.activities import JsonValue
from app.domain.deliveries import About, Delivery, Door, Item, Raw, Refused
from app.domain.errors import Fault, Invalid, Params, Unreadable
from app.domain.kinds import RawValue, canonical_fields, kind_of, name

Credentials = Mapping[str, tuple[str, ...]]

REDACTED = "[redacted]"
_SHORTEST_REDACTED = 8
_MAX_SECRETS = 10
_MAX_SECRET = 255


@dataclass(frozen=True, slots=True)
class HookRequest:
    """A provider's request, as received.

    url: the public address that the provider was given, with the query that came
    headers: by lower-case names; body: raw, because signatures cover bytes
    credentials: every valid value of each secret, so that one can be rotated
    """

    workspace: str
    source: str
    url: str
    method: str
    headers: Mapping[str, str]
    body: bytes
    credentials: Credentials
    received_at: int


class Arity(StrEnum):
    """Whether a credential is one text or a list of texts."""

    ONE = "one"
    SEVERAL = "several"


class Absence(StrEnum):
    """What happens when a credential is not given: refused, or made and shown once."""

    REFUSED = "refused"
    GENERATED = "generated"


def _any_text(_text: str) -> None:
    pass


@dataclass(frozen=True, slots=True)
class Secret:
    """A credential of a provider, always write-only. `check` raises Invalid for a wrong form."""

    name: str
    arity: Arity = Arity.ONE
    absence: Absence = Absence.REFUSED
    check: Callable[[str], object] = _any_text


class Answer(NamedTuple):
    """What the provider is told once its delivery is stored."""

    status: int
    media_type: str | None
    body: bytes


NO_CONTENT = Answer(204, None, b"")


class Step(NamedTuple):
    """Something to do at the provider: a stable code with its parameters."""

    code: str
    params: Params


class SignedUrl(StrEnum):
    """Whether the provider signs the public address, which then has to be configured."""

    YES = "yes"
    NO = "no"


@dataclass(frozen=True, slots=True)
class Hook:
    """How a provider's requests are checked, read and answered.

    verify: raises Unauthenticated; read: never raises for what was verified
    """

    verify: Callable[[HookRequest], None]
    read: Callable[[HookRequest], Delivery]
    next_steps: Callable[[str], tuple[Step, ...]]
    answer: Answer = NO_CONTENT
    signed_url: SignedUrl = SignedUrl.NO


@dataclass(frozen=True, slots=True)
class Provider:
    """A sender that can be connected.

    counts: the kinds it counts unless the source says otherwise; None for every kind
    hook: None for a sender that posts to /v1/events with an API key
    """

    name: str
    counts: tuple[str, ...] | None
    secrets: tuple[Secret, ...] = ()
    hook: Hook | None = None


def read_credentials(provider: Provider, document: RawValue) -> dict[str, tuple[str, ...]]:
    """The credentials that a source's document gives; those to be generated may be missing.

    Raises Invalid with pointers into the document (required, unknown_field, not_a_text,
    not_a_list, not_a_secret, and what the secret's own check says); no value is repeated.
    """
    given = {} if document is None else document
    if not isinstance(given, dict):
        raise Invalid("invalid_credentials", Fault("", "not_an_object"))
    known = {secret.name for secret in provider.secrets}
    faults = [Fault("", "unknown_field")] if given.keys() - known else []
    found: dict[str, tuple[str, ...]] = {}
    for secret in provider.secrets:
        try:
            values = _values(secret, given.get(secret.name))
        except Invalid as error:
            faults += [Fault(f"/{secret.name}{f.pointer}", f.code, f.params) for f in error.faults]
        else:
            found |= {secret.name: values} if values else {}
    if faults:
        raise Invalid("invalid_credentials", *faults)
    return found


def _values(secret: Secret, value: RawValue) -> tuple[str, ...]:
    if value is None:
        if secret.absence is Absence.REFUSED:
            raise Invalid("required")
        return ()
    if secret.arity is Arity.ONE:
        return (_value(secret, value),)
    if not isinstance(value, list) or not 0 < len(value) <= _MAX_SECRETS:
        raise Invalid("not_a_list", low=1, high=_MAX_SECRETS)
    return tuple(_value(secret, item) for item in value)


def _value(secret: Secret, value: RawValue) -> str:
    if not isinstance(value, str):
        raise Invalid("not_a_text")
    if not 0 < len(value) <= _MAX_SECRET or not value.isprintable() or value != value.strip():
        raise Invalid("not_a_secret")
    secret.check(value)
    return value


def fields_of(
    kind: str, values: Mapping[str, RawValue], origins: Mapping[str, str], now: int
) -> dict[str, JsonValue]:
    """The canonical fields of a provider's values; faults point to where the provider wrote them.

    `origins` has the pointer into the provider's payload of each field.
    """
    try:
        return canonical_fields(kind_of(kind), values, actor=None, now=now)
    except Invalid as error:
        faults = [Fault(origins[f.pointer[1:]], f.code, f.params) for f in error.faults]
        raise Invalid("invalid_delivery", *faults) from None


def refusal(
    request: HookRequest,
    error: Invalid | Unreadable,
    content: str,
    id_: str | None = None,
    about: About | None = None,
) -> Refused:
    """A refused item of a hook's request, its content without our own secrets."""
    why = error if isinstance(error, Invalid) else Invalid(error.code, **error.params)
    return Refused(0, id_, request.source, why, redacted(content, request.credentials), about)


def redacted(content: str, credentials: Credentials) -> str:
    """Content that may be kept: without credentials, and without NUL, which no text column holds.

    Texts shorter than eight characters stay: they would tear holes into ordinary words.
    """
    for values in credentials.values():
        for value in values:
            if len(value) >= _SHORTEST_REDACTED:
                content = content.replace(value, REDACTED)
    return content.replace("\x00", "\N{REPLACEMENT CHARACTER}")


def redacted_bytes(body: bytes, credentials: Credentials) -> bytes:
    """A whole body that may be kept: the same bytes but for credentials in it."""
    for values in credentials.values():
        for value in values:
            if len(value) >= _SHORTEST_REDACTED:
                body = body.replace(value.encode(), REDACTED.encode())
    return body


def raw_of(request: HookRequest) -> Raw:
    """A hook's request as it may be kept: neither its signature nor its address, which are secrets.

    Of the headers only the media type means anything to a reader.
    """
    body = redacted_bytes(request.body, request.credentials)
    sent = request.url.partition("?")[2]
    query = redacted(sent, request.credentials)
    media_type = request.headers.get("content-type", "")
    altered = (body, query) != (request.body, sent)
    return Raw(
        Door.HOOK, request.source, request.method, query, media_type, {}, body, altered=altered
    )


def usable_name(value: RawValue) -> str | None:
    """A sender's id for its delivery where it has a usable one; counting never depends on it."""
    try:
        return name(value)
    except Invalid:
        return None


def body_text(body: bytes) -> str:
    """A body as text to look at, whatever its bytes."""
    return body.decode(errors="replace")


def hook_delivery(
    request: HookRequest, *items: Item, refused: tuple[Refused, ...] = ()
) -> Delivery:
    """What a hook's request brought; nothing at all for an event of no interest."""
    return Delivery(request.workspace, request.received_at, True, items, refused)

"""What a provider is to the rest of the service: one value with the same few parts for each.

A hook's request is verified first and read only then. What is authentic never fails loudly:
events of no interest make an empty delivery, unusable ones a refused item, because a provider
that sees an error sends it again for days and then stops sending altogether. README.md in this
folder says how a provider is written.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from enum import StrEnum
from typing import NamedTuple, Protocol

from app.domain.activities import JsonValue, Report, make_report
from app.domain.deliveries import About, Delivery, Item, Reference, Refused
from app.domain.errors import Fault, Invalid, Params, Unauthenticated, Unreadable
from app.domain.kinds import RawValue, canonical_fields, kind_of, name
from app.intake.credentials import Credentials, Secret
from app.intake.mapping import BodyMapping
from app.intake.source_settings import NO_SETTINGS, Setting, Settings

MAX_CONTENT = 64 * 1024
MAX_ECHO = 512
POST = frozenset({"POST"})
GET_OR_POST = frozenset({"GET", "POST"})


@dataclass(frozen=True, slots=True)
class HookRequest:
    """A provider's request.

    url: the public address that the provider was given, with the query that came
    headers: by lower-case names; body: raw, because signatures cover bytes
    credentials: every valid value of each secret, so that one can be rotated
    received_at: the instant of receipt; a replay has it too, never the instant of the replay
    settings: what the source says of the account
    mapping: what bodies mean, where the source says it (`Provider.maps`)
    changes: how often settings or mapping were changed; what is read by later ones stands
    """

    workspace: str
    source: str
    url: str
    method: str
    headers: Mapping[str, str]
    body: bytes
    credentials: Credentials
    received_at: int
    settings: Settings = NO_SETTINGS
    changes: int = 0
    mapping: BodyMapping | None = None


def as_fetched(
    source: str,
    settings: Settings,
    now: int,
    changes: int,
    mapping: BodyMapping | None = None,
) -> HookRequest:
    """What was asked for, in the place of a request: nobody sent it, it needs no proof."""
    return HookRequest("", source, "", "GET", {}, b"", {}, now, settings, changes, mapping)


class Answer(NamedTuple):
    """What a provider is told. `media_type` is sent as it stands here, with its parameters."""

    status: int
    media_type: str | None = None
    body: bytes = b""
    headers: Mapping[str, str] = {}


NO_CONTENT = Answer(204)


class Step(NamedTuple):
    """Something to do at the provider: a stable code with its parameters."""

    code: str
    params: Params


class Connecting(NamedTuple):
    """What a provider's side has to be told of a source."""

    hook_url: str
    settings: Settings


class Maps(StrEnum):
    """Whether a source of a provider may carry a mapping document, and of what.

    RECORDS: bodies whose keys, revisions and deletions the provider's own code reads
    """

    NOTHING = "nothing"
    ROWS = "rows"
    BODIES = "bodies"
    RECORDS = "records"


class SignedUrl(StrEnum):
    """Whether the provider signs the public address, which then has to be configured."""

    YES = "yes"
    NO = "no"


def _no_handshake(_request: HookRequest) -> Answer | None:
    return None


def _thanks(_request: HookRequest) -> Answer:
    return NO_CONTENT


def _as_it_came(request: HookRequest) -> HookRequest:
    return request


@dataclass(frozen=True, slots=True)
class Hook:
    """How a provider's requests are checked, kept, read and answered. All of it is pure.

    In this order:
    methods: others are answered 405 (HEAD arrives as GET)
    handshake: an answer that ends the exchange, before any proof; nothing is stored then. One
        that has to be proved is proved in here: `verify` is not asked
    verify: raises Unauthenticated for what the provider did not send, and nothing else
    kept: the request without the secrets that the provider puts into body and query. This is what
        is stored, read, and read again, so the reader must not need what is taken out
    headers: the names, in lower case, of further headers that the reader needs; none of them may
        hold a secret. It always has the content type, and sees no other header
    read: never raises for what was verified; sees neither credentials nor the hook's address
    answer: what the provider is told once everything is on disk
    failed: what it is told instead where it could not be stored; None for 503 and a problem
    next_steps: what to enter at the provider
    """

    verify: Callable[[HookRequest], None]
    read: Callable[[HookRequest], Delivery]
    next_steps: Callable[[Connecting], tuple[Step, ...]]
    answer: Callable[[HookRequest], Answer] = _thanks
    handshake: Callable[[HookRequest], Answer | None] = _no_handshake
    failed: Answer | None = None
    kept: Callable[[HookRequest], HookRequest] = _as_it_came
    headers: tuple[str, ...] = ()
    methods: frozenset[str] = POST
    signed_url: SignedUrl = SignedUrl.NO


# An object is one activity, or none; by a mapping of the customer it may be several.
Fetched = Item | Refused | None | Sequence[Item | Refused]


class ReadFetched(Protocol):
    """What an object of a provider's API comes to; a module says so as `read_fetched`.

    object_kind: the provider's word for it; now: the instant of the fetch; changes: how often the
    source's settings were changed. As `Hook.read` it never raises; None: of no interest. Its
    report has the key and the clock of revisions that the provider's events have.
    """

    def __call__(
        self,
        object_kind: str,
        fetched: Mapping[str, RawValue],
        settings: Settings,
        *,
        source: str,
        now: int,
        changes: int = 0,
    ) -> Fetched: ...


class ReadMapped(Protocol):
    """The same by the mapping of a source; where `Provider.maps` is RECORDS, as `read_mapped`."""

    def __call__(
        self,
        mapping: BodyMapping,
        object_kind: str,
        fetched: Mapping[str, RawValue],
        settings: Settings,
        *,
        source: str,
        now: int,
        changes: int = 0,
    ) -> Sequence[Item | Refused]: ...


def _any_settings(_settings: Settings, _credentials: Credentials) -> None:
    pass


@dataclass(frozen=True, slots=True)
class Provider:
    """A sender that can be connected.

    counts: the kinds it counts unless the source says otherwise; None for every kind
    hook: None for a sender that posts to /v1/events with an API key
    check: rules between settings and credentials; raises Invalid with pointers into the source's
        document (/settings/..., /credentials/...)
    maps: what the mapping document of a source is about; the reader of BODIES applies it with
        `payloads.mapped`, that of RECORDS with `payloads.told_by`
    """

    name: str
    counts: tuple[str, ...] | None
    secrets: tuple[Secret, ...] = ()
    hook: Hook | None = None
    settings: tuple[Setting, ...] = field(default=())
    check: Callable[[Settings, Credentials], None] = _any_settings
    maps: Maps = Maps.NOTHING

    def secrets_of(self, settings: Settings) -> tuple[Secret, ...]:
        """The credentials that a source with these settings has."""
        return tuple(secret for secret in self.secrets if secret.wanted(settings))

    def settings_of(self, *, mapped: bool) -> tuple[Setting, ...]:
        """The settings that a source has, with a mapping of its own or without."""
        return tuple(one for one in self.settings if not (mapped and one.unmapped))


def always(answer: Answer) -> Callable[[HookRequest], Answer]:
    """The same answer to every request."""

    def answered(_request: HookRequest) -> Answer:
        return answer

    return answered


def echoed(text: str | None) -> str:
    """A challenge that is sent back to whoever sent it: short, printable ASCII.

    Raises Unauthenticated (handshake_invalid): what is longer or else is no handshake.
    """
    if not text or len(text) > MAX_ECHO or not (text.isascii() and text.isprintable()):
        raise Unauthenticated("handshake_invalid")
    return text


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


def hook_report(
    request: HookRequest,
    key: str,
    revision: str,
    fields: Mapping[str, JsonValue],
    *,
    full: bool,
    mapping: int,
) -> Report:
    """A report of a hook's request.

    mapping: the version of the provider's reader, raised with every change of what a request comes
    to. The changes of the source's settings are added: what is read by later ones stands.
    Raises Invalid (item_too_large).
    """
    version = mapping + request.changes
    report = make_report(request.source, key, revision, fields, full=full, mapping=version)
    if len(report.content) > MAX_CONTENT:
        raise Invalid("item_too_large", limit=MAX_CONTENT)
    return report


def refusal(
    request: HookRequest,
    error: Invalid | Unreadable,
    content: str,
    id_: str | None = None,
    about: About | None = None,
    *,
    index: int = 0,
) -> Refused:
    """A refused item of a hook's request."""
    why = error if isinstance(error, Invalid) else Invalid(error.code, **error.params)
    return Refused(index, id_, request.source, why, content, about)


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
    request: HookRequest,
    *items: Item,
    refused: tuple[Refused, ...] = (),
    references: tuple[Reference, ...] = (),
) -> Delivery:
    """What a hook's request brought; nothing at all for an event of no interest.

    A reference whose names could not be stored is refused: it must not take the others along.
    """
    named: list[Reference] = []
    for one in references:
        try:
            name(one.object), name(one.id)
        except Invalid as error:
            refused += (refusal(request, error, body_text(request.body), index=one.index),)
        else:
            named.append(replace(one, source=request.source))
    return Delivery(
        request.workspace, request.received_at, True, items, refused, references=tuple(named)
    )

"""Sources: connecting a sender, its address and what to do there, and whether it speaks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import tzinfo
from enum import StrEnum
from typing import Any

from app.domain.errors import Conflict, Fault, Invalid, NotFound
from app.domain.freshness import Expectation, Source, is_stale, source_of
from app.domain.kinds import RawValue
from app.domain.workspace import Workspace
from app.intake.registry import PROVIDERS
from app.intake.requests import Connecting, Provider, SignedUrl, Step
from app.intake.source_settings import Settings, read_settings, standing_settings
from app.outbound.api import Api
from app.outbound.errors import Refused
from app.outbound.registry import APIS
from app.store import documents, fetchers, reconfiguring, sources
from app.store.documents import Document
from app.store.fetchers import UNTRIED
from app.store.sources import SourceState
from app.store.transactions import Access
from app.usecases import organisation, source_mapping
from app.usecases.building import carry_on
from app.usecases.context import Context
from app.usecases.fetch_channels import MANY_FAILURES, read_channels
from app.usecases.organisation import SOURCE
from app.usecases.saving import Precondition, archive, save, standing
from app.usecases.source_mapping import SETTINGS
from app.usecases.source_secrets import held, hook_url, keep, replaced, wanted
from app.usecases.vault import NOTHING_HELD, Held, Secrets

# Counts the changes of secrets inside the document, so that a new secret is a new version.
SECRETS_VERSION = "secrets_version"
# Words that stand in the place of a key in an address of ours.
RESERVED = frozenset({"overlaps"})


class Liveness(StrEnum):
    """Whether a source has spoken, and as lately as it should.

    FAILING: it refuses to be asked, or its notifications have ended and cannot be renewed.
    """

    PENDING = "pending"
    ACTIVE = "active"
    STALE = "stale"
    FAILING = "failing"


@dataclass(frozen=True, slots=True)
class Connected:
    """A source as it is shown. `made` has the secrets made just now: they are shown once.

    retiring_until: the instant until which values that a rotation replaced are still taken
    """

    document: Document
    liveness: Liveness
    expect: Expectation
    last_received_at: int | None
    hook_url: str | None
    next_steps: tuple[Step, ...]
    warnings: tuple[Step, ...]
    made: Mapping[str, str]
    zone: tzinfo
    created: bool = False
    retiring_until: int | None = None


def put_source(
    context: Context,
    workspace: str,
    key: str,
    body: dict[str, Any],
    credentials: RawValue,
    seen: Precondition,
    author: str,
) -> Connected:
    """Connect a sender, or change how it is connected.

    Credentials that are left out stay as they are. By a change of what the source counts all
    history is counted anew, step by step; until then its metrics say what they said. Raises
    Invalid for a reserved key, an unknown provider, wrong credentials, settings or mapping, a
    provider that signs its address, or is told by its API where to send, while no public address
    is configured, or where what is to be counted leaves 64 bits (then the source counts again what
    it did); Conflict `provider_fixed`.
    """
    if key in RESERVED:
        raise Invalid("key_reserved")
    provider = _provider(body, context)
    if "counts" not in body and provider.counts is not None:
        body = body | {"counts": list(provider.counts)}
    source_of(key, body)
    settings = _settings(context, provider, body)
    with context.write(workspace) as writing:
        # One that was disconnected comes back as what it was: its activities still stand.
        before = documents.get(writing, workspace, SOURCE, key)
        if before is not None and before.body["provider"] != provider.name:
            raise Conflict("provider_fixed", provider=before.body["provider"])
        known = before is not None and not before.archived
        has = held(context, writing, workspace, key) if known else NOTHING_HELD
        wants = wanted(context, workspace, provider, settings, credentials, has.secrets)
        _refuse_nowhere(context, provider, wants.secrets)
        version = before.body[SECRETS_VERSION] if before else 0
        body |= {SECRETS_VERSION: version + (wants.secrets != has.secrets)}
        body = body | source_mapping.canonical(key, body, before.body if before else None)
        saved = save(writing, SOURCE, key, body, seen, author=author)
        secrets = replaced(has, wants.secrets)
        if secrets != has:
            keep(context, writing, key, secrets)
        begun = None
        if before is not None and before.body.get("counts") != body.get("counts"):
            begun = reconfiguring.recount(writing)
        shown = Showing(context, writing, workspace)
        found = shown.connected(saved.document, secrets, wants.made, created=saved.created)
    if begun is not None:
        carry_on(context, workspace, begun)
    return found


def _provider(body: Mapping[str, Any], context: Context) -> Provider:
    provider = PROVIDERS.get(body["provider"])
    if provider is None:
        allowed = {"allowed": ", ".join(sorted(PROVIDERS))}
        raise Invalid("unknown_provider", Fault("/provider", "unknown_provider", allowed))
    signed = provider.hook is not None and provider.hook.signed_url is SignedUrl.YES
    if context.public_url is None and signed:
        raise Invalid("public_url_required")
    return provider


def _refuse_nowhere(context: Context, provider: Provider, secrets: Secrets) -> None:
    """Where the provider hears by its API where to send, that has to be a public address."""
    api = APIS.get(provider.name)
    if context.public_url is not None or api is None or api.channels is None:
        return
    if all(secrets.get(name) for name in api.required):
        raise Invalid("public_url_required")


def _settings(context: Context, provider: Provider, body: Mapping[str, Any]) -> Settings:
    try:
        mapped = body.get(source_mapping.MAPPING) is not None
        _refuse_decided(provider, body.get(SETTINGS) if mapped else None)
        settings = read_settings(provider.settings_of(mapped=mapped), body.get(SETTINGS))
        if provider.name in APIS:
            _check_address(context, APIS[provider.name], settings)
    except Invalid as error:
        raise error.below(f"/{SETTINGS}") from None
    return settings


def _refuse_decided(provider: Provider, given: object) -> None:
    """Refuse settings that say what the mapping of the source says as well."""
    names = given if isinstance(given, dict) else {}
    faults = [
        Fault(f"/{one.name}", "mapping_decides")
        for one in provider.settings
        if one.unmapped and names.get(one.name) is not None
    ]
    if faults:
        raise Invalid("invalid_request", *faults)


def _check_address(context: Context, api: Api, settings: Settings) -> None:
    """Refuse what may never be called; what the name leads to is judged at each call."""
    base = api.base(settings.values)
    try:
        if base:
            context.callers.check(base)
    except Refused as error:
        raise Invalid("invalid_request", Fault(f"/{api.address}", error.code)) from None


def get_source(context: Context, workspace: str, key: str) -> Connected:
    """A source with its state. Raises NotFound."""
    with context.read() as reading:
        found = standing(reading, workspace, SOURCE, key)
        if found is None:
            raise NotFound("unknown_source", source=key)
        secrets = held(context, reading, workspace, key)
        return Showing(context, reading, workspace).connected(found, secrets)


def page_of_sources(
    context: Context, workspace: str, after: str | None, limit: int
) -> list[Connected]:
    """Sources by key behind `after`."""
    with context.read() as reading:
        shown = Showing(context, reading, workspace)
        return [
            shown.connected(found, held(context, reading, workspace, found.key))
            for found in documents.page(reading, workspace, SOURCE, after, limit)
        ]


def archive_source(
    context: Context, workspace: str, key: str, seen: Precondition, author: str
) -> None:
    """Disconnect a sender: it is refused from now on, what it sent still counts."""
    with context.write(workspace) as writing:
        archive(writing, SOURCE, key, seen, author=author)


def _unused(source: Source, document: Document) -> list[Step]:
    """Kinds that the mapping makes and nobody counts."""
    try:
        mapping = source_mapping.mapping_in(document)
    except Invalid:
        mapping = None
    kinds = mapping.kinds if mapping else None
    return [
        Step("kind_not_counted", {"source": source.key, "kind": kind})
        for kind in kinds or ()
        if not source.feeds(kind)
    ]


class Showing:
    """How the sources of a workspace look at one moment."""

    def __init__(self, context: Context, access: Access, workspace: str) -> None:
        self._context = context
        self._workspace: Workspace = organisation.settings(access, workspace)
        self._access = access
        self._states: Mapping[str, SourceState] = sources.states(access, workspace)
        self._fetchers = fetchers.states(access, workspace)
        self._others = [
            source_of(found.key, found.body)
            for found in documents.all_of(access, workspace, SOURCE)
            if not found.archived
        ]

    def connected(
        self,
        document: Document,
        secrets: Held,
        made: Mapping[str, str] | None = None,
        *,
        created: bool = False,
    ) -> Connected:
        source = self._expected(source_of(document.key, document.body))
        state = self._states.get(document.key)
        provider = PROVIDERS[document.body["provider"]]
        url = self._hook_url(secrets)
        return Connected(
            document,
            self._liveness(source, state),
            source.expect,
            state.last_received_at if state else None,
            url,
            self._next_steps(provider, document, url),
            (*self._warnings(source), *_unused(source, document)),
            made or {},
            self._workspace.zone,
            created,
            secrets.until(self._context.clock()),
        )

    def _expected(self, source: Source) -> Source:
        """With what it is expected to do: learned from itself where nothing else is said."""
        workspace = self._workspace
        cadences = self._context.organisations.cadences(workspace)
        last = {key: state.last_received_at for key, state in self._states.items()}
        (found,) = cadences.expected(self._access, workspace.key, [source], last)
        return found

    def _next_steps(
        self, provider: Provider, document: Document, url: str | None
    ) -> tuple[Step, ...]:
        if provider.hook is None or url is None:
            return ()
        settings = standing_settings(provider.settings, document.body.get(SETTINGS))
        return provider.hook.next_steps(Connecting(url, settings))

    def _hook_url(self, secrets: Held) -> str | None:
        return hook_url(self._context.public_url or self._context.local_url, secrets.secrets)

    def _liveness(self, source: Source, state: SourceState | None) -> Liveness:
        fetcher, now = self._fetchers.get(source.key, UNTRIED), self._context.clock()
        channels = read_channels(fetcher.channels).values()
        if fetcher.failures >= MANY_FAILURES or any(one.is_down(now) for one in channels):
            return Liveness.FAILING
        if state is None:
            return Liveness.PENDING
        late = is_stale(source, state.last_received_at, self._workspace.calendar, now)
        return Liveness.STALE if late else Liveness.ACTIVE

    def _warnings(self, source: Source) -> tuple[Step, ...]:
        """Two senders that count one kind count one call twice, unless they see different ones."""
        return tuple(
            Step("kind_counted_twice", {"kind": kind, "source": other.key})
            for other in self._others
            if other.key != source.key
            for kind in sorted((source.counts or frozenset()) & (other.counts or frozenset()))
        )

"""A provider calls: whose hook it is, whether the provider is who it says, and what it is told."""

from __future__ import annotations

import traceback
from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass, replace
from pathlib import PurePath
from typing import NamedTuple

from app.domain.deliveries import Delivery, ItemResult
from app.domain.errors import NotFound, Unauthenticated, Unavailable
from app.intake.credentials import Credentials
from app.intake.mapping import BodyMapping
from app.intake.receiving import Broken, received
from app.intake.refusing import why_refused
from app.intake.registry import PROVIDERS
from app.intake.requests import Answer, Hook, HookRequest
from app.intake.source_settings import Settings, standing_settings
from app.store import sources
from app.store.documents import Document
from app.store.transactions import Access
from app.telemetry import logger
from app.usecases.context import Context
from app.usecases.keys import digest_of
from app.usecases.organisation import SOURCE
from app.usecases.recording import Results
from app.usecases.saving import standing
from app.usecases.source_mapping import body_mapping_in, changes
from app.usecases.source_secrets import HOOK, held, workspace_of_hook
from app.usecases.vault import Held

MOST_FRAMES = 6


@dataclass(frozen=True, slots=True)
class Connection:
    """A hook's other end: whose it is, and how its requests are proved and read.

    until: of an address that was replaced, the instant at which it ends; else None
    """

    workspace: str
    source: str
    hook: Hook
    held: Held
    settings: Settings
    changes: int
    mapping: BodyMapping | None
    base_url: str
    until: int | None = None

    def has_ended(self, now: int) -> bool:
        """Whether the address was replaced and has had its time, at an instant."""
        return self.until is not None and now >= self.until

    def credentials(self, now: int) -> Credentials:
        """What proves a request at an instant: rotated values end while it is remembered."""
        return {name: values for name, values in self.held.at(now).items() if name != HOOK}


def connection_of(
    context: Context, access: Access, workspace: str, document: Document
) -> Connection | None:
    """The connection of a source as it is set up now; None for one without a hook."""
    provider = PROVIDERS[document.body["provider"]]
    if provider.hook is None:
        return None
    return Connection(
        workspace,
        document.key,
        provider.hook,
        held(context, access, workspace, document.key),
        standing_settings(provider.settings, document.body.get("settings")),
        changes(document),
        body_mapping_in(document),
        context.public_url or context.local_url,
    )


class Connections:
    """Hooks by their token, remembered until the workspace's configuration moves."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._known: dict[str, tuple[int, Connection]] = {}

    def remembered(self, token: str) -> Connection | None:
        """The connection if it is known and still holds; never waits for the store."""
        version, connection = self._known.get(token, (-1, None))
        if connection is None:
            return None
        current = self._context.watch.config_version(connection.workspace)
        return connection if version == current else None

    def find(self, token: str) -> Connection:
        """The connection of a hook's token. Raises NotFound for a guessed one."""
        workspace = workspace_of_hook(token)
        if workspace is None:
            raise NotFound("unknown_hook")
        version = self._context.watch.config_version(workspace)
        connection = self._found(workspace, token)
        self._known[token] = (version, connection)
        return connection

    def _found(self, workspace: str, token: str) -> Connection:
        digest = digest_of(token)
        with self._context.read() as reading:
            own = sources.source_of_hook(reading, workspace, digest)
            source = own or sources.source_of_retired_hook(reading, workspace, digest)
            document = standing(reading, workspace, SOURCE, source) if source else None
            found = connection_of(self._context, reading, workspace, document) if document else None
        if found is None:
            raise NotFound("unknown_hook")
        return found if own else replace(found, until=_ends_at(found.held, token))


def _ends_at(held: Held, token: str) -> int:
    """When a replaced address ends; at once where that cannot be read any more."""
    return max((one.until for one in held.retiring if one[:2] == (HOOK, token)), default=0)


@dataclass(frozen=True, slots=True)
class HookCall:
    """A request at a hook's address. `target` is its path and query, as received."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes


class Taken(NamedTuple):
    """A delivery on its way to the disk, and what its sender is told then.

    failed: what it is told where it could not be stored; None for the error itself
    pending: how many objects it only names
    """

    results: Results
    answer: Answer
    failed: Answer | None
    pending: int


def record_hook(context: Context, connection: Connection, call: HookCall) -> Answer | Taken:
    """Prove and queue a provider's delivery, or answer its handshake.

    Raises Unauthenticated for what the provider did not send.
    """
    hook, now = connection.hook, context.clock()
    request = HookRequest(
        connection.workspace,
        connection.source,
        connection.base_url + call.target,
        call.method,
        call.headers,
        call.body,
        connection.credentials(now),
        now,
        connection.settings,
        connection.changes,
        connection.mapping,
    )
    try:
        greeting = hook.handshake(request)
        if greeting is not None:
            return greeting
        hook.verify(request)
    except Unauthenticated as error:
        _note(context, connection, request, error.code)
        raise
    delivery = received(hook, request, broken(connection.source))
    named = len(delivery.references)
    return Taken(_submitted(context, delivery), hook.answer(request), hook.failed, named)


def _note(context: Context, connection: Connection, request: HookRequest, code: str) -> None:
    context.refusals.note(
        connection.workspace,
        connection.source,
        code,
        lambda: why_refused(connection.hook, request, connection.base_url, code),
    )


def _submitted(context: Context, delivery: Delivery) -> Results:
    try:
        return context.committer.submit(delivery)
    except Unavailable as error:
        # As of what was queued and failed then: the sender is told in its own way.
        results: Future[list[ItemResult]] = Future()
        results.set_exception(error)
        return results


def broken(source: str) -> Broken:
    """Who is told of a fault of ours in the reader of a source.

    The log has its kind and its place, not its message: that may quote what was being read.
    """

    def tell(error: Exception) -> None:
        frames = traceback.extract_tb(error.__traceback__)[-MOST_FRAMES:]
        logger(__name__).error(
            "a delivery could not be read",
            source=source,
            error=type(error).__name__,
            at=[f"{one.name} ({PurePath(one.filename).name}:{one.lineno})" for one in frames],
        )

    return tell

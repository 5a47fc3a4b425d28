"""Deliveries come in: read purely, then committed together with others."""

from __future__ import annotations

from collections.abc import Mapping
from concurrent.futures import Future
from dataclasses import dataclass

from app.domain.deliveries import Delivery, ItemResult
from app.domain.errors import Invalid, NotFound
from app.intake.events import raw_event, read_events
from app.intake.registry import PROVIDERS
from app.intake.requests import (
    Answer,
    Hook,
    HookRequest,
    body_text,
    hook_delivery,
    raw_of,
    refusal,
)
from app.intake.tables import raw_table, read_table
from app.store import sources
from app.store.lanes import Answer as Waiting
from app.telemetry import logger
from app.usecases.context import Context
from app.usecases.keys import digest_of
from app.usecases.organisation import SOURCE
from app.usecases.saving import standing
from app.usecases.source_mapping import mapping_for
from app.usecases.source_secrets import HOOK, held, workspace_of_hook

Results = Future[list[ItemResult]]


def record_events(
    context: Context,
    workspace: str,
    body: bytes,
    media_type: str,
    headers: Mapping[str, str],
    answer: Waiting,
) -> None:
    """Queue the events of a direct request; the answer gets a result an item, once on disk."""
    raw = raw_event(body, media_type, headers)
    now = context.clock()
    context.committer.post(
        read_events(body, media_type, headers, workspace=workspace, now=now, raw=raw), answer
    )


def record_table(
    context: Context, workspace: str, source: str, body: bytes, media_type: str
) -> Results:
    """The same for the rows of a table, read by the mapping of their source.

    Reads the store, so it is not for the event loop. Raises what `mapping_for` and `read_table` do.
    """
    with context.read() as reading:
        mapping = mapping_for(reading, workspace, source)
    delivery = read_table(body, media_type, mapping, workspace=workspace, now=context.clock())
    return context.committer.submit(delivery._replace(raw=raw_table(body, media_type, source)))


@dataclass(frozen=True, slots=True)
class Connection:
    """A hook's other end: whose it is, and how its requests are proved and read."""

    workspace: str
    source: str
    hook: Hook
    credentials: Mapping[str, tuple[str, ...]]
    base_url: str


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
        with self._context.read() as reading:
            source = sources.source_of_hook(reading, workspace, digest_of(token))
            document = standing(reading, workspace, SOURCE, source) if source else None
            if source is None or document is None:
                raise NotFound("unknown_hook")
            secrets = held(self._context, reading, workspace, source)
        hook = PROVIDERS[document.body["provider"]].hook
        if hook is None:
            raise NotFound("unknown_hook")
        credentials = {name: values for name, values in secrets.items() if name != HOOK}
        base = self._context.public_url or self._context.local_url
        return Connection(workspace, source, hook, credentials, base)


@dataclass(frozen=True, slots=True)
class HookCall:
    """A request at a hook's address. `target` is its path and query, as received."""

    method: str
    target: str
    headers: Mapping[str, str]
    body: bytes


def read_hook(hook: Hook, request: HookRequest) -> Delivery:
    """What an authentic request brought; a refused item where its reader has a bug.

    A provider that saw an error would send it again for days and then stop sending altogether;
    kept, it can be replayed once the reader is mended.
    """
    try:
        return hook.read(request)
    except Exception as error:  # noqa: BLE001 - whatever the bug is, the request is authentic
        logger(__name__).error(
            "a delivery could not be read", source=request.source, exc_info=error
        )
        content = body_text(request.body)
        return hook_delivery(
            request, refused=(refusal(request, Invalid("reading_failed"), content),)
        )


def record_hook(context: Context, connection: Connection, call: HookCall) -> tuple[Results, Answer]:
    """Prove and queue a provider's delivery; the answer is given once the results are there.

    Raises Unauthenticated for what the provider did not sign.
    """
    request = HookRequest(
        connection.workspace,
        connection.source,
        connection.base_url + call.target,
        call.method,
        call.headers,
        call.body,
        connection.credentials,
        context.clock(),
    )
    connection.hook.verify(request)
    delivery = read_hook(connection.hook, request)._replace(raw=raw_of(request))
    return context.committer.submit(delivery), connection.hook.answer

"""Which sources can be asked, and with what: the connection of a source as its document says."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from decimal import Decimal
from functools import partial

from app.domain.deliveries import Door, Raw
from app.domain.errors import Unavailable
from app.domain.kinds import RawValue
from app.intake.credentials import Credentials
from app.intake.reading import read_json
from app.intake.redaction import redacted_bytes
from app.intake.registry import FETCHED, MAPPED, PROVIDERS
from app.intake.requests import HookRequest, ReadFetched
from app.intake.source_settings import Settings, standing_settings
from app.outbound.api import Api
from app.outbound.registry import APIS
from app.store import documents
from app.store.documents import Document
from app.store.transactions import Access
from app.usecases.context import Context
from app.usecases.organisation import SOURCE
from app.usecases.source_mapping import SETTINGS, body_mapping_in, changes
from app.usecases.source_secrets import HOOK, held, hook_url

OBJECT = "object="


@dataclass(frozen=True, slots=True)
class Subject:
    """A source that can be asked. changes: of its settings, as of what reads its deliveries.

    url: where its provider can send, None where no public address is configured
    """

    workspace: str
    source: str
    api: Api
    read: ReadFetched
    settings: Settings
    credentials: Credentials
    changes: int
    url: str | None = None

    @property
    def configured(self) -> bool:
        """Whether it was given what it takes to ask."""
        return all(self.credentials.get(name) for name in self.api.required)

    @property
    def proofs(self) -> dict[str, str]:
        """The credentials, the newest of each."""
        return {name: values[0] for name, values in self.credentials.items() if values}

    @property
    def listings(self) -> tuple[str, ...]:
        """What can be read through for changes."""
        return self.api.listings(self.settings.values)

    def request(self, object_: str, found: Mapping[str, RawValue], at: int) -> HookRequest:
        """An object as if the provider had sent it: this is kept, and read again by a replay."""
        body = f'{{"data":{written(dict(found))}}}'.encode()
        return HookRequest(
            self.workspace,
            self.source,
            f"?{OBJECT}{object_}",
            "GET",
            {},
            body,
            {},
            at,
            self.settings,
            self.changes,
        )

    def raw(self, request: HookRequest) -> Raw:
        """The same as it is stored."""
        body = redacted_bytes(request.body, self.credentials)
        return Raw(
            Door.FETCH,
            self.source,
            request.method,
            request.url.partition("?")[2],
            "application/json",
            {},
            body,
            altered=body != request.body,
        )


def subject_of(
    context: Context, access: Access, workspace: str, document: Document
) -> Subject | None:
    """How a source is asked; None for one that cannot be."""
    name = document.body["provider"]
    api, read = APIS.get(name), _reader(document)
    if api is None or read is None:
        return None
    provider = PROVIDERS[name]
    secrets = held(context, access, workspace, document.key).at(context.clock())
    return Subject(
        workspace,
        document.key,
        api,
        read,
        standing_settings(provider.settings, document.body.get(SETTINGS)),
        {name: values for name, values in secrets.items() if name != HOOK},
        changes(document),
        hook_url(context.public_url, secrets),
    )


def _reader(document: Document) -> ReadFetched | None:
    name, mapping = document.body["provider"], body_mapping_in(document)
    if mapping is not None and name in MAPPED:
        return partial(MAPPED[name], mapping)
    return FETCHED.get(name)


def subjects_of(context: Context, access: Access, workspace: str) -> list[Subject]:
    """The sources of a workspace that can be asked; those with unreadable secrets cannot."""
    found = []
    for document in documents.all_of(access, workspace, SOURCE):
        try:
            subject = subject_of(context, access, workspace, document)
        except Unavailable:
            continue
        if subject is not None and not document.archived:
            found.append(subject)
    return found


def object_of(raw: Raw) -> tuple[str, Mapping[str, RawValue]]:
    """The object that was kept, and what it is called. Raises what `read_json` does."""
    body = read_json(raw.body)
    data = body.get("data") if isinstance(body, dict) else None
    return raw.query.removeprefix(OBJECT), data if isinstance(data, dict) else {}


def written(value: RawValue) -> str:
    """JSON that reads as what was read: exact, unlike any writer that knows floats only."""
    if isinstance(value, dict):
        parts = (f"{json.dumps(name)}:{written(one)}" for name, one in value.items())
        return f"{{{','.join(parts)}}}"
    if isinstance(value, list):
        return f"[{','.join(map(written, value))}]"
    return str(value) if isinstance(value, Decimal) else json.dumps(value, ensure_ascii=False)

"""A source's secrets: the provider's, and the unguessable part of its hook's address."""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Mapping
from dataclasses import dataclass

from app.domain.errors import Invalid
from app.domain.kinds import RawValue
from app.intake.requests import Absence, Provider, read_credentials
from app.store import sources
from app.store.sources import Secret
from app.store.transactions import Access, Writing
from app.usecases.context import Context
from app.usecases.keys import digest_of
from app.usecases.vault import Secrets

HOOK = "@hook"  # no provider names a secret so
_PREFIX = "h"
_LENGTH = 40


@dataclass(frozen=True, slots=True)
class Wanted:
    """The secrets a source is to have, and those among them that were made just now."""

    secrets: Secrets
    made: Mapping[str, str]


def wanted(
    context: Context, workspace: str, provider: Provider, given: RawValue, held: Secrets
) -> Wanted:
    """What a PUT makes of the secrets: given ones replace, missing ones stay or are made.

    Raises Invalid with pointers into the body's `credentials`.
    """
    if given is None and held:
        return Wanted(held, {})
    try:
        secrets = read_credentials(provider, given)
    except Invalid as error:
        raise error.below("/credentials") from None
    made = {
        secret.name: _made(context)
        for secret in provider.secrets
        if secret.absence is Absence.GENERATED
        and secret.name not in secrets
        and secret.name not in held
    }
    hook = held.get(HOOK) or (_hook_token(context, workspace),)
    kept = {name: values for name, values in held.items() if name != HOOK and name not in secrets}
    secrets |= kept | {name: (value,) for name, value in made.items()}
    return Wanted(secrets | ({HOOK: hook} if provider.hook else {}), made)


def _made(context: Context) -> str:
    """A secret in the form of Standard Webhooks, 256 bits of it."""
    digest = hashlib.sha256(context.token(64).encode()).digest()
    return "whsec_" + base64.b64encode(digest).decode()


def _hook_token(context: Context, workspace: str) -> str:
    return f"{_PREFIX}_{workspace}_{context.token(_LENGTH)}"


def workspace_of_hook(token: str) -> str | None:
    """The workspace that a hook's token carries, split at the last underscore."""
    head, _, secret = token.rpartition("_")
    prefix, _, workspace = head.partition("_")
    return workspace if prefix == _PREFIX and workspace and len(secret) == _LENGTH else None


def held(context: Context, access: Access, workspace: str, source: str) -> Secrets:
    """The secrets a source has."""
    found = sources.secret(access, workspace, source)
    if found is None or found.credentials is None:
        return {}
    return context.vault.opened(found.credentials)


def keep(context: Context, writing: Writing, source: str, secrets: Secrets) -> None:
    """Seal and store a source's secrets, with the digest by which its hook is found."""
    hook = secrets.get(HOOK)
    digest = digest_of(hook[0]) if hook else None
    sources.put_secret(writing, source, Secret(digest, context.vault.seal(secrets)))

"""A source's secrets: the provider's, and the unguessable part of its hook's address."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from app.domain.errors import Invalid
from app.domain.kinds import RawValue
from app.intake.credentials import Absence, Secret, read_credentials
from app.intake.requests import Provider
from app.intake.source_settings import Settings
from app.store import sources
from app.store.transactions import Access, Writing
from app.usecases.context import Context
from app.usecases.keys import digest_of
from app.usecases.vault import NOTHING_HELD, Held, Secrets

HOOK = "@hook"  # no provider names a secret so
# What a request is refused for at an address that was replaced and has had its time.
ADDRESS_REPLACED = "address_replaced"
_PREFIX = "h"
_LENGTH = 40


@dataclass(frozen=True, slots=True)
class Wanted:
    """The secrets a source is to have, and those among them that were made just now."""

    secrets: Secrets
    made: Mapping[str, str]


def wanted(
    context: Context,
    workspace: str,
    provider: Provider,
    settings: Settings,
    given: RawValue,
    held: Secrets,
) -> Wanted:
    """What a PUT makes of the secrets: given ones replace, missing ones stay or are made.

    What a source with these settings has no use for is dropped. Raises Invalid with pointers into
    the body's `credentials`, and what the provider's own check says.
    """
    declared = provider.secrets_of(settings)
    secrets = _given(declared, given, held)
    fresh = {
        secret.name: made(context, secret)
        for secret in declared
        if secret.absence is Absence.GENERATED and secret.name not in secrets
    }
    secrets |= {name: (value,) for name, value in fresh.items()}
    provider.check(settings, secrets)
    if provider.hook:
        secrets[HOOK] = held.get(HOOK) or (hook_token(context, workspace),)
    return Wanted(secrets, fresh)


def _given(declared: Sequence[Secret], given: RawValue, held: Secrets) -> Secrets:
    """The secrets as given, beside those held that are still in use."""
    kept = {one.name: held[one.name] for one in declared if one.name in held}
    if given is None and all(
        one.name in kept for one in declared if one.absence is Absence.REFUSED
    ):
        return kept
    try:
        return kept | read_credentials(declared, given)
    except Invalid as error:
        raise error.below("/credentials") from None


def made(context: Context, secret: Secret) -> str:
    """A secret of 256 random bits, as its provider writes them."""
    return secret.written(hashlib.sha256(context.token(64).encode()).digest())


def hook_token(context: Context, workspace: str) -> str:
    """The unguessable part of a new address."""
    return f"{_PREFIX}_{workspace}_{context.token(_LENGTH)}"


def hook_url(base: str | None, secrets: Secrets) -> str | None:
    """The address of a source's hook below the service's; None where either is missing."""
    hook = secrets.get(HOOK)
    return f"{base}/v1/hooks/{hook[0]}" if base and hook else None


def workspace_of_hook(token: str) -> str | None:
    """The workspace that a hook's token carries, split at the last underscore."""
    head, _, secret = token.rpartition("_")
    prefix, _, workspace = head.partition("_")
    return workspace if prefix == _PREFIX and workspace and len(secret) == _LENGTH else None


def held(context: Context, access: Access, workspace: str, source: str) -> Held:
    """The secrets a source has."""
    found = sources.secret(access, workspace, source)
    if found is None or found.credentials is None:
        return NOTHING_HELD
    return context.vault.opened(found.credentials)


def keep(context: Context, writing: Writing, source: str, kept: Held) -> None:
    """Seal and store a source's secrets, with the digests by which its hook is found."""
    hook = kept.secrets.get(HOOK)
    digest = digest_of(hook[0]) if hook else None
    sources.put_secret(writing, source, sources.Secret(digest, context.vault.seal(kept)))
    retired = [digest_of(one.value) for one in kept.retiring if one.name == HOOK]
    sources.put_retired_hooks(writing, source, retired)


def replaced(before: Held, secrets: Secrets) -> Held:
    """What a PUT leaves: a value that it replaces ends at once, with what it had replaced."""
    same = {name for name, values in secrets.items() if before.secrets.get(name) == values}
    return Held(secrets, tuple(one for one in before.retiring if one.name in same))

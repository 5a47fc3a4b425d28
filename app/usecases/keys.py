"""API keys: issued once, stored as a digest, revocable."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from app.domain.errors import Invalid
from app.store import keys
from app.store.engine import Writing
from app.store.keys import ApiKey

PREFIX = "tsk"
SECRET_LENGTH = 40
MIN_SECRET_LENGTH = 32
SCOPES = frozenset({"ingest", "read", "write", "admin"})
Token = Callable[[int], str]


@dataclass(frozen=True, slots=True)
class Issued:
    """A new key and its token, which is shown this once and never again."""

    key: ApiKey
    token: str


def issue(writing: Writing, name: str, scopes: frozenset[str], token: Token) -> Issued:
    """A new key of the workspace; `token(n)` gives n random characters of [A-Za-z0-9]."""
    return accept(writing, name, scopes, f"{PREFIX}_{writing.workspace}_{token(SECRET_LENGTH)}")


def accept(writing: Writing, name: str, scopes: frozenset[str], token: str) -> Issued:
    """A key whose token somebody else chose (the first admin key from the environment)."""
    if workspace_of(token) != writing.workspace:
        raise Invalid("key_of_another_workspace")
    key = keys.add(writing, name=name, scopes=scopes, digest=digest_of(token))
    return Issued(key, token)


def workspace_of(token: str) -> str | None:
    """The workspace a token carries; None when it has not the form of one.

    Split at the last underscore, because a workspace's key may hold underscores itself.
    """
    head, _, secret = token.rpartition("_")
    prefix, _, workspace = head.partition("_")
    if prefix != PREFIX or not workspace or len(secret) < MIN_SECRET_LENGTH:
        return None
    return workspace if secret.isascii() and secret.isalnum() else None


def digest_of(token: str) -> bytes:
    """What is stored of a token. It has over 190 random bits, so no slow hash is needed."""
    return hashlib.sha256(token.encode()).digest()

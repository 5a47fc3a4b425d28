"""API keys: issued once, stored as a digest, revocable."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass

from app.store import keys
from app.store.keys import ApiKey
from app.store.transactions import Writing

PREFIX = "tsk"
SECRET_LENGTH = 40
ID_LENGTH = 12
Token = Callable[[int], str]


@dataclass(frozen=True, slots=True)
class Issued:
    """A new key and its token, which is shown this once and never again."""

    key: ApiKey
    token: str


def issue(writing: Writing, name: str, scopes: frozenset[str], token: Token) -> Issued:
    """A new key of the workspace; `token(n)` gives n random characters of [A-Za-z0-9]."""
    secret = f"{PREFIX}_{writing.workspace}_{token(SECRET_LENGTH)}"
    return accept(writing, name, scopes, secret, token(ID_LENGTH))


def accept(writing: Writing, name: str, scopes: frozenset[str], token: str, key_id: str) -> Issued:
    """A key whose token somebody else chose (the first admin key from the environment)."""
    key = keys.add(writing, key_id, name=name, scopes=scopes, digest=digest_of(token))
    return Issued(key, token)


def digest_of(token: str) -> bytes:
    """What is stored of a token. It has over 190 random bits, so no slow hash is needed."""
    return hashlib.sha256(token.encode()).digest()

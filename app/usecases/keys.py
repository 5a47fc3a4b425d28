"""API keys: issued once, stored as a digest, revocable."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

from app.domain.errors import Conflict
from app.store import keys
from app.store.keys import ApiKey
from app.store.transactions import Writing
from app.usecases.context import Context, Token

PREFIX = "tsk"
SECRET_LENGTH = 40
ID_LENGTH = 12
ADMIN = "admin"


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


def create(context: Context, workspace: str, name: str, scopes: frozenset[str]) -> Issued:
    """Issue a key on behalf of somebody who may."""
    with context.write(workspace) as writing:
        return issue(writing, name, scopes, context.token)


def revoke(context: Context, workspace: str, key_id: str) -> None:
    """End a key: from the next request on it is unknown.

    Raises NotFound `no_such_key`, and Conflict `last_admin_key`: nobody could ever issue a key
    again.
    """
    with context.write(workspace) as writing:
        admins = keys.in_service(writing, workspace, ADMIN)
        if admins == [key_id]:
            raise Conflict("last_admin_key")
        keys.revoke(writing, key_id)


def digest_of(token: str) -> bytes:
    """What is stored of a token. It has over 190 random bits, so no slow hash is needed."""
    return hashlib.sha256(token.encode()).digest()

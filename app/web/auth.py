"""Who asks: API keys, their scopes, and what happens to those who guess.

A key reads tsk_<workspace>_<secret>. The workspace is inside, so that finding a key never needs a
search over workspaces. The store holds a digest: 160 and more random bits need no slow hash.
"""

from __future__ import annotations

import asyncio
import re
from collections import OrderedDict
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from ipaddress import IPv6Address, ip_address
from typing import Any, Literal, NamedTuple, Protocol

from fastapi import Security
from fastapi.openapi.models import HTTPBearer
from fastapi.security.base import SecurityBase
from starlette.requests import Request
from starlette.types import Scope

from app.domain.errors import Forbidden, TooMany, Unauthenticated
from app.usecases.keys import digest_of
from app.web.body import header

ScopeName = Literal["ingest", "read", "write", "admin"]

PRINCIPAL = "tassei.principal"
SCHEME = "key"
_TOKEN = re.compile(r"tsk_([a-z0-9][a-z0-9_.-]{0,62})_([A-Za-z0-9]{32,128})", re.ASCII)
_IMPLIED: dict[str, frozenset[str]] = {
    "admin": frozenset({"admin", "write", "read", "ingest"}),
    "write": frozenset({"write", "read"}),
    "read": frozenset({"read"}),
    "ingest": frozenset({"ingest"}),
}


class ApiKey(Protocol):
    """What the gate needs to know of a stored key."""

    @property
    def id(self) -> str: ...
    @property
    def scopes(self) -> frozenset[str]: ...
    @property
    def revoked_at(self) -> int | None: ...


Find = Callable[[str, bytes], ApiKey | None]


@dataclass(frozen=True, slots=True)
class Principal:
    """Who asks, as far as a key can tell; `scopes` with all that they imply."""

    workspace: str
    key_id: str
    scopes: frozenset[str]

    def require(self, scope: str) -> None:
        """Raises Forbidden unless the key's scopes cover it."""
        if scope not in self.scopes:
            raise Forbidden("scope_missing", scope=scope)


class Claim(NamedTuple):
    """The workspace inside a key, None where what was sent is no key, and the key's digest."""

    workspace: str | None
    digest: bytes


def workspace_of(token: str) -> str | None:
    """The workspace inside a key, or None for what is no key; split at the last underscore."""
    match = _TOKEN.fullmatch(token)
    return match[1] if match else None


class Attempts:
    """Failed attempts per client address: after `burst` of them, one per `seconds`.

    An IPv6 client owns its /64, so that is its address. Memory is bounded: the address that was
    silent for longest is forgotten, which forgives it as time would have.
    """

    def __init__(
        self, now: Callable[[], float], burst: int = 10, seconds: float = 6.0, size: int = 10_000
    ) -> None:
        self._now = now
        self._burst = burst
        self._seconds = seconds
        self._size = size
        # When the address has paid for all its attempts.
        self._due: OrderedDict[str, float] = OrderedDict()

    def wait(self, address: str) -> float:
        """Seconds until the next attempt is heard; 0 when it is heard now."""
        due = self._due.get(_network(address), 0.0) - self._now()
        return max(0.0, due - (self._burst - 1) * self._seconds)

    def check(self, address: str) -> None:
        """Raises TooMany while the address has to wait."""
        if wait := self.wait(address):
            seconds = int(wait) + 1
            raise TooMany("too_many_attempts", seconds, seconds=seconds)

    def failed(self, address: str) -> None:
        """Counts a failed attempt."""
        network, now = _network(address), self._now()
        self._due[network] = max(now, self._due.get(network, now)) + self._seconds
        self._due.move_to_end(network)
        if len(self._due) > self._size:
            self._due.popitem(last=False)


def _network(address: str) -> str:
    try:
        ip = ip_address(address)
    except ValueError:
        return address[:64]
    if not isinstance(ip, IPv6Address):
        return address
    return str(ip.ipv4_mapped) if ip.ipv4_mapped else str(IPv6Address(int(ip) >> 64 << 64))


class Gate:
    """Turns an Authorization header into a Principal, or refuses.

    `find(workspace, digest)` may block and runs in a thread. `config_version(workspace)` runs on
    the event loop at every request and must be as cheap as reading a variable: it tells whether
    what is remembered of a key still holds; for a workspace that is not there any number will do.
    """

    def __init__(
        self,
        find: Find,
        config_version: Callable[[str], int],
        attempts: Attempts,
        size: int = 10_000,
    ) -> None:
        self._find = find
        self._config_version = config_version
        self._attempts = attempts
        self._size = size
        self._known: OrderedDict[bytes, tuple[int, Principal]] = OrderedDict()

    def known(self, scope: Scope) -> Principal | None:
        """The principal where that needs nobody to be asked, also left in the scope for the log."""
        claim = _claimed(header(scope, b"authorization"))
        if claim is None or claim.workspace is None:
            return None
        version, principal = self._known.get(claim.digest, (None, None))
        if principal is None or version != self._config_version(claim.workspace):
            return None
        scope[PRINCIPAL] = principal
        return principal

    async def admit(self, scope: Scope) -> Principal:
        """The principal of an ASGI request, also left in the scope for the log."""
        if (principal := self.known(scope)) is not None:
            return principal
        claim = _claimed(header(scope, b"authorization"))
        if claim is None:
            raise Unauthenticated("no_key")
        principal = await self._principal(claim, client_address(scope))
        scope[PRINCIPAL] = principal
        return principal

    async def _principal(self, claim: Claim, address: str) -> Principal:
        # A key that is known to be good has passed even from an address that guesses: colleagues
        # share an address, and one broken script must not lock them out.
        workspace, digest = claim
        version = self._config_version(workspace) if workspace else -1
        if digest not in self._known:
            # Whoever was good until the configuration moved has not guessed.
            self._attempts.check(address)
        key = await asyncio.to_thread(self._find, workspace, digest) if workspace else None
        if workspace is None or key is None or key.revoked_at is not None:
            self._known.pop(digest, None)
            self._attempts.failed(address)
            raise Unauthenticated("unknown_key")
        return self._remembered(digest, version, _principal_of(workspace, key))

    def _remembered(self, digest: bytes, version: int, principal: Principal) -> Principal:
        self._known[digest] = (version, principal)
        if len(self._known) > self._size:
            self._known.popitem(last=False)
        return principal


def _principal_of(workspace: str, key: ApiKey) -> Principal:
    scopes = frozenset[str]().union(*(_IMPLIED.get(scope, frozenset()) for scope in key.scopes))
    return Principal(workspace, key.id, scopes)


@lru_cache(maxsize=1_000)  # the same few keys come thousands of times a second
def _claimed(authorization: bytes) -> Claim | None:
    """What a header claims; None where it names no key."""
    kind, _, token = authorization.decode("latin-1").partition(" ")
    if kind.lower() != "bearer" or len(token) > 256:
        return None
    return Claim(workspace_of(token.strip()), digest_of(token.strip()))


def client_address(scope: Scope) -> str:
    """Who asks, as far as the connection tells."""
    client = scope.get("client")
    return client[0] if client else ""


class _Requires(SecurityBase):
    """A dependency and its documentation in one: FastAPI writes `model` into OpenAPI."""

    def __init__(self, scope: str) -> None:
        self.model = HTTPBearer(description="API key: tsk_<workspace>_<secret>")
        self.scheme_name = SCHEME
        self.scope = scope

    async def __call__(self, request: Request) -> Principal:
        return await admitted(request.scope, self.scope)


def requires(scope: ScopeName) -> Any:  # noqa: ANN401 - what FastAPI's own Security returns
    """The dependency of a route that asks for a key with this scope; its value is a Principal."""
    return Security(_Requires(scope), scopes=[scope])


async def admitted(scope: Scope, name: str) -> Principal:
    """The same for a raw ASGI route: the principal, or Unauthenticated, Forbidden, TooMany."""
    gate: Gate | None = scope["app"].state.gate
    if gate is None:  # nobody can be known, so nobody is
        raise Unauthenticated("unknown_key")
    principal = await gate.admit(scope)
    principal.require(name)
    return principal

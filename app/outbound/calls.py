"""One HTTP call: bounded in time, size and reach, and never led elsewhere."""

from __future__ import annotations

import time
from collections.abc import Mapping
from functools import cache
from ssl import SSLContext
from typing import NamedTuple

import httpx

from app.outbound.addresses import Place, Resolve, address_of, place_of, resolved
from app.outbound.api import Ask
from app.outbound.errors import Away, Unusable
from app.outbound.rates import http_date, reset_after

MAX_ANSWER = 4 * 2**20
WHOLE_SECONDS = 20.0
_TIMEOUT = httpx.Timeout(10.0, connect=5.0)
_AGENT = "tassei"


class Answer(NamedTuple):
    """An answer, whole. date: the provider's clock when it gave it; None where it does not say.

    retry_after: by the header of that name, or by when a RateLimit says that it is reset
    """

    status: int
    retry_after: str | None
    date: int | None
    body: bytes


@cache
def _authorities() -> SSLContext:
    """Whom we trust to say who somebody is, read once: it takes as long as a call."""
    return httpx.create_ssl_context(trust_env=False)


class Caller:
    """Calls one address, which was judged and is kept to while this lives. Not for two threads."""

    def __init__(self, base: str, *, loopback: bool = False, resolve: Resolve = resolved) -> None:
        place = place_of(base, loopback=loopback)
        self._base = _pinned(place, address_of(place, resolve, loopback=loopback))
        self._host = place.host
        # Neither a proxy nor a key file of the environment has a say in where credentials go.
        self._client = httpx.Client(
            timeout=_TIMEOUT,
            follow_redirects=False,
            trust_env=False,
            verify=_authorities(),
            headers={"host": _host(place)},
        )

    def close(self) -> None:
        """Hang up."""
        self._client.close()

    def ask(self, ask: Ask, headers: Mapping[str, str]) -> Answer:
        """The answer, whatever its status.

        Raises Away (provider_away, provider_slow) and Unusable (provider_answer_too_large,
        provider_answer_unusable).
        """
        own = {"accept": "application/json", "accept-encoding": "identity", "user-agent": _AGENT}
        own |= {"content-type": ask.media_type} if ask.body else {}
        try:
            with self._client.stream(
                ask.method,
                self._base + ask.path,
                content=ask.body or None,
                headers=own | dict(ask.headers) | dict(headers),
                extensions={"sni_hostname": self._host},
            ) as response:
                return _whole(response)
        except httpx.TimeoutException:
            raise Away("provider_slow") from None
        except (httpx.HTTPError, httpx.InvalidURL, ValueError):
            # Never with the text of the error: it may hold the address, and that a credential.
            raise Away("provider_away") from None


def _whole(response: httpx.Response) -> Answer:
    if response.headers.get("content-encoding", "identity") != "identity":
        # A few bytes can unpack to any number, and we asked for none.
        raise Unusable("provider_answer_unusable")
    ends = time.monotonic() + WHOLE_SECONDS
    body = bytearray()
    for part in response.iter_raw():
        body += part
        if len(body) > MAX_ANSWER:
            raise Unusable("provider_answer_too_large")
        if time.monotonic() > ends:
            raise Away("provider_slow")
    told = response.headers
    again = told.get("retry-after") or reset_after(told.get("ratelimit"))
    return Answer(response.status_code, again, http_date(told.get("date")), bytes(body))


def _pinned(place: Place, address: str) -> str:
    host = f"[{address}]" if ":" in address else address
    return f"{'https' if place.secure else 'http'}://{host}:{place.port}{place.path}"


def _host(place: Place) -> str:
    host = f"[{place.host}]" if ":" in place.host else place.host
    return host if place.secure and place.port == 443 else f"{host}:{place.port}"


class Callers:
    """Makes callers. `loopback` lets them reach this machine; nothing but an argument sets it."""

    def __init__(self, *, loopback: bool = False, resolve: Resolve = resolved) -> None:
        self._loopback = loopback
        self._resolve = resolve

    def check(self, base: str) -> None:
        """Refuse an address by its looks. Raises Refused (address_not_allowed)."""
        place_of(base, loopback=self._loopback)

    def to(self, base: str) -> Caller:
        """A caller of an address. Raises Refused (address_not_allowed), Away (provider_away)."""
        return Caller(base, loopback=self._loopback, resolve=self._resolve)

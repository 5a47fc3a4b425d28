"""A provider's API in use: proved, paced, its answers sorted into what helps and what does not."""

from __future__ import annotations

import hashlib
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from functools import partial
from typing import NamedTuple

from app.domain.instants import SECOND
from app.domain.kinds import RawValue
from app.outbound.api import (
    Api,
    Ask,
    Channel,
    Channels,
    Credentials,
    Object,
    Page,
    Settings,
    Tokens,
    Wish,
)
from app.outbound.calls import Answer, Caller, Callers
from app.outbound.errors import Away, CallError, Refused, Unusable
from app.outbound.rates import Bucket, retry_after

# Renewed before it ends: a call that is under way must not outlive its token.
EARLY = 60 * SECOND
_SHORTEST_SECONDS, _LONGEST_SECONDS = 60, 90 * 24 * 3600

Read = Callable[[bytes], RawValue]
# Sleeps for so many seconds, and says whether to go on.
Pause = Callable[[float], bool]
Archived = Callable[[str, str, RawValue], Object | None]


@dataclass(frozen=True, slots=True)
class Account:
    """Whose data are asked for. keep: stores renewed tokens, before they are used."""

    settings: Settings
    credentials: Credentials
    tokens: Tokens | None
    keep: Callable[[Tokens], None]


@dataclass(frozen=True, slots=True)
class Means:
    """What a session needs of the world. read: JSON, strictly; raises for anything else."""

    callers: Callers
    read: Read
    clock: Callable[[], int]
    pause: Pause
    monotonic: Callable[[], float] = field(default=time.monotonic)


class Timed(NamedTuple):
    """What was read, and when by the provider's clock, where it tells."""

    value: RawValue
    at: int | None


class Session:
    """Asks one account of one provider. Not for two threads.

    Raises Refused at once where a credential is missing or the address is not allowed.
    """

    def __init__(self, api: Api, account: Account, means: Means) -> None:
        if any(not account.credentials.get(name) for name in api.required):
            raise Refused("api_not_configured")
        self._api, self._account, self._means = api, account, means
        self._tokens = account.tokens
        self._grant = _digest(account.credentials)
        self._bucket = Bucket(api.rate, means.monotonic())
        self._caller = means.callers.to(api.base(account.settings))

    def close(self) -> None:
        """Hang up."""
        self._caller.close()

    def one(self, object_: str, id_: str) -> tuple[Object, int | None] | None:
        """An object, and when it was read; None where the provider has none of that id."""
        api, settings = self._api, self._account.settings
        found, take = self._asked(api.one(object_, id_, settings)), api.taken
        if _is_nothing(found) and api.archived is not None:
            found = self._asked(api.archived(object_, id_, settings))
            if api.archived_taken is not None:
                take = partial(_of_id, api.archived_taken, id_)
        if found is None or found.value is None:
            return None
        with _readable():
            value = take(object_, found.value)
        return None if value is None else (value, found.at)

    def page(self, object_: str, since: int, cursor: str | None) -> tuple[Page, int | None]:
        """Objects changed since an instant, and when they were read."""
        api, settings = self._api, self._account.settings
        found = self._asked(api.page(object_, since, cursor, settings))
        if found is None:
            raise Unusable("provider_refuses_request")
        with _readable():
            return api.listed(object_, found.value, since, cursor), found.at

    def channel(self, wish: Wish, known: Channel | None) -> Channel:
        """A channel as it is wished: the known one for longer, or a new one."""
        channels, account = self._channels, self._account
        if known is not None and channels.renewed is not None:
            # One that ended meanwhile is none any more, and refused; one that was suspended is
            # renewed in vain. Either is begun anew.
            with suppress(Unusable):
                ask = channels.renewed(wish, known, account.settings, account.credentials)
                return self._channel(wish, ask)
        ask = channels.opened(wish, account.settings, account.credentials)
        return self._channel(wish, ask)

    def _channel(self, wish: Wish, ask: Ask) -> Channel:
        found = self._asked(ask)
        if found is None:
            raise Unusable("provider_refuses_request")
        with _readable():
            return self._channels.told(wish, found.value)

    def close_channel(self, channel: Channel) -> None:
        """End a channel that was replaced. Whether it could be: it ends by itself as well."""
        if self._channels.closed is not None:
            with suppress(Away, Refused, Unusable):
                self._proved(self._channels.closed(channel))

    @property
    def _channels(self) -> Channels:
        assert self._api.channels is not None  # noqa: S101 - asked by whoever calls
        return self._api.channels

    def _asked(self, ask: Ask) -> Timed | None:
        answer = self._proved(ask)
        if answer.status == 401 and self._api.oauth is not None:
            # It was taken back before its time; once is enough to tell that from a wrong one.
            if self._tokens is not None:
                self._tokens = self._tokens._replace(expires_at=0)
            answer = self._proved(ask)
        if answer.status in (404, 410):
            return None
        if answer.status in self._api.nothing:
            return Timed(None, answer.date)
        if answer.status == 403 and any(word in answer.body for word in self._api.too_fast):
            answer = answer._replace(status=429)
        _refuse(answer, self._means.clock())
        return Timed(self._read(answer.body), answer.date)

    def _proved(self, ask: Ask) -> Answer:
        headers = self._api.headers(self._account.credentials, self._access())
        return self._paced(self._caller, ask, headers)

    def _paced(self, caller: Caller, ask: Ask, headers: Credentials) -> Answer:
        wait = self._bucket.take(self._means.monotonic())
        if wait and not self._means.pause(wait):
            raise Away("stopping")
        return caller.ask(ask, headers)

    def _read(self, body: bytes) -> RawValue:
        try:
            return self._means.read(body)
        except Exception as error:
            raise Unusable("provider_answer_unusable") from error

    def _access(self) -> str:
        """The access token, renewed where it ends soon; "" where the API knows none."""
        if self._api.oauth is None:
            return ""
        tokens = self._tokens
        if tokens is None or tokens.grant != self._grant:
            tokens = self._renewed(self._account.credentials.get("refresh_token", ""))
        elif tokens.expires_at - EARLY <= self._means.clock():
            tokens = self._renewed(tokens.refresh)
        return tokens.access

    def _renewed(self, refresh: str) -> Tokens:
        oauth = self._api.oauth
        assert oauth is not None  # noqa: S101 - asked by whoever calls
        url = oauth.url(self._account.settings)
        base, path = _apart(url)
        caller = self._means.callers.to(base)
        try:
            held = self._account.credentials
            ask = oauth.refresh(held, refresh)
            answer = self._paced(caller, ask._replace(path=path + ask.path), oauth.proof(held))
        finally:
            caller.close()
        if answer.status in (400, 401, 403):
            raise Refused("provider_refuses_us")
        _refuse(answer, self._means.clock())
        tokens = self._told(self._read(answer.body), refresh)
        # Before it is used: where the provider rotates, the old one is worth nothing from now on.
        self._account.keep(tokens)
        self._tokens = tokens
        return tokens

    def _told(self, told: RawValue, refresh: str) -> Tokens:
        if isinstance(told, dict) and "error" in told:
            # Zoho says so with 200.
            raise Refused("provider_refuses_us")
        if not isinstance(told, dict) or not isinstance(told.get("access_token"), str):
            raise Unusable("provider_answer_unusable")
        seconds = _SHORTEST_SECONDS
        with suppress(ValueError, TypeError):
            seconds = int(str(told.get("expires_in", 3600)))
        seconds = min(max(seconds, _SHORTEST_SECONDS), _LONGEST_SECONDS)
        rotated = told.get("refresh_token")
        return Tokens(
            str(told["access_token"]),
            rotated if isinstance(rotated, str) and rotated else refresh,
            self._means.clock() + seconds * SECOND,
            self._grant,
        )


def _is_nothing(found: Timed | None) -> bool:
    return found is None or found.value is None


def _of_id(take: Archived, id_: str, object_: str, value: RawValue) -> Object | None:
    return take(object_, id_, value)


@contextmanager
def _readable() -> Iterator[None]:
    """Whatever taking an answer apart runs into: it is not what the provider documents."""
    try:
        yield
    except (ValueError, KeyError, TypeError, IndexError):
        raise Unusable("provider_answer_unusable") from None


def _refuse(answer: Answer, now: int) -> None:
    """Raises for every status that brings nothing."""
    status = answer.status
    if status in (200, 201):
        return
    told = retry_after(answer.retry_after, now)
    if status == 429:
        raise Away("provider_rate_limited", told)
    if status >= 500 or status == 408:
        raise Away("provider_failed", told)
    raise _denied(status)


def _denied(status: int) -> CallError:
    # A redirect is refused like that as well: whoever sends one elsewhere is not the API we know.
    return Refused("provider_refuses_us") if status in (401, 403) else _unusable()


def _unusable() -> CallError:
    return Unusable("provider_refuses_request")


def _digest(credentials: Credentials) -> str:
    return hashlib.sha256(repr(sorted(credentials.items())).encode()).hexdigest()[:32]


def _apart(url: str) -> tuple[str, str]:
    """An address without its path, and the path."""
    scheme, _, rest = url.partition("://")
    host, slash, path = rest.partition("/")
    return f"{scheme}://{host}", slash + path

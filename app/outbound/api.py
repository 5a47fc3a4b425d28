"""A provider's API as a value: what is asked and how answers are taken apart. All of it is pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from app.domain.kinds import RawValue
from app.outbound.rates import Rate

Object = Mapping[str, RawValue]
# What a source says of its account, and the one valid value of each of its credentials.
Settings = Mapping[str, object]
Credentials = Mapping[str, str]


class Ask(NamedTuple):
    """A request. path: below the API's address, with the query; body: of that media type.

    headers: further ones, which prove nothing
    """

    method: str
    path: str
    body: bytes = b""
    media_type: str = "application/json"
    headers: Mapping[str, str] = {}


class Found(NamedTuple):
    """An object that a page lists, and its id."""

    id: str
    value: Object


class Page(NamedTuple):
    """Objects in the order of their changes, the oldest first; `next` is None on the last page.

    resume: of a last page, the cursor with which the next pass begins, where the provider keeps
        the place itself; None: it begins with an instant
    """

    items: tuple[Found, ...]
    next: str | None
    resume: str | None = None


class Tokens(NamedTuple):
    """What was last given for a refresh token. expires_at: in microseconds since 1970.

    grant: a digest of what the source's document had then; another one there means: begin anew
    """

    access: str
    refresh: str
    expires_at: int
    grant: str


def _no_proof(_credentials: Credentials) -> Mapping[str, str]:
    return {}


@dataclass(frozen=True, slots=True)
class OAuth:
    """How access is renewed. `url` is the whole address, of a host of the provider's own.

    proof: headers by which the client proves itself, where the form does not
    """

    url: Callable[[Settings], str]
    refresh: Callable[[Credentials, str], Ask]
    proof: Callable[[Credentials], Mapping[str, str]] = _no_proof


class Wish(NamedTuple):
    """What a channel is to be.

    name: which of the source's; url: where to send; until: when it may end, in microseconds;
    fresh: letters and digits that name no other channel, where the provider wants such a name
    """

    name: str
    url: str
    until: int
    fresh: str


class Channel(NamedTuple):
    """One that is open. id: the provider's; resource: what else it wants to hear to end it."""

    id: str
    expires_at: int
    resource: str = ""


@dataclass(frozen=True, slots=True)
class Channels:
    """How a provider that is told by its API where to notify goes on doing so.

    It does for hours or days and falls silent then (Zoho CRM, Google Calendar, RingCentral).

    names: those that a source with these settings has; lasts: how long one is asked for
    opened: what to ask for a new one; told: the channel of an answer. For anything else it raises
        ValueError, TypeError, KeyError or IndexError
    renewed: what has an open one last longer; None: a new one takes its place
    closed: what to ask for the end of one that was replaced; None: it ends by itself
    """

    names: Callable[[Settings], tuple[str, ...]]
    lasts: int
    opened: Callable[[Wish, Settings, Credentials], Ask]
    told: Callable[[Wish, RawValue], Channel]
    renewed: Callable[[Wish, Channel, Settings, Credentials], Ask] | None = None
    closed: Callable[[Channel], Ask] | None = None


@dataclass(frozen=True, slots=True)
class Api:
    """An API, as far as fetching needs it.

    base: its address for these settings, "" where they name none
    required: credentials without which nothing is asked
    headers: how a call proves itself, from the credentials or the access token
    listings: what can be read through for changes, in this order: an object, or several listings
        of one, told apart by what stands behind a colon
    one, page: what to ask for one object, and for the changes since an instant; None: it cannot
    taken, listed: the object, or the page, of an answer; a page knows what it was asked by, which
        is what its own cursor may need. For anything else they raise ValueError,
        TypeError, KeyError or IndexError
    changed_at: when an object was last changed, by the provider's clock
    pushes_later: whether the provider's own notifications carry a later time than that, so that
        an older change can look newer than the object itself
    address: the setting that `base` is made of
    archived: what to ask for an object that is not among the present ones, where that tells more
    archived_taken: the object of such an answer, by its id; None: `taken` knows it
    nothing: statuses that say that there is nothing, beside 404 and 410: no such object, or a page
        without any, which `listed` then sees as None
    too_fast: what stands in a 403 that is about the number of calls and not about who asks
    names_only: whether notifications say nothing of objects, be it that they are gone: then what
        is no activity, and never was one here, needs no word
    channels: what has its notifications go on, where they end by themselves
    """

    name: str
    base: Callable[[Settings], str]
    required: tuple[str, ...]
    headers: Callable[[Credentials, str], Mapping[str, str]]
    listings: Callable[[Settings], tuple[str, ...]]
    one: Callable[[str, str, Settings], Ask]
    page: Callable[[str, int, str | None, Settings], Ask]
    taken: Callable[[str, RawValue], Object | None]
    listed: Callable[[str, RawValue, int, str | None], Page]
    changed_at: Callable[[str, Object], int | None]
    rate: Rate = field(default=Rate(5, 10))
    oauth: OAuth | None = None
    pushes_later: bool = False
    address: str = "api_url"
    archived: Callable[[str, str, Settings], Ask] | None = None
    archived_taken: Callable[[str, str, RawValue], Object | None] | None = None
    nothing: frozenset[int] = frozenset()
    too_fast: tuple[bytes, ...] = ()
    names_only: bool = False
    channels: Channels | None = None

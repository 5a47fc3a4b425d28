"""What one request brought, after reading and before counting."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from app.domain.activities import Outcome, Report
from app.domain.errors import Invalid, TasseiError


class Item(NamedTuple):
    """A readable item: its place in the request, the sender's id for it, and its report."""

    index: int  # type: ignore[assignment] # nobody asks a tuple of ours where a value stands
    id: str
    report: Report


class About(NamedTuple):
    """Which activity an item is about, and at which revision: what tells equal contents apart."""

    key: str
    revision: str


class Refused(NamedTuple):
    """An authentic item that no report could be made of. `content` is its text, redacted.

    `about` where the item says that much, so that a later report can be seen to make up for it.
    """

    index: int  # type: ignore[assignment] # nobody asks a tuple of ours where a value stands
    id: str | None
    source: str | None
    error: Invalid
    content: str
    about: About | None = None


# The object of a Reference that says only that something changed; its id is where, or EVERYWHERE.
CHANGES = "@changes"
EVERYWHERE = "*"


@dataclass(frozen=True, slots=True)
class Reference:
    """An object that a thin notification names without saying what it is (HubSpot, Zoho).

    It counts once it has been fetched; until then its delivery is stored and the object pending.
    object: the sender's word for what it is (`call`, `0-3`, `Deals`); id: the sender's id of it.
        CHANGES: what changed in the listing of that id is read through
    revision: the least revision, as `revisions` writes it, that a fetched state must have to answer
        this notification; "" where the sender gives no hint. It never becomes the revision of a
        report: that is what the fetched state says of itself
    source: whose it is; `hook_delivery` fills it in
    """

    index: int
    object: str
    id: str
    revision: str = ""
    source: str = ""


class Fetched(NamedTuple):
    """That an object was fetched, or given up: what its delivery answers in the queue of fetches.

    named: how often the object had been named when the fetch began; who names it later is not
        answered by it, unless the fetched state is as new as was asked for
    revision: that of the fetched state; "" where it has none, or nothing was found
    delivery, position: what named it last; an entry in quarantine is of that
    final: that it is not to be fetched again for this, whatever the revision
    """

    source: str
    object: str
    id: str
    named: int
    revision: str = ""
    delivery: int | None = None
    position: int = 0
    final: bool = False


class Door(StrEnum):
    """Where it came in: the direct API, a provider's hook, or that we asked the provider."""

    EVENTS = "events"
    HOOK = "hook"
    FETCH = "fetch"


class Raw(NamedTuple):
    """A request as it is kept, so that it can be read again.

    source: whose hook or whose table it was; None for events, which say it themselves
    media_type: Content-Type as received; headers: only those that reading needs
    query: of the address, without its path, which at a hook is a secret
    altered: whether secrets were taken out of it; what is left is to be looked at only
    """

    door: Door
    source: str | None
    method: str
    query: str
    media_type: str
    headers: Mapping[str, str]
    body: bytes
    altered: bool = False


@dataclass(frozen=True, slots=True)
class Replay:
    """That a delivery is a kept one, read again: which one, and when that was done."""

    delivery: int
    at: int


class Delivery(NamedTuple):
    """One request's items.

    A provider's hook cannot be told about one bad item, so what it cannot use is kept
    (`quarantines`); the direct API answers per item instead. `raw` is kept along with them; a
    replayed delivery has none, because it is kept already. `references` are for a queue that
    fetches: they move no count by themselves. `fetched` is what that queue waits for no longer.
    """

    workspace: str
    received_at: int
    quarantines: bool
    items: tuple[Item, ...]
    refused: tuple[Refused, ...] = ()
    raw: Raw | None = None
    replay: Replay | None = None
    references: tuple[Reference, ...] = ()
    fetched: tuple[Fetched, ...] = ()

    @property
    def taken_at(self) -> int:
        """The instant of this reading: of receipt, or of the replay."""
        return self.replay.at if self.replay else self.received_at


class ItemResult(NamedTuple):
    """What became of one item; `error` where it was rejected, quarantined or conflicts."""

    index: int  # type: ignore[assignment] # nobody asks a tuple of ours where a value stands
    id: str | None
    outcome: Outcome
    error: TasseiError | None = None

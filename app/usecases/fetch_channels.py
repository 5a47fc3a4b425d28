"""Keeping a source's notifications going, where its provider ends them after a while.

It is done beside asking, under the same lease. A failure stops nothing else: what was not notified
is found by reading through. But it is told, by the source's state, its check and a metric, long
before the channel ends, and for as long as none is open: it is renewed at half its life, so that
there is as much time again for every try that fails.
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass, replace
from typing import Any

from app.domain.instants import MINUTE, SECOND
from app.outbound.api import Channel, Wish
from app.outbound.errors import CallError
from app.outbound.sessions import Session
from app.telemetry import logger
from app.usecases.context import Context
from app.usecases.fetch_lease import Holder, backoff
from app.usecases.fetch_subjects import Subject

# One failed call is a hiccup; so many in a row want somebody's eyes.
MANY_FAILURES = 3
_FRESH = 40
_AWAY = frozenset({"provider_away", "provider_slow", "provider_failed", "provider_rate_limited"})


@dataclass(frozen=True, slots=True)
class Standing:
    """How a channel stands. All instants in microseconds since 1970.

    id, expires_at, resource: of the open one; id is "" where none was ever opened
    opened_for: a digest of what it was opened with: another address or token wants another channel
    tried_for: the same of the last try; renew_at: when the next one is
    failures: how many tries in a row failed, the last with `code`
    """

    id: str = ""
    expires_at: int = 0
    resource: str = ""
    opened_for: str = ""
    tried_for: str = ""
    renew_at: int = 0
    failures: int = 0
    code: str | None = None

    def open_at(self, now: int) -> Channel | None:
        """The channel, where it has not ended."""
        return Channel(self.id, self.expires_at, self.resource) if now < self.expires_at else None

    def is_down(self, now: int) -> bool:
        """Whether somebody has to look: it ended, or cannot be renewed."""
        return self.failures >= MANY_FAILURES or bool(self.id and self.expires_at <= now)


NONE = Standing()


def read_channels(text: str) -> dict[str, Standing]:
    """How each channel of a source stands, by name."""
    told: dict[str, Any] = json.loads(text)
    return {name: Standing(**one) for name, one in told.items()}


def write_channels(standing: dict[str, Standing]) -> str:
    """The text that `read_channels` reads."""
    told = {
        name: {label: getattr(one, label) for label in Standing.__slots__}
        for name, one in standing.items()
    }
    return json.dumps(told, sort_keys=True)


def are_due(subject: Subject, text: str, now: int) -> bool:
    """Whether a channel of a source is to be opened, renewed or ended."""
    names = _names(subject)
    if not names and text == "{}":
        return False
    standing = read_channels(text)
    return any(_is_due(subject, standing.get(name), now) for name in names) or any(
        name not in names for name in standing
    )


def keep_open(context: Context, subject: Subject, session: Session, holder: Holder) -> None:
    """Renew what is due, and end what is not wanted any more. Raises what ends a visit."""
    names, standing = _names(subject), read_channels(holder.stands.channels)
    for name in names:
        if _is_due(subject, standing.get(name), context.clock()):
            holder.go_on()
            standing[name] = _renewed(context, subject, session, name, standing.get(name, NONE))
            holder.write(channels=write_channels(standing))
            if standing[name].code in _AWAY:
                return  # and so for the others: theirs is the next visit
    for name in standing.keys() - set(names):
        holder.go_on()
        ended = standing.pop(name).open_at(context.clock())
        if ended is not None and subject.api.channels is not None:
            session.close_channel(ended)
        holder.write(channels=write_channels(standing))


def _names(subject: Subject) -> tuple[str, ...]:
    channels = subject.api.channels
    if channels is None or subject.url is None or not subject.configured:
        return ()
    return channels.names(subject.settings.values)


def _is_due(subject: Subject, one: Standing | None, now: int) -> bool:
    return one is None or one.renew_at <= now or one.tried_for != _digest(subject)


def _digest(subject: Subject) -> str:
    proofs = sorted(subject.proofs.items())
    return hashlib.sha256(repr((subject.url, proofs)).encode()).hexdigest()[:32]


def _renewed(
    context: Context, subject: Subject, session: Session, name: str, before: Standing
) -> Standing:
    """How a channel stands after a try."""
    channels, url, now = subject.api.channels, subject.url, context.clock()
    assert channels is not None and url is not None  # noqa: S101, PT018 - of a channel that is due
    wish = Wish(name, url, now + channels.lasts, context.token(_FRESH))
    known, digest = before.open_at(now), _digest(subject)
    try:
        opened = session.channel(wish, known if before.opened_for == digest else None)
    except CallError as error:
        if error.code == "stopping":
            raise
        _note(subject, name, before, error)
        wait = max((error.retry_after or 0) * SECOND, backoff(before.failures))
        failed = replace(before, failures=before.failures + 1, code=error.code)
        return replace(failed, tried_for=digest, renew_at=now + wait)
    if known is not None and known.id != opened.id:
        session.close_channel(known)
    half = max((opened.expires_at - now) // 2, MINUTE)
    return Standing(*opened, digest, digest, now + half)


def _note(subject: Subject, name: str, before: Standing, error: CallError) -> None:
    """Of failures in a row the first is said; the state of the source tells of the others."""
    if not before.failures:
        where = {"workspace": subject.workspace, "source": subject.source, "channel": name}
        logger(__name__).warning("a channel could not be renewed", code=error.code, **where)

"""How fast a provider may be asked: a bucket of our own, and what it says when we were too fast."""

from __future__ import annotations

import re
from datetime import UTC
from email.utils import parsedate_to_datetime
from typing import NamedTuple

from app.domain.instants import SECOND, micros

# As the drafts of the IETF write it, with an equals sign or as parameters.
_RESET = re.compile(r"\breset=(\d{1,9})\b", re.ASCII)
# Longer than that is no rate limit any more; the queue's own patience decides then.
LONGEST_SECONDS = 3_600


class Rate(NamedTuple):
    """So many calls a second in the long run, and so many at once."""

    per_second: float
    burst: int


class Bucket:
    """Calls that may be made; one more each time so much has passed. Not for two threads."""

    def __init__(self, rate: Rate, now: float) -> None:
        self._rate = rate
        self._left = float(rate.burst)
        self._at = now

    def take(self, now: float) -> float:
        """The seconds to wait before the call that is taken here."""
        gained = max(now - self._at, 0.0) * self._rate.per_second
        self._left = min(self._left + gained, self._rate.burst) - 1
        self._at = max(now, self._at)
        return max(-self._left / self._rate.per_second, 0.0)


def retry_after(header: str | None, now: int) -> int | None:
    """The seconds that Retry-After asks for, in either of its forms; None where it says none."""
    if header is None:
        return None
    text = header.strip()
    if text.isascii() and text.isdigit():
        return min(int(text[:9]), LONGEST_SECONDS)
    at = http_date(text)
    if at is None:
        return None
    return min(max(-(-(at - now) // SECOND), 0), LONGEST_SECONDS)


def reset_after(header: str | None) -> str | None:
    """The seconds until a RateLimit header (limit=100, remaining=0, reset=5) lets more through."""
    found = _RESET.search(header or "")
    return found[1] if found else None


def http_date(text: str | None) -> int | None:
    """The instant of an HTTP date; None for anything else."""
    try:
        found = parsedate_to_datetime(text or "")
    except (ValueError, TypeError):
        return None
    return micros(found if found.tzinfo else found.replace(tzinfo=UTC))

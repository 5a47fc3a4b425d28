"""Everything that can be refused, as one tree.

TasseiError
├── Unreadable          the bytes are not what their media type says
├── Invalid             well-formed, but a rule forbids it; carries every fault found
├── NotFound            no such thing in this workspace
├── Conflict            it contradicts what already stands
├── PreconditionFailed  the caller's copy is older than ours
├── PreconditionRequired  the caller must say which copy it changes
├── Unauthenticated     no or a wrong proof of identity
├── Forbidden           the proof is good, its scope is not
├── TooLarge            a limit of size was passed
├── TooDeep             a limit of nesting was passed
├── UnsupportedMedia    no reader for this media type
├── TooSlow             the request did not arrive in time
├── TooMany             too many attempts; waiting helps
└── Unavailable         a dependency or the queue is full; trying again helps

The HTTP status of each stands in one table in app/web/problems.py: the domain does not know HTTP.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

Params = Mapping[str, str | int]


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong, and where: an RFC 6901 pointer, a stable code, its parameters."""

    pointer: str
    code: str
    params: Params = field(default_factory=dict)


class TasseiError(Exception):
    """The root. `code` is stable and English; `params` fill the sentence that a view writes."""

    def __init__(self, code: str, **params: str | int) -> None:
        super().__init__(code)
        self.code = code
        self.params: Params = params


class Unreadable(TasseiError):
    """The bytes are not what their media type says."""


class Invalid(TasseiError):
    """A rule forbids it. `faults` names each place."""

    def __init__(self, code: str, *faults: Fault, **params: str | int) -> None:
        super().__init__(code, **params)
        self.faults = faults or (Fault("", code, params),)

    def below(self, pointer: str) -> Invalid:
        """The same refusal with its faults placed under a pointer."""
        placed = (Fault(pointer + fault.pointer, fault.code, fault.params) for fault in self.faults)
        return Invalid(self.code, *placed, **self.params)


class NotFound(TasseiError):
    """No such thing in this workspace (the answer for another workspace's things, too)."""


class Conflict(TasseiError):
    """It contradicts what already stands."""


class PreconditionFailed(TasseiError):
    """The caller's copy is older than ours."""


class PreconditionRequired(TasseiError):
    """The caller must say which copy it changes."""


class Unauthenticated(TasseiError):
    """No proof of identity, or a wrong one."""


class Forbidden(TasseiError):
    """The proof is good, its scope is not."""


class TooLarge(TasseiError):
    """A limit of size was passed."""


class TooDeep(Unreadable):
    """A limit of nesting was passed."""


class UnsupportedMedia(TasseiError):
    """No reader for this media type."""


class TooSlow(TasseiError):
    """The request did not arrive in time."""


class TooMany(TasseiError):
    """Too many attempts; `retry_after` seconds later the next one is heard."""

    def __init__(self, code: str, retry_after: int = 1, **params: str | int) -> None:
        super().__init__(code, **params)
        self.retry_after = retry_after


class Unavailable(TasseiError):
    """A dependency is down or the queue is full; `retry_after` seconds later it may work."""

    def __init__(self, code: str, retry_after: int = 1, **params: str | int) -> None:
        super().__init__(code, **params)
        self.retry_after = retry_after

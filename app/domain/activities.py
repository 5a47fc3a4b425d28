"""An activity is a state, not a stream: the join of every report about it.

A *report* is what one delivery says about one activity. Its *stamp* orders reports without
looking at arrival: (provider's revision, version of the mapping that read it, digest of its
content). The state is a base stamp, the fields with their values, and a stamp of its own for each
field that a partial report set above the base. Kind and retraction are fields like any other.

Both kinds of report are a maximum over stamps, so `join` is commutative, associative and
idempotent: any order and any repetition of deliveries ends in the same state, and a reader of
this file can check that without thinking about networks.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from itertools import groupby
from operator import attrgetter
from typing import Any, NamedTuple, Protocol

JsonValue = str | int | bool | None | list["JsonValue"] | dict[str, "JsonValue"]

KIND = "@kind"
RETRACTED = "@retracted"
DIGEST_BYTES = 16


def _encoder() -> Callable[[object], str]:
    """What writes canonical JSON.

    `JSONEncoder.encode` makes its part in C anew for each value, a quarter of the time a report
    takes; here it is made once.
    """
    plain = json.JSONEncoder(sort_keys=True, separators=(",", ":"), ensure_ascii=False)
    made: Any = getattr(json.encoder, "c_make_encoder", None)
    if made is None:  # another Python than CPython
        return plain.encode
    text = json.encoder.encode_basestring
    # No check for circles: what is written was read from JSON.
    pieces = made(None, plain.default, text, None, ":", ",", True, False, True)
    return lambda value: "".join(pieces(value, 0))


_CANONICAL = _encoder()


class Stamp(NamedTuple):
    """What decides between two reports: greater stands. `revision` is written by `revisions`."""

    revision: str
    mapping: int
    digest: bytes

    @property
    def version(self) -> tuple[str, int]:
        """Revision and mapping: two reports of one version with different content conflict."""
        return self.revision, self.mapping


ZERO = Stamp("", 0, b"")


class Report(NamedTuple):
    """What one delivery says about one activity.

    Like everything that is made once an event, a named tuple: it is made, sent to another process
    and made there in a third of the time of a frozen class.

    `fields` is canonical (see `kinds`) and holds KIND; a full report holds RETRACTED as well and
    no None, a partial one may clear a field with None. `content` is the canonical JSON that the
    stamp's digest covers: neither delivery id nor attempt nor receipt time is in it.
    """

    source: str
    key: str
    stamp: Stamp
    full: bool
    fields: Mapping[str, JsonValue]
    content: str


class State(NamedTuple):
    """What an activity currently is. `stamps` has only the fields set by partial reports."""

    base: Stamp
    fields: Mapping[str, JsonValue]
    stamps: Mapping[str, Stamp]

    @property
    def kind(self) -> str:
        """The activity's kind: call, meeting, deal, or a custom one."""
        return str(self.fields[KIND])

    @property
    def retracted(self) -> bool:
        """A retracted activity contributes nothing, and keeps its place as a tombstone."""
        return self.fields.get(RETRACTED) is True


NOTHING = State(ZERO, {}, {})


class Story(NamedTuple):
    """What an activity is, and was before, the oldest revision first."""

    state: State
    earlier: tuple[State, ...] = ()


class Outcome(StrEnum):
    """What became of one reported item; the words of the answer.

    PENDING: it was only named, and counts once it has been fetched.
    """

    ACCEPTED = "accepted"
    REVISED = "revised"
    DUPLICATE = "duplicate"
    STALE = "stale"
    CONFLICT = "conflict"
    PENDING = "pending"
    QUARANTINED = "quarantined"
    REJECTED = "rejected"


def make_report(
    source: str,
    key: str,
    revision: str,
    fields: Mapping[str, JsonValue],
    *,
    full: bool,
    mapping: int = 1,
) -> Report:
    """A report with its content written canonically and digested into its stamp.

    `fields` must be canonical already. A full report that says nothing of retraction stands for
    "this exists", so it carries RETRACTED = False and can restore what an older one retracted.
    """
    if full:
        fields = {RETRACTED: False, **fields}
        if None in fields.values():
            fields = {name: value for name, value in fields.items() if value is not None}
    content = canonical_json({"full": full, "fields": fields})
    digest = hashlib.sha256(content.encode()).digest()[:DIGEST_BYTES]
    return Report(source, key, Stamp(revision, mapping, digest), full, fields, content)


def canonical_json(value: object) -> str:
    """The one spelling of a JSON value: sorted keys, no blanks, text as itself."""
    return _CANONICAL(value)


def join(state: State, report: Report) -> State:
    """The state after a report, whatever came before it."""
    return _join_full(state, report) if report.full else _join_partial(state, report)


def _join_full(state: State, report: Report) -> State:
    if report.stamp <= state.base:
        return state
    if not state.stamps:
        return State(report.stamp, report.fields, {})
    later = {name: stamp for name, stamp in state.stamps.items() if stamp > report.stamp}
    fields = dict(report.fields) | {name: state.fields[name] for name in later}
    return State(report.stamp, fields, later)


def _join_partial(state: State, report: Report) -> State:
    newer = [name for name in report.fields if report.stamp > state.stamps.get(name, state.base)]
    if not newer:
        return state
    fields = dict(state.fields) | {name: report.fields[name] for name in newer}
    return State(state.base, fields, dict(state.stamps) | dict.fromkeys(newer, report.stamp))


def joined(reports: Iterable[Report]) -> State:
    """The state that a set of reports means, in whatever order they are given."""
    state = NOTHING
    for report in reports:
        state = join(state, report)
    return state


def story(reports: Iterable[Report]) -> Story:
    """What a set of reports says an activity is, and was as of each revision before.

    Arrival is not asked: a report that comes late takes its place. Of several reports of one
    revision (another mapping read it again, or two contradict each other) only what they come to
    together is told: what does not stand never was.
    """
    found: list[State] = []
    state = NOTHING
    in_order = sorted(reports, key=attrgetter("stamp"))
    for _, of_revision in groupby(in_order, key=attrgetter("stamp.revision")):
        for report in of_revision:
            state = join(state, report)
        found.append(state)
    return Story(state, tuple(found[:-1]))


def outcome(before: State, report: Report, after: State, *, known: bool) -> Outcome:
    """The word for what a report did; the first that fits.

    `known` says that this very revision, mapping and content was received before.
    """
    if known:
        return Outcome.DUPLICATE
    if before is NOTHING and after is not before:
        return Outcome.ACCEPTED
    if _conflicts(before, report):
        return Outcome.CONFLICT
    if after is before or _changes_nothing(before, report, after):
        return Outcome.STALE
    return Outcome.REVISED


def _conflicts(before: State, report: Report) -> bool:
    version = report.stamp.version
    if report.full:
        return before.base.version == version
    return any(
        before.stamps.get(name, before.base).version == version and before.fields.get(name) != value
        for name, value in report.fields.items()
    )


class Told(Protocol):
    """What a report says, wherever it is held."""

    @property
    def stamp(self) -> Stamp: ...
    @property
    def full(self) -> bool: ...
    @property
    def fields(self) -> Mapping[str, JsonValue]: ...


def contradict(one: Told, other: Told) -> bool:
    """Whether two reports of one version say different things of some field.

    A full report speaks of every field: of one that it does not have it says that it is not.
    Unlike `outcome` this asks nothing of what stands, so it is the same in any order of arrival.
    """
    return one.stamp.version == other.stamp.version and any(
        one.fields.get(name) != other.fields.get(name)
        for name in {*one.fields, *other.fields}
        if (one.full or name in one.fields) and (other.full or name in other.fields)
    )


def _changes_nothing(before: State, report: Report, after: State) -> bool:
    """A partial report no newer than what stands may still win a tie by its digest.

    Its stamp must then be kept, or replicas would differ; but where no value moves there is
    nothing to tell the sender.
    """
    version = report.stamp.version
    return after.fields == before.fields and all(
        before.stamps.get(name, before.base).version >= version for name in report.fields
    )

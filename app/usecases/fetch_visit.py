"""One visit to a provider: what was named is fetched, what changed is read through.

Everything ends in the committer, by the keys and stamps of the push path, so that neither a crash
at any place nor another holder of the lease can count anything twice; and a place in the queue, or
a mark, is given up only after the commit of what it stood for.
"""

from __future__ import annotations

import json
import random
from collections.abc import Callable, Iterable, Iterator, Mapping
from concurrent.futures import Future
from contextlib import closing
from dataclasses import dataclass
from threading import Event

from app.domain.activities import NOTHING, Outcome, State
from app.domain.deliveries import EVERYWHERE, Delivery, Item, ItemResult, Refused
from app.domain.errors import Invalid
from app.domain.instants import DAY, MINUTE
from app.domain.revisions import clock_of
from app.intake.receiving import read_object
from app.outbound.api import Found, Object, Page
from app.outbound.errors import CallError, Unusable
from app.outbound.sessions import Session
from app.store import fetchers, fetches, sources, states
from app.store.fetchers import State as Stands
from app.store.fetches import Waiting
from app.store.sources import SourceState
from app.telemetry import logger
from app.usecases.context import Context
from app.usecases.fetch_channels import keep_open
from app.usecases.fetch_lease import Holder, Lost, backoff
from app.usecases.fetch_marks import Mark, read_marks, write_marks
from app.usecases.fetch_news import news
from app.usecases.fetch_subjects import Subject
from app.usecases.receiving import broken

INTERVAL = 5 * MINUTE
# Whoever waits for so long is told: the source is away, or its credentials are wrong, for days.
PATIENCE = 3 * DAY
TRIES = 5
_AT_ONCE = 50
_PAGES = 50

# Told of a source and of what asking it found: missing, or newer.
Told = Callable[[str, str], None]
_FOUND = {Outcome.ACCEPTED: "missing", Outcome.REVISED: "newer"}


@dataclass(frozen=True, slots=True)
class Read:
    """An object as it was read. at: by the provider's clock, None where it does not tell."""

    object: str
    id: str
    value: Object
    at: int | None


class Visit:
    """A visit under a lease that was taken."""

    def __init__(
        self, context: Context, subject: Subject, stands: Stands, told: Told, ended: Event
    ) -> None:
        self._context, self._subject, self._told = context, subject, told
        self._holder = Holder(context, subject, stands, ended)
        self._marks: dict[str, Mark] = {}

    @property
    def failed_before(self) -> bool:
        """Whether the visit before this one failed."""
        return self._holder.stands.failures > 0

    def run(self) -> CallError | None:
        """Do what is to be done; why it ended early, where the provider is the reason."""
        return self._visited(self._work)

    def check(self) -> CallError | None:
        """Make one call and nothing of its answer; why it brought none."""
        return self._visited(self._ask)

    def _work(self, session: Session) -> None:
        keep_open(self._context, self._subject, session, self._holder)
        self._drain(session)
        self._pull(session)

    def _ask(self, session: Session) -> None:
        self._holder.go_on()
        session.page(self._subject.listings[0], self._context.clock(), None)

    def _visited(self, work: Callable[[Session], None]) -> CallError | None:
        failed: CallError | None = None
        try:
            self._mark()
            with closing(self._holder.session()) as session:
                work(session)
        except Lost:
            return None
        except CallError as error:
            failed = error
            self._bury(error)
        self._holder.leave(failed)
        return failed

    # What was named.

    def _drain(self, session: Session) -> None:
        while waiting := self._due():
            for one in waiting:
                self._holder.go_on()
                self._fetch(session, one)

    def _due(self) -> list[Waiting]:
        subject, now = self._subject, self._context.clock()
        with self._context.read() as reading:
            return fetches.due(reading, subject.workspace, subject.source, now, _AT_ONCE)

    def _fetch(self, session: Session, waiting: Waiting) -> None:
        try:
            found = session.one(waiting.object, waiting.id)
        except Unusable as error:
            self._failed(waiting, error.code)
            return
        if found is None:
            self._failed(waiting, "object_not_found")
            return
        read = Read(waiting.object, waiting.id, *found)
        delivery = self._delivery(read)
        # All that one object says is of one revision.
        revision = delivery.items[0].report.stamp.revision if delivery.items else ""
        late = bool(delivery.items) and _is_older(revision, waiting.revision)
        if not late:
            delivery = delivery._replace(fetched=(waiting.fetched(revision),))
        self._holder.submitted(delivery).result()
        if late:
            self._failed(waiting, "fetched_state_too_old", patient=True)

    def _failed(self, waiting: Waiting, code: str, *, patient: bool = False) -> None:
        """Another try later, or none: what will not be had is set aside and told."""
        now = self._context.clock()
        over = now - waiting.since >= PATIENCE
        if over or (not patient and waiting.attempts + 1 >= TRIES):
            self._set_aside(waiting, code)
            return
        with self._context.write(self._subject.workspace) as writing:
            fetches.postpone(writing, waiting, now + backoff(waiting.attempts))

    def _set_aside(self, waiting: Waiting, code: str) -> None:
        subject, now = self._subject, self._context.clock()
        content = json.dumps({"object": waiting.object, "id": waiting.id}, ensure_ascii=False)
        refused = Refused(0, waiting.id, subject.source, Invalid(code), content)
        gone = (waiting.fetched(final=True),)
        delivery = Delivery(subject.workspace, now, True, (), (refused,), fetched=gone)
        self._holder.submitted(delivery).result()

    def _bury(self, error: CallError) -> None:
        """The provider does not answer: what has waited for too long waits no longer."""
        old = self._context.clock() - PATIENCE
        for waiting in self._due():
            if waiting.since <= old:
                self._set_aside(waiting, error.code)

    # What changed.

    def _mark(self) -> None:
        """Note where reading through begins before anything is asked, and begin a backfill."""
        listings, now = self._subject.listings, self._context.clock()
        marks = read_marks(self._holder.stands.marks, listings, now)
        since, subject = self._holder.stands.backfill_from, self._subject
        if since is not None:
            marks = {name: one.anew(since) for name, one in marks.items()}
            with self._context.store.transaction() as connection:
                fetchers.begin_backfill(
                    connection, subject.workspace, subject.source, self._holder.stands.fence,
                    self._holder.stands, write_marks(marks),
                )  # fmt: skip
        elif any(f'"{name}"' not in self._holder.stands.marks for name in listings):
            self._holder.write(marks=write_marks(marks))
        self._marks = marks

    def _pull(self, session: Session) -> None:
        now, told = self._context.clock(), self._changes()
        stands, listings = self._holder.stands, self._subject.listings
        whole = now >= stands.pull_at or any(one.since is not None for one in self._marks.values())
        named = {one.id for one in told}
        for name in listings:
            if not (whole or name in named or EVERYWHERE in named):
                continue
            if not self._read_through(session, name):
                return
        if whole:
            self._holder.write(pull_at=now + round(INTERVAL * random.uniform(0.8, 1)))  # noqa: S311 - no secret
            self._hear()
        self._settle(told)

    def _changes(self) -> list[Waiting]:
        """What was told to have changed, without a word of what: as it stands before it is read."""
        subject, now = self._subject, self._context.clock()
        with self._context.read() as reading:
            return fetches.changes(reading, subject.workspace, subject.source, now)

    def _settle(self, told: list[Waiting]) -> None:
        if told:
            read = tuple(one.fetched() for one in told)
            now = self._context.clock()
            delivery = Delivery(self._subject.workspace, now, True, (), fetched=read)
            self._holder.submitted(delivery).result()

    def _read_through(self, session: Session, name: str) -> bool:
        """Whether the listing was read to its end; else the rest is for another visit."""
        self._marks[name] = mark = self._marks[name].begun()
        for _ in range(_PAGES):
            self._holder.go_on()
            page, at = self._page(session, name, mark)
            self._take(name, page, at)
            mark = mark.moved(self._seen(name, page, at), page.next, page.resume)
            self._set(name, mark)
            if mark.since is None:
                return True
        return False

    def _page(self, session: Session, name: str, mark: Mark) -> tuple[Page, int | None]:
        assert mark.since is not None  # noqa: S101 - a pass is under way
        try:
            return session.page(name, mark.since, mark.cursor)
        except Unusable as error:
            if mark.cursor is not None:
                # Cursors end; what comes is read again, and is known then.
                self._set(name, mark.without_cursor())
            if mark.resume is None or error.code != "provider_refuses_request":
                raise
        # That a provider forgets the place which it kept for us is no failure of anybody.
        return session.page(name, mark.since, None)

    def _set(self, name: str, mark: Mark) -> None:
        self._marks[name] = mark
        self._holder.write(marks=write_marks(self._marks))

    def _seen(self, name: str, page: Page, at: int | None) -> int:
        """The latest change of a page; a clock that runs ahead must not hide what comes."""
        latest = at if at is not None else self._context.clock()
        times = (self._subject.api.changed_at(name, one.value) for one in page.items)
        return min(max((time for time in times if time is not None), default=0), latest)

    def _take(self, name: str, page: Page, at: int | None) -> None:
        """Submit what differs from what is known, and wait until it is on disk."""
        read = [Read(name, one.id, one.value, at) for one in _once(page.items)]
        made = [(one, self._delivery(one)) for one in read]
        known = self._known(item.report.key for _, told in made for item in told.items)
        waiting: list[Future[list[ItemResult]]] = []
        for one, told in made:
            delivery = told._replace(items=tuple(self._news(one, told.items, known)))
            if delivery.items or delivery.refused:
                waiting.append(self._holder.submitted(delivery))
        for answer in waiting:
            for result in answer.result():
                if result.outcome in _FOUND:
                    self._told(self._subject.source, _FOUND[result.outcome])

    def _news(
        self, read: Read, items: Iterable[Item], known: Mapping[str, State]
    ) -> Iterator[Item]:
        """What of an object is not known yet, as it is to be told."""
        for item in items:
            before = known.get(item.report.key, NOTHING)
            found = (read.object, read.value)
            report = news(self._subject.api, found, read.at, item.report, before)
            if report is not None:
                yield item._replace(report=report)

    def _known(self, keys: Iterable[str]) -> dict[str, State]:
        subject = self._subject
        with self._context.read() as reading:
            return states.load(reading, subject.workspace, subject.source, set(keys))

    def _hear(self) -> None:
        """Read through to the end: the source has said all there is, be it nothing."""
        source, now = self._subject.source, self._context.clock()
        with self._context.write(self._subject.workspace) as writing:
            known = sources.states(writing, writing.workspace).get(source, SourceState(0, None))
            heard = SourceState(max(now, known.last_received_at), known.clock)
            sources.hear(writing, {source: heard})

    # On the way to the disk.

    def _delivery(self, read: Read) -> Delivery:
        """What an object is to us, kept as it was read."""
        subject = self._subject
        kind = read.object.partition(":")[0]
        request = subject.request(kind, read.value, self._context.clock())
        told = read_object(subject.read, kind, read.value, request, broken(subject.source))
        return Delivery(
            subject.workspace,
            request.received_at,
            True,
            tuple(one for one in told if isinstance(one, Item)),
            tuple(one for one in told if isinstance(one, Refused)),
            subject.raw(request),
        )


def note(subject: Subject, error: CallError) -> None:
    """Say in the log why a source could not be asked."""
    log = logger(__name__)
    where = {"workspace": subject.workspace, "source": subject.source}
    log.warning("a source could not be asked", code=error.code, **where)


def _once(items: Iterable[Found]) -> list[Found]:
    """Each object of a page once, as it is listed last."""
    return list({one.id: one for one in items}.values())


def _is_older(revision: str, asked: str) -> bool:
    return bool(asked) and clock_of(revision) is clock_of(asked) and revision < asked

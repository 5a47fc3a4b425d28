"""Progress as it moves: one hub evaluates what is followed, once for all who follow the same.

A reader costs nothing here but a place in a set: what is evaluated, compared and encoded is so
once per subject and move, in a thread of its own, whose share of the processor is bounded, and
small while many write. So a thousand readers, or slow ones, take nothing from those who write.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from fractions import Fraction

from app.domain.belonging import contributions
from app.domain.errors import Invalid, NotFound, TasseiError, Unavailable
from app.domain.evaluation import Question
from app.domain.instants import micros
from app.domain.progress import Scope
from app.domain.scopes import Breakdown
from app.store import heads
from app.store.heads import Head
from app.telemetry import logger
from app.usecases.context import Context
from app.usecases.drifting import with_drift
from app.usecases.leisure import Leisure, rest
from app.usecases.plan_names import plan_named
from app.usecases.progress import evaluated, moment_asked
from app.views.messages import sentence
from app.views.progress_documents import ProgressDocument
from app.views.progress_json import (
    encoded,
    progress_document,
)
from app.views.stream import Activity, activity_events, changed_goals, event, goals_event

# How often time is looked at; the clock may be turned, so it is asked and never slept towards.
TICK_SECONDS = 0.25
# What the event loop pays to hand a change to one reader.
HANDING_SECONDS = 0.000_015

# Called by the hub's thread when there is something new; it must be quick and not fail.
Wake = Callable[[], None]
Contributions = dict[tuple[str | None, str], Fraction]


@dataclass(frozen=True, slots=True)
class Subject:
    """What is followed. Readers of equal subjects share every byte."""

    workspace: str
    plan: str
    scope: Scope
    breakdown: Breakdown
    language: str


@dataclass(frozen=True, slots=True)
class Observed:
    """A subject at one moment, in one snapshot of the store.

    due: when it is to be looked at again though no head moves
    kinds: of activity, by goal
    terms: what decides whose an activity is, and whether it counts
    """

    head: Head
    as_of: int
    due: int
    document: ProgressDocument
    contributions: Contributions
    kinds: Mapping[str, str]
    terms: tuple[object, ...]


@dataclass(frozen=True, slots=True)
class State:
    """The latest of a subject, ready to be sent.

    number: one more with each change that a reader can see
    whole: the snapshot; news: what leads here whoever has the state of the number before
    """

    number: int
    observed: Observed
    whole: bytes
    news: bytes

    @property
    def seq(self) -> int:
        """The commit it shows."""
        return self.observed.head.seq

    @property
    def aged(self) -> bool:
        """Whether minutes have passed since that commit: equal seq may then be older figures."""
        return self.observed.as_of > self.observed.head.at


class Topic:
    """A subject that somebody follows. `error`: why it can be followed no longer."""

    def __init__(self, subject: Subject) -> None:
        self.subject = subject
        self.state: State | None = None
        self.error: TasseiError | None = None
        self.wakes: set[Wake] = set()
        self.awaited = False
        self.failing = False

    def reached(self, seq: int) -> State | None:
        """The state, once it shows that commit; until then, whoever follows will be woken."""
        self.awaited = True
        state = self.state
        return state if state is not None and state.seq >= seq else None

    def is_due(self, seq: int, now: int) -> bool:
        """Whether there may be something new."""
        state = self.state
        return state is None or state.seq < seq or state.observed.due <= now


class Hub:
    """Evaluates what is followed when its head moves or its time comes."""

    def __init__(self, context: Context, cost: Callable[[], float] = time.thread_time) -> None:
        self._context = context
        self._cost = cost
        self._topics: dict[Subject, Topic] = {}
        self._changing = threading.Lock()
        self._moved = threading.Event()
        self._ended = threading.Event()
        self._thread: threading.Thread | None = None

    def start(self) -> None:
        """Begin to evaluate. To be called by the thread that serves requests."""
        self._context.watch.listen(self._heed)
        leisure = Leisure(threading.get_ident())
        self._thread = threading.Thread(
            target=self._run, args=(leisure,), name="stream", daemon=True
        )
        self._thread.start()

    def _heed(self) -> None:
        # A thread that is woken at each commit for nothing keeps the event loop from its own work.
        if self._topics:
            self._moved.set()

    def stop(self) -> None:
        """End."""
        self._ended.set()
        self._moved.set()
        if self._thread is not None:
            self._thread.join()

    def follow(self, subject: Subject, wake: Wake) -> Topic:
        """Be woken at each change of a subject. The topic's first state is still to come."""
        with self._changing:
            topic = self._topics.setdefault(subject, Topic(subject))
            topic.wakes.add(wake)
        self._moved.set()
        return topic

    def leave(self, topic: Topic, wake: Wake) -> None:
        """Follow no longer. What nobody follows is not evaluated."""
        with self._changing:
            topic.wakes.discard(wake)
            if not topic.wakes:
                self._forget(topic)

    def config_version(self, workspace: str) -> int:
        """When it moves, a reader may have become somebody who may not read."""
        return self._context.watch.config_version(workspace)

    def _forget(self, topic: Topic) -> None:
        if self._topics.get(topic.subject) is topic:
            del self._topics[topic.subject]

    def _run(self, leisure: Leisure) -> None:
        while not self._ended.is_set():
            self._moved.wait(TICK_SECONDS)
            self._moved.clear()
            left, began = leisure.part(), time.monotonic()
            if spent := self.round():
                leisure.begin(left)
                self._ended.wait(rest(spent, time.monotonic() - began, left))

    def round(self) -> float:
        """Refresh what is due; the seconds of processor time that it takes, readers included."""
        with self._changing:
            topics = list(self._topics.values())
        if not topics:
            return 0.0
        began, handed = self._cost(), 0
        watch, now = self._context.watch, self._context.clock()
        due = [topic for topic in topics if topic.is_due(watch.seq(topic.subject.workspace), now)]
        for topic in due:
            handed += self._refresh(topic)
        return self._cost() - began + HANDING_SECONDS * handed if due else 0.0

    def _refresh(self, topic: Topic) -> int:
        """Bring a topic up to date; how many readers were woken."""
        before = topic.state
        try:
            topic.state = following(before, observe(self._context, topic.subject))
        except (NotFound, Invalid) as error:
            return self._end(topic, error)
        except Exception as error:  # noqa: BLE001 - the thread serves all others, and tries again
            return self._failed(topic, error)
        topic.failing = False
        same = before is not None and (before.number, _config(before)) == (
            topic.state.number,
            _config(topic.state),
        )
        return 0 if same and not topic.awaited else self._wake(topic)

    def _wake(self, topic: Topic) -> int:
        with self._changing:
            wakes = list(topic.wakes)
            topic.awaited = False
        for wake in wakes:
            wake()
        return len(wakes)

    def _end(self, topic: Topic, error: TasseiError) -> int:
        with self._changing:
            self._forget(topic)
        topic.error = error
        return self._wake(topic)

    def _failed(self, topic: Topic, error: Exception) -> int:
        """Who has a state keeps it until the next try; who waits for the first one is refused."""
        if not topic.failing and not isinstance(error, Unavailable):
            logger(__name__).error("a progress could not be evaluated", exc_info=error)
        topic.failing = True
        if topic.state is not None:
            return 0
        refusal = error if isinstance(error, Unavailable) else Unavailable("store_failed")
        return self._end(topic, refusal)


def _config(state: State) -> int:
    # A reader is woken by it as well: the key may be among what changed.
    return state.observed.head.config_version


def observe(context: Context, subject: Subject) -> Observed:
    """A subject as it stands. Raises NotFound, Invalid as reading its progress does."""
    now = context.clock()
    at = moment_asked(None, now)
    with context.read() as reading:
        found = context.organisations.at(reading, subject.workspace)
        document = plan_named(reading, found, subject.plan, at.as_of)
        base = found.ground(reading, document)
        question = Question(at.as_of, now, now, subject.scope, subject.breakdown)
        plain = evaluated(reading, found, base, question, at.until)
        progress = with_drift(reading, found, base, plain)
        head = heads.head(reading, subject.workspace)
    if head is None:
        raise NotFound("unknown_workspace")
    broken = subject.breakdown is not Breakdown.NONE
    change = progress.next_change_at
    return Observed(
        head,
        at.as_of,
        # Counting goes to the end of the quarter hour: what is dated ahead comes in with the next.
        at.until if change is None else min(at.until, micros(change)),
        progress_document(progress, sentence, subject.language, breakdown=broken),
        contributions(base, subject.scope, plain.amounts),
        {goal.key: goal.metric.kind for goal in base.plan.root.walk()},
        (base.plan, base.people, found.sources),
    )


def following(before: State | None, now: Observed) -> State:
    """The state after `before`; of the same number when no reader could see a difference."""
    whole = event("snapshot", encoded(now.document), now.head.seq)
    if before is None:
        return State(1, now, whole, whole)
    changed = changed_goals(before.observed.document, now.document)
    rung = activity_events(_activities(before.observed, now), now.head.seq)
    if changed is None:
        return State(before.number + 1, now, whole, whole + rung)
    if changed or rung:
        news = goals_event(changed, now.head.seq) if changed else b""
        return State(before.number + 1, now, whole, news + rung)
    return replace(before, observed=now, whole=whole)


def _activities(before: Observed, now: Observed) -> list[Activity]:
    """Whose actuals rose or fell.

    A person who was mapped or moved has done nothing by that, nor has anybody when an alias
    passes on to the next month's plan.
    """
    if before.terms != now.terms:
        return []
    old, new = before.contributions, now.contributions
    moved = {
        place: new.get(place, Fraction(0)) - old.get(place, Fraction(0)) for place in old | new
    }
    return [
        Activity(now.kinds[goal], member, goal, delta)
        for (member, goal), delta in sorted(moved.items(), key=lambda item: _order(*item[0]))
        if delta
    ]


def _order(member: str | None, goal: str) -> tuple[bool, str, str]:
    return (member is None, member or "", goal)

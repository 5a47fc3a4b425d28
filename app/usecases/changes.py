"""What moved a plan's goals between two knowings: late and corrected activities, page by page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction

from app.domain.activities import NOTHING, Story
from app.domain.belonging import belongings, reading
from app.domain.changes import Move, Parts, What, moves, parts_of
from app.domain.errors import Fault, Invalid, NotFound
from app.domain.goals import Goal
from app.domain.ground import Ground
from app.domain.instants import DAY
from app.domain.progress import Scope
from app.domain.scopes import WHOLE
from app.store import arrivals, heads, history, rules
from app.store.arrivals import START, Arrival
from app.store.history import Told
from app.store.journal import Knowing
from app.store.rules import Rules
from app.store.states import CHUNK
from app.store.transactions import Access
from app.usecases.context import Context
from app.usecases.counted import counted, knowing
from app.usecases.organisation import Organisation
from app.usecases.plan_names import plan_named
from app.usecases.progress import Moment, check_known_at, moment_asked
from app.usecases.settling import settling

# A page looks at so many arrivals at most; most of them may be no business of the plan's.
EXAMINED = 10 * CHUNK


@dataclass(frozen=True, slots=True)
class Asked:
    """From which knowing to which, in microseconds since 1970. None: everything; now."""

    known_from: int
    known_to: int | None = None
    as_of: int | None = None


@dataclass(frozen=True, slots=True)
class Behind:
    """Where a page ended, and what its list is of: "now" moves on from page to page."""

    known_to: int
    at: Moment
    place: arrivals.Place

    def check(self, now: int) -> None:
        """Refuse instants that no page ended with; a clock that made one may be a little ahead."""
        if not all(0 <= one <= now + DAY for one in (self.known_to, self.at.as_of, self.at.until)):
            raise Invalid("invalid_cursor")


@dataclass(frozen=True, slots=True)
class Change:
    """An activity that moved the plan's goals; received_at: when its last report came."""

    source: str
    key: str
    kind: str
    what: What
    received_at: int
    moves: tuple[Move, ...]


@dataclass(frozen=True, slots=True)
class Difference:
    """A goal's actual as known first and last."""

    goal: Goal
    before: Fraction
    after: Fraction


@dataclass(frozen=True, slots=True)
class Changes:
    """A page, and the differences that the whole list explains. behind: None on the last page."""

    ground: Ground
    known_from: int
    known_to: int
    at: Moment
    differences: tuple[Difference, ...]
    items: tuple[Change, ...]
    behind: Behind | None


@settling
def list_changes(
    context: Context, workspace: str, plan: str, asked: Asked, behind: Behind | None, limit: int
) -> Changes:
    """Up to `limit` activities that were told of between two knowings and moved the plan's goals.

    Both knowings are measured by the plan's version of the second one. A page may be shorter than
    `limit` though another follows. Raises NotFound, and Invalid for a knowing that lies ahead or
    two that stand the wrong way round.
    """
    now = context.clock()
    check_known_at(asked.known_from, now, "known_from")
    check_known_at(asked.known_to, now, "known_to")
    if behind is not None:
        behind.check(now)
    at = behind.at if behind else moment_asked(asked.as_of, now)
    with context.read() as reading:
        found = context.organisations.at(reading, workspace)
        known_to = behind.known_to if behind else _known_to(reading, workspace, asked)
        old, new = (knowing(reading, found, one) for one in (asked.known_from, known_to))
        if old is None or new is None:
            raise AssertionError
        counted_last = at.as_of if asked.as_of is None else at.as_of - 1
        base = found.ground(reading, plan_named(reading, found, plan, counted_last, known=new))
        listing = Listing(reading, base, rules.load(reading, workspace), old.seq, new.seq, at.until)
        items, place = listing.page(behind.place if behind else START, limit)
        differences = differences_in(reading, found, base, (at.until, WHOLE), (old, new))
    following = None if place is None else Behind(known_to, at, place)
    return Changes(base, asked.known_from, known_to, at, differences, items, following)


def _known_to(access: Access, workspace: str, asked: Asked) -> int:
    """The second knowing: as asked, else the last commit's, so that a later page is of the same."""
    head = heads.head(access, workspace)
    if head is None:
        raise NotFound("unknown_workspace")
    known_to = max(head.at, asked.known_from) if asked.known_to is None else asked.known_to
    if asked.known_from > known_to:
        raise Invalid("invalid_request", Fault("", "empty_span", {"parameter": "known_to"}))
    return known_to


def differences_in(
    access: Access,
    found: Organisation,
    base: Ground,
    of: tuple[int, Scope],
    between: tuple[Knowing | None, Knowing | None],
) -> tuple[Difference, ...]:
    """Every goal's actual in a scope, of what lies before an instant, as known first and last."""
    until, scope = of
    before, after = (
        belongings(base.plan, counted(access, found, base, until, known)).of(scope)
        for known in between
    )
    return tuple(
        Difference(goal, reading(goal, before), reading(goal, after))
        for goal in base.plan.root.walk()
    )


@dataclass(frozen=True, slots=True)
class Listing:
    """The activities told of after commit `old` and up to `new`, read in one snapshot."""

    access: Access
    base: Ground
    rules: Rules
    old: int
    new: int
    until: int

    def page(
        self, behind: arrivals.Place, limit: int
    ) -> tuple[tuple[Change, ...], arrivals.Place | None]:
        """Up to `limit` of those that moved the plan, and where the next page begins, if any."""
        items: list[Change] = []
        for _ in range(EXAMINED // CHUNK):
            some = arrivals.between(
                self.access, self.base.workspace.key, self.old, self.new, behind, CHUNK
            )
            for arrival, change in zip(some, self._changes(some), strict=True):
                if change is None:
                    continue
                if len(items) == limit:
                    return tuple(items), behind
                items.append(change)
                behind = arrival.place
            if len(some) < CHUNK:
                return tuple(items), None
            behind = some[-1].place
        return tuple(items), behind

    def _changes(self, some: Sequence[Arrival]) -> list[Change | None]:
        places = [(one.source, one.key) for one in some]
        told = history.of(self.access, self.base.workspace.key, places, self.new)
        return [self._change(one, told[one.source, one.key]) for one in some]

    def _change(self, arrival: Arrival, told: Sequence[Told]) -> Change | None:
        steps = history.steps(told, self.rules.remembering)
        first = Story(NOTHING)
        for seq, story in steps:
            if seq <= self.old:
                first = story
        last = steps[-1][1]
        before, after = (self._parts(arrival.source, story) for story in (first, last))
        moved = moves(self.base, before, after)
        what = What.LATE if first.state is NOTHING else What.CORRECTED
        if not moved:
            return None
        return Change(arrival.source, arrival.key, last.state.kind, what, arrival.at, moved)

    def _parts(self, source: str, story: Story) -> dict[str, Parts]:
        if story.state is NOTHING:
            return {}
        metrics = {metric.key for metric in self.rules.metrics_of(source, story.state.kind)}
        return parts_of(self.base, source, story, metrics, self.until)

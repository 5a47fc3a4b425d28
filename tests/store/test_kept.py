"""Sums that are kept and moved are those that would be read, whatever happens in between."""

from __future__ import annotations

import random
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple
from unittest.mock import patch

import pytest
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st
from sqlalchemy import text

from app.domain.activities import Report
from app.store import daily, days, documents, journal, ledger, totals
from app.store.kept import Asked, Commit, Kept, State
from app.store.transactions import Reading
from tests.engines import overheard
from tests.store.own_metrics import DEFINITIONS, define
from tests.store.test_known_at import Life, life
from tests.store.test_ledger_machine import COUNTS, ZONES
from tests.store.test_ledger_machine import _reports as told
from tests.store.worlds import NOW, W, call

# The days around those of the reports, in every zone.
FIRST = NOW // 86_400_000_000 - 33
LAST = FIRST + 6
METRICS = {"calls", "talk_time", "deals_won", "revenue", "m_sum"}


class Question(NamedTuple):
    """One of what whoever reads tallies of days may ask. of: the actors, None for all."""

    first: int
    until: int
    of: frozenset[int] | None = None
    by_actor: bool = True
    seq: int | None = None


def answered(
    reading: Reading, question: Question, zone: Any
) -> tuple[list[totals.Total], list[daily.DayTotal]]:
    """What stands in a snapshot, without what only says that something once was there."""
    window = (question.first, question.until)
    known = None if question.seq is None else journal.Knowing(question.seq, zone)
    summed = totals.totals(reading, W, METRICS, *window, known)
    told = sorted(
        daily.by_day(reading, W, METRICS, window, question.of, known, by_actor=question.by_actor)
    )
    return (
        [one for one in summed if (one.number, one.total) != (0, 0)],
        [one for one in told if one[-2:] != (0, 0)],
    )


def agrees(reading: Reading, questions: Iterable[Question], zone: Any) -> None:
    """What is kept, moved, against the table of the very snapshot."""
    anew = Reading(reading.connection)
    for question in questions:
        assert answered(reading, question, zone) == answered(anew, question, zone), question


@contextmanager
def lived(**sources: list[str] | None) -> Iterator[Life]:
    """A ledger that has noted by what its days are cut."""
    with life(**(sources or COUNTS)) as one:
        ledger.rebuild(one.store, W, NOW)
        yield one


def asked_of(dice: random.Random) -> list[Question]:
    first = dice.randint(FIRST, LAST - 1)
    until = dice.randint(first, LAST)
    some = frozenset(dice.sample(range(1, 7), dice.randint(0, 4)))
    return [
        Question(FIRST, LAST),
        Question(first, until, by_actor=dice.random() < 0.5),
        Question(first, until, some, by_actor=dice.random() < 0.5),
        Question(FIRST, until, some | {1, 2}, by_actor=False, seq=dice.randint(0, 12)),
    ]


class Happening:
    """What moves tallies, or what they mean, one thing after the other."""

    def __init__(self, one: Life, dice: random.Random) -> None:
        self._life, self._dice = one, dice

    def go_on(self, batch: list[Report]) -> None:
        self._life.hears(*batch)
        usual: list[Any] = [None] * 4
        happens = self._dice.choice(
            [*usual, self._maps, self._moves, self._rebuilds, self._defines]
        )
        if happens is not None:
            happens()

    def _maps(self) -> None:
        with self._life.store.write(W, self._life.now) as writing:
            body = {"identities": [{"source": "crm", "kind": "id", "value": "sato"}]}
            documents.put(writing, "member", "sato", body, author="test")

    def _moves(self) -> None:
        self._life.moves_to(self._dice.choice(ZONES))

    def _rebuilds(self) -> None:
        ledger.rebuild(self._life.store, W, self._life.now)

    def _defines(self) -> None:
        other = self._dice.choice(["m_sum", "m_talk"])
        define(self._life.store, "m_sum", DEFINITIONS[other], self._life.now)


_SETTINGS = settings(
    max_examples=8,
    deadline=None,
    phases=(Phase.explicit, Phase.generate),
    suppress_health_check=[HealthCheck.too_slow],
)
_batches = st.lists(st.lists(told(), min_size=1, max_size=5), min_size=2, max_size=9)


@_SETTINGS
@given(_batches, st.randoms(use_true_random=False), st.sampled_from([1, 3, 32]))
def test_what_is_kept_and_moved_is_what_would_be_read(
    batches: list[list[Report]], dice: random.Random, steps: int
) -> None:
    with lived() as one, patch.object(days, "_COMMITS", steps):
        happening = Happening(one, dice)
        questions = asked_of(dice)
        for batch in batches:
            happening.go_on(batch)
            zone = one.knowing(NOW).zone
            with one.store.read() as reading:
                agrees(reading, questions, zone)
            questions[dice.randrange(len(questions))] = dice.choice(asked_of(dice))
        assert ledger.verify(one.store, W) == []


@pytest.mark.parametrize("steps", [1, 100])
def test_an_older_snapshot_is_answered_by_what_it_sees(
    monkeypatch: pytest.MonkeyPatch, steps: int
) -> None:
    monkeypatch.setattr(days, "_COMMITS", steps)
    question, zone = Question(FIRST, LAST + 40), None
    with lived() as one:
        one.hears(call("a"))
        with one.store.read() as first:
            before = answered(first, question, zone)
            for key in "bcd":
                one.hears(call(key))
                with one.store.read() as later:
                    agrees(later, [question], zone)
                    assert answered(later, question, zone) != before
                assert answered(first, question, zone) == before


def test_days_that_are_over_are_not_read_again_whatever_comes_today() -> None:
    question = Question(FIRST, LAST + 27)
    with lived() as one:
        one.hears(call("a", started_at="2026-11-02T03:00:00Z"))
        with one.store.read() as reading:
            before = answered(reading, question, None)
        one.hears(call("b"), call("late", started_at="2026-11-02T03:00:00Z"))
        with one.store.read() as reading, overheard(one.store) as heard:
            after = answered(reading, question, None)
        assert not [said for said, _ in heard if "tally_day" in said]
        for grain in (0, 1):  # number and total are the last two of each
            assert [row[-2] for row in after[grain]] == [row[-2] * 2 for row in before[grain]]
        # One more day: only that is read.
        with one.store.read() as reading, overheard(one.store) as heard:
            agrees(reading, [question._replace(until=question.until + 1)], None)
        read = next(values for said, values in heard if "tally_day" in said)
        assert question.until in _numbers(read)
        assert question.first not in _numbers(read)


@pytest.mark.parametrize("by_actor", [True, False])
def test_of_some_actors_nobody_elses_is_counted_whoever_comes_later(*, by_actor: bool) -> None:
    read: list[int] = []
    with lived() as one:

        def numbers(*of: int, until: int = LAST + 27) -> int:
            with one.store.read() as reading, overheard(one.store) as heard:
                within = (FIRST, until)
                rows = list(daily.by_day(reading, W, {"calls"}, within, of, by_actor=by_actor))
            read.append(sum("tally_day" in said for said, _ in heard))
            return sum(number for *_, number, _ in rows)

        for key, agent in enumerate(("sato", "suzuki", "sato", "mori", "suzuki")):
            at = f"2026-11-{5 + key:02d}T03:00:00Z"
            one.hears(call(f"c{key}", agent=agent, started_at=at))
            if key == 0:
                assert numbers(1) == 1
            if key == 2:
                assert [numbers(1), numbers(1, 2), numbers(2)] == [2, 3, 1]
        assert [numbers(1), numbers(2), numbers(1, 2), numbers(1, 2, 3)] == [2, 2, 4, 5]
        one.hears(call("next", agent="mori"))
        one.hears(call("other", agent="abe"))
        assert [numbers(2, 3), numbers(2, 3, 4, until=LAST + 28)] == [3, 5]
    # One read each when it was first asked; of those who came, and of days that came, their own.
    assert read == [1, 0, 1, 1, 0, 0, 0, 1, 1, 2]


def _numbers(values: Any) -> set[Any]:
    return set(values.values() if isinstance(values, dict) else values)


def test_what_is_counted_anew_is_read_anew() -> None:
    question = Question(FIRST, LAST)
    with lived() as one:
        one.hears(call("a", started_at="2026-11-01T15:00:00Z", talk_seconds=7))
        one.moves_to("America/New_York")
        seen: list[Any] = []
        happenings: tuple[Callable[[], object], ...] = (
            lambda: None,
            lambda: one.moves_to("Asia/Tokyo"),
            lambda: define(one.store, "m_sum", DEFINITIONS["m_talk"], one.now),
            lambda: define(one.store, "m_sum", DEFINITIONS["m_sum"], one.now),
            lambda: ledger.rebuild(one.store, W, one.now),
        )
        for happen in happenings:
            with one.store.transaction() as connection:
                # As from a fault that a rebuild repairs; of these, nobody is told but by it.
                connection.execute(text("UPDATE tally_day SET total = total + 5"))
            happen()
            with one.store.read() as reading:
                agrees(reading, [question], None)
                seen.append(answered(reading, question, None))
        assert seen[0] != seen[1]
        assert len(seen[2][0]) > len(seen[1][0])


def test_nothing_is_taken_for_known_of_a_database_that_went_back_and_on() -> None:
    question = Question(FIRST, LAST + 40)
    with lived() as one:
        one.hears(call("a"))
        with one.store.read() as reading:
            before = answered(reading, question, None)
        with one.store.transaction() as connection:
            # Another one in its place: as many commits, of other instants, with other numbers.
            connection.execute(text("UPDATE workspace_commit SET at = at - 1"))
            connection.execute(text("UPDATE tally_day SET number = number + 1"))
        one.hears(call("b", started_at="2030-01-01T00:00:00Z"))
        with one.store.read() as reading:
            agrees(reading, [question], None)
            assert answered(reading, question, None) != before


def asked(number: int, **other: Any) -> Asked:
    usual = Asked("w", 1, frozenset({number}), None, 0, 9, by_day=False, by_actor=True)
    return usual._replace(**other)


def state(seq: int, rows: int) -> State:
    return State(Commit(seq, seq), {(1, 0, actor): (1, 1) for actor in range(rows)})


def test_what_is_kept_is_bounded_and_what_was_asked_for_longest_goes_first() -> None:
    shelf = Kept(most_rows=33, most_of_one=10)
    for number in range(3):
        shelf.put(asked(number), state(1, 10))
    assert shelf.rows == 33
    assert shelf.of(asked(0)) == (state(1, 10),)
    shelf.put(asked(3), state(1, 5))
    assert [len(shelf.of(asked(number))) for number in range(4)] == [1, 0, 1, 1]
    shelf.put(asked(4), state(1, 11))
    assert shelf.of(asked(4)) == ()
    assert shelf.rows == 28
    for seq in range(2, 6):
        shelf.put(asked(3), state(seq, 5))
    shelf.put(asked(3), state(4, 5))
    assert [one.commit.seq for one in shelf.of(asked(3))] == [5, 4]
    shelf.put(asked(5, config_version=2), state(1, 1))
    assert shelf.rows == 2
    shelf.forget("w")
    assert shelf.rows == 0

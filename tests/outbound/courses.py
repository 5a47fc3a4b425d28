"""What may happen while a source is read through, the same for whoever lists one object a page.

`happen` makes so many things happen at the account, now; `states` of the source are then as many.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import Any, Protocol

from app.domain.instants import SECOND, instant
from app.usecases.asking import backfill_source
from tests.outbound.accounts import SOURCE, W, dying_at_mark
from tests.web.service import Clock

# How the account fails, as what that is known, and how long it is left alone at least.
FAULTS = [
    ("429", "provider_rate_limited", 2 * SECOND),
    ("503", "provider_failed", SECOND),
    ("403", "provider_refuses_us", SECOND),
    ("redirect", "provider_refuses_request", SECOND),
    ("garbage", "provider_answer_unusable", SECOND),
    ("strange", "provider_answer_unusable", SECOND),
    ("drop", "provider_away", SECOND),
    ("slow", "provider_failed", SECOND),
]


class Source(Protocol):
    """A source that is read through, as its tests have it."""

    context: Any
    account: Any
    clock: Clock
    found: list[tuple[str, str]]

    def visit(self) -> bool: ...
    def fetcher(self) -> Any: ...
    def states(self) -> Any: ...
    def assert_true(self) -> None: ...


Happen = Callable[..., None]


def a_fault_costs_a_page(
    source: Source, happen: Happen, faults: list[str], known: tuple[str, int], wait: int
) -> None:
    """Eight things on pages of three; known: the fault's code and the least pause after it."""
    source.account.page = 3
    happen(*range(1, 9))
    source.clock.now += wait
    source.account.faults.extend(faults)
    assert not source.visit()
    state = source.fetcher()
    assert (state.code, state.failures) == (known[0], 1)
    assert state.retry_at >= source.clock.now + known[1]
    _read_to_the_end(source, wait)


def death_costs_no_thing(source: Source, happen: Happen, wait: int) -> None:
    """The same eight, and whoever asks dies between the second page and its mark."""
    source.account.page = 3
    happen(*range(1, 9))
    source.clock.now += wait
    with dying_at_mark(2):
        source.visit()
    assert len(source.states()) == 6
    # Its lease is still out: nobody else asks before it ends.
    assert not source.visit()
    _read_to_the_end(source, wait)


def _read_to_the_end(source: Source, wait: int) -> None:
    source.clock.now += wait
    assert source.visit()
    source.assert_true()
    assert Counter(source.found) == {(SOURCE, "missing"): 8}


def the_past_is_read_when_asked_for(source: Source, happen: Happen, now: str) -> None:
    """Three things of a month ago, which nobody looked for until they were asked for."""
    source.clock.set("2026-11-01T09:00:00Z")
    happen(1, 2, 3)
    source.clock.set(now)
    assert source.visit()
    assert source.states() == {}
    backfill_source(source.context, W, SOURCE, instant("2026-10-31T00:00:00Z"))
    for _ in range(2):
        assert source.visit()
        source.assert_true()
    assert Counter(source.found) == {(SOURCE, "missing"): 3}

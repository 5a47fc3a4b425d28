"""When a source spoke, thinned: as far as silences can be told apart, and no further."""

from __future__ import annotations

import random
from itertools import pairwise

import pytest

from app.domain.instants import MINUTE
from app.store import sources
from app.store.engine import Store
from app.store.sources import SourceState
from app.store.speaking import spoke
from tests.engines import overheard
from tests.store.worlds import NOW, W

APART = 15 * MINUTE


def hear(store: Store, heard: dict[str, list[int]]) -> None:
    """Sources as they speak, each delivery a commit, up to a minute after it came in."""
    late = random.Random(4)
    moments = sorted((at, source) for source, all_at in heard.items() for at in all_at)
    for at, source in moments:
        with store.write(W, at + late.randrange(MINUTE)) as writing:
            sources.hear(writing, {source: SourceState(at, None)})


def instants(seed: int) -> list[int]:
    chance = random.Random(seed)
    found, at = [], NOW
    for _ in range(60):
        at += chance.choice([1, MINUTE, 7 * MINUTE, APART, APART + 1, 200 * MINUTE])
        found.append(at)
    return found


@pytest.mark.parametrize("seed", range(4))
def test_every_long_silence_is_found_and_what_is_close_may_be_left_out(
    store: Store, seed: int
) -> None:
    mine, other = instants(seed), instants(seed + 50)
    hear(store, {"crm": mine, "zoom": other})
    window = (mine[9] - 1, mine[50])
    inside = [at for at in mine if window[0] <= at < window[1]]
    with store.read() as reading:
        found = spoke(reading, W, "crm", window, APART)
        assert spoke(reading, W, "never", window, APART) == []
    assert found == sorted(set(found) & set(inside))

    def silences(all_at: list[int]) -> list[tuple[int, int]]:
        return [(a, b) for a, b in pairwise(all_at) if b - a > APART]

    assert silences(found) == silences(inside)
    assert found[0] == inside[0]


def test_a_busy_source_costs_as_many_steps_as_a_calm_one(store: Store) -> None:
    hear(store, {"crm": [NOW + n * MINUTE // 4 for n in range(1, 600)]})
    with store.read() as reading, overheard(store) as statements:
        found = spoke(reading, W, "crm", (NOW, NOW + 100 * MINUTE), APART)
    # One an APART, or a little more often because commits come late.
    assert 7 <= len(found) <= 9
    assert len(statements) == 2

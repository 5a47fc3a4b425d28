"""The rules of a zone change under a ledger: days are cut anew, by all that serve it alike."""

from __future__ import annotations

import random
import zoneinfo
from collections import Counter
from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text

from app.domain.activities import Report
from app.domain.instants import DAY, SECOND, written_instant
from app.store import counting, heads, ledger
from app.store.committer import Committer
from app.store.engine import Store
from tests.store.recount import stored_tallies
from tests.store.worlds import NOW, W, call, delivery, sent
from tests.zone_files import write_zone

Rules = tuple[tuple[int, int], ...]  # from which second on so many seconds east
HOUR = 3_600
# Tokyo as it is; going west in the middle of the events; going east a week later.
TURN = NOW // SECOND - 15 * 86_400 + 5 * 900
TRUE: Rules = ((0, 9 * HOUR),)
WEST: Rules = ((0, 9 * HOUR), (TURN, -5 * HOUR - 1_800))
EAST: Rules = ((0, 9 * HOUR), (TURN + 7 * 86_400, 14 * HOUR))


@pytest.fixture(autouse=True)
def systems_own_rules_afterwards() -> Iterator[None]:
    yield
    zoneinfo.reset_tzpath()
    ZoneInfo.clear_cache()


def bring(folder: Path, rules: Rules) -> None:
    """What an update of the system's time zones, and then a restart, come to."""
    place = folder / f"zones-{len(list(folder.glob('zones-*')))}"
    write_zone(place, "Asia/Tokyo", rules[0][1], *rules[1:])
    zoneinfo.reset_tzpath([str(place)])
    ZoneInfo.clear_cache()


def calls(seed: int) -> list[Report]:
    dice = random.Random(seed)
    moments = [NOW - dice.randint(0, 30 * DAY) for _ in range(150)]
    return [call(f"{seed}-{n}", started_at=written_instant(at)) for n, at in enumerate(moments)]


def by_hand(reports: list[Report], rules: Rules) -> Counter[int]:
    """Calls by day: whole seconds and the offset that holds, without any zone's help."""
    found: Counter[int] = Counter()
    for report in reports:
        at = int(datetime.fromisoformat(str(report.fields["started_at"])).timestamp())
        east = [offset for since, offset in rules if since <= at][-1]
        found[(at + east) // 86_400] += 1
    return found


def by_day(store: Store) -> Counter[int]:
    days, _ = stored_tallies(store)
    found: Counter[int] = Counter()
    for (metric, _, day, *_), (number, _) in days.items():
        if metric == "calls":
            found[day] += number
    return found


def head(store: Store) -> heads.Head:
    with store.read() as reading:
        found = heads.head(reading, W)
    assert found is not None
    return found


def start(store: Store) -> bool:
    """Begin as the service does; whether it had to change anything."""
    before = head(store).seq
    counting.bring_up(store, lambda: NOW)
    return head(store).seq != before


def test_other_rules_are_noticed_at_the_start_and_days_are_cut_anew(
    store: Store, tmp_path: Path
) -> None:
    reports = calls(1)
    assert by_hand(reports, TRUE) != by_hand(reports, WEST) != by_hand(reports, EAST)
    sent(store, delivery(*reports))
    start(store)
    for number, rules in enumerate((WEST, EAST, TRUE, WEST)):
        bring(tmp_path, rules)
        config = head(store).config_version
        assert start(store)
        assert by_day(store) == by_hand(reports, rules)
        # Whatever was worked out of it is worked out anew.
        assert head(store).config_version > config
        assert not start(store)
        reports += calls(number + 2)
        sent(store, delivery(*reports))
        assert by_day(store) == by_hand(reports, rules)
        assert ledger.verify(store, W) == []


def test_the_same_rules_from_other_files_change_nothing(store: Store, tmp_path: Path) -> None:
    sent(store, delivery(*calls(1)))
    start(store)
    # The system's own file, a shorter one, and one with a change that changes nothing.
    for rules in (TRUE, (*TRUE, (TURN, 9 * HOUR))):
        bring(tmp_path, rules)
        assert not start(store)


def test_days_from_before_the_rules_were_noted_are_cut_once(store: Store) -> None:
    reports = calls(1)
    sent(store, delivery(*reports))
    with store.transaction() as connection:
        connection.execute(text("DELETE FROM zone_rules"))
        connection.execute(text("UPDATE tally_day SET day = day + 1000"))
    assert start(store)
    assert by_day(store) == by_hand(reports, TRUE)
    assert not start(store)


def test_who_has_older_rules_goes_on_by_those_that_the_days_were_cut_by(
    store: Store, tmp_path: Path
) -> None:
    """A replica that was not updated yet: its zones are those from before, its ledger is not."""
    reports = calls(1)
    start(store)
    committer = Committer(store)
    committer.start()
    committer.submit(delivery(*reports)).result(30)
    bring(tmp_path, WEST)
    assert start(store)
    # Whatever asks for the zone in this process gets the old rules again.
    zoneinfo.reset_tzpath()
    ZoneInfo.clear_cache()
    reports += calls(2)
    committer.submit(delivery(*reports)).result(30)
    assert by_day(store) == by_hand(reports, WEST)
    committer.stop()
    assert ledger.verify(store, W) == []
    ledger.rebuild(store, W, NOW)
    assert by_day(store) == by_hand(reports, WEST)
    # Started anew with them, it cuts by them: the last start decides, for all.
    assert start(store)
    assert by_day(store) == by_hand(reports, TRUE)

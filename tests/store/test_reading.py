"""What is read back: activities, conflicts, quarantine, credits, totals, and by which keys."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import text

from app.domain.deliveries import Refused
from app.domain.errors import Invalid, NotFound
from app.store import activities, actors, documents, journal, ledger, quarantine, totals
from app.store.engine import Store
from app.store.journal import Knowing
from app.store.pages import Page
from app.store.recording import Recorder
from app.store.strays import Work
from app.store.transactions import Reading
from tests.engines import on_sqlite, overheard
from tests.store.worlds import DAY_ONE, NOW, W, call, delivery, report, sent, won, words


def walked(
    turn: Callable[[str | None], Page[object]], *, may_be_empty: bool = False
) -> list[object]:
    """All items of a collection, page by page."""
    found: list[object] = []
    cursor = None
    while True:
        page = turn(cursor)
        found += page.items
        if page.next is None:
            return found
        assert page.items or may_be_empty
        cursor = page.next


def test_pages_hold_every_activity_once_in_order(store: Store) -> None:
    names = ["b", "a", "日本", "a b", "c"]
    sent(store, delivery(*(won(name) for name in names)))
    with store.read() as reading:
        pages = walked(lambda cursor: activities.page(reading, W, cursor, 2))  # type: ignore[arg-type, return-value] # a page of anything
        keys = [item.key for item in pages if isinstance(item, activities.Activity)]
        assert keys == sorted(names)
        assert activities.page(reading, W, None, 5).next is None
        with pytest.raises(Invalid, match="invalid_cursor"):
            activities.page(reading, W, '["a", 1]', 2)
        with pytest.raises(Invalid, match="invalid_cursor"):
            activities.page(reading, W, "[", 2)
        assert activities.get(reading, W, "crm", "none") is None


def test_an_activity_explains_itself_by_its_reports(store: Store) -> None:
    sent(store, delivery(won("d", 2), at=NOW + 5))
    sent(store, delivery(report("d", 3, full=False, amount="7"), won("d", 1), at=NOW + 9))
    with store.read() as reading:
        found = activities.get(reading, W, "crm", "d")
        reports = activities.revisions(reading, W, "crm", "d")
    assert found is not None
    assert (found.state.fields["amount"], found.changed_at) == ("7", NOW + 9)
    assert found.missing == tuple(
        activities.Missing(metric, "no_time", "created_at")
        for metric in ("deals_created", "open_pipeline")
    )
    assert [(one.full, one.received_at, one.fields["amount"]) for one in reports] == [
        (True, NOW + 9, "100"),
        (True, NOW + 5, "100"),
        (False, NOW + 9, "7"),
    ]


def test_what_a_metric_is_about_and_cannot_count_is_listed_with_its_reason(store: Store) -> None:
    sent(
        store,
        delivery(
            won("counted", created_at="2026-12-01T00:00:00Z"),
            won("no time", won_at=None, created_at="2026-12-01T00:00:00Z"),
            won("no amount", amount=None, created_at="2026-12-01T00:00:00Z"),
            call("silent", talk_seconds=None),
            report("mail", kind="email"),
        ),
    )

    def listed() -> dict[str, list[tuple[str, str, str]]]:
        with store.read() as reading:
            found = walked(lambda cursor: activities.page_uncounted(reading, W, cursor, 1))  # type: ignore[arg-type, return-value] # a page of anything
        return {
            item.key: [(why.metric, why.code, why.field) for why in item.missing]
            for item in found
            if isinstance(item, activities.Activity)
        }

    assert listed() == {
        "no time": [
            ("deals_won", "no_time", "won_at"),
            ("revenue", "no_time", "won_at"),
            ("open_pipeline", "no_time", "closed_at"),
        ],
        "no amount": [
            ("revenue", "no_value", "amount"),
            ("open_pipeline", "no_value", "amount"),
        ],
    }
    repaired = report("no time", 2, full=False, won_at="2026-12-02T00:00:00Z")
    sent(store, delivery(repaired))
    assert list(listed()) == ["no amount"]


def test_what_one_metric_cannot_count_is_found_among_all_that_others_cannot(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    # None of them says when it was created, which is nothing to those who ask about deals won.
    drowning = [won(f"d{n:02}") for n in range(30)]
    undated = [won(f"d{n:02}", 2, won_at=None) for n in (3, 11, 12, 29)]
    sent(store, delivery(*drowning, *undated, call("silent", talk_seconds=None)))

    def listed(metric: str, limit: int) -> list[str]:
        with store.read() as reading:
            found = walked(  # an empty page before the last is one to go on from
                lambda cursor: activities.page_uncounted_by(reading, W, metric, cursor, limit),  # type: ignore[arg-type, return-value] # a page of anything
                may_be_empty=True,
            )
        return [item.key for item in found if isinstance(item, activities.Activity)]

    for looked_at, limit in ((2_000, 2), (2_000, 4), (7, 1), (1, 5), (30, 30), (4, 3)):
        monkeypatch.setattr(activities, "LOOKED_AT", looked_at)
        assert listed("deals_won", limit) == ["d03", "d11", "d12", "d29"]
        assert listed("deals_created", limit) == [one.key for one in drowning]
        assert listed("talk_time", limit) == listed("leads", limit) == []
    with store.read() as reading, pytest.raises(NotFound, match="unknown_metric"):
        activities.page_uncounted_by(reading, W, "nothing", None, 5)


def test_conflicting_reports_are_listed(store: Store) -> None:
    sent(store, delivery(*(won(key, 1, amount=str(n)) for key in "ab" for n in range(3))))
    with store.read() as reading:
        found = walked(lambda cursor: activities.page_conflicts(reading, W, cursor, 1))  # type: ignore[arg-type, return-value] # a page of anything
        assert len(found) == 6
        stamps = [(i.key, i.stamp) for i in found if isinstance(i, activities.Revision)]
        assert all(one < other for one, other in pairwise(stamps))


def test_a_contradiction_is_listed_although_a_newer_revision_came_in_between(
    store: Store,
) -> None:
    first, newer, late = won("d", 1), won("d", 2), won("d", 1, amount="7")
    part = report("d", 1, full=False, status="won")
    answers = [sent(store, delivery(one))[0] for one in (first, newer, late, part)]
    # The word is about what stands; the list is about what was told.
    assert [words(one) for one in answers] == [["accepted"], ["revised"], ["stale"], ["stale"]]
    with store.read() as reading:
        listed = activities.page_conflicts(reading, W, None, 5).items
    assert {one.stamp for one in listed} == {first.stamp, late.stamp}


def test_a_contradiction_is_known_from_the_moment_at_which_it_came(store: Store) -> None:
    sent(store, delivery(won("d", 1), at=NOW + 10))
    sent(store, delivery(won("d", 1, amount="7"), at=NOW + 20))

    def said(at: int) -> list[bool]:
        with store.read() as reading:
            known = Knowing(journal.seq_at(reading, W, at), ZoneInfo("Asia/Tokyo"))
            found = activities.revisions(reading, W, "crm", "d", known)
        return [one.conflict for one in found]

    assert (said(NOW + 15), said(NOW + 25)) == ([False], [True, True])


def test_quarantine_counts_equal_content_once_and_shows_the_newest_first(store: Store) -> None:
    def stray(content: str, at: int, code: str = "not_a_time") -> None:
        error = Invalid(code)
        refused = (Refused(0, "i", "crm", error, content),)
        sent(store, delivery(at=at, quarantines=True, refused=refused))

    stray("one", NOW)
    stray("two\ud800", NOW + 1)
    stray("x" * 40_000, NOW + 2)
    for at in (NOW + 9, NOW + 3):
        stray("one", at)
    stray("one", NOW + 4, "not_a_date")
    with store.read() as reading:
        assert quarantine.size(reading, W) == 4
        found = walked(lambda cursor: quarantine.page(reading, W, cursor, 3))  # type: ignore[arg-type, return-value] # a page of anything
    entries = [one for one in found if isinstance(one, quarantine.Quarantined)]
    assert [(one.id, one.code, one.count, one.first_at, one.last_at) for one in entries] == [
        (4, "not_a_date", 1, NOW + 4, NOW + 4),
        (3, "not_a_time", 1, NOW + 2, NOW + 2),
        (2, "not_a_time", 1, NOW + 1, NOW + 1),
        (1, "not_a_time", 3, NOW, NOW + 9),
    ]
    assert [one.content for one in entries] == ["one", "x" * 16_384, "two?", "one"]
    assert entries[0].faults == Invalid("not_a_date").faults


def test_credits_say_how_often_and_when_somebody_was_named(store: Store) -> None:
    times = [f"2026-12-0{day}T03:00:00Z" for day in (3, 1, 2)]
    sent(store, delivery(*(call(at, started_at=at) for at in times), won("d", owner="abe")))
    sent(
        store, delivery(call(times[0], 2, started_at=times[0], agent="abe"), call("x", agent=None))
    )
    with store.read() as reading:
        who = actors.all_actors(reading, W)
        found = actors.credits_of(reading, W, [*who, 99])
    day = 86_400_000_000
    three = NOW + 3 * 3_600_000_000
    assert {who[one.actor]: one[1:] for one in found} == {
        ("crm", "sato"): (2, three, three + day),
        ("crm", "abe"): (2, three, three + 2 * day),
        ("crm", ""): (1, three, three),
    }


def test_totals_take_half_open_windows_of_local_days(store: Store) -> None:
    # 15:00 UTC is midnight in Tokyo.
    for key, at in (("a", "2026-12-01T14:59:59Z"), ("b", "2026-12-01T15:00:00Z")):
        sent(store, delivery(call(key, started_at=at)))

    def number(first: int, end: int) -> int:
        with store.read() as reading:
            rows = totals.totals(reading, W, ["calls"], first, end)
        return sum(row.number for row in rows)

    windows = [(0, 1), (1, 2), (0, 2), (2, 3), (1, 1)]
    assert [number(DAY_ONE + a, DAY_ONE + b) for a, b in windows] == [1, 1, 2, 0, 0]
    with store.read() as reading:
        noon = (NOW // 900_000_000) + 60
        rows = totals.quarter_totals(reading, W, ["calls", "talk_time", "none"], noon, noon + 1)
    assert [(row.metric, row.number, row.total) for row in rows] == [
        ("calls", 1, 0), ("talk_time", 1, 60),
    ]  # fmt: skip


def test_a_change_of_zone_moves_days_and_leaves_quarter_hours(store: Store) -> None:
    sent(store, delivery(call("a", started_at="2026-12-01T15:00:00Z")))
    for zone, day in (("Asia/Tokyo", 1), ("UTC", 0)):
        with store.write(W, NOW) as writing:
            body = {"time_zone": zone, "currency": "JPY"}
            documents.put(writing, "workspace", "workspace", body, author="test")
            ledger.rebuild_in(writing)
        with store.read() as reading:
            rows = totals.totals(reading, W, ["calls"], DAY_ONE + day, DAY_ONE + day + 1)
        assert [row.number for row in rows] == [1]
        assert ledger.verify(store, W) == []


@pytest.mark.parametrize(
    ("damage", "table"),
    [
        ("UPDATE tally_day SET number = number + 1", "tally_day"),
        ("DELETE FROM tally_quarter", "tally_quarter"),
        ("UPDATE tally_quarter SET total = total - 1", "tally_quarter"),
        ("UPDATE activity SET fields = '{\"@kind\":\"deal\"}' WHERE key = 'd'", "activity"),
        ("UPDATE activity SET uncounted = 1", "activity"),
        ("DELETE FROM activity_revision WHERE key = 'd'", "activity"),
        ("DELETE FROM activity WHERE key = 'd'", "activity"),
        ("DELETE FROM credit WHERE key = 'd'", "credit"),
        ("UPDATE credit SET at = at + 1", "credit"),
        ("INSERT INTO credit SELECT workspace_id, actor, 0, source, key FROM credit", "credit"),
        (
            "UPDATE activity_revision SET content = replace(content, '100', '200')",
            "activity_revision",
        ),
    ],
)  # fmt: skip
def test_any_damage_is_found(store: Store, damage: str, table: str) -> None:
    sent(store, delivery(won("d"), call("c"), report("p", 2, full=False, kind="call")))
    assert ledger.verify(store, W) == []
    with store.transaction() as connection:
        assert connection.execute(text(damage)).rowcount > 0
    assert table in {one.what for one in ledger.verify(store, W)}


def test_rebuild_repairs_tallies_and_credits(store: Store) -> None:
    sent(store, delivery(won("d"), call("c"), won("m", won_at=None)))
    with store.transaction() as connection:
        for damage in (
            "DELETE FROM tally_quarter",
            "UPDATE tally_day SET total = 0, number = 9",
            "DELETE FROM credit",
            "UPDATE activity SET uncounted = 1 - uncounted",
        ):
            connection.execute(text(damage))
    ledger.rebuild(store, W, NOW)
    assert ledger.verify(store, W) == []
    with pytest.raises(NotFound):
        ledger.verify(store, "nowhere")


@on_sqlite
def test_no_lookup_of_a_commit_or_a_report_reads_a_whole_table(store: Store) -> None:
    sent(store, delivery(*(won(f"d{n}", n % 9 + 1) for n in range(300)), call("c")))
    changed = [won("d1", 50), report("d2", 60, full=False, amount="1"), won("new"), won("d4", 5)]
    refused = Refused(9, None, "crm", Invalid("x"), "")
    one = delivery(*changed, quarantines=True, refused=(refused,))
    recorder = Recorder(store)
    works = [Work(one, item) for item in one.items]
    with overheard(store) as statements:
        recorder.record([*works, Work(one, one.refused[0])])
        with store.read() as reading:
            _read_everything(reading)
    texts = dict(statements)
    assert len(texts) > 25
    with store.read() as reading:
        for statement, values in texts.items():
            if statement.startswith(("PRAGMA", "BEGIN")):
                continue
            one_row = values[0] if isinstance(values, list) else values
            plan = reading.connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", one_row)
            steps = [step for *_, step in plan]
            assert [step for step in steps if reads_too_much(step)] == [], (statement, steps)


def reads_too_much(step: str) -> bool:
    """Whether a step of a plan grows with the table, or with the workspace's share of it."""
    if step.startswith("SCAN"):
        return "VIRTUAL TABLE" not in step
    growing = ("activity", "actor", "credit", "tally", "document")
    all_of_workspace = step.startswith("SEARCH") and step.endswith("(workspace_id=?)")
    # The greatest number of a key is one step to its end.
    return "ORDER BY" in step or (all_of_workspace and step.split()[1].startswith(growing))


def _read_everything(reading: Reading) -> None:
    activities.get(reading, W, "crm", "d1")
    activities.revisions(reading, W, "crm", "d1")
    activities.page(reading, W, None, 5)
    activities.page_uncounted(reading, W, None, 5)
    activities.page_uncounted_by(reading, W, "deals_won", None, 5)
    activities.page_conflicts(reading, W, None, 5)
    quarantine.page(reading, W, None, 5)
    actors.credits_of(reading, W, [1])
    totals.totals(reading, W, ["revenue", "calls"], 0, 10**6)
    totals.quarter_totals(reading, W, ["revenue"], 0, 10**9)
    documents.page(reading, W, "team", None, 5)

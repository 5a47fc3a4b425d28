"""The oracle is asked about ledgers that were broken on purpose: it must say which law."""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Callable, Iterator
from itertools import islice
from pathlib import Path

import pytest
from sqlalchemy import text

from app.store.engine import Store
from tests.engines import on_both
from tests.faults import oracle
from tests.faults.events import Event, events
from tests.faults.founded import serving
from tests.faults.load import Load
from tests.faults.oracle import Told, assert_laws
from tests.faults.service import OTHER, SOURCE, Answer
from tests.store.worlds import delivery, opened, sent, settle

pytestmark = on_both


@pytest.fixture
def stored(tmp_path: Path) -> Iterator[tuple[Store, list[Event]]]:
    store = opened(tmp_path, **{SOURCE: None})
    settle(store, OTHER, **{SOURCE: None})
    chosen = list(islice(events(seed=5), 60))
    sent(store, *(delivery(one.report) for one in chosen))
    sent(store, delivery(chosen[0].report, workspace=OTHER))
    yield store, chosen
    store.close()


def test_a_sound_ledger_passes(stored: tuple[Store, list[Event]]) -> None:
    store, chosen = stored
    told = [Told(chosen, chosen), Told(chosen[:1], chosen[:1], OTHER)]
    verdict = assert_laws(store, told)
    assert (verdict.acked, verdict.lost, verdict.doubled) == (61, 0, 0)


def test_i1_an_acknowledged_report_that_is_not_there(stored: tuple[Store, list[Event]]) -> None:
    store, chosen = stored
    more = next(events(seed=5, first=1_000))
    with pytest.raises(AssertionError, match="I1"):
        assert_laws(store, [Told([*chosen, more], [*chosen, more])])


def broken(store: Store, statement: str) -> None:
    with store.transaction() as connection:
        assert connection.execute(text(statement)).rowcount


@pytest.mark.parametrize(
    ("law", "statement"),
    [
        ("I2", "UPDATE tally_day SET number = number + 1 WHERE number > 0"),
        ("I3", "UPDATE tally_day SET total = total + 1 WHERE total > 0"),
        ("I3", "UPDATE tally_quarter SET number = number - 1 WHERE number > 0"),
        ("I3", "DELETE FROM credit"),
        ("I7", "DELETE FROM workspace_commit WHERE seq = 1"),
        ("I7", "UPDATE workspace_head SET seq = seq + 1"),
        ("I7", "UPDATE workspace_commit SET at = 5"),
    ],
)
def test_i2_i3_i7_a_row_that_is_wrong(
    stored: tuple[Store, list[Event]], law: str, statement: str
) -> None:
    store, chosen = stored
    broken(store, statement)
    with pytest.raises(AssertionError, match=law):
        assert_laws(store, [Told(chosen, chosen)])


def test_i4_a_report_that_was_taken_in_as_another(stored: tuple[Store, list[Event]]) -> None:
    store, chosen = stored
    full = next(one for one in reversed(chosen) if one.full and one.kind == "deal")
    other = dataclasses.replace(full, fields=(*full.fields, ("name", "another")))
    meant = [other if one is full else one for one in chosen]
    with pytest.raises(AssertionError, match="I4"):
        assert_laws(store, [Told(meant, meant)])


def test_i4_an_order_that_ends_differently(
    stored: tuple[Store, list[Event]], monkeypatch: pytest.MonkeyPatch
) -> None:
    store, chosen = stored
    replayed = oracle._replayed
    monkeypatch.setattr(oracle, "_replayed", lambda meant: replayed(meant[:-20]))
    with pytest.raises(AssertionError, match="another order"):
        assert_laws(store, [Told(chosen, chosen)])


def test_i5_what_a_workspace_was_never_told(stored: tuple[Store, list[Event]]) -> None:
    store, chosen = stored
    sent(store, delivery(chosen[7].report, workspace=OTHER))
    with pytest.raises(AssertionError, match="I5"):
        assert_laws(store, [Told(chosen, chosen), Told(chosen[:1], chosen[:1], OTHER)])


@pytest.mark.slow
def test_i5_i6_i8_what_only_a_service_can_get_wrong(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with serving(tmp_path) as service:
        load = Load(service)
        load.send(30)
        assert_laws(service, load.told)
        monkeypatch.setattr(oracle, "_SHOWN_SECONDS", 1)
        asked = service.ask
        for law, wrong in WRONG.items():

            def ask(method: str, path: str, *rest: object, **more: object) -> Answer:
                return wrong(asked(method, path, *rest, **more))  # type: ignore[arg-type]  # noqa: B023 - as it is asked

            monkeypatch.setattr(service, "ask", ask)
            with pytest.raises(AssertionError, match=law):
                assert_laws(service, load.told)
        monkeypatch.setattr(service, "ask", asked)
        service.broken.append("GET /v1/workspace: 500")
        with pytest.raises(AssertionError, match="I6"):
            assert_laws(service, load.told)


def replaced(old: bytes, new: bytes) -> Callable[[Answer], Answer]:
    return lambda answer: dataclasses.replace(answer, body=re.sub(old, new, answer.body))


def doubled(answer: Answer) -> Answer:
    if not answer.body.startswith(b"# HELP"):
        return answer
    end = b"# EOF\n" if answer.body.endswith(b"# EOF\n") else b""
    more = b'tassei_quarantine_deliveries{workspace="other"} 1.0\n' * 2
    return dataclasses.replace(answer, body=answer.body.removesuffix(end) + more + end)


# What each law's breach looks like from outside.
WRONG: dict[str, Callable[[Answer], Answer]] = {
    "I5: other sees": replaced(b"only-for-other", b"only-for-default"),
    "I5: .* are shown": replaced(
        rb'(tassei_goal_actual{[^}]*workspace="other"[^}]*}) \S+', rb"\1 77"
    ),
    "I8": doubled,
}

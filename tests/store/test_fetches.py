"""The queue of what was named and is to be fetched, against a dictionary that does the same."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest

from app.domain.activities import Outcome
from app.domain.deliveries import Delivery, Door, Fetched, Item, Raw, Reference, Refused, Replay
from app.domain.errors import Invalid
from app.domain.freshness import Pending
from app.domain.revisions import of_instant, of_number
from app.store import deliveries, fetchers, fetches, quarantine, sources
from app.store.engine import Store
from app.store.fetches import Waiting
from tests.store.worlds import NOW, W, delivery, opened, sent, won, words

FAR = NOW * 2


def thin(*references: Reference, at: int = NOW, items: tuple[Item, ...] = ()) -> Delivery:
    """A notification of ids, kept as it came."""
    raw = Raw(Door.HOOK, "crm", "POST", "", "application/json", {}, b"[]")
    return Delivery(W, at, True, items, raw=raw, references=references)


def named(id_: str, revision: str = "", *, index: int = 0, object_: str = "deal") -> Reference:
    return Reference(index, object_, id_, revision, "crm")


def due(store: Store, now: int = FAR) -> list[Waiting]:
    with store.read() as reading:
        return fetches.due(reading, W, "crm", now, 1_000)


def only(store: Store) -> Waiting:
    (found,) = due(store)
    return found


def pending(store: Store) -> dict[str, Pending]:
    with store.read() as reading:
        return fetches.pending(reading, W)


def settled(store: Store, *fetched: Fetched) -> None:
    with store.write(W, NOW) as writing:
        fetches.settle(writing, fetched)


def test_what_is_acknowledged_waits_once_and_its_source_has_spoken(store: Store) -> None:
    first, again = thin(named("1"), named("2", index=1)), thin(named("1"), at=NOW + 7)
    sent(store, first, again)
    assert [(one.object, one.id, one.named) for one in due(store)] == [
        ("deal", "1", 2),
        ("deal", "2", 1),
    ]
    assert pending(store) == {"crm": Pending(2, NOW)}
    with store.read() as reading:
        page = deliveries.page(reading, W, deliveries.Filter(), None, 10)
        assert [one.outcomes for one in page.items] == [{"pending": 1}, {"pending": 2}]
        assert sources.states(reading, W)["crm"].last_received_at == NOW + 7


def test_a_name_in_one_delivery_twice_asks_for_the_newest_it_says(store: Store) -> None:
    one, two = of_number("9"), of_number("10")
    sent(store, thin(named("1", two), named("1", one, index=1)))
    assert only(store).revision == two
    sent(store, thin(named("1", one)))
    assert only(store).revision == two


def test_items_and_names_of_one_delivery_are_stored_together_or_not_at_all(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise Invalid("broken")

    both = thin(named("1"), items=(Item(0, "a", won("a")),))
    with monkeypatch.context() as patch:
        patch.setattr(fetches, "enqueue", broken)
        with pytest.raises(Invalid, match="broken"):
            sent(store, both)
    with store.read() as reading:
        assert deliveries.page(reading, W, deliveries.Filter(), None, 10).items == []
    assert due(store) == []
    assert words(sent(store, both)[0]) == ["accepted"]
    assert only(store).id == "1"


def test_a_poisonous_item_beside_a_name_does_not_take_it_along(store: Store) -> None:
    huge = Item(0, "a", won("a", amount="9" * 30))
    (results,) = sent(store, thin(named("1"), items=(huge, Item(1, "b", won("b")))))
    assert words(results) == ["quarantined", "accepted"]
    assert only(store).id == "1"


def test_what_is_counted_waits_no_longer_and_neither_happens_alone(store: Store) -> None:
    sent(store, thin(named("1")))
    waiting = only(store)
    report = won("deal:1", of_instant(NOW))
    fetched = Delivery(
        W, NOW, True, (Item(0, "1", report),), fetched=(waiting.fetched(of_instant(NOW)),)
    )
    (results,) = sent(store, fetched)
    assert words(results) == ["accepted"]
    assert due(store) == []
    # Fetched by a process that died before it heard of the commit: the same again.
    (results,) = sent(store, fetched)
    assert words(results) == ["duplicate"]


def test_what_is_named_while_it_is_fetched_is_fetched_again_at_once(store: Store) -> None:
    sent(store, thin(named("1")))
    begun = only(store)
    sent(store, thin(named("1"), at=NOW + 1))
    settled(store, begun.fetched())
    assert (only(store).named, only(store).attempts) == (2, 0)
    settled(store, only(store).fetched())
    assert due(store) == []


@pytest.mark.parametrize(
    ("asked", "found", "answered"),
    [
        (of_number("10"), of_number("9"), False),
        (of_number("10"), of_number("10"), True),
        (of_number("10"), of_number("11"), True),
        (of_instant(NOW), of_instant(NOW - 1), False),
        # Of two clocks none is later: what was asked before the fetch began is answered by it.
        (of_instant(NOW), of_number("1"), True),
        (of_instant(NOW), "", True),
        ("", of_number("1"), True),
    ],
)
def test_a_state_older_than_asked_for_does_not_answer(
    store: Store, asked: str, found: str, *, answered: bool
) -> None:
    sent(store, thin(named("1", asked)))
    settled(store, only(store).fetched(found))
    assert (due(store) == []) is answered


def test_a_newer_state_answers_even_what_was_named_meanwhile(store: Store) -> None:
    sent(store, thin(named("1", of_number("1"))))
    begun = only(store)
    sent(store, thin(named("1", of_number("2"))))
    settled(store, begun.fetched(of_number("1")))
    assert only(store).named == 2
    settled(store, begun.fetched(of_number("2")))
    assert due(store) == []


def test_what_failed_comes_later_and_new_names_do_not_hurry_it(store: Store) -> None:
    sent(store, thin(named("1")), thin(named("2")))
    with store.write(W, NOW) as writing:
        fetches.postpone(writing, due(store)[0], NOW + 100)
    sent(store, thin(named("1")))
    assert [one.id for one in due(store, NOW + 99)] == ["2"]
    assert [(one.id, one.attempts) for one in due(store, NOW + 100)] == [("2", 0), ("1", 1)]


def test_what_is_given_up_is_set_aside_and_a_replay_has_it_fetched_again(store: Store) -> None:
    sent(store, thin(named("1"), named("2", index=1)))
    second = due(store)[1]
    refused = Refused(0, "2", "crm", Invalid("object_not_found"), '{"object":"deal","id":"2"}')
    sent(store, Delivery(W, NOW, True, (), (refused,), fetched=(second.fetched(final=True),)))
    assert only(store).id == "1"
    with store.read() as reading:
        (entry,) = quarantine.page(reading, W, None, 10).items
    assert (entry.code, entry.item, entry.delivery) == ("object_not_found", "2", second.delivery)
    assert entry.delivery is not None
    again = (named("1"), named("2", index=1))
    sent(store, Delivery(W, NOW, True, (), replay=Replay(entry.delivery, NOW), references=again))
    assert [one.id for one in due(store)] == ["1", "2"]
    with store.read() as reading:
        assert quarantine.size(reading, W) == 0


@pytest.mark.parametrize("seed", range(3))
def test_any_order_of_names_fetches_and_crashes_fetches_what_was_asked_for(
    store: Store, seed: int
) -> None:
    """Against a dictionary: id -> (newest revision asked for, how often named)."""
    dice = random.Random(seed)
    expected: dict[str, tuple[int, int]] = {}
    begun: list[Waiting] = []
    for _ in range(120):
        id_ = str(dice.randint(1, 5))
        match dice.randint(0, 3):
            case 0:
                revision = dice.randint(0, 30)
                sent(store, thin(named(id_, of_number(str(revision)) if revision else "")))
                asked, times = expected.get(id_, (0, 0))
                expected[id_] = (max(asked, revision), times + 1)
            case 1:
                begun = due(store)
            case _ if begun:
                one = dice.choice(begun)
                found = dice.randint(1, 30)
                settled(store, one.fetched(of_number(str(found))))
                asked, times = expected.get(one.id, (99, 0))
                if (asked and found >= asked) or (not asked and one.named == times):
                    del expected[one.id]
        stored = {one.id: (one.revision, one.named) for one in due(store)}
        assert stored == {
            id_: (of_number(str(asked)) if asked else "", times)
            for id_, (asked, times) in expected.items()
        }


def taken(store: Store, now: int, until: int) -> fetchers.State | None:
    with store.transaction() as connection:
        return fetchers.take(connection, W, "crm", now, until)


def changed(store: Store, fence: int, **values: Any) -> bool:
    with store.transaction() as connection:
        return fetchers.change(connection, W, "crm", fence, values)


def test_a_source_is_one_holders_until_the_lease_ends(store: Store, tmp_path: Path) -> None:
    other = Store(store._url) if store._url.startswith("sqlite") else store
    first = taken(store, NOW, NOW + 10)
    assert first is not None
    assert taken(other, NOW + 9, NOW + 20) is None
    assert changed(store, first.fence, marks='{"deal":1}')
    second = taken(other, NOW + 10, NOW + 20)
    assert second is not None
    assert (second.fence, second.marks) == (first.fence + 1, '{"deal":1}')
    # The first was only slow. What it still writes is refused.
    assert not changed(store, first.fence, marks="{}")
    with store.read() as reading:
        assert fetchers.state(reading, W, "crm").marks == '{"deal":1}'
        assert fetchers.state(reading, W, "other") == fetchers.UNTRIED
    if other is not store:
        other.close()
    assert tmp_path.exists()


def test_what_is_wanted_of_a_source_is_noted_whoever_holds_it(store: Store) -> None:
    held = taken(store, NOW, NOW + 10)
    assert held is not None
    with store.transaction() as connection:
        fetchers.ask(connection, W, "crm", {"backfill_from": 5})
        fetchers.ask(connection, W, "new", {"backfill_from": 6})
    with store.read() as reading:
        found = fetchers.states(reading, W)
    assert {source: one.backfill_from for source, one in found.items()} == {"crm": 5, "new": 6}
    assert found["crm"].fence == held.fence


def test_a_source_that_only_names_is_pending_and_a_replay_does_not_hear_it_anew(
    tmp_path: Path,
) -> None:
    store = opened(tmp_path, crm=["deal"])
    sent(store, thin(named("1")))
    place = only(store).delivery
    assert place is not None
    replayed = Delivery(W, NOW, True, (), replay=Replay(place, NOW + 99), references=(named("1"),))
    sent(store, replayed)
    with store.read() as reading:
        assert sources.states(reading, W)["crm"].last_received_at == NOW
    assert only(store).named == 2
    assert words(sent(store, delivery(won("a")))[0]) == [Outcome.ACCEPTED]
    store.close()

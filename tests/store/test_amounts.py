"""Whether amounts are there, found beside whoever writes and made sure of at the commit."""

from __future__ import annotations

import pytest

from app.domain.activities import Report
from app.store import amounts
from app.store.engine import Store
from tests.store.own_metrics import DEFINITIONS, redefine
from tests.store.worlds import NOW, W, call, delivery, put_source, report, sent, won


def there(store: Store, looked: amounts.Looked | None) -> bool:
    with store.write(W, NOW) as writing:
        return amounts.are_there(writing, looked, writing.config_version)


def look(store: Store) -> amounts.Looked:
    with store.read() as reading:
        return amounts.look(reading, W)


@pytest.mark.parametrize(
    ("said", "expected"),
    [
        (call("c"), False),
        (won("d", amount=None), False),
        (report("d", status="open", stage='"amount":"1"'), False),
        (report("d", status="open", amount="1"), True),
        (report("d", full=False, amount="1"), True),
        (won("d"), True),
        (report("t", kind="ticket", amount="1"), True),
        (report("t", kind="ticket", worth="1"), False),
    ],
)
@pytest.mark.parametrize("before", [True, False])
def test_an_amount_is_found_whether_it_came_before_or_behind_the_look(
    store: Store,
    said: Report,
    expected: bool,  # noqa: FBT001 - a parameter of the test
    before: bool,  # noqa: FBT001 - a parameter of the test
) -> None:
    looked = None if before else look(store)
    sent(store, delivery(said))
    looked = look(store) if before else looked
    assert there(store, looked) is expected
    assert there(store, None) is expected


def test_only_the_fields_of_the_day_are_looked_for_and_a_new_one_is_looked_for_anew(
    store: Store,
) -> None:
    sent(store, delivery(report("t", kind="ticket", worth="1")))
    looked = look(store)
    assert not there(store, looked)
    redefine(store, "worth", DEFINITIONS["m_sum"] | {"kind": "ticket", "value": "worth"})
    assert there(store, looked)


def test_what_a_source_does_not_count_is_no_amount(store: Store) -> None:
    with store.write(W, NOW) as writing:
        put_source(writing, "crm", ["call"])
    sent(store, delivery(won("d")))
    assert not there(store, look(store))

"""What goes between the service and its committing process arrives as it was sent."""

from __future__ import annotations

import pytest

from app.domain.activities import Outcome
from app.domain.deliveries import (
    About,
    Delivery,
    Door,
    Fetched,
    ItemResult,
    Raw,
    Reference,
    Refused,
    Replay,
)
from app.domain.errors import Fault, Invalid, NotFound, TasseiError, Unavailable
from app.store.frames import Frames, Told, flattened, framed, raised
from app.store.heads import Head
from tests.store.worlds import NOW, W, call, delivery, gone, won

RAW = Raw(Door.HOOK, "crm", "POST", "a=1", "application/json", {"ce-id": "é"}, b"{}", altered=True)
REFUSED = Refused(3, None, "crm", Invalid("x", Fault("/a", "y", {"n": 1})), "…", About("k", "t1"))
DELIVERIES = [
    delivery(),
    delivery(won("a"), call("b"), gone("c", 4)),
    delivery(won("a", note="日本語 \u2028"), refused=(REFUSED,), quarantines=True),
    Delivery(W, NOW, False, (), raw=RAW, replay=Replay(7, NOW + 1)),
    Delivery(W, NOW, True, (), references=(Reference(0, "deal", "1", "t2"),)),
    Delivery(W, NOW, True, (), fetched=(Fetched("crm", "deal", "1", 3, "t2", 9, 1, final=True),)),
]


def plain(one: Delivery) -> tuple[object, ...]:
    """As values: an error is equal to itself only."""
    refused = [(*r[:3], r.error.code, r.error.params, r.error.faults, *r[4:]) for r in one.refused]
    return (*one[:4], refused, *one[5:])


@pytest.mark.parametrize("one", DELIVERIES)
def test_a_delivery_arrives_with_every_field(one: Delivery) -> None:
    (chosen,) = Frames().add(framed([flattened(5, one)]))
    assert isinstance(chosen, list)
    number, arrived = raised(chosen[0])
    assert number == 5
    assert plain(arrived) == plain(one)
    assert type(arrived) is Delivery


def test_every_field_of_a_delivery_is_among_them() -> None:
    usual = Delivery(W, NOW, False, ())
    for name in Delivery._fields[4:]:
        assert any(getattr(one, name) != getattr(usual, name) for one in DELIVERIES), name


@pytest.mark.parametrize(
    "error",
    [Unavailable("disk_is_full", retry_after=9), NotFound("unknown_workspace"), REFUSED.error],
)
def test_an_error_arrives_with_all_it_says(error: TasseiError) -> None:
    results = [(1, [ItemResult(0, "a", Outcome.REJECTED, error)])]
    told = Told({"accepted": [2]}, results, [(3, error)], {W: Head(1, 2, 3)}, [(4, 0.5)], "x")
    (arrived,) = Frames().add(framed(told))
    assert isinstance(arrived, Told)
    for one in (arrived.results[0][1][0].error, arrived.errors[0][1]):
        assert type(one) is type(error)
        assert vars(one) == vars(error)
    assert arrived[3:] == told[3:]
    assert arrived.plain == told.plain


def test_messages_arrive_however_they_are_cut() -> None:
    values = [[flattened(n, one)] for n, one in enumerate(DELIVERIES)]
    sent = b"".join(map(framed, values))
    for size in (1, 3, 64, len(sent)):
        frames, arrived = Frames(), []
        for start in range(0, len(sent), size):
            arrived += list(frames.add(sent[start : start + size]))
        assert [raised(one[0])[0] for one in arrived] == list(range(len(DELIVERIES)))  # type: ignore[index] # lists of plain deliveries

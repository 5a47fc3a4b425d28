"""A bug in what reads a provider's deliveries: acknowledged, kept, listed, replayed when mended."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest

from app.domain.activities import KIND, make_report
from app.domain.deliveries import Delivery, Item
from app.domain.revisions import of_number
from app.intake import registry
from app.intake.credentials import Secret
from app.intake.requests import Hook, HookRequest, Provider, hook_delivery
from tests.web.example import START, settle
from tests.web.service import Service, started
from tests.web.test_hooks import connect, quarantined
from tests.web.test_replay import SPAN, amounts, listed, replayed

FAULTS: dict[bytes, Callable[[], object]] = {
    b"0": lambda: 1 // 0,
    b"1": lambda: dict[str, str]()["amount"],
    b"2": lambda: int("\N{ROMAN NUMERAL TWO}"),
    b"3": lambda: (_ for _ in ()).throw(RecursionError()),
    b"4": lambda: (_ for _ in ()).throw(AssertionError("a secret word of ours")),
}


def broken(request: HookRequest) -> Delivery:
    FAULTS.get(request.body, lambda: None)()
    return mended(request)


def mended(request: HookRequest) -> Delivery:
    fields: dict[str, Any] = {KIND: "payment", "amount": request.body.decode(), "currency": "JPY"}
    fields |= {"paid_at": "2026-12-01T00:00:00Z"}
    report = make_report(request.source, f"p{fields['amount']}", of_number("1"), fields, full=True)
    return hook_delivery(request, Item(0, fields["amount"], report))


@pytest.fixture
def use(monkeypatch: pytest.MonkeyPatch) -> Callable[[Callable[[HookRequest], Delivery]], None]:
    known = registry.PROVIDERS

    def using(read: Callable[[HookRequest], Delivery]) -> None:
        hook = Hook(lambda _request: None, read, lambda _url: ())
        monkeypatch.setitem(known, "fake", Provider("fake", None, (Secret("word"),), hook))

    return using


@pytest.fixture
def service() -> Iterator[Service]:
    with started(START) as running:
        yield settle(running)


def test_what_a_bug_could_not_read_is_acknowledged_kept_and_counted_once_it_is_mended(
    service: Service, use: Callable[[Callable[[HookRequest], Delivery]], None]
) -> None:
    use(broken)
    word = "a long enough word"
    path = "/v1/hooks/" + connect(service, "fake", "fake", word=word)["hook_url"].rpartition("/")[2]
    for body in (*FAULTS, b"7"):
        assert service.client.post(path, content=body).status_code == 204
    assert amounts(service) == ["7"]
    entries = quarantined(service)
    assert [one["code"] for one in entries] == ["reading_failed"] * len(FAULTS)
    assert {one["content"] for one in entries} == {body.decode() for body in FAULTS}
    assert len(listed(service, source="fake")) == len(FAULTS) + 1
    # While the bug is there a replay finds the same, and harms nothing.
    again = service.client.post(f"/v1/quarantine/{entries[0]['id']}/replay")
    assert (again.status_code, again.json()["quarantined"]) == (200, 1)
    assert replayed(service)["outcomes"] == {"quarantined": len(FAULTS), "duplicate": 1}
    assert len(quarantined(service)) == len(FAULTS)

    use(mended)
    one = service.client.post(f"/v1/quarantine/{entries[0]['id']}/replay")
    assert one.json()["accepted"] == 1
    whole = service.client.post("/v1/deliveries/replay", json=SPAN).json()
    assert whole["outcomes"]["accepted"] == len(FAULTS) - 1
    assert quarantined(service) == []
    assert sorted(amounts(service)) == ["0", "1", "2", "3", "4", "7"]
    assert service.mismatches() == []

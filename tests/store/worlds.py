"""What the store's tests share: a ledger in a folder, and reports to send it."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import Any

from app.domain.activities import KIND, RETRACTED, Report, make_report
from app.domain.deliveries import Delivery, Item, ItemResult, Refused
from app.domain.revisions import of_number
from app.store import documents
from app.store.committer import Committer
from app.store.engine import Store
from tests import engines

W = "default"
NOW = 1_796_083_200_000_000  # 2026-12-01T00:00:00Z
DAY_ONE = NOW // 86_400_000_000


def url(folder: Path) -> str:
    """The address of a folder's database, which may have no tables yet."""
    return engines.url(folder)


def settle(store: Store, workspace: str = W, /, **sources: list[str] | None) -> None:
    """A workspace in Tokyo with some sources and what each counts."""
    with store.create_workspace(workspace, NOW) as writing:
        body = {"time_zone": "Asia/Tokyo", "currency": "JPY"}
        documents.put(writing, "workspace", "workspace", body, author="test")
        for key, counts in (sources or {"crm": None}).items():
            put_source(writing, key, counts)


def put_source(writing: Any, key: str, counts: list[str] | None) -> None:
    documents.put(writing, "source", key, {"provider": "events", "counts": counts}, author="test")


def opened(folder: Path, **sources: list[str] | None) -> Store:
    store = Store(engines.url(folder, migrated=True))
    store.migrate()
    settle(store, W, **sources)
    return store


def report(
    key: str, revision: int | str = 1, /, *, source: str = "crm", full: bool = True, **fields: Any
) -> Report:
    kind = fields.pop("kind", "deal")
    text = of_number(str(revision)) if isinstance(revision, int) else revision
    return make_report(source, key, text, {KIND: kind} | fields, full=full)


def won(key: str, revision: int | str = 1, **fields: Any) -> Report:
    usual: dict[str, Any] = {
        "status": "won",
        "won_at": "2026-12-01T03:00:00Z",
        "amount": "100",
        "owner": "sato",
    }
    return report(key, revision, **(usual | fields))


def gone(key: str, revision: int) -> Report:
    """A deletion, as senders report it: nothing but that."""
    fields: dict[str, Any] = {RETRACTED: True}
    return report(key, revision, full=False, **fields)


def call(key: str, revision: int | str = 1, **fields: Any) -> Report:
    usual: dict[str, Any] = {
        "kind": "call",
        "direction": "outbound",
        "outcome": "connected",
        "started_at": "2026-12-01T03:00:00Z",
        "talk_seconds": 60,
        "agent": "sato",
    }
    return report(key, revision, **(usual | fields))


def delivery(
    *reports: Report,
    workspace: str = W,
    at: int = NOW,
    quarantines: bool = False,
    refused: tuple[Refused, ...] = (),
) -> Delivery:
    items = tuple(Item(index, one.key, one) for index, one in enumerate(reports))
    return Delivery(workspace, at, quarantines, items, refused)


def sent(store: Store, *deliveries: Delivery) -> list[list[ItemResult]]:
    """What a committer of its own answers to deliveries that all wait before it starts."""
    committer = Committer(store)
    committer.open()
    answers = [committer.submit(one) for one in deliveries]
    committer.start()
    try:
        return [answer.result(30) for answer in answers]
    finally:
        committer.stop()


def words(results: Iterable[ItemResult]) -> list[str]:
    return [result.outcome.value for result in results]


def codes(results: Iterable[ItemResult]) -> list[str | None]:
    return [result.error.code if result.error else None for result in results]

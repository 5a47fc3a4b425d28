"""kintone's notifications: a record added, edited, moved on, deleted, and a comment."""

from __future__ import annotations

from tests.intake.kintone_events import SEVERAL, deleted, mapped, record, saved, visited, won

# What the last ones are read by.
MAPPING = SEVERAL
SAMPLES = [
    saved(record(), "ADD_RECORD"),
    saved(won()),
    saved(won(4), "UPDATE_STATUS"),
    saved(won(5, 商談状況="保留")),
    saved(record(), "ADD_RECORD_COMMENT", comment={"id": "1", "text": "ok"}),
    deleted(),
    mapped(saved(visited(2, 訪問日時="2026-12-10T05:30:00Z", 流入="問い合わせ"))),
    mapped(saved(visited(3, 商談状況="保留"))),
    mapped(deleted("502")),
]

FETCHED = [("12", won()), ("12", record()), ("13", record())]

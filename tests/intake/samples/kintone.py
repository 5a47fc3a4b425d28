"""kintone's notifications: a record added, edited, moved on, deleted, and a comment."""

from __future__ import annotations

from tests.intake.kintone_events import deleted, record, saved, won

SAMPLES = [
    saved(record(), "ADD_RECORD"),
    saved(won()),
    saved(won(4), "UPDATE_STATUS"),
    saved(won(5, 商談状況="保留")),
    saved(record(), "ADD_RECORD_COMMENT", comment={"id": "1", "text": "ok"}),
    deleted(),
]

FETCHED = [("12", won()), ("12", record()), ("13", record())]

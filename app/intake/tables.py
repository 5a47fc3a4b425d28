"""A table that is posted becomes a delivery, by the mapping of the source it is of.

Its rows say neither what they are nor whose: the source does. So a table is kept under its
source, and read again by whatever mapping the source has then.
"""

from __future__ import annotations

import io
from functools import lru_cache
from itertools import islice

from app.domain.deliveries import Delivery, Door, Raw
from app.domain.errors import TooLarge
from app.intake.csv_rows import read_row, rows
from app.intake.events import MAX_ITEMS, delivery, essence_of
from app.intake.mapping import RowMapping

MEDIA_TYPE = "text/csv"


@lru_cache(maxsize=100)  # senders have few, and each says the same every time
def is_table(media_type: str) -> bool:
    """Whether a Content-Type announces a table, in whatever character set."""
    return media_type.partition(";")[0].strip().lower() == MEDIA_TYPE


def read_table(
    body: bytes, media_type: str, mapping: RowMapping, *, workspace: str, now: int
) -> Delivery:
    """The delivery that a table brings; the index of an item is the number of its row.

    A byte order mark is no part of the header: spreadsheets write one, curl does not take it off.
    Raises UnsupportedMedia, Unreadable, TooLarge (too_many_items), and Invalid where the header is
    not one for the mapping.
    """
    essence_of(media_type)
    lines = io.TextIOWrapper(io.BytesIO(body), encoding="utf-8-sig", newline="")
    found = list(islice(rows(lines, mapping), MAX_ITEMS + 1))
    if len(found) > MAX_ITEMS:
        raise TooLarge("too_many_items", limit=MAX_ITEMS)
    outcomes = [read_row(mapping, row, now) for row in found]
    return delivery(workspace, now, outcomes, quarantines=False)


def raw_table(body: bytes, media_type: str, source: str) -> Raw:
    """A posted table as it is kept."""
    return Raw(Door.EVENTS, source, "POST", f"source={source}", media_type, {}, body)

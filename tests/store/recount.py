"""The oracle: what a pile of reports means, counted the slow way.

Written from the words of the law, not from the program: per field the value of the greatest stamp
stands, a full report says something about every field, and counting follows a table by hand.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterable, Mapping
from datetime import datetime
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import text

from app.domain.activities import Report
from app.store.engine import Store
from app.store.generations import key_of

Tally = dict[tuple[Any, ...], tuple[int, int]]
_DIGITS = {"JPY": 0, "USD": 2}


def fields_of(reports: Iterable[Report]) -> dict[str, Any]:
    """Of every field, what the greatest report that says anything about it says."""
    ordered = sorted(reports, key=lambda one: one.stamp)
    fulls = [one for one in ordered if one.full]
    fields: dict[str, Any] = dict(fulls[-1].fields) if fulls else {}
    base = fulls[-1].stamp if fulls else None
    for one in ordered:
        if not one.full and (base is None or one.stamp > base):
            fields.update(one.fields)
    return fields


def counted(fields: Mapping[str, Any], home: str) -> Iterable[tuple[str, str, str, str, int]]:
    """Metric, currency, instant, identity, amount of everything one activity counts in."""
    if fields.get("@retracted") is True:
        return
    match fields["@kind"]:
        case "call":
            yield from _call(fields)
        case "deal":
            yield from _deal(fields, home)


def _call(fields: Mapping[str, Any]) -> Iterable[tuple[str, str, str, str, int]]:
    at, who = fields.get("started_at"), fields.get("agent") or ""
    if at is None:
        return
    if fields.get("direction") == "outbound":
        yield "calls", "", at, who, 0
        if fields.get("outcome") == "connected":
            yield "connected_calls", "", at, who, 0
    if fields.get("direction") == "inbound":
        yield "inbound_calls", "", at, who, 0
    if fields.get("talk_seconds") is not None:
        yield "talk_time", "", at, who, fields["talk_seconds"]


def _deal(fields: Mapping[str, Any], home: str) -> Iterable[tuple[str, str, str, str, int]]:
    who = fields.get("owner") or ""
    if fields.get("created_at") is not None and (fields.get("type") or "new") == "new":
        yield "deals_created", "", fields["created_at"], who, 0
    if fields.get("status") == "won" and fields.get("won_at") is not None:
        yield "deals_won", "", fields["won_at"], who, 0
        if fields.get("amount") is not None:
            currency = fields.get("currency") or home
            amount = int(fields["amount"]) * 10 ** _DIGITS[currency]
            yield "revenue", currency, fields["won_at"], who, amount


def _stood(fields: Mapping[str, Any], home: str) -> Iterable[tuple[str, str, str, str, int, int]]:
    """What stands in the pipeline: it comes when it is created and leaves when it is decided."""
    if fields["@kind"] != "deal" or fields.get("@retracted") is True:
        return
    came, amount, status = (fields.get(name) for name in ("created_at", "amount", "status"))
    if came is None or amount is None or status == "deleted":
        return
    gone = fields.get("won_at") or fields.get("closed_at")
    if status != "open" and gone is None:
        return
    who, currency = fields.get("owner") or "", fields.get("currency") or home
    value = int(amount) * 10 ** _DIGITS[currency]
    yield "open_pipeline", currency, came, who, 1, value
    if status != "open":
        yield "open_pipeline", currency, max(came, gone, key=_instant), who, -1, -value


def _instant(written: str) -> datetime:
    return datetime.fromisoformat(written)


def tallies_of(
    reports: Iterable[Report], counts: Mapping[str, list[str] | None], zone: str, home: str = "JPY"
) -> tuple[Tally, Tally]:
    """Days and quarter hours: (metric, currency, bucket, source, identity) -> number and sum."""
    days: Tally = {}
    quarters: Tally = {}
    for (source, _), pile in piles(reports).items():
        fields = fields_of(pile)
        kinds = counts[source]
        if kinds is not None and fields["@kind"] not in kinds:
            continue
        moves = [(m, c, at, who, 1, v) for m, c, at, who, v in counted(fields, home)]
        for metric, currency, written, who, step, amount in (*moves, *_stood(fields, home)):
            at = datetime.fromisoformat(written)
            day = (at.astimezone(ZoneInfo(zone)).date() - datetime(1970, 1, 1).date()).days  # noqa: DTZ001 - only its date
            for tally, bucket in ((days, day), (quarters, int(at.timestamp()) // 900)):
                place = (metric, currency, bucket, source, who)
                number, total = tally.get(place, (0, 0))
                tally[place] = (number + step, total + amount)
    return tuple(  # type: ignore[return-value] # two dictionaries in, two out
        {place: sums for place, sums in tally.items() if sums != (0, 0)}
        for tally in (days, quarters)
    )


def piles(reports: Iterable[Report]) -> dict[tuple[str, str], list[Report]]:
    found: dict[tuple[str, str], list[Report]] = {}
    for one in reports:
        found.setdefault((one.source, one.key), []).append(one)
    return found


_STORED = """
    SELECT s.metric, s.currency, t.{0}, a.source, a.identity, t.number, t.total
    FROM tally_{0} t
    JOIN metric_slot s USING (workspace_id, slot)
    JOIN actor a USING (workspace_id, actor)
    WHERE t.workspace_id = :workspace AND (t.number, t.total) != (0, 0)
"""


def stored_tallies(
    store: Store, workspace: str = "default", names: Container[str] | None = None
) -> tuple[Tally, Tally]:
    """The same two tables as they stand in the file; rows of nothing left out.

    names: only of generations of these names
    """
    with store.read() as reading:
        days, quarters = (
            {
                (key_of(row[0]), *row[1:5]): (row[5], row[6])
                for row in reading.connection.execute(
                    text(_STORED.format(bucket)), {"workspace": workspace}
                )
                if names is None or row[0] in names
            }
            for bucket in ("day", "quarter")
        )
    return days, quarters


def credited(
    reports: Iterable[Report], counts: Mapping[str, list[str] | None]
) -> Counter[tuple[str, str]]:
    """How many activities credit (source, identity); "" is nobody."""
    found: Counter[tuple[str, str]] = Counter()
    for (source, _), pile in piles(reports).items():
        fields = fields_of(pile)
        kinds = counts[source]
        if kinds is None or fields["@kind"] in kinds:
            names = {who for _, _, _, who, _ in counted(fields, "JPY")}
            names |= {who for _, _, _, who, *_ in _stood(fields, "JPY")}
            found.update((source, who) for who in names)
    return found

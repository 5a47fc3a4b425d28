"""Asterisk: calls by the rows of its call detail records, which a program at the switch sends.

Asterisk posts nothing. It appends rows to a file, in which `cdr_custom.conf` has a line of ours,
and docs/senders/asterisk/tassei-cdr.py sends what was appended. All rows with one `linkedid` are
one call: a queue that rings ten telephones writes ten, a transfer another. Each sends partial
reports about the linkedid; what they know best differs by what is asked, so there are four, and
the revision begins with the question and with how well the row knows the answer:

    1  which way, when and with whom: the row of the channel the call began with; the earliest
    2  when it ended: the latest row
    3  outcome and talk time: a person talked (3), the mailbox (2), nobody (1); the latest
    4  who: a number outside (1), a pipe's name (2), a telephone (3); the latest

An agent who calls out is known by the call's first channel and stays (4), also in 3, whoever the
call is passed on to. Only rows in which a trunk takes part say that there was a call; a call among
ours says nothing, or takes back what its pipe to a mobile telephone says.
"""

from __future__ import annotations

import csv
import hashlib
from collections.abc import Iterator, Sequence

from app.domain.activities import Report
from app.domain.deliveries import Delivery, Item, Refused
from app.domain.documents import Node, gathered
from app.domain.errors import Invalid
from app.domain.instants import SECOND, written_instant
from app.domain.revisions import of_number
from app.intake.credentials import Absence, Secret
from app.intake.proofs import verify_hmac
from app.intake.providers.asterisk.rows import COLUMNS, DISPOSITIONS, Row, Side, Values, row_of
from app.intake.requests import (
    Connecting,
    Hook,
    HookRequest,
    Provider,
    Step,
    body_text,
    fields_of,
    hook_delivery,
    hook_report,
    refusal,
    usable_name,
)
from app.intake.source_settings import MAX_ITEMS, Setting, zone_setting

# Raised with every change of what a row comes to: only then does a replay supersede.
MAPPING = 1
_MAX_ROWS = 1_000
_REPORTS = 4  # at most, of one row
_LATEST = 10**12 - 1
_LAST = 10**10 - 1
_MAILBOXES = ("VoiceMail", "Voicemail", "MiniVM", "MinivmRecord")
_ORIGINS = {
    "direction": "/channel",
    "outcome": "/disposition",
    "started_at": "/start",
    "ended_at": "/end",
    "talk_seconds": "/billsec",
    "counterpart": "/dst",
    "agent": "/channel",
}


def _verify(request: HookRequest) -> None:
    keys = [key.encode() for key in request.credentials.get("secret", ())]
    verify_hmac(request.headers.get("x-tassei-signature"), request.body, keys, prefix="sha256=")


def _read(request: HookRequest) -> Delivery:
    items: list[Item] = []
    refused: list[Refused] = []
    # A line is a row, also one that is none: its neighbours count all the same.
    lines = [line for line in body_text(request.body).split("\n") if line.strip()]
    if len(lines) > _MAX_ROWS:
        error = Invalid("too_many_items", limit=_MAX_ROWS)
        return hook_delivery(request, refused=(refusal(request, error, lines[0]),))
    for n, line in enumerate(lines):
        try:
            row = _row(line, request)
            for m, report in enumerate(_reports(row, request)):
                id_ = usable_name(f"{row.uniqueid}/{row.sequence}") or report.key
                items.append(Item(_REPORTS * n + m, id_, report))
        except Invalid as error:
            refused.append(refusal(request, error, line, index=_REPORTS * n))
    return hook_delivery(request, *items, refused=tuple(refused))


def _row(line: str, request: HookRequest) -> Row:
    try:
        cells: Sequence[str] = next(csv.reader([line], strict=True))
    except csv.Error:
        raise Invalid("not_a_cdr_row", expected=len(COLUMNS), found=0) from None
    settings = request.settings
    return row_of(cells, settings.texts("trunks"), settings.zone("zone"), request.received_at)


def _reports(row: Row, request: HookRequest) -> Iterator[Report]:
    begun = _begun(row)
    if begun is not None:
        rank = 2 if row.first else 1
        order = f"{_LATEST - row.start // SECOND:012}{_LAST - row.sequence:010}"
        yield _report(row, f"1{rank}{order}", begun, request)
    latest = f"{row.end // SECOND:012}{row.sequence:010}"
    if Side.OUTSIDE in (row.caller, row.called):
        ended: Values = {"ended_at": written_instant(row.end)}
        yield _report(row, f"20{latest}", ended, request)
        rank, talk = _talk(row)
        yield _report(row, f"3{rank}{latest}", talk, request)
    rank, agent = _agent(row)
    if agent:
        yield _report(row, f"4{rank}{latest}", {"agent": agent}, request)


def _report(row: Row, digits: str, values: Values, request: HookRequest) -> Report:
    fields = fields_of("call", values, _ORIGINS, request.received_at)
    identity = f"{row.uniqueid}/{row.sequence}".encode()
    tie = int.from_bytes(hashlib.sha256(identity).digest()[:6], "big")
    revision = of_number(f"{digits}{tie:015}")
    return hook_report(request, row.call, revision, fields, full=False, mapping=MAPPING)


def _begun(row: Row) -> Values | None:
    """Direction, beginning and customer; None for a row that cannot tell."""
    if row.caller is Side.OUTSIDE:
        # A customer whom the agent passes on becomes the caller of another row, and called nobody.
        return _beginning(row, "inbound", row.src) if row.first else None
    if row.called is Side.OUTSIDE:
        # A consultation during a call belongs to it; a pipe is how other programs let us dial.
        calls_out = row.first or row.caller is Side.PIPE
        return _beginning(row, "outbound", row.counterpart) if calls_out else None
    if row.colleague:
        # A colleague is called, whose pipe may lead on to a mobile telephone: no customer's call.
        return {"direction": None, "started_at": None, "counterpart": None}
    return None


def _beginning(row: Row, direction: str, counterpart: str) -> Values:
    known: Values = {"direction": direction, "started_at": written_instant(row.start)}
    return {**known, "counterpart": counterpart} if counterpart else known


def _talk(row: Row) -> tuple[int, Values]:
    """How well a row knows the outcome, and which it was."""
    if row.called is Side.NOWHERE:
        if row.answered and row.app in _MAILBOXES:
            return 2, {"outcome": "voicemail", "talk_seconds": 0}
        return 1, {"outcome": "no_answer", "talk_seconds": 0}  # an announcement is no person
    if row.answered:
        rank = 4 if _calls_out(row) else 3
        return rank, {"outcome": "connected", "talk_seconds": row.billsec}
    # Of a customer it is told how; of ours who did not answer only that they did not.
    outcome = "no_answer" if row.caller is Side.OUTSIDE else DISPOSITIONS[row.disposition]
    return 1, {"outcome": outcome, "talk_seconds": 0}


def _agent(row: Row) -> tuple[int, str]:
    """How well a row knows who of ours it was, and who."""
    rank, who = 0, ""
    match row.caller, row.called:
        case Side.OURS, Side.OUTSIDE:
            rank, who = (4 if row.first else 3), row.who
        case Side.OURS, Side.PIPE if row.first and not row.colleague:
            rank, who = 4, row.who  # the dial plan takes a pipe to the trunk
        case ((Side.OUTSIDE | Side.PIPE), Side.OURS) if row.answered:
            rank, who = 3, row.whom
        case Side.OUTSIDE, Side.PIPE if row.answered and row.whom.isdigit():
            rank, who = 2, row.whom
        case Side.OUTSIDE, Side.OUTSIDE if row.answered:
            rank, who = 1, row.outside
    return rank, who


def _calls_out(row: Row) -> bool:
    return row.first and row.caller is Side.OURS


def _trunks(node: Node) -> tuple[str, ...]:
    items = node.items()
    if not 0 < len(items) <= MAX_ITEMS:
        raise node.refused("not_a_list", low=1, high=MAX_ITEMS)
    return gathered(items, _trunk)


def _trunk(node: Node) -> str:
    text = node.text()
    technology, slash, name = text.partition("/")
    if not (technology.isalnum() and slash and name) or len(text) > 100:
        raise node.refused("not_a_channel")
    return text


_TRUNKS = {
    "type": "array",
    "items": {"type": "string", "pattern": "^[A-Za-z0-9]+/.+$", "maxLength": 100},
    "minItems": 1,
    "maxItems": MAX_ITEMS,
    "description": "Your lines to the telephone network, as channels are named before the last "
    "dash. Every other channel is one of yours.",
    "examples": [["PJSIP/carrier", "DAHDI/i1"]],
}


def _next_steps(connecting: Connecting) -> tuple[Step, ...]:
    return (
        Step("add_asterisk_mapping", {"file": "tassei.csv"}),
        Step("run_asterisk_sender", {"url": connecting.hook_url}),
    )


PROVIDER = Provider(
    name="asterisk",
    counts=("call",),
    secrets=(
        Secret(
            "secret",
            "Goes into the configuration of tassei-cdr.py; made if absent, shown once.",
            absence=Absence.GENERATED,
        ),
    ),
    hook=Hook(_verify, _read, _next_steps),
    settings=(
        Setting("trunks", _trunks, _TRUNKS, default=(), required=True),
        zone_setting(
            "zone", "The switch's own time zone: it writes times without offset.", default=None
        ),
    ),
)

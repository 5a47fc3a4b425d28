"""Rows as our line of cdr_custom.conf writes them; the scenarios are those of Asterisk's own CDR
specification and of queues, the contents invented."""

from __future__ import annotations

import hashlib
import hmac
from datetime import datetime, timedelta

from app.intake.requests import HookRequest
from app.intake.source_settings import Settings
from tests.intake.senders import HOOK, NOW

SECRET, OLD = "9b1f0e6c4a91d54f5e8f0f35c8f1f2a3", "a-secret-of-last-month-32-letters"
SETTINGS = Settings({"trunks": ("PJSIP/carrier", "DAHDI/i1"), "zone": "Asia/Tokyo"})
CALL = "pbx-1765674000.12"
T0 = datetime.fromisoformat("2026-12-14T10:00:00")  # in Tokyo: 01:00 UTC
TRUNK, TRUNK2 = "PJSIP/carrier-0000000c", "PJSIP/carrier-0000000d"
CUSTOMER, DID = "+819012345678", "0312340000"


def phone(extension: str, n: int = 1) -> str:
    return f"PJSIP/{extension}-{n:08x}"


def quoted(text: object) -> str:
    """CSV_QUOTE of Asterisk: always in quotes, which are doubled within."""
    return '"' + str(text).replace('"', '""') + '"'


def at(seconds: int | None) -> str:
    return "" if seconds is None else str(T0 + timedelta(seconds=seconds))


def row(
    channel: str,
    dstchannel: str,
    sequence: int,
    start: int,
    answer: int | None,
    end: int,
    *,
    src: str = CUSTOMER,
    dst: str = DID,
    disposition: str | None = None,
    app: str = "Dial",
    data: str = "",
    uniqueid: str = CALL,
    call: str = CALL,
    raw: dict[str, str] | None = None,
) -> str:
    """A line; seconds count from the call's beginning."""
    cells = {
        "linkedid": call,
        "uniqueid": uniqueid,
        "sequence": sequence,
        "start": at(start),
        "answer": at(answer),
        "end": at(end),
        "billsec": 0 if answer is None else end - answer,
        "disposition": disposition or ("NO ANSWER" if answer is None else "ANSWERED"),
        "src": src,
        "dst": dst,
        "channel": channel,
        "dstchannel": dstchannel,
        "lastapp": app,
        "lastdata": data,
    }
    return ",".join(quoted(cell) for cell in (cells | (raw or {})).values())


def signed(body: bytes, secret: str = SECRET) -> str:
    return "sha256=" + hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def posted(*lines: str, settings: Settings = SETTINGS) -> HookRequest:
    body = "".join(line + "\n" for line in lines).encode()
    headers = {"content-type": "text/csv; charset=utf-8", "x-tassei-signature": signed(body)}
    credentials = {"secret": (OLD, SECRET)}
    return HookRequest("default", "pbx", HOOK, "POST", headers, body, credentials, NOW, settings)


# A customer calls; an announcement answers, the queue rings 1002 in vain and 1001 talks.
QUEUE = [
    row(TRUNK, phone("1002"), 41, 10, 10, 25, app="Queue", data="sales", disposition="NO ANSWER"),
    row(TRUNK, phone("1001", 2), 42, 25, 30, 120, app="Queue", data="sales"),
]
# 1001 calls a customer by the trunk.
OUTBOUND = row(
    phone("1001"),
    TRUNK,
    7,
    0,
    20,
    80,
    src="1001",
    dst="09099998888",
    data="PJSIP/09099998888@carrier,60,T",
)

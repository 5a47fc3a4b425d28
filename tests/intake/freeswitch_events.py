"""FreeSWITCH's records as mod_json_cdr posts them; the contents are invented."""

from __future__ import annotations

import json
from base64 import b64encode
from typing import Any

from app.domain.instants import instant
from app.intake.requests import HookRequest
from app.intake.source_settings import Settings
from tests.intake.senders import HOOK, NOW

PASSWORD, OLD = "b7Rk2vQ9xW4mZ8tL1nP6sD3f", "a-password-of-last-month"
SETTINGS = Settings({"extensions": ("1XXX", "5000")})
A, B, C, D = (f"{n}f6c1d2e-8b3a-4c5d-9e7f-0a1b2c3d4e5f" for n in "abcd")
CUSTOMER, DID = "+819012345678", "0312340000"
T0 = instant("2026-12-14T01:00:00Z") // 1_000_000
# What the switch's own encoder escapes, and what is outside printable ASCII.
UNSAFE = '\r\n #%&+:;<=>?@[\\]^`{|}"'


def url_encoded(text: str) -> str:
    """As the switch writes it: what looks like an escape already is not escaped again."""
    found, raw = [], text.encode()
    for place, byte in enumerate(raw):
        letter = chr(byte)
        pair = raw[place + 1 : place + 3].decode("latin-1")
        escape = letter == "%" and len(pair) == 2 and set(pair) <= set("0123456789ABCDEF")
        safe = escape or (" " <= letter <= "~" and letter not in UNSAFE)
        found.append(letter if safe else f"%{byte:02X}")
    return "".join(found)


def profile(
    uuid: str, caller: str | None, callee: str, channel: str, **more: Any
) -> dict[str, Any]:
    return {
        "username": caller,
        "dialplan": "XML",
        "caller_id_name": '"佐藤" & Co.',
        "ani": caller,
        "aniii": "",
        "caller_id_number": caller,
        "network_addr": "192.0.2.10",
        "rdnis": "",
        "destination_number": callee,
        "uuid": uuid,
        "source": "mod_sofia",
        "context": "public" if "/external/" in channel else "default",
        "chan_name": channel,
    } | more


def record(
    uuid: str,
    caller: str | None,
    callee: str,
    channel: str,
    *,
    direction: str = "inbound",
    start: int = 0,
    answer: int | None = None,
    bridge: int | None = None,
    end: int = 120,
    cause: str = "NORMAL_CLEARING",
    dialler: dict[str, Any] | None = None,
    apps: tuple[str, ...] = (),
    transferred_to: str | None = None,
    **variables: str | None,
) -> dict[str, Any]:
    """A leg's record; seconds count from the call's beginning."""
    known: dict[str, str | None] = {
        "direction": direction,
        "uuid": uuid,
        "call_uuid": uuid,
        "session_id": "42",
        "channel_name": channel,
        "sip_full_from": f'"佐藤" <sip:{caller}@pbx.example.co.jp>;tag=x1%20y',
        "hangup_cause": cause,
        "start_epoch": str(T0 + start),
        "start_uepoch": f"{T0 + start}123456",
        "answer_epoch": "0" if answer is None else str(T0 + answer),
        "bridge_epoch": "0" if bridge is None else str(T0 + bridge),
        "end_epoch": str(T0 + end),
        "duration": str(end - start),
        "billsec": "0" if answer is None else str(end - answer),
        "sip_auth_password": "gateway-password-1",
    }
    known |= variables
    own = profile(uuid, caller, callee, channel)
    if dialler:
        own["originator"] = {"originator_caller_profiles": [dialler]}
    flow = [{"dialplan": "XML", "profile_index": "1", "caller_profile": own, "times": {}}]
    if transferred_to:
        again = profile(uuid, caller, transferred_to, channel)
        flow.insert(0, {"dialplan": "XML", "profile_index": "2", "caller_profile": again})
    return {
        "core-uuid": "1d0e6c4a-91d5-4f5e-8f0f-35c8f1f2a3b4",
        "switchname": "pbx1",
        "channel_data": {"state": "CS_REPORTING", "direction": direction, "state_number": "11"},
        "callStats": {"audio": {"inbound": {"raw_bytes": 154048, "mos": 4.5}}},
        "variables": {k: v for k, v in known.items() if v is not None},
        "app_log": {
            "applications": [{"app_name": a, "app_data": "", "app_stamp": "1"} for a in apps]
        },
        "callflow": flow,
    }


def encoded(cdr: dict[str, Any]) -> dict[str, Any]:
    """With encode-values, the switch's default."""
    return cdr | {"variables": {k: url_encoded(v) for k, v in cdr["variables"].items()}}


def text_of(cdr: dict[str, Any], *, values: bool = True) -> str:
    document = encoded(cdr) if values else cdr
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"))


def posted(
    cdr: dict[str, Any] | bytes,
    *,
    encode: str = "false",
    values: bool = True,
    settings: Settings = SETTINGS,
    query: str = "",
) -> HookRequest:
    text = "" if isinstance(cdr, bytes) else text_of(cdr, values=values)
    body, media = (cdr if isinstance(cdr, bytes) else text.encode()), "application/json"
    if encode == "true":
        body, media = f"cdr={url_encoded(text)}".encode(), "application/x-www-form-urlencoded"
    if encode == "base64":
        body = b"cdr=" + b64encode(text.encode())
        media = "application/x-www-form-base64-encoded"
    proof = b64encode(f"tassei:{PASSWORD}".encode()).decode()
    headers = {
        "user-agent": "freeswitch-json/1.0",
        "content-type": media,
        "authorization": f"Basic {proof}",
    }
    credentials = {"password": (OLD, PASSWORD)}
    url = f"{HOOK}?uuid={query or A}"
    return HookRequest("default", "pbx", url, "POST", headers, body, credentials, NOW, settings)


TRUNK = f"sofia/external/{CUSTOMER}@sip.carrier.example"
# A customer calls in: an announcement answers, 1002 rings in vain, 1001 talks for 80 seconds.
INBOUND_ROOT = record(
    A, CUSTOMER, DID, TRUNK, answer=5, bridge=40, end=120, apps=("answer", "playback", "bridge")
)
CALLER = profile(A, CUSTOMER, DID, TRUNK)
RANG = record(
    B,
    CUSTOMER,
    "1002",
    "sofia/internal/1002@192.0.2.22:5060",
    direction="outbound",
    start=10,
    end=40,
    cause="LOSE_RACE",
    dialler=CALLER,
    originating_leg_uuid=A,
    originator=A,
    signal_bond=A,
    call_uuid=A,
    dialed_user="1002",
)
TALKED = record(
    C,
    CUSTOMER,
    "gh3k2j1m",
    "sofia/internal/gh3k2j1m@192.0.2.21:51234",
    direction="outbound",
    start=10,
    answer=40,
    bridge=40,
    end=120,
    dialler=CALLER,
    originating_leg_uuid=A,
    originator=A,
    signal_bond=A,
    bridge_uuid=A,
    dialed_user="1001",
)
INBOUND = [INBOUND_ROOT, RANG, TALKED]
# 1001 calls a customer, who answers after 20 seconds.
PHONE = "sofia/internal/1001@pbx.example.co.jp"
OUTBOUND_ROOT = record(
    A, "1001", "09099998888", PHONE, answer=20, bridge=20, end=80, user_name="1001"
)
GATEWAY = record(
    B,
    "0312340000",
    "09099998888",
    "sofia/external/09099998888",
    direction="outbound",
    start=1,
    answer=20,
    end=80,
    dialler=profile(A, "1001", "09099998888", PHONE),
    originating_leg_uuid=A,
    originator=A,
    signal_bond=A,
)

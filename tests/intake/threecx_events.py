"""3CX as it renders the template that we ship: a small interpreter of its expressions.

Of what 3CX documents, what the template uses: variables in brackets, one pass after the other,
`[[Moment].ToString("...")]`, a bare comparison with `||`, and JSON made of PostValues. A variable
that 3CX does not know stays as it is; a moment that never came is the first of .NET's calendar.
"""

from __future__ import annotations

import json
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from xml.etree.ElementTree import Element

from defusedxml.ElementTree import parse

from app.intake.requests import HookRequest
from tests.intake.senders import HOOK, NOW

TEMPLATE = Path(__file__).parents[2] / "docs" / "senders" / "threecx" / "tassei-3cx.xml"
TOKEN, OLD = "7c1e9a2b4d6f8091a3b5c7d9e1f20354", "a-token-of-last-month-of-32-chars"
NEVER = datetime.min  # noqa: DTZ901 - .NET's own moments have no zone
Value = str | bool | datetime
PARAMETERS: dict[str, Value] = {"Url": HOOK, "Secret": TOKEN, "ReportCallEnabled": True}
_INNERMOST = re.compile(r"\[([^\[\]]*)\]")
_METHOD = re.compile(r'\x00(\d+)\x00\.ToString\("([^"]*)"\)')
# The letters of .NET's formats that the template uses.
_LETTERS = {"yyyy": "04d", "MM": "02d", "dd": "02d", "HH": "02d", "mm": "02d", "ss": "02d"}


def moment(text: str) -> datetime:
    return datetime.fromisoformat(text).astimezone(UTC).replace(tzinfo=None)


def formatted(at: datetime, form: str) -> str:
    parts = (at.year, at.month, at.day, at.hour, at.minute, at.second)
    for letters, part in zip(_LETTERS, parts, strict=True):
        form = form.replace(letters, format(part, _LETTERS[letters]))
    return form


def expanded(text: str, variables: dict[str, Value], passes: int) -> str:
    """A text after so many passes; each evaluates what stands innermost in brackets."""
    held: list[Value] = []

    def evaluated(found: re.Match[str]) -> str:
        method = _METHOD.fullmatch(found[1])
        if method is not None:
            at = held[int(method[1])]
            assert isinstance(at, datetime)
            return formatted(at, method[2])
        if found[1] not in variables:
            return "\x01" + found[1] + "\x02"  # stays, and is not looked at again
        held.append(variables[found[1]])
        return f"\x00{len(held) - 1}\x00"

    for _ in range(max(1, passes)):
        text = _INNERMOST.sub(evaluated, text)
    text = re.sub(r"\x00(\d+)\x00", lambda found: shown(held[int(found[1])]), text)
    return text.replace("\x01", "[").replace("\x02", "]")


def shown(value: Value) -> str:
    """As .NET shows it in the invariant culture."""
    if isinstance(value, datetime):
        return f"{value:%m/%d/}{value.year:04d}{value: %H:%M:%S}"
    return str(value)


def skipped(condition: str, variables: dict[str, Value]) -> bool:
    """Comparisons of a parameter with True, joined by ||."""
    for comparison in filter(None, condition.split("||")):
        found = re.fullmatch(r"\[(\w+)\](==|!=)True", comparison)
        assert found, comparison
        if (variables[found[1]] is True) is (found[2] == "=="):
            return True
    return False


def scenario(name: str) -> Element:
    root = parse(TEMPLATE).getroot()
    assert root is not None
    [found] = [one for one in root.iter("Scenario") if one.get("Id") == name]
    return found


def rendered(
    name: str, variables: dict[str, Value], parameters: dict[str, Value] | None = None
) -> HookRequest | None:
    """What 3CX posts for a scenario; None where it is skipped."""
    known = {**(PARAMETERS if parameters is None else parameters), **variables}
    request = scenario(name).find("Request")
    assert request is not None
    if skipped(request.get("SkipIf", ""), known):
        return None
    assert (request.get("RequestType"), request.get("RequestEncoding")) == ("Post", "Json")
    passes = int(request.get("MessagePasses", "0"))
    headers = {
        str(one.get("Key")).lower(): expanded(one.text or "", known, passes)
        for one in request.iterfind("Headers/Value")
    }
    body = {
        str(one.get("Key")): expanded(one.text or "", known, int(one.get("Passes", "0")))
        for one in request.iterfind("PostValues/Value")
    }
    url = expanded(request.get("Url", ""), known, passes)
    return posted(body, url, headers)


def posted(body: Any, url: str = HOOK, headers: dict[str, str] | None = None) -> HookRequest:
    sent = {"content-type": "application/json"} | (
        {"authorization": f"Bearer {TOKEN}"} if headers is None else headers
    )
    raw = body if isinstance(body, bytes) else json.dumps(body, ensure_ascii=False).encode()
    return HookRequest("default", "pbx", url, "POST", sent, raw, {"token": (OLD, TOKEN)}, NOW)


def call(kind: str, **more: Value) -> dict[str, Value]:
    """The variables of a call that began at 10:00 in Tokyo."""
    known: dict[str, Value] = {
        "CallType": kind,
        "CallDirection": "Inbound" if kind in ("Inbound", "Missed") else "Outbound",
        "Number": "+819012345678",
        "Name": "佐藤 [VIP]",
        "Agent": "101",
        "AgentEmail": "sato@example.co.jp",
        "Duration": "00:01:15",
        "CallStartTimeUTC": moment("2026-12-14T10:00:00+09:00"),
        "CallEstablishedTimeUTC": moment("2026-12-14T10:00:20+09:00"),
        "CallEndTimeUTC": moment("2026-12-14T10:01:35+09:00"),
        "QueueExtension": "",
        "EntityId": "",
    }
    if kind in ("Missed", "Notanswered"):
        known |= {"CallEstablishedTimeUTC": NEVER, "Duration": "00:00:00"}
    return known | more


def reported(kind: str, **more: Value) -> HookRequest:
    request = rendered("ReportCall", call(kind, **more))
    assert request is not None
    return request

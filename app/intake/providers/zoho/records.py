"""What a record of Zoho CRM is to us: deals, calls, meetings, leads."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping

from app.domain.kinds import RawValue
from app.intake.records import Record, no_later
from app.intake.source_settings import (
    Setting,
    Settings,
    choice_setting,
    text_setting,
    words_setting,
    zone_setting,
)

Values = dict[str, RawValue]

_ID = re.compile(r"[0-9]{1,30}", re.ASCII)
_CLOCK = re.compile(r"([0-9]{1,5}):([0-5][0-9])", re.ASCII)
_MINUTE = 60
KINDS: Mapping[str, str] = {
    "Deals": "deal",
    "Calls": "call",
    "Events": "meeting",
    "Leads": "lead",
}
_DIRECTIONS: Mapping[str, str] = {
    "Outbound": "outbound",
    "Inbound": "inbound",
    "Missed": "inbound",
}
# Planned ones, and those that were never made.
_NOT_MADE = frozenset({"Scheduled", "Overdue", "Cancelled", "Canceled"})
SETTINGS: tuple[Setting, ...] = (
    choice_setting(
        "data_center",
        "Where the account is: the end of its address, .com (us), .eu, .in, .com.au, .jp, ...",
        ("us", "eu", "in", "au", "jp", "ca", "cn", "sa"),
        default="us",
    ),
    text_setting(
        "api_url",
        "Address of the API where it is another than the data center's, such as that of a sandbox "
        "(https://sandbox.zohoapis.com).",
    ),
    text_setting(
        "accounts_url",
        "Address of the accounts server, for a data center that is not listed.",
    ),
    words_setting(
        "stages",
        "What the stages of deals mean; one that is not named is open.",
        allowed=("open", "won", "lost"),
        default={"Closed Won": "won", "Closed Lost": "lost", "Closed-Lost to Competition": "lost"},
    ),
    words_setting(
        "call_results",
        "What the results of calls mean; one that is not named leaves the outcome unknown.",
        allowed=("connected", "no_answer", "busy", "voicemail", "failed", "canceled"),
    ),
    zone_setting("time_zone", "The zone of the day on which a deal was closed."),
)
_DEAL = {
    "status": "Stage",
    "stage": "Stage",
    "amount": "Amount",
    "currency": "Currency",
    "created_at": "Created_Time",
    "won_at": "Closing_Date",
    "closed_at": "Closing_Date",
    "expected_close_on": "Closing_Date",
    "owner": "Owner",
}
_CALL = {
    "direction": "Call_Type",
    "outcome": "Call_Result",
    "started_at": "Call_Start_Time",
    "duration_seconds": "Call_Duration",
    "talk_seconds": "Call_Duration",
    "agent": "Owner",
}
_MEETING = {
    "status": "Start_DateTime",
    "booked_at": "Created_Time",
    "starts_at": "Start_DateTime",
    "booked_by": "Created_By",
    "organizer": "Owner",
}
_LEAD = {"created_at": "Created_Time", "status": "Lead_Status", "owner": "Owner"}


def number_of(record: Record, label: str) -> str:
    value = record.values.get(label)
    text = str(value) if isinstance(value, str | int) and not isinstance(value, bool) else ""
    if not _ID.fullmatch(text):
        raise record.fault(label, "required" if value is None else "not_an_integer")
    return text


def _person(record: Record, label: str) -> str | None:
    """The id of a user, who is written as an object."""
    user = record.record(label)
    return number_of(user, "id") if user.given("id") else None


def _deal(record: Record, settings: Settings) -> Values:
    stage = record.text("Stage")
    status = None if stage is None else settings.words("stages").get(stage, "open")
    values: Values = {
        "status": status,
        "stage": stage,
        "amount": record.decimal("Amount"),
        "currency": record.text("Currency"),
        "created_at": record.time("Created_Time"),
        "owner": _person(record, "Owner"),
    }
    day = record.day("Closing_Date", settings.zone("time_zone"))
    closed = no_later(day, record.required_time("Modified_Time"))
    if status == "won":
        return values | {"won_at": closed, "closed_at": closed}
    if status == "lost":
        return values | {"closed_at": closed}
    return values | {"expected_close_on": record.calendar_day("Closing_Date")}


def _call(record: Record, settings: Settings) -> Values | None:
    """A call that is planned, or was never made, is none."""
    if record.text("Outgoing_Call_Status") in _NOT_MADE:
        return None
    kind = record.text("Call_Type") or ""
    said = settings.words("call_results").get(record.text("Call_Result") or "")
    outcome = "no_answer" if kind == "Missed" else said
    seconds = _duration(record)
    return {
        "direction": _DIRECTIONS.get(kind),
        "outcome": outcome,
        "started_at": record.time("Call_Start_Time"),
        "duration_seconds": seconds,
        "talk_seconds": seconds if outcome == "connected" else None,
        "agent": _person(record, "Owner"),
    }


def _duration(record: Record) -> int | None:
    """Seconds, of the field that counts them or else of minutes and seconds."""
    if record.given("Call_Duration_in_seconds"):
        return record.whole("Call_Duration_in_seconds")
    text = record.text("Call_Duration")
    if text is None:
        return None
    clock = _CLOCK.fullmatch(text)
    if clock is None:
        raise record.fault("Call_Duration", "not_an_integer")
    return int(clock[1]) * _MINUTE + int(clock[2])


def _meeting(record: Record, _settings: Settings) -> Values:
    """Zoho does not know whether a meeting was held; one that is called off is deleted."""
    return {
        "status": "booked",
        "booked_at": record.time("Created_Time"),
        "starts_at": record.time("Start_DateTime"),
        "booked_by": _person(record, "Created_By"),
        "organizer": _person(record, "Owner"),
    }


def _lead(record: Record, _settings: Settings) -> Values:
    return {
        "created_at": record.time("Created_Time"),
        "status": record.text("Lead_Status"),
        "owner": _person(record, "Owner"),
    }


READERS: Mapping[str, tuple[Callable[[Record, Settings], Values | None], Mapping[str, str]]] = {
    "Deals": (_deal, _DEAL),
    "Calls": (_call, _CALL),
    "Events": (_meeting, _MEETING),
    "Leads": (_lead, _LEAD),
}

"""What objects of HubSpot's CRM are to us: deals, calls, meetings, and contacts as leads.

Every property is a text, absent ones are null or "". What people define for themselves (outcomes
of calls and of meetings) stands in the source's settings; what is not said there stays unknown.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from app.domain.activities import KIND, RETRACTED, JsonValue
from app.domain.instants import instant, moment_of
from app.domain.kinds import RawValue
from app.intake.records import Record, no_later
from app.intake.requests import fields_of
from app.intake.source_settings import Settings, words_setting, zone_setting

Fields = dict[str, JsonValue]
Values = dict[str, RawValue]

KINDS: Mapping[str, str] = {
    "contacts": "lead",
    "deals": "deal",
    "meetings": "meeting",
    "calls": "call",
}
# What has to be asked for of each object; with these a report says everything.
PROPERTIES: Mapping[str, tuple[str, ...]] = {
    "contacts": ("createdate", "hs_lead_status", "hubspot_owner_id"),
    "deals": tuple(
        "amount closedate createdate deal_currency_code dealstage dealtype hs_is_closed "
        "hs_is_closed_won hubspot_owner_id".split()
    ),
    "meetings": tuple(
        "hs_createdate hs_meeting_outcome hs_meeting_start_time hs_timestamp "
        "hubspot_owner_id".split()
    ),
    "calls": tuple(
        "hs_call_direction hs_call_disposition hs_call_duration hs_call_from_number "
        "hs_call_status hs_call_to_number hs_timestamp hubspot_owner_id".split()
    ),
}
_OUTCOMES = ("connected", "no_answer", "busy", "voicemail", "failed", "canceled")
# Every account has these; it adds its own beside them.
_DISPOSITIONS: Mapping[str, str] = {
    "f240bbac-87c9-4f6e-bf70-924b57d47db7": "connected",
    "9d9162e7-6cf3-4944-bf63-4dff82258764": "busy",
    "a4c4c377-d246-4b32-a13b-75a56a4cd0ff": "connected",  # left a message with somebody
    "b2cf5968-551e-4856-9783-52b3da59a7d0": "voicemail",
    "73a0d17f-1163-4015-bdd5-ec830791da20": "no_answer",
    "17b47fee-58de-441e-a44c-c6300d46f273": "connected",  # a wrong number, but somebody answered
}
_STATUSES: Mapping[str, str] = {
    "BUSY": "busy",
    "CANCELED": "canceled",
    "FAILED": "failed",
    "MISSED": "no_answer",
    "NO_ANSWER": "no_answer",
}
_UNDERWAY = frozenset({"CALLING_CRM_USER", "CONNECTING", "IN_PROGRESS", "QUEUED", "RINGING"})
_MEETINGS: Mapping[str, str] = {
    "SCHEDULED": "booked",
    "RESCHEDULED": "booked",
    "COMPLETED": "held",
    "NO_SHOW": "no_show",
    "CANCELED": "canceled",
}
_DEAL_TYPES: Mapping[str, str] = {"newbusiness": "new", "existingbusiness": "existing"}

SETTINGS = (
    words_setting(
        "dispositions",
        "What call outcomes mean, by their ids; those that every account has are known.",
        allowed=_OUTCOMES,
    ),
    words_setting(
        "meeting_outcomes",
        "What meeting outcomes of your own mean; HubSpot's own are known.",
        allowed=("booked", "held", "canceled", "no_show"),
    ),
    zone_setting("time_zone", "The zone of the day that a deal is expected to close on."),
)

_DEAL = {
    "status": "hs_is_closed_won",
    "type": "dealtype",
    "stage": "dealstage",
    "amount": "amount",
    "currency": "deal_currency_code",
    "created_at": "createdate",
    "won_at": "closedate",
    "closed_at": "closedate",
    "expected_close_on": "closedate",
    "owner": "hubspot_owner_id",
}
_CALL = {
    "direction": "hs_call_direction",
    "outcome": "hs_call_disposition",
    "started_at": "hs_timestamp",
    "duration_seconds": "hs_call_duration",
    "talk_seconds": "hs_call_duration",
    "counterpart": "hs_call_to_number",
    "agent": "hubspot_owner_id",
}
_MEETING = {
    "status": "hs_meeting_outcome",
    "booked_at": "hs_createdate",
    "starts_at": "hs_meeting_start_time",
    "booked_by": "hubspot_owner_id",
    "organizer": "hubspot_owner_id",
}
_LEAD = {"created_at": "createdate", "status": "hs_lead_status", "owner": "hubspot_owner_id"}
_ORIGINS = {"contacts": _LEAD, "deals": _DEAL, "meetings": _MEETING, "calls": _CALL}


def object_fields(object_kind: str, record: Record, settings: Settings, now: int) -> Fields | None:
    """The fields of a fetched object; None where it counts as nothing (a call that still rings).

    Raises Invalid with pointers to its properties.
    """
    if record.flag("archived"):
        return {KIND: KINDS[object_kind], RETRACTED: True}
    properties = record.record("properties")
    values = _READERS[object_kind](properties, settings, record.time("updatedAt"))
    if values is None:
        return None
    origins = {
        label: f"{properties.pointer}/{name}" for label, name in _ORIGINS[object_kind].items()
    }
    known = {label: value for label, value in values.items() if value is not None}
    return fields_of(KINDS[object_kind], known, origins, now)


def _deal(record: Record, settings: Settings, changed: str | None) -> Values:
    closes = record.time("closedate")
    closed_at = no_later(closes, changed)
    won, closed = record.flag("hs_is_closed_won"), record.flag("hs_is_closed")
    values: Values = {
        "type": _DEAL_TYPES.get(record.text("dealtype") or ""),
        "stage": record.text("dealstage"),
        "amount": record.decimal("amount"),
        "currency": record.text("deal_currency_code"),
        "created_at": record.time("createdate"),
        "owner": record.text("hubspot_owner_id"),
    }
    if won:
        return values | {"status": "won", "won_at": closed_at, "closed_at": closed_at}
    if closed and won is False:
        return values | {"status": "lost", "closed_at": closed_at}
    # One date means both: when it was closed, or while it is open, when that is expected.
    day = moment_of(instant(closes), settings.zone("time_zone")).date() if closes else None
    status = "open" if closed is False else None
    return values | {"status": status, "expected_close_on": day.isoformat() if day else None}


def _call(record: Record, settings: Settings, _changed: str | None) -> Values | None:
    status = record.text("hs_call_status")
    if status in _UNDERWAY:
        return None
    direction = (record.text("hs_call_direction") or "").lower() or None
    other = "hs_call_from_number" if direction == "inbound" else "hs_call_to_number"
    outcome = _outcome(record.text("hs_call_disposition"), status, settings)
    milliseconds = record.whole("hs_call_duration")
    seconds = None if milliseconds is None else milliseconds // 1_000
    return {
        "direction": direction,
        "outcome": outcome,
        "started_at": record.time("hs_timestamp"),
        "duration_seconds": seconds,
        "talk_seconds": seconds if outcome == "connected" else None,
        "counterpart": record.text(other),
        "agent": record.text("hubspot_owner_id"),
    }


def _outcome(disposition: str | None, status: str | None, settings: Settings) -> str | None:
    """What the person said, else what the telephone said.

    "Completed" is how a call by hand is logged as well: whether anybody answered is not known then.
    """
    said = (disposition or "").lower()
    own = {label.lower(): word for label, word in settings.words("dispositions").items()}
    return own.get(said) or _DISPOSITIONS.get(said) or _STATUSES.get(status or "")


def _meeting(record: Record, settings: Settings, _changed: str | None) -> Values:
    """A meeting without outcome is planned, or was and nobody has said: it was booked."""
    said = record.text("hs_meeting_outcome") or "SCHEDULED"
    owner = record.text("hubspot_owner_id")
    return {
        "status": settings.words("meeting_outcomes").get(said) or _MEETINGS.get(said),
        "booked_at": record.time("hs_createdate"),
        "starts_at": record.time("hs_meeting_start_time") or record.time("hs_timestamp"),
        "booked_by": owner,
        "organizer": owner,
    }


def _lead(record: Record, _settings: Settings, _changed: str | None) -> Values:
    return {
        "created_at": record.time("createdate"),
        "status": record.text("hs_lead_status"),
        "owner": record.text("hubspot_owner_id"),
    }


# The last of what they are given is when the object was changed.
_READERS: Mapping[str, Callable[[Record, Settings, str | None], Values | None]] = {
    "contacts": _lead,
    "deals": _deal,
    "meetings": _meeting,
    "calls": _call,
}

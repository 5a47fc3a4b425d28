"""What records of Salesforce are to us: opportunities, tasks that are calls, events, leads.

The same fields come in every shape: as texts in XML, as values in JSON. What a record does not
carry is left out, so that another report may know it; what it carries as empty is cleared.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from app.domain.activities import KIND, RETRACTED, JsonValue
from app.domain.errors import Invalid
from app.domain.instants import DAY, instant
from app.domain.kinds import RawValue
from app.intake.records import Record, no_later
from app.intake.requests import fields_of
from app.intake.source_settings import Settings

Fields = dict[str, JsonValue]
Values = dict[str, RawValue]

KINDS: Mapping[str, str] = {
    "Opportunity": "deal",
    "Task": "call",
    "Event": "meeting",
    "Lead": "lead",
}
# What has to be sent or fetched of each object; with these fields a report says everything.
FIELDS: Mapping[str, tuple[str, ...]] = {
    "Opportunity": tuple(
        "Id SystemModstamp IsDeleted StageName IsWon IsClosed Amount CloseDate LastStageChangeDate "
        "Type OwnerId CreatedDate".split()
    ),
    "Task": tuple(
        "Id SystemModstamp IsDeleted TaskSubtype Type Status CallType CallDisposition "
        "CallDurationInSeconds CompletedDateTime ActivityDate OwnerId CreatedDate".split()
    ),
    "Event": tuple(
        "Id SystemModstamp IsDeleted IsChild IsRecurrence IsAllDayEvent StartDateTime ActivityDate "
        "OwnerId CreatedById CreatedDate".split()
    ),
    "Lead": tuple("Id SystemModstamp IsDeleted Status OwnerId CreatedDate".split()),
}
# An organization with a single currency does not have it, and refuses to be asked for it.
CURRENCY = "CurrencyIsoCode"
_ID = re.compile(r"[A-Za-z0-9]{15}(?:[A-Za-z0-9]{3})?", re.ASCII)
_LONG = 18
_CHECK = "ABCDEFGHIJKLMNOPQRSTUVWXYZ012345"
_CALL_TYPES: Mapping[str, str | None] = {
    "Inbound": "inbound",
    "Outbound": "outbound",
    "Internal": None,  # neither: between two of ours
}
_DEAL = {
    "status": "StageName",
    "type": "Type",
    "stage": "StageName",
    "amount": "Amount",
    "currency": CURRENCY,
    "created_at": "CreatedDate",
    "won_at": "CloseDate",
    "closed_at": "CloseDate",
    "expected_close_on": "CloseDate",
    "owner": "OwnerId",
}
_CALL = {
    "direction": "CallType",
    "outcome": "CallDisposition",
    "started_at": "CompletedDateTime",
    "duration_seconds": "CallDurationInSeconds",
    "talk_seconds": "CallDurationInSeconds",
    "agent": "OwnerId",
}
_MEETING = {
    "status": "StartDateTime",
    "booked_at": "CreatedDate",
    "starts_at": "StartDateTime",
    "booked_by": "CreatedById",
    "organizer": "OwnerId",
}
_LEAD = {"created_at": "CreatedDate", "status": "Status", "owner": "OwnerId"}


@dataclass(frozen=True, slots=True)
class Reading:
    """What a record is read by.

    now: the instant of receipt
    stage_changed_at: RFC 3339 of the moment at which the stage became this one, where it is known
    partial: whether the record has only what changed, and not what it always has
    """

    settings: Settings
    now: int
    stage_changed_at: str | None = None
    partial: bool = False

    @property
    def zone(self) -> ZoneInfo:
        """The zone of dates."""
        return self.settings.zone("time_zone")


def record_fields(kind: str, record: Record, reading: Reading) -> Fields | None:
    """The fields that a record of this object reports; None where it counts as nothing.

    Raises Invalid with pointers to the record's fields.
    """
    if record.flag("IsDeleted"):
        return retraction(kind)
    read = _READERS[kind]
    values = read(record, reading)
    if values is None:
        return None
    origins = {label: f"{record.pointer}/{field}" for label, field in _ORIGINS[kind].items()}
    return fields_of(KINDS[kind], values, origins, reading.now)


def retraction(kind: str) -> Fields:
    """Only that it is gone: a late older report still fills in what it was."""
    return {KIND: KINDS[kind], RETRACTED: True}


def _deal(record: Record, reading: Reading) -> Values | None:
    values: Values = {
        "stage": record.text("StageName"),
        "amount": record.decimal("Amount"),
        "created_at": record.time("CreatedDate"),
        "expected_close_on": record.calendar_day("CloseDate"),
        "owner": _id(record, "OwnerId"),
        "currency": record.text(CURRENCY),
    }
    if not reading.partial:
        values["currency"] = values["currency"] or _only_currency(record, reading.settings)
    kind = reading.settings.words("deal_types").get(record.text("Type") or "")
    known = _known(record, "Opportunity", values | {"type": kind})
    return known | _deal_status(record, reading)


def _only_currency(record: Record, settings: Settings) -> str | None:
    """Of an organization with several, an amount that names none is not to be guessed at."""
    if not settings.flag("several_currencies"):
        return settings.text("currency")
    if record.given("Amount"):
        raise record.fault(CURRENCY, "required")
    return None


def _deal_status(record: Record, reading: Reading) -> Values:
    """Status and the moments that follow from it; nothing where the record does not say."""
    won, closed = record.flag("IsWon"), record.flag("IsClosed")
    if won:
        status = "won"
    elif closed and won is False:
        status = "lost"
    elif closed is False:
        status = "open"
    elif record.given("StageName"):
        stage = record.required("StageName")
        status = reading.settings.words("stages").get(stage, "open")
    else:
        return {}
    if status == "open":
        return {"status": status, "won_at": None, "closed_at": None}
    at = _closed_at(record, reading)
    known: Values = {} if at is None else {"closed_at": at}
    if status == "lost":
        return {"status": status, "won_at": None} | known
    return {"status": status} | known | ({} if at is None else {"won_at": at})


def _closed_at(record: Record, reading: Reading) -> str | None:
    """When it was won or lost, as the account wants to count it."""
    if reading.settings.text("won_at") == "stage_change":
        return record.time("LastStageChangeDate") or reading.stage_changed_at
    return no_later(record.day("CloseDate", reading.zone), record.time("SystemModstamp"))


def _call(record: Record, reading: Reading) -> Values | None:
    if not (record.has("TaskSubtype") or record.has("Type")):
        raise record.fault("TaskSubtype", "required")
    types = reading.settings.texts("call_types")
    if not {record.text("TaskSubtype"), record.text("Type")} & set(types):
        return None
    seconds = record.whole("CallDurationInSeconds")
    outcome = reading.settings.words("call_outcomes").get(record.text("CallDisposition") or "")
    values: Values = {
        "direction": _direction(record),
        "outcome": outcome,
        "started_at": _called_at(record, reading),
        "duration_seconds": seconds,
        "agent": _id(record, "OwnerId"),
    }
    if outcome:
        # Ringing and voicemail are no talk.
        values["talk_seconds"] = seconds if outcome == "connected" else 0
    return _known(record, "Task", values)


def _direction(record: Record) -> str | None:
    """A call that is logged by hand says no type; it was made, not taken."""
    kind = record.text("CallType") or "Outbound"
    if kind not in _CALL_TYPES:
        raise record.fault("CallType", "unknown_value", allowed=", ".join(_CALL_TYPES))
    return _CALL_TYPES[kind]


def _called_at(record: Record, reading: Reading) -> str | None:
    """None while it is only planned: then it stands in the list and in no count."""
    if record.text("Status") not in reading.settings.texts("done_statuses"):
        return None
    done, created = record.time("CompletedDateTime"), record.time("CreatedDate")
    if done is not None:
        return done
    due = record.day("ActivityDate", reading.zone)
    if due is None or created is None:
        return due or created
    # One that is logged on its day has the moment too; else the day alone is right.
    same_day = 0 <= instant(created) - instant(due) < DAY
    return created if same_day else no_later(due, record.time("SystemModstamp"))


def _meeting(record: Record, reading: Reading) -> Values | None:
    # Every invited person has a copy of the event, and a series has a master beside its events.
    if record.flag("IsChild") or record.flag("IsRecurrence"):
        return None
    # A whole day begins at midnight UTC in StartDateTime: the day itself is in ActivityDate.
    whole_day = record.flag("IsAllDayEvent") and record.given("ActivityDate")
    starts = record.day("ActivityDate", reading.zone) if whole_day else record.time("StartDateTime")
    owner = _id(record, "OwnerId")
    values: Values = {
        "status": _meeting_status(record, reading.settings),
        "booked_at": record.time("CreatedDate"),
        "starts_at": starts,
        "booked_by": _id(record, "CreatedById") or owner,
        "organizer": owner,
    }
    return _known(record, "Event", values)


def _meeting_status(record: Record, settings: Settings) -> str:
    """Salesforce has no field for it: where the account has one of its own, it decides."""
    field = settings.text("meeting_status_field")
    text = None if field is None else record.text(field)
    return settings.words("meeting_statuses").get(text or "", "booked")


def _lead(record: Record, _reading: Reading) -> Values | None:
    values: Values = {
        "created_at": record.time("CreatedDate"),
        "status": record.text("Status"),
        "owner": _id(record, "OwnerId"),
    }
    return _known(record, "Lead", values)


def _known(record: Record, kind: str, values: Values) -> Values:
    """Without what the record does not speak of: an empty field is news, an absent one is none."""
    fields = _ORIGINS[kind]
    return {
        label: value
        for label, value in values.items()
        if value is not None or record.has(fields[label])
    }


def _id(record: Record, label: str) -> str | None:
    text = record.text(label)
    return None if text is None else long_id(text, record.fault(label, "not_a_salesforce_id"))


def is_long_id(value: RawValue) -> bool:
    """Whether it is an id of 18 characters, as Salesforce itself sends it."""
    return isinstance(value, str) and len(value) == _LONG and _ID.fullmatch(value) is not None


def long_id(text: str, refused: Invalid) -> str:
    """An id in its form of 18 characters, which every shape has to agree on.

    Ids of 15 differ by case alone; the three characters more say which of them are capitals.
    """
    if not _ID.fullmatch(text):
        raise refused
    if len(text) == _LONG:
        return text
    parts = (text[start : start + 5] for start in (0, 5, 10))
    capitals = (sum(1 << place for place, c in enumerate(part) if c.isupper()) for part in parts)
    return text + "".join(_CHECK[bits] for bits in capitals)


_READERS: Mapping[str, Callable[[Record, Reading], Values | None]] = {
    "Opportunity": _deal,
    "Task": _call,
    "Event": _meeting,
    "Lead": _lead,
}
_ORIGINS = {"Opportunity": _DEAL, "Task": _CALL, "Event": _MEETING, "Lead": _LEAD}

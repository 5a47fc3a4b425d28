"""Meetings of Zoom that were scheduled: booked, moved, canceled, held.

The revision begins with how much an event decides: what is booked or moved stands under what was
canceled, and both under what was held. A meeting can be begun and ended several times, and every
session ends with an event: the earliest that was long enough is the meeting, the others are the
same one begun again. A series is booked once; each of its days is held on its own.
"""

from __future__ import annotations

from collections.abc import Iterator
from zoneinfo import ZoneInfo

from app.domain.deliveries import Item
from app.domain.instants import MINUTE, instant, moment_of
from app.domain.kinds import RawValue
from app.domain.revisions import of_number
from app.intake.records import Record
from app.intake.requests import HookRequest, fields_of, hook_report, usable_name
from app.intake.source_settings import number_setting

# Raised with every change of what an event comes to: only then does a replay supersede.
MAPPING = 1
EVENTS = ("meeting.created", "meeting.updated", "meeting.deleted", "meeting.ended")
# Microseconds: an earlier session is the higher number, as wide as the revisions of calls.
_FAR = 10**28 - 1
_SCHEDULED, _SERIES = 2, (3, 8)
_BOOKED, _CANCELED, _HELD = 1, 2, 3
SHORTEST = number_setting(
    "minimum_meeting_minutes",
    "Sessions of a meeting that lasted less than this are not held: somebody looked in and left.",
    0,
    1_440,
    default=0,
)


def read_meeting(label: str, event: Record, request: HookRequest) -> Iterator[Item]:
    """What an event says of an appointment; nothing of instant meetings and personal rooms.

    Raises Invalid.
    """
    told = event.record("payload")
    meeting = told.record("object")
    if not _is_appointment(label, told, meeting):
        return
    if label == "meeting.ended":
        found = _held(meeting, request)
    else:
        found = _planned(label, event, told, meeting)
    if found is None:
        return
    key, order, values = found
    origins = {
        "status": "/event",
        "booked_at": "/event_ts",
        "starts_at": f"{meeting.pointer}/start_time",
        "booked_by": f"{told.pointer}/operator",
        "organizer": f"{meeting.pointer}/host_id",
    }
    known = {name: value for name, value in values.items() if value is not None}
    if not known:
        return
    fields = fields_of("meeting", known, origins, request.received_at)
    report = hook_report(request, key, of_number(order), fields, full=False, mapping=MAPPING)
    yield Item(0, usable_name(meeting.values.get("uuid")) or key, report)


def _is_appointment(label: str, told: Record, meeting: Record) -> bool:
    # A tuple, because either may be a list, which no set can hold.
    if "single" in (told.values.get("operation"), told.values.get("scope")):
        return False  # one day of a series: the series stands
    kind = meeting.whole("type")
    # A change has the type only where it was the type that changed.
    unsaid = kind is None and label == "meeting.updated"
    return unsaid or kind == _SCHEDULED or kind in _SERIES


def _planned(
    label: str, event: Record, told: Record, meeting: Record
) -> tuple[str, str, dict[str, RawValue]] | None:
    key = f"meeting:{_number(meeting)}"
    if label == "meeting.deleted":
        # The one event that may come without its time; one deletion says what another does.
        return key, f"{_CANCELED}{0:028}", {"status": "canceled"}
    happened = event.required_time("event_ts")
    order = f"{_BOOKED}{instant(happened):028}"
    starts = meeting.time("start_time")
    if label == "meeting.updated":
        return key, order, {"starts_at": starts}
    return (
        key,
        order,
        {
            "status": "booked",
            "booked_at": happened,
            "starts_at": starts,
            "booked_by": told.text("operator"),
            "organizer": meeting.text("host_id"),
        },
    )


def _held(meeting: Record, request: HookRequest) -> tuple[str, str, dict[str, RawValue]] | None:
    began, ended = meeting.time("start_time"), meeting.time("end_time")
    if began is None:
        raise meeting.fault("start_time", "required")
    shortest = request.settings.number(SHORTEST.name) * MINUTE
    if shortest:
        if ended is None:
            raise meeting.fault("end_time", "required")
        if instant(ended) - instant(began) < shortest:
            return None
    key = f"meeting:{_number(meeting)}"
    if meeting.whole("type") in _SERIES:
        # A session has an id of its own also where a day's meeting was begun again.
        key += f":{moment_of(instant(began), _zone(meeting)).date().isoformat()}"
    values: dict[str, RawValue] = {
        "status": "held",
        "starts_at": began,
        "organizer": meeting.text("host_id"),
    }
    return key, f"{_HELD}{_FAR - instant(began):028}", values


def _zone(meeting: Record) -> ZoneInfo:
    """The meeting's own zone, by which its days are counted; UTC where Zoom names none."""
    text = meeting.text("timezone") or "UTC"
    try:
        return ZoneInfo(text)
    except (KeyError, ValueError, OSError):  # unknown, a path, a folder of zones
        raise meeting.fault("timezone", "unknown_zone") from None


def _number(meeting: Record) -> str:
    number = meeting.whole("id")
    if number is None:
        raise meeting.fault("id", "required")
    return str(number)

"""Google Calendar: appointments with people from outside, read from the organizer's calendar.

A notification has no body: its token proves it, and its address says in which calendar something
changed. What that is gets read. Everybody who is invited has a copy of an event, and takes it out
of his calendar without calling the meeting off; so the organizer's copy alone counts, and one
meeting is one activity. An event that is deleted, or no longer what the settings call an
appointment, is withdrawn; each instance of a series is one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from urllib.parse import unquote, urlsplit

from app.domain.activities import KIND, RETRACTED, JsonValue, Report
from app.domain.deliveries import CHANGES, EVERYWHERE, Delivery, Item, Reference, Refused
from app.domain.errors import Fault, Invalid
from app.domain.instants import instant
from app.domain.kinds import RawValue
from app.domain.revisions import of_instant
from app.intake.credentials import Absence, Credentials, Secret, for_asking
from app.intake.proofs import verify_token
from app.intake.reading import written
from app.intake.records import Record
from app.intake.requests import (
    Connecting,
    Hook,
    HookRequest,
    Provider,
    Step,
    as_fetched,
    fields_of,
    hook_delivery,
    hook_report,
    refusal,
    usable_name,
)
from app.intake.source_settings import (
    Settings,
    flag_setting,
    number_setting,
    text_setting,
    texts_setting,
    zone_setting,
)

# Raised with every change of what an event comes to.
MAPPING = 1
MAX_TOKEN = 256  # Google's own limit
EVENTS = "events"
_STATE, _ADDRESS = "x-goog-resource-state", "x-goog-resource-uri"
_OPENED = "sync"
_PATH = "/calendar/v3/calendars/"
_SHARED = "@group.calendar.google.com"
_CANCELLED = "cancelled"
# An e-tag is twice the microseconds of the last change, for which a bare cancellation has no word.
_TWICE = 2
_APPOINTMENTS = frozenset({"default", "fromGmail"})
_ORIGINS = {
    "status": "/status",
    "booked_at": "/created",
    "starts_at": "/start",
    "counterpart": "/attendees",
    "booked_by": "/creator/email",
    "organizer": "/organizer/email",
}
SETTINGS = (
    texts_setting(
        "calendars",
        "Ids of the calendars that are read, as Google shows them: of a person's own calendar the "
        "e-mail address.",
        required=True,
    ),
    texts_setting(
        "domains",
        "Your own e-mail domains; whoever has another address is from outside.",
        required=True,
    ),
    number_setting(
        "outside_attendees",
        "How many people from outside have to be invited, and not to have declined, for an event "
        "to be an appointment.",
        0,
        50,
        default=1,
    ),
    texts_setting(
        "titles", "Texts of which the title has to contain one, in any case; without any, all do."
    ),
    texts_setting("not_titles", "Texts of which the title may contain none."),
    flag_setting("recurring", "Whether instances of a series count, each of them.", default=True),
    zone_setting("time_zone", "The zone of the day of an event that lasts whole days."),
    text_setting(
        "api_url",
        "Address of the API, where it is reached by another than Google's own.",
        default="https://www.googleapis.com",
    ),
    text_setting(
        "token_url",
        "The same for access tokens.",
        default="https://oauth2.googleapis.com/token",
    ),
)


def _verify(request: HookRequest) -> None:
    given = request.headers.get("x-goog-channel-token")
    verify_token(given, request.credentials.get("token", ()))


def _read(request: HookRequest) -> Delivery:
    """Which calendar changed; that a channel was opened is no change."""
    if request.headers.get(_STATE) == _OPENED:
        return hook_delivery(request)
    calendar = _calendar_of(request.headers.get(_ADDRESS, ""))
    known = {one.casefold(): one for one in request.settings.texts("calendars")}
    found = known.get(calendar.casefold())
    # Of an address that says nothing to us, all of them are read.
    where = EVERYWHERE if found is None else f"{EVENTS}:{found}"
    return hook_delivery(request, references=(Reference(0, CHANGES, where),))


def _calendar_of(address: str) -> str:
    try:
        path = urlsplit(address).path
    except ValueError:
        return ""
    head, _, rest = path.partition(_PATH)
    return "" if head else unquote(rest.partition("/")[0])


def read_fetched(
    object_kind: str,
    fetched: Mapping[str, RawValue],
    settings: Settings,
    *,
    source: str,
    now: int,
    changes: int = 0,
) -> Item | Refused | None:
    """What an event of a calendar comes to: a full report, that it is none any more, or nothing.

    object_kind: events. The event says in which `calendar` it was read.
    """
    if object_kind != EVENTS:
        return None
    request = as_fetched(source, settings, now, changes)
    event = Record(fetched)
    try:
        if not _is_the_organizers(event):
            return None
        key = _key(event)
        report = _report(event, key, request)
    except Invalid as error:
        return refusal(request, error, written(dict(fetched)), usable_name(fetched.get("id")))
    return Item(0, key, report)


def _is_the_organizers(event: Record) -> bool:
    """Whether it is the organizer's copy, or the rest of one that says only that it is gone.

    What is gone without a word of its organizer has the key of a copy that did not count, unless
    it was the organizer's: then nothing is withdrawn that stands.
    """
    organizer = event.record("organizer")
    if not organizer.values:
        return event.text("status") == _CANCELLED
    if organizer.flag("self"):
        return True
    return _folded(organizer.text("email")) == _folded(event.required("calendar"))


def _key(event: Record) -> str:
    """The event of that calendar. An instance has an id of its own, however it is moved."""
    key = f"{event.required('calendar').casefold()}/{event.required('id')}"
    found = usable_name(key)
    if found is None:
        raise event.fault("id", "not_a_name")
    return found


def _report(event: Record, key: str, request: HookRequest) -> Report:
    revision = of_instant(_changed_at(event))
    if not _is_appointment(event, request.settings):
        gone: dict[str, JsonValue] = {KIND: "meeting", RETRACTED: True}
        return hook_report(request, key, revision, gone, full=False, mapping=MAPPING)
    values = _values(event, request.settings)
    known = {label: value for label, value in values.items() if value is not None}
    fields = fields_of("meeting", known, _ORIGINS, request.received_at)
    return hook_report(request, key, revision, fields, full=True, mapping=MAPPING)


def _changed_at(event: Record) -> int:
    at = event.time("updated")
    if at is not None:
        return instant(at)
    digits = (event.text("etag") or "").strip('"')
    if not (digits.isascii() and digits.isdigit() and len(digits) == 16):
        raise event.fault("updated", "required")
    return int(digits) // _TWICE


def _is_appointment(event: Record, settings: Settings) -> bool:
    if event.text("status") == _CANCELLED:
        return False
    if (event.text("eventType") or "default") not in _APPOINTMENTS:
        return False
    if event.given("recurringEventId") and not settings.flag("recurring"):
        return False
    outside = sum(1 for _ in _outside(event, settings))
    return outside >= settings.number("outside_attendees") and _is_titled(event, settings)


def _is_titled(event: Record, settings: Settings) -> bool:
    title = _folded(event.text("summary"))
    wanted = [_folded(one) for one in settings.texts("titles")]
    unwanted = [_folded(one) for one in settings.texts("not_titles")]
    has_one = not wanted or any(one in title for one in wanted)
    return has_one and not any(one in title for one in unwanted)


def _outside(event: Record, settings: Settings) -> Iterator[str]:
    """The addresses of those from outside who did not decline."""
    domains = {_folded(domain).removeprefix("@") for domain in settings.texts("domains")}
    for attendee in event.records("attendees"):
        address = attendee.text("email")
        declined = attendee.text("responseStatus") == "declined"
        if address is None or declined or attendee.flag("resource") or attendee.flag("organizer"):
            continue
        if not _is_of(address, domains):
            yield address


def _is_of(address: str, domains: set[str]) -> bool:
    """Whether an address is of one of the domains, or of one below them."""
    domain = _folded(address).rpartition("@")[2]
    return any(domain == own or domain.endswith(f".{own}") for own in domains)


def _values(event: Record, settings: Settings) -> dict[str, RawValue]:
    organizer = _person(event)
    creator = event.record("creator").text("email")
    domains = {_folded(domain).removeprefix("@") for domain in settings.texts("domains")}
    booked_by = creator if creator is not None and _is_of(creator, domains) else organizer
    return {
        "status": "booked",
        "booked_at": _created(event),
        "starts_at": _starts(event, settings),
        "counterpart": next(_outside(event, settings), None),
        "booked_by": booked_by,
        "organizer": organizer,
    }


def _person(event: Record) -> str | None:
    """The organizer; of a calendar that several people share, who entered the event."""
    organizer = event.record("organizer").text("email")
    if organizer is not None and organizer.endswith(_SHARED):
        return event.record("creator").text("email")
    return organizer


def _created(event: Record) -> str | None:
    """When it was entered. Of some that were imported Google says the year 0, which is nothing."""
    try:
        return event.time("created")
    except Invalid:
        return None


def _starts(event: Record, settings: Settings) -> str | None:
    start = event.record("start")
    if start.given("dateTime"):
        return start.time("dateTime")
    return start.day("date", settings.zone("time_zone"))


def _folded(text: str | None) -> str:
    return (text or "").casefold()


def _check(settings: Settings, _credentials: Credentials) -> None:
    missing = [
        Fault(f"/settings/{name}", "required")
        for name in ("calendars", "domains")
        if not settings.texts(name)
    ]
    if missing:
        raise Invalid("invalid_request", *missing)


def _token(text: str) -> None:
    if len(text) > MAX_TOKEN:
        raise Invalid("text_too_long", limit=MAX_TOKEN)


def _next_steps(connecting: Connecting) -> tuple[Step, ...]:
    calendars = ", ".join(connecting.settings.texts("calendars"))
    return (
        Step(
            "create_google_client", {"scope": "https://www.googleapis.com/auth/calendar.readonly"}
        ),
        Step("share_google_calendars", {"calendars": calendars}),
        Step("google_notifies_by_itself", {"url": connecting.hook_url}),
    )


PROVIDER = Provider(
    name="google_calendar",
    counts=("meeting",),
    secrets=(
        Secret(
            "token",
            "The token of the notification channels, of up to 256 characters; made if not given.",
            absence=Absence.GENERATED,
            check=_token,
        ),
        for_asking("client_id", "Of the OAuth client in Google Cloud."),
        for_asking("client_secret", "Of the same."),
        for_asking(
            "refresh_token",
            "A refresh token of a user who sees all details of the calendars. Without it nothing "
            "is read, nothing counts, and no channel is opened.",
        ),
    ),
    hook=Hook(_verify, _read, _next_steps, headers=(_STATE, _ADDRESS)),
    settings=SETTINGS,
    check=_check,
)

"""A leg of FreeSWITCH as its record tells it: whose it is, and what it knows of talk.

The switch calls every leg inbound that enters it, an agent's own telephone too, so what is ours is
known by the source's extensions. A registered telephone's user is proved, numbers are not.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import NoReturn
from urllib.parse import unquote

from app.domain.errors import Invalid
from app.domain.instants import DAY, SECOND
from app.domain.kinds import RawValue, name
from app.intake.extensions import is_extension, is_inside, is_number
from app.intake.records import Record
from app.intake.source_settings import Settings

Values = Mapping[str, RawValue]

# The a-leg's uuid, by what dialled the leg: a call centre's queue, a session, a session again.
_PARENTS = ("cc_member_session_uuid", "originating_leg_uuid", "originator")
_LEGS = re.compile(r"[0-9a-fA-F-]{8,64};[^;|]*;([^;|]*)", re.ASCII)
_PIPE = "loopback/"
_NOBODY = (
    "NORMAL_CLEARING NO_ANSWER NO_USER_RESPONSE ALLOTTED_TIMEOUT PROGRESS_TIMEOUT "
    "SUBSCRIBER_ABSENT CALL_REJECTED LOSE_RACE PICKED_OFF"
).split()
_CAUSES = {
    "USER_BUSY": "busy",
    "ORIGINATOR_CANCEL": "canceled",
    **dict.fromkeys(_NOBODY, "no_answer"),
}


@dataclass(frozen=True, slots=True)
class Leg:
    """A leg that ended. Times are whole seconds since 1970; 0 for what never came.

    parent: the uuid of the a-leg, None for a leg that is one
    first: the profile it began with; a transfer puts another before it
    caller: the profile of the leg that dialled it, empty where the record has none
    apps: what the dial plan did with it
    """

    uuid: str
    parent: str | None
    channel: str
    variables: Record
    first: Record
    newest: Record
    caller: Record
    apps: frozenset[str]
    extensions: tuple[str, ...]
    started: int
    answered: int
    bridged: int
    ended: int

    @property
    def pipe(self) -> bool:
        """Whether it is an end of a loopback, a pipe within the switch."""
        return self.channel.startswith(_PIPE)

    @property
    def far_end(self) -> bool:
        """Whether it repeats what another record tells: the far end of a pipe, or what it dialled.

        Such a leg names the pipe instead of the call, and would be a call of its own.
        """
        dialler = self.caller.text("chan_name") or ""
        return (self.pipe and self.channel.endswith("-b")) or dialler.startswith(_PIPE)

    @property
    def picked_up(self) -> bool:
        """Whether somebody dialled a code to pick up a colleague's call."""
        return "intercept" in self.apps and self.parent is not None


def leg_of(cdr: Record, settings: Settings, now: int) -> Leg:
    """The leg that a record is about. Raises Invalid with its place."""
    raw = cdr.record("variables")
    # "+81" is written %2B81; whether the switch encodes is not told, and a number has no "%".
    decoded = {k: unquote(v) if isinstance(v, str) else v for k, v in raw.values.items()}
    variables = Record(decoded, raw.pointer)
    profiles = [one.record("caller_profile") for one in cdr.records("callflow")]
    if not profiles:
        raise cdr.fault("callflow", "required")
    callers = [caller for profile in profiles for caller in _callers(profile)]
    ran = cdr.record("app_log").records("applications")
    apps = frozenset(app.text("app_name") or "" for app in ran)
    return Leg(
        uuid=_named(variables, "uuid") or _missing(variables, "uuid"),
        parent=_parent(variables, apps),
        channel=variables.text("channel_name") or profiles[-1].text("chan_name") or "",
        variables=variables,
        first=profiles[-1],
        newest=profiles[0],
        caller=callers[0] if callers else Record({}),
        apps=apps,
        extensions=settings.texts("extensions"),
        started=_epoch(variables, "start_epoch", now) or _missing(variables, "start_epoch"),
        answered=_epoch(variables, "answer_epoch", now),
        bridged=_epoch(variables, "bridge_epoch", now),
        ended=_epoch(variables, "end_epoch", now) or _missing(variables, "end_epoch"),
    )


def _parent(variables: Record, apps: frozenset[str]) -> str | None:
    if "intercept" in apps:
        return _named(variables, "bridge_uuid")
    named = (_named(variables, label) for label in _PARENTS)
    own = variables.text("uuid")
    return next((found for found in named if found is not None and found != own), None)


def _callers(profile: Record) -> list[Record]:
    return profile.record("originator").records("originator_caller_profiles")


def _epoch(variables: Record, label: str, now: int) -> int:
    at = variables.whole(label) or 0
    if at * SECOND > now + DAY:
        raise variables.fault(label, "time_too_far_ahead", hours=24)
    return at


def _named(variables: Record, label: str) -> str | None:
    text = variables.text(label)
    try:
        return None if text is None else name(text)
    except Invalid as error:
        raise variables.fault(label, error.code) from None


def _missing(variables: Record, label: str) -> NoReturn:
    raise variables.fault(label, "required")


def our_caller(leg: Leg) -> str | None:
    """Our extension that a leg came from."""
    user = leg.variables.text("user_name")
    if user is not None:
        return user if is_extension(user, leg.extensions) else None
    if leg.first.text("context") == "public":
        return None  # nobody proved anything here, and a number is quickly made up
    return own_side(leg.first, leg.extensions)


def own_side(profile: Record, extensions: tuple[str, ...]) -> str | None:
    """Our extension on a leg's own side: its user, its number, or what its channel is called."""
    channel = (profile.text("chan_name") or "").rpartition("/")[2].partition("@")[0]
    sides = (profile.text("username"), profile.text("caller_id_number"), channel)
    return next((side for side in sides if is_extension(side, extensions)), None)


def our_callee(leg: Leg) -> str | None:
    """Our extension that a leg was dialled to; WebRTC telephones have made-up numbers."""
    sides = (leg.variables.text("dialed_user"), leg.first.text("destination_number"))
    return next((side for side in sides if is_extension(side, leg.extensions)), None)


def queue_agent(leg: Leg) -> str | None:
    """Whom a call centre's queue rang, wherever: its agents are named 1001@domain."""
    if leg.variables.text("cc_side") != "agent":
        return None
    return (leg.variables.text("cc_agent") or "").partition("@")[0] or None


def sides_of(leg: Leg) -> dict[str, RawValue] | None:
    """Direction and both sides of an a-leg; None where nobody outside takes part."""
    if leg.variables.required("direction") == "outbound":
        return _sides_of_dialled(leg)
    agent, dialled = our_caller(leg), leg.first.text("destination_number")
    if agent is None:
        return {"direction": "inbound", "counterpart": leg.first.text("caller_id_number")}
    if is_inside(dialled, leg.extensions):
        return None
    return {"direction": "outbound", "counterpart": dialled, "agent": agent}


def _sides_of_dialled(leg: Leg) -> dict[str, RawValue] | None:
    """An a-leg that the switch itself began: to the customer, or to our own telephone first."""
    agent = our_callee(leg)
    if agent is None:
        return {"direction": "outbound", "counterpart": leg.first.text("destination_number")}
    # Who does not lift the receiver has called nobody: then nothing was dialled from this leg.
    dialled = _LEGS.findall(leg.variables.text("originated_legs") or "")
    for number in (leg.newest.text("destination_number"), *dialled):
        if is_number(number) and not is_inside(number, leg.extensions):
            return {"direction": "outbound", "counterpart": number, "agent": agent}
    return None


def own_talk(leg: Leg, *, outbound: bool) -> Values:
    """What an a-leg itself knows: it is also answered where only an announcement answered."""
    if leg.answered and not outbound and "voicemail" in leg.apps:
        return {"outcome": "voicemail", "talk_seconds": 0}
    # Our own telephone's answer is no customer's: only its connection to another leg tells.
    customer_answered = outbound and our_callee(leg) is None
    if not leg.answered or not (leg.bridged or customer_answered):
        return {"outcome": _unanswered(leg) if outbound else "no_answer", "talk_seconds": 0}
    calls_out = outbound and leg.variables.text("direction") == "inbound"
    since = leg.answered if calls_out else leg.bridged or leg.answered
    return {"outcome": "connected", "talk_seconds": max(0, leg.ended - since)}


def dialled_talk(leg: Leg) -> Values | None:
    """What a leg knows that was dialled for a call; None for a call among ours."""
    from_us = own_side(leg.caller, leg.extensions) is not None
    agent = our_callee(leg) or queue_agent(leg)
    if from_us and agent is not None:
        return None
    forwarded = agent is None and not from_us and bool(leg.caller.values)
    if not leg.answered:
        # Of whom we called it is told how; of ours who did not answer only that they did not.
        outcome = "no_answer" if agent or forwarded else _unanswered(leg)
        return {"outcome": outcome, "talk_seconds": 0}
    return {
        "outcome": "connected",
        # A pipe ends when its two ends are put together, and the talk goes on without it.
        "talk_seconds": None if leg.pipe else leg.variables.whole("billsec"),
        "agent": leg.first.text("destination_number") if forwarded else agent,
    }


def picked_up_talk(leg: Leg) -> Values:
    """What the leg knows by which a colleague's call was picked up."""
    return {
        "outcome": "connected",
        "talk_seconds": leg.variables.whole("billsec"),
        "agent": our_caller(leg),
    }


def _unanswered(leg: Leg) -> str:
    if leg.answered:
        return "no_answer"
    return _CAUSES.get(leg.variables.text("hangup_cause") or "", "failed")

"""The events that /v1/events takes, as documentation: the intake reads them itself, faster.

A well-known type has typed fields and takes further ones; any other type is a custom kind with
any fields. null clears a field; an attribute that is null is the same as an absent one.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, RootModel

from app.domain.credits import MOST
from app.domain.kinds import KINDS, MAX_NAME
from app.domain.origins import MOST as MOST_ORIGINS
from app.web.schemas.answers import Moment
from app.web.schemas.common import DecimalText, Key, LocalDate

_Text = Annotated[str, Field(min_length=1, max_length=MAX_NAME)]
_Seconds = Annotated[int, Field(ge=0, le=10**9)]
_Currency = Annotated[str, Field(pattern=r"^[A-Z]{3}$", description="ISO 4217.", examples=["JPY"])]
_Decimal = Annotated[
    DecimalText | int | float,
    Field(description="Best as text. A number is read digit by digit, never as binary fraction."),
]
_Who = Annotated[
    _Text,
    Field(
        description="A person as this source writes them: id, e-mail address, extension or "
        "telephone number.",
        examples=["301"],
    ),
]


class CreditShare(BaseModel):
    """One of several people who did it together."""

    model_config = ConfigDict(extra="forbid")

    identity: _Who
    share: Annotated[
        DecimalText | int | float,
        Field(description="Above 0, at most 1, up to 6 decimals. Best as text.", examples=["0.7"]),
    ]


_Credits = Annotated[
    list[CreditShare] | None,
    Field(
        min_length=1,
        max_length=MOST,
        description="Who did it together, everybody once; the shares add up to exactly 1. Metrics "
        "whose `credit` is shared count it by these shares, all others by the role.",
    ),
]


class OriginLink(BaseModel):
    """An activity that another one grew from."""

    model_config = ConfigDict(extra="forbid")

    source: Annotated[
        Key | None,
        Field(
            description="Whose activity it is; absent: the event's own source.",
            examples=["zoom"],
        ),
    ] = None
    key: Annotated[_Text, Field(description="The activity's key.", examples=["m-0001"])]


_Origin = Annotated[
    list[OriginLink] | _Text | int | None,
    Field(
        description="What it grew from: the call that made the appointment, the meeting that "
        f"became a deal; at most {MOST_ORIGINS}, in any order. They may come later. A key "
        "alone is an activity of the same source. From it the time between two steps is learned, "
        "and what is still open.",
        examples=[[{"source": "zoom", "key": "c-0001"}]],
    ),
]


class _Fields(BaseModel):
    """Further fields are kept as they are."""

    model_config = ConfigDict(extra="allow")

    credits: _Credits = None


class CallFields(_Fields):
    """A telephone call."""

    direction: Literal["inbound", "outbound"] | None = None
    outcome: Literal["connected", "no_answer", "busy", "voicemail", "failed", "canceled"] | None = (
        None
    )
    started_at: Moment | None = None
    ended_at: Moment | None = None
    duration_seconds: _Seconds | None = None
    talk_seconds: _Seconds | None = None
    counterpart: str | None = None
    agent: _Who | None = Field(None, description="Who called; `actor` fills it.")


class MeetingFields(_Fields):
    """An appointment, and the meeting it becomes."""

    status: Literal["booked", "held", "canceled", "no_show"] | None = None
    booked_at: Moment | None = Field(None, description="When the appointment was made.")
    starts_at: Moment | None = Field(None, description="When it takes place; it may lie ahead.")
    counterpart: str | None = None
    booked_by: _Who | None = Field(None, description="Who made the appointment; `actor` fills it.")
    organizer: _Who | None = Field(None, description="Who holds the meeting; `actor` fills it.")
    origin: _Origin = None


class DealFields(_Fields):
    """A deal. A won one counts on the day of `won_at`; without it, it cannot be counted."""

    status: Literal["open", "won", "lost", "deleted"] | None = None
    type: Literal["new", "existing"] | None = Field(None, description="Absent means new.")
    stage: str | None = None
    amount: _Decimal | None = None
    currency: _Currency | None = None
    created_at: Moment | None = None
    won_at: Moment | None = None
    closed_at: Moment | None = None
    expected_close_on: LocalDate | None = None
    owner: _Who | None = Field(None, description="Who is credited; `actor` fills it.")
    sourced_by: _Who | None = Field(None, description="Who brought it in.")
    origin: _Origin = None


class PaymentFields(_Fields):
    """Money that came in."""

    amount: _Decimal | None = None
    currency: _Currency | None = None
    paid_at: Moment | None = None
    refunded_amount: _Decimal | None = Field(None, description="Of `amount`; not negative.")
    owner: _Who | None = Field(None, description="Who is credited; `actor` fills it.")
    origin: _Origin = None


class LeadFields(_Fields):
    """Somebody who may buy."""

    created_at: Moment | None = None
    status: str | None = None
    owner: _Who | None = Field(None, description="Who is credited; `actor` fills it.")


class _Event(BaseModel):
    """CloudEvents 1.0; further attributes are ignored."""

    model_config = ConfigDict(extra="allow")

    specversion: Literal["1.0"]
    id: Annotated[_Text, Field(description="The event's own; the answer names items by it.")]
    source: Annotated[
        _Text, Field(description="A source of the key's workspace.", examples=["zoom"])
    ]
    subject: _Text | None = Field(
        None, description="The activity's key, the same in all its events. Absent: `id`."
    )
    time: Moment | None = Field(None, description="The revision of an event that has no other.")
    datacontenttype: str | None = Field(
        None, description="JSON or a format built on it.", examples=["application/json"]
    )
    actor: _Who | None = Field(
        None,
        description="Extension attribute. Whose activity it is: fills the roles of its type that "
        "`data` leaves open, and is looked up among the members' identities of this source.",
    )
    revision: Annotated[str, Field(max_length=200)] | int | None = Field(
        None,
        description="Extension attribute. Orders the reports of one activity, whenever they "
        "arrive: digits compare as integers, RFC 3339 as instants; a source keeps to one of them.",
        examples=["2"],
    )
    merge: bool | None = Field(
        None,
        description="Extension attribute. `true`: fields that `data` leaves out stay as they are. "
        "Absent: `data` is the whole activity.",
    )
    retracted: bool | None = Field(
        None,
        description="Extension attribute. `true`: it did not happen, or is deleted; `data` may be "
        "left out.",
    )


class CustomFields(_Fields):
    """Any fields; `credits` means the same in every type."""


class CallEvent(_Event):
    """Reports a call."""

    type: Literal["call"]
    data: CallFields | None = None


class MeetingEvent(_Event):
    """Reports an appointment or a meeting."""

    type: Literal["meeting"]
    data: MeetingFields | None = None


class DealEvent(_Event):
    """Reports a deal."""

    type: Literal["deal"]
    data: DealFields | None = None


class PaymentEvent(_Event):
    """Reports a payment."""

    type: Literal["payment"]
    data: PaymentFields | None = None


class LeadEvent(_Event):
    """Reports a lead."""

    type: Literal["lead"]
    data: LeadFields | None = None


class CustomEvent(_Event):
    """Reports an activity of a kind of your own."""

    type: Annotated[
        str,
        Field(
            pattern=r"^[a-z][a-z0-9_.-]{0,62}$",
            json_schema_extra={"not": {"enum": list(KINDS)}},
            examples=["demo_given"],
        ),
    ]
    data: CustomFields | None = None


AnyEvent = CallEvent | MeetingEvent | DealEvent | PaymentEvent | LeadEvent | CustomEvent


class CloudEvent(RootModel[AnyEvent]):
    """A CloudEvent 1.0 in structured mode. `type` is the kind of the activity."""

    model_config = ConfigDict(json_schema_extra=lambda s: s.update(oneOf=s.pop("anyOf")))


class EventData(RootModel[CallFields | MeetingFields | DealFields | PaymentFields | LeadFields]):
    """The `data` of a CloudEvent in binary mode; its type is in the header `ce-type`."""

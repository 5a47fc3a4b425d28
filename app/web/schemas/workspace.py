"""The workspace and its working calendar; keys."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field

from app.web.schemas.common import Body, ClockTime, LocalDate, Name, Reason, Resource

Weekday = Literal["mon", "tue", "wed", "thu", "fri", "sat", "sun"]
Scope = Literal["ingest", "read", "write", "admin"]


class WorkingHours(Body):
    """When a working day's target accrues, evenly."""

    from_: ClockTime = Field(alias="from")
    to: ClockTime


class Closure(Body):
    """Days on which the company is closed, half-open."""

    from_: LocalDate = Field(alias="from")
    to: LocalDate
    reason: Reason | None = None


class CalendarBody(Body):
    """Working days: weekdays, less national holidays and closures, plus extra days."""

    holidays: Annotated[str, Field(pattern=r"^[A-Z]{2}$", examples=["JP"])] | None = None
    weekdays: Annotated[list[Weekday], Field(min_length=1, max_length=7)]
    working_hours: WorkingHours
    closures: list[Closure] = Field(default_factory=list, max_length=500)
    extra_working_days: list[LocalDate] = Field(default_factory=list, max_length=500)


class Retention(Body):
    """How long what is not needed for counting is kept."""

    deliveries_days: Annotated[
        int, Field(ge=1, le=3_650, description="Requests as they came; what they said stays.")
    ] = 90


class WorkspaceBody(Resource):
    """A tenant's own zone, currency, language and calendar."""

    name: Name
    time_zone: Annotated[str, Field(max_length=64, examples=["Asia/Tokyo"])]
    currency: Annotated[str, Field(pattern=r"^[A-Z]{3}$", examples=["JPY"])]
    locale: Annotated[str, Field(pattern=r"^[a-z]{2}(-[A-Z]{2})?$", examples=["ja-JP"])] = "en"
    fiscal_year_start_month: Annotated[int, Field(ge=1, le=12)] = 1
    calendar: CalendarBody
    retention: Retention | None = None


class KeyBody(Body):
    """A new API key: its name says what it is for, its scopes what it may do."""

    name: Name
    scopes: Annotated[list[Scope], Field(min_length=1, max_length=4)]

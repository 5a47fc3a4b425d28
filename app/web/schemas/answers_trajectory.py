"""A goal day by day."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field, RootModel

from app.web.schemas.answers import Answer, Quantity
from app.web.schemas.common import LocalDate


class LinePoint(Answer):
    """A goal at the end of a day, cumulative from the first day of the period."""

    date: LocalDate
    working: Annotated[bool, Field(description="By the workspace's calendar.")]
    expected: Annotated[
        Quantity, Field(description="What the plan asks for by then; the target at the deadline.")
    ]
    actual: Annotated[Quantity | None, Field(description="What was counted; null of days to come.")]
    median: Annotated[
        Quantity | None,
        Field(
            description="Forecast, up to the goal's deadline; null of days that are over, and "
            "where nothing tells what to expect."
        ),
    ]
    low: Annotated[
        Quantity | None, Field(description="In 80 of 100 cases it lies between low and high.")
    ]
    high: Quantity | None


class Line(RootModel[list[LinePoint]]):
    """Every day of a plan's period."""

"""Who is ahead in a plan."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from app.web.schemas.answers import Answer, Moment, Quantity, Told
from app.web.schemas.answers_progress import PlanReference
from app.web.schemas.common import Key, Name


class Rank(Answer):
    """One member's place, by what was to be expected of this member by then."""

    rank: Annotated[int, Field(ge=1, description="Equal paces share it: 1, 1, 3.")]
    member: Key
    name: Name
    attainment: Annotated[
        Quantity | None, Field(description="actual / target, a ratio; null for a target of 0.")
    ]
    pace: Annotated[
        Quantity | None,
        Field(description="actual / expected, a ratio; null, and last, while nothing is expected."),
    ]
    target: Quantity
    actual: Quantity
    reasons: Annotated[
        list[Told], Field(description="Why a value is null or the verdict what it is.")
    ]


class Leaderboard(Answer):
    """Members by pace, at a moment."""

    workspace: Key
    plan: PlanReference
    goal: Key
    as_of: Moment
    known_at: Moment
    time_zone: str
    items: list[Rank]

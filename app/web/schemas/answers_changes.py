"""What moved between two knowings, and the close of a period."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from app.domain.changes import What
from app.web.schemas.answers import Answer, Moment, Page, Quantity, Version
from app.web.schemas.answers_progress import PlanReference
from app.web.schemas.common import Key


class ChangedPart(Answer):
    """What an activity adds to a goal's actual, and whose that is."""

    value: Annotated[Quantity, Field(description="In the goal's unit.")]
    member: Annotated[Key | None, Field(description="null: nobody known.")]
    actor: Annotated[str | None, Field(description="As the source writes it; null: nobody.")]
    at: Annotated[Moment, Field(description="When it happened: the metric's time.")]


class GoalDifference(Answer):
    """A goal's actual as it was known first and last."""

    goal: Key
    before: Quantity
    after: Quantity
    difference: Annotated[
        Quantity, Field(description="after - before: what the differences of all items sum to.")
    ]


class Move(Answer):
    """How an activity moved a goal."""

    goal: Key
    before: Annotated[
        list[ChangedPart],
        Field(description="Several where credit is shared; none: it did not count for the goal."),
    ]
    after: list[ChangedPart]
    difference: Quantity


class ActivityChange(Answer):
    """An activity that counts otherwise than it did."""

    source: Key
    key: Annotated[str, Field(description="The sender's key of the activity.")]
    kind: Annotated[str, Field(examples=["deal"])]
    what: Annotated[
        What,
        Field(
            description="`late`: not reported by `known_from`; `corrected`: reported, otherwise."
        ),
    ]
    received_at: Annotated[Moment, Field(description="When the last report of it came.")]
    goals: Annotated[list[Move], Field(description="In the order of the tree.")]


class ChangePage(Page[ActivityChange]):
    """Activities by when their last report came. A page may be short though another follows."""

    plan: PlanReference
    known_from: Moment
    known_to: Annotated[Moment, Field(description="Left out: the last commit's.")]
    as_of: Moment
    sums: Annotated[
        list[GoalDifference], Field(description="Of the whole list, on every page: all goals.")
    ]


class Close(Answer):
    """The close of a plan's period."""

    plan: Key
    known_at: Annotated[Moment, Field(description="What was received until then is closed with.")]
    closed_at: Moment
    author: Annotated[str, Field(description="The id of the key that closed it.")]
    reason: Annotated[str | None, Field(description="As it was given.")]
    version: Version

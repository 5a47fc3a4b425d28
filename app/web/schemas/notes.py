"""Notes on a plan's goals."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from app.web.schemas.answers import Answer, Moment, Page
from app.web.schemas.common import Body, Key, LocalDate

Text = Annotated[
    str,
    Field(
        min_length=1,
        max_length=2000,
        pattern=r"^[^\x00]*$",
        description="Plain text; shown as it is written.",
        examples=["失注した案件の理由を確認する"],
    ),
]


class NoteBody(Body):
    """What is to be remembered of a goal, or of a member's part in it."""

    goal: Key
    member: Key | None = None
    text: Text
    due: Annotated[LocalDate | None, Field(description="The last day on which it is in time.")] = (
        None
    )


class Note(Answer):
    """A note as it stands."""

    id: Annotated[str, Field(examples=["8202707199999999"])]
    goal: Key
    member: Key | None = None
    text: Text
    due: LocalDate | None = None
    author: Annotated[str, Field(description="The id of the key that wrote it.")]
    at: Moment


class NotePage(Page[Note]):
    """Notes on a plan, the newest first."""

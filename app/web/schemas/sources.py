"""Sources."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field

from app.web.schemas.common import Body, Name, Resource
from app.web.schemas.mappings import MappingDocument

Kind = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_.-]{0,62}$", examples=["call"])]


class Expectation(Body):
    """How often the source speaks when all is well; longer silence makes it stale."""

    every: Annotated[str, Field(max_length=40, examples=["PT2H"], description="ISO 8601.")]
    within: Literal["working_hours", "always"] = "working_hours"


class SourceBody(Resource):
    """How a sender is connected. Credentials are written, never read back."""

    answered: ClassVar[frozenset[str]] = Resource.answered | {
        "state",
        "last_received_at",
        "hook_url",
        "secret",
        "next",
        "warnings",
    }

    provider: Annotated[str, Field(max_length=63, examples=["twilio"])]
    name: Name
    counts: Annotated[
        list[Kind] | None,
        Field(max_length=50, description="Kinds this source counts; left out: the provider's."),
    ] = None
    expect: Expectation | None = None
    credentials: Annotated[
        dict[str, str | list[str]] | None,
        Field(description="Left out: unchanged. What each provider wants: see docs/senders."),
    ] = None
    mapping: MappingDocument | None = None

    def document(self) -> dict[str, Any]:
        """With the mapping as it came: its own reader says what is wrong with it."""
        found = super().document()
        return found if self.mapping is None else found | {"mapping": self.mapping}

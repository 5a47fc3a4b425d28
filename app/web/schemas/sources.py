"""Sources."""

from __future__ import annotations

from typing import Annotated, Any, ClassVar, Literal

from pydantic import Field, WithJsonSchema

from app.intake.credentials import Arity, Secret
from app.intake.registry import PROVIDERS
from app.intake.source_settings import settings_schema
from app.web.schemas.common import Body, Name, Resource
from app.web.schemas.mappings import MappingDocument

Kind = Annotated[str, Field(pattern=r"^[a-z][a-z0-9_.-]{0,62}$", examples=["call"])]


class Expectation(Body):
    """How often the source speaks when all is well; longer silence makes it stale."""

    every: Annotated[str, Field(max_length=40, examples=["PT2H"], description="ISO 8601.")]
    within: Literal["working_hours", "always"] = "working_hours"


def _credential(secret: Secret) -> dict[str, Any]:
    text = {"type": "string"}
    shape = text if secret.arity is Arity.ONE else {"type": "array", "items": text}
    return shape | ({"description": secret.about} if secret.about else {})


def _either(alternatives: list[dict[str, Any]], about: str) -> WithJsonSchema:
    """One object of several, each titled with the name of its provider."""
    none = {"title": "any other provider", "type": "object", "maxProperties": 0}
    return WithJsonSchema(
        {"anyOf": [*alternatives, none, {"type": "null"}], "default": None, "description": about}
    )


# What is wrong in them is said by the provider's own rules, with pointers.
SettingsDocument = Annotated[
    dict[str, Any] | None,
    _either(
        [settings_schema(p.name, p.settings) for p in PROVIDERS.values() if p.settings],
        "What the provider has to be told of the account and is no secret. A change holds for "
        "what comes next and for what is replayed.",
    ),
]
CredentialsDocument = Annotated[
    dict[str, str | list[str]] | None,
    _either(
        [
            {
                "title": provider.name,
                "type": "object",
                "properties": {secret.name: _credential(secret) for secret in provider.secrets},
                "additionalProperties": False,
            }
            for provider in PROVIDERS.values()
            if provider.secrets
        ],
        "Left out: unchanged.",
    ),
]


class SourceBody(Resource):
    """How a sender is connected. Credentials are written, never read back."""

    answered: ClassVar[frozenset[str]] = Resource.answered | {
        "state",
        "expectation",
        "last_received_at",
        "hook_url",
        "secret",
        "retiring_until",
        "next",
        "warnings",
    }

    provider: Annotated[
        str,
        Field(
            max_length=63,
            examples=["twilio"],
            description=f"One of {', '.join(PROVIDERS)}; see docs/senders.",
        ),
    ]
    name: Name
    counts: Annotated[
        list[Kind] | None,
        Field(max_length=50, description="Kinds this source counts; left out: the provider's."),
    ] = None
    expect: Expectation | None = None
    credentials: CredentialsDocument = None
    settings: SettingsDocument = None
    mapping: MappingDocument | None = None

    def document(self) -> dict[str, Any]:
        """With the mapping as it came: its own reader says what is wrong with it."""
        found = super().document()
        return found if self.mapping is None else found | {"mapping": self.mapping}


class RotationBody(Body):
    """New secrets or a new address, and how long the old ones are taken beside them."""

    credentials: CredentialsDocument = None
    address: Annotated[
        bool,
        Field(
            description="Make the address of the hook anew. Secrets then stay as they are, but "
            "for those that are given."
        ),
    ] = False
    keep_minutes: Annotated[
        int,
        Field(ge=0, le=43_200, description="How long the old ones are taken; 0: no longer."),
    ] = 1_440


class TrialBody(Body):
    """A sample to try a mapping on: one of `sample`, `body` and `query`."""

    sample: Annotated[
        Any, Field(description="A body as JSON, as the sender would send it.", examples=[{"id": 7}])
    ] = None
    body: Annotated[
        str | None,
        Field(max_length=1_000_000, description="A body as text: a form, NDJSON, or a table."),
    ] = None
    query: Annotated[
        str | None, Field(max_length=8_000, description="Of a GET, without the question mark.")
    ] = None
    media_type: Annotated[
        str, Field(max_length=200, pattern=r"^[ -~]*$", description="Of `body`.")
    ] = "application/json"
    mapping: MappingDocument | None = None


class BackfillBody(Body):
    """From when on a source is to be read again."""

    from_: Annotated[
        str,
        Field(
            alias="from",
            max_length=40,
            examples=["2026-11-01T00:00:00Z"],
            description="RFC 3339 with offset.",
        ),
    ]

"""Every table. Config as SQLModel classes, what pours in as Core tables, on one metadata.

`workspace_id` leads every primary key, unique key and index: one workspace never reads another's
pages, and the rows can later be distributed by it. Instants are integer microseconds, truth
values 0 or 1, JSON canonical text.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    CheckConstraint,
    Column,
    ForeignKeyConstraint,
    Index,
    Table,
    UniqueConstraint,
    text,
)
from sqlalchemy.types import TypeEngine
from sqlmodel import Field, SQLModel

from app.store import schema
from app.store.dialect import Octets, Whole, Words

METADATA, LARGEST, table_of = schema.METADATA, schema.LARGEST, schema.table_of
_key, _value, _where, _table = schema.key, schema.value, schema.where, schema.table

workspace_head = _table(
    "workspace_head", *(_value(name, Whole) for name in ("seq", "at", "config_version"))
)
workspace_commit = _table(
    "workspace_commit",
    _key("seq", Whole),
    _value("at", Whole),
    Index("ix_workspace_commit_at", "workspace_id", "at"),
)
# By what version of the program a workspace was last counted as a whole.
counting = _table("counting", _value("version", Whole))

# By which rules of which zone its days were cut.
zone_rules = _table("zone_rules", _value("zone", Words), _value("offsets", Words))
actor = _table(
    "actor",
    _key("source", Words),
    _key("identity", Words),
    _value("actor", Whole),
    UniqueConstraint("workspace_id", "actor"),
)
metric_slot = _table(
    "metric_slot",
    _key("slot", Whole),
    _value("metric", Words),
    _value("currency", Words),
    UniqueConstraint("workspace_id", "metric", "currency"),
)
_PLACES = ("after_source", "after_key", "upto_source", "upto_key")
# What is being counted, or was, where a metric does not simply stand.
metric_generation = _table(
    "metric_generation",
    *(_key("metric", Words), _key("number", Whole), _value("stage", Words)),
    *(_value("version", Whole), *(_value(place, Words) for place in _PLACES)),
    *(_value("counted", Whole), _value("expected", Whole)),
    Column("config", Whole, nullable=False, server_default=text("0")),
)
# Addresses of hooks that were replaced. Until when they are answered is sealed with the secrets.
retired_hook = _table("retired_hook", _key("hook_digest", Octets), _value("source", Words))
# Which secret key the credentials are sealed with.
seal = _table("seal", _value("fingerprint", Octets))
# Forecasts as they were made at the end of each day, and how good a period's have been.
forecast_issued, forecast_judged = (
    _table(name, *(_key("plan", Words), _key("day", Whole), _value("alias", Words)),
           *(_value("body", Words), _value("at", Whole), _value("seq", Whole)), wide=True)
    for name in ("forecast_issued", "forecast_judged")
)  # fmt: skip
verification = _table("verification", _value("at", Whole), _value("mismatches", Whole))
source_state = _table(
    "source_state",
    _key("source", Words),
    _value("clock", Words, optional=True),
    _value("last_received_at", Whole),
)
# What `source_state` said of when a source last spoke, after each commit that moved it.
source_heard = _table(
    "source_heard", _key("source", Words), _key("seq", Whole), _value("at", Whole)
)
activity = _table(
    "activity",
    *(_key(name, Words) for name in ("source", "key")),
    *(_value(name, Words) for name in ("kind", "fields", "revision")),
    _value("mapping", Whole),
    _value("digest", Octets),
    *(_value(name, Whole) for name in ("retracted", "has_partials", "uncounted", "seq")),
    Index("ix_activity_uncounted", "workspace_id", "source", "key", **_where("uncounted = 1")),
    wide=True,
)
activity_field = _table(
    "activity_field",
    *(_key(name, Words) for name in ("source", "key", "field")),
    _value("revision", Words),
    _value("mapping", Whole),
    _value("digest", Octets),
)
activity_revision = _table(
    "activity_revision",
    *(_key(name, Words) for name in ("source", "key", "revision")),
    _key("mapping", Whole),
    _key("digest", Octets),
    _value("full", Whole),
    _value("content", Words),
    _value("conflict", Whole),
    _value("seq", Whole),
    # The delivery that first brought it; it may have been let go of since.
    _value("delivery", Whole, optional=True),
    Index(
        "ix_activity_revision_conflict",
        *("workspace_id", "source", "key", "revision", "mapping", "digest"),
        **_where("conflict = 1"),
    ),
    # What came between two commits, in the order in which it is listed.
    Index("ix_activity_revision_seq", "workspace_id", "seq", "source", "key"),
    wide=True,
)
credit = _table(
    "credit",
    *(_key(name, Whole) for name in ("actor", "at")),
    *(_key(name, Words) for name in ("source", "key")),
)


def _tally(name: str, bucket: str) -> Table:
    return _table(
        name,
        *(_key(part, Whole) for part in ("slot", bucket, "actor")),
        *(_value(part, Whole) for part in ("number", "total")),
        CheckConstraint(f"total BETWEEN {-LARGEST} AND {LARGEST}", name="fits"),
    )


tally_day = _tally("tally_day", "day")
tally_quarter = _tally("tally_quarter", "quarter")
tally_values = _table(
    "tally_values",
    *(_key(name, Whole) for name in ("slot", "quarter", "actor")),
    _key("value", Words),
    _value("n", Whole),
)


def _journal(name: str, *parts: Column[Any]) -> Table:
    return _table(
        name, *(_key(part, Whole) for part in ("slot", "seq", "quarter", "actor")), *parts
    )


# How each commit moved the two tables above: what is taken back to know less. The order of the
# key is that of its one question, what moved a slot since a commit.
journal = _journal("journal", _value("number", Whole), _value("total", Whole))
journal_values = _journal("journal_values", _key("value", Words), _value("n", Whole))

# What grew from what, and where those activities lay in the tallies, as of which commits: from
# `since` on, and before `until`. Read when asked; written anew from the reports.
link = _table(
    "link",
    *(_key(name, Words) for name in ("from_source", "from_key", "source", "key")),
    _key("since", Whole),
    _value("until", Whole),
    Index("ix_link_activity", "workspace_id", "source", "key"),
)
placed = _table(
    "placed",
    *(_key(name, Whole) for name in ("slot", "quarter")),
    *(_key(name, Words) for name in ("source", "key")),
    *(_key(name, Whole) for name in ("actor", "since")),
    *(_value(name, Whole) for name in ("until", "number")),
    Index("ix_placed_activity", "workspace_id", "source", "key"),
)

quarantine = _table(
    "quarantine",
    _key("id", Whole),
    *(_value(name, Words) for name in ("source", "code")),
    _value("digest", Octets),
    _value("item", Words, optional=True),
    *(_value(name, Words) for name in ("faults", "content")),
    *(_value(name, Whole) for name in ("count", "first_at", "last_at")),
    # The latest delivery that brought it, and its place in there.
    _value("delivery", Whole, optional=True),
    _value("position", Whole, optional=True),
    _value("resolved_at", Whole, optional=True),
    UniqueConstraint("workspace_id", "source", "code", "digest"),
    Index("ix_quarantine_open", "workspace_id", "delivery", **_where("resolved_at IS NULL")),
)
# What an open entry is about, until that is taken in.
awaited = _table(
    "awaited",
    _key("entry", Whole),
    _value("source", Words),
    _value("key", Words),
    _value("revision", Words),
    Index("ix_awaited_activity", "workspace_id", "source", "key"),
)
# What was received, as it came. The body stands last: a listing never touches its pages.
delivery = _table(
    "delivery",
    _key("id", Whole),
    _value("received_at", Whole),
    _value("door", Words),
    _value("source", Words, optional=True),
    *(_value(name, Words) for name in ("sources", "method", "query", "media_type")),
    *(_value(name, Words) for name in ("headers", "outcomes")),
    *(_value(name, Whole) for name in ("altered", "size", "packed")),
    _value("body", Octets),
    Index("ix_delivery_received", "workspace_id", "received_at", "id"),
    wide=True,
)
# What was refused for want of a proof: why and how often, and nothing of what was sent.
refusal = _table(
    "refusal",
    *(_key(name, Words) for name in ("source", "code")),
    _value("params", Words),
    *(_value(name, Whole) for name in ("number", "first_at", "last_at")),
)
# What was named and is still to be fetched. `named` counts how often, so that what is named while
# it is being fetched is not taken for answered; `since` is when it was named first.
pending_fetch = _table(
    "pending_fetch",
    *(_key(name, Words) for name in ("source", "object", "id")),
    _value("revision", Words),
    *(_value(name, Whole) for name in ("named", "since", "attempts", "next_at")),
    _value("delivery", Whole, optional=True),
    _value("position", Whole),
    Index("ix_pending_fetch_due", "workspace_id", "source", "next_at"),
)
# Who fetches from a source: one process at a time, for an account has one rate limit and token.
# `marks`: up to where its past was read; `channels`: which notifications it was asked for.
fetcher = _table(
    "fetcher",
    _key("source", Words),
    *(_value(name, Whole) for name in ("lease_until", "fence", "failures", "retry_at", "pull_at")),
    _value("marks", Words),
    *(_value("tokens", Octets, optional=True), _value("code", Words, optional=True)),
    *(_value(name, Whole, optional=True) for name in ("tried_at", "succeeded_at", "backfill_from")),
    Column("channels", Words, nullable=False, server_default=text("'{}'")),
)

_STRICT = {"sqlite_strict": True, "sqlite_with_rowid": False}


def _of_workspace() -> ForeignKeyConstraint:
    return ForeignKeyConstraint(["workspace_id"], ["workspace_head.workspace_id"])


def _field(kind: TypeEngine[Any], *, key: bool = False, optional: bool = False) -> Any:  # noqa: ANN401 - a pydantic field
    return Field(
        sa_column=Column(kind, primary_key=key, nullable=optional and not key, autoincrement=False)
    )


class DocumentRow(SQLModel, table=True):
    """A config resource as it stands."""

    metadata = METADATA
    __tablename__ = "document"
    __table_args__ = (_of_workspace(), _STRICT)

    workspace_id: str = _field(Words, key=True)
    collection: str = _field(Words, key=True)
    key: str = _field(Words, key=True)
    version: int = _field(Whole)
    body: str = _field(Words)
    archived: int = _field(Whole)
    seq: int = _field(Whole)


class DocumentVersionRow(SQLModel, table=True):
    """Every version a config resource ever had: who changed it, why and when."""

    metadata = METADATA
    __tablename__ = "document_version"
    __table_args__ = (_of_workspace(), _STRICT)

    workspace_id: str = _field(Words, key=True)
    collection: str = _field(Words, key=True)
    key: str = _field(Words, key=True)
    version: int = _field(Whole, key=True)
    body: str = _field(Words)
    archived: int = _field(Whole)
    author: str = _field(Words)
    reason: str | None = _field(Words, optional=True)
    seq: int = _field(Whole)
    at: int = _field(Whole)


class ApiKeyRow(SQLModel, table=True):
    """A key, known by the digest of its secret only."""

    metadata = METADATA
    __tablename__ = "api_key"
    __table_args__ = (UniqueConstraint("workspace_id", "digest"), _of_workspace(), _STRICT)

    workspace_id: str = _field(Words, key=True)
    id: str = _field(Words, key=True)
    name: str = _field(Words)
    digest: bytes = _field(Octets)
    scopes: str = _field(Words)
    created_at: int = _field(Whole)
    revoked_at: int | None = _field(Whole, optional=True)


class SourceSecretRow(SQLModel, table=True):
    """What a source proves itself with: the digest of its hook, its credentials encrypted."""

    metadata = METADATA
    __tablename__ = "source_secret"
    __table_args__ = (UniqueConstraint("workspace_id", "hook_digest"), _of_workspace(), _STRICT)

    workspace_id: str = _field(Words, key=True)
    source: str = _field(Words, key=True)
    hook_digest: bytes | None = _field(Octets, optional=True)
    credentials: bytes | None = _field(Octets, optional=True)

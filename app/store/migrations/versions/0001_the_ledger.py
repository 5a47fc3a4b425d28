"""The ledger: heads, config documents, keys, sources, activities, tallies, quarantine."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision: str | None = None
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

_WHOLE = sa.BigInteger().with_variant(sa.INTEGER(), "sqlite")
_WORDS = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_OCTETS = sa.LargeBinary()
_WIDE = {"activity", "activity_revision"}
# Rows that are added to all the time: room on their page, so that a move stays on it.
_MOVED: dict[str, Any] = {"postgresql_with": {"fillfactor": 70}}


def _table(name: str, key: str, values: Sequence[sa.Column[Any]], *rules: Any) -> None:  # noqa: ANN401 - constraints of any kind
    """A table of a workspace. `key` says its key columns: words, a # for whole, a * for octets."""
    kinds: dict[str, sa.types.TypeEngine[Any]] = {"#": _WHOLE, "*": _OCTETS}
    keys = [(word.strip("#*"), kinds.get(word[-1], _WORDS)) for word in key.split()]
    columns: list[sa.Column[Any]] = [sa.Column(label, kind, nullable=False) for label, kind in keys]
    op.create_table(
        name,
        sa.Column("workspace_id", _WORDS, nullable=False),
        *columns,
        *values,
        sa.PrimaryKeyConstraint(
            "workspace_id", *(label for label, _ in keys), name=op.f(f"pk_{name}")
        ),
        *rules,
        sqlite_strict=True,
        sqlite_with_rowid=name in _WIDE,
        **(_MOVED if name.startswith("tally_") else {}),
    )


def _value(name: str, kind: sa.types.TypeEngine[Any], *, optional: bool = False) -> sa.Column[Any]:
    return sa.Column(name, kind, nullable=optional)


def _unique(table: str, *columns: str) -> sa.UniqueConstraint:
    names = ("workspace_id", *columns)
    return sa.UniqueConstraint(*names, name=op.f("_".join(("uq", table, *names))))


def _of_workspace(table: str) -> sa.ForeignKeyConstraint:
    return sa.ForeignKeyConstraint(
        ["workspace_id"],
        ["workspace_head.workspace_id"],
        name=op.f(f"fk_{table}_workspace_head"),
    )


def _where(condition: str) -> dict[str, Any]:
    return {"sqlite_where": sa.text(condition), "postgresql_where": sa.text(condition)}


def upgrade() -> None:
    """Make every table of the first version."""
    _heads()
    _config()
    _activities()
    _counting()


def downgrade() -> None:
    """Nothing: the way back from the first version is a new file."""


def _heads() -> None:
    _table(
        "workspace_head",
        "",
        [_value("seq", _WHOLE), _value("at", _WHOLE), _value("config_version", _WHOLE)],
    )
    _table("verification", "", [_value("at", _WHOLE), _value("mismatches", _WHOLE)])
    _table("workspace_commit", "seq#", [_value("at", _WHOLE)])


def _config() -> None:
    _table(
        "document",
        "collection key",
        [
            _value("version", _WHOLE),
            _value("body", _WORDS),
            _value("archived", _WHOLE),
            _value("seq", _WHOLE),
        ],
        _of_workspace("document"),
    )
    _table(
        "document_version",
        "collection key version#",
        [
            _value("body", _WORDS),
            _value("archived", _WHOLE),
            _value("author", _WORDS),
            _value("reason", _WORDS, optional=True),
            _value("seq", _WHOLE),
            _value("at", _WHOLE),
        ],
        _of_workspace("document_version"),
    )
    _table(
        "api_key",
        "id",
        [
            _value("name", _WORDS),
            _value("digest", _OCTETS),
            _value("scopes", _WORDS),
            _value("created_at", _WHOLE),
            _value("revoked_at", _WHOLE, optional=True),
        ],
        _unique("api_key", "digest"),
        _of_workspace("api_key"),
    )
    _table(
        "source_secret",
        "source",
        [
            _value("hook_digest", _OCTETS, optional=True),
            _value("credentials", _OCTETS, optional=True),
        ],
        _unique("source_secret", "hook_digest"),
        _of_workspace("source_secret"),
    )


def _activities() -> None:
    stamp = ("revision", _WORDS), ("mapping", _WHOLE), ("digest", _OCTETS)
    _table(
        "activity",
        "source key",
        [
            _value("kind", _WORDS),
            _value("fields", _WORDS),
            *(_value(name, kind) for name, kind in stamp),
            _value("retracted", _WHOLE),
            _value("has_partials", _WHOLE),
            _value("uncounted", _WHOLE),
            _value("seq", _WHOLE),
        ],
    )
    _table("activity_field", "source key field", [_value(name, kind) for name, kind in stamp])
    _table(
        "activity_revision",
        "source key revision mapping# digest*",
        [
            _value("full", _WHOLE),
            _value("content", _WORDS),
            _value("conflict", _WHOLE),
            _value("seq", _WHOLE),
        ],
    )
    place = ["workspace_id", "source", "key"]
    for name, table, columns, flag in (
        ("ix_activity_uncounted", "activity", place, "uncounted"),
        (
            "ix_activity_revision_conflict",
            "activity_revision",
            [*place, *(name for name, _ in stamp)],
            "conflict",
        ),
    ):
        op.create_index(name, table, columns, **_where(f"{flag} = 1"))


def _counting() -> None:
    _table(
        "source_state",
        "source",
        [_value("clock", _WORDS, optional=True), _value("last_received_at", _WHOLE)],
    )
    _table(
        "actor",
        "source identity",
        [_value("actor", _WHOLE)],
        _unique("actor", "actor"),
    )
    _table(
        "metric_slot",
        "slot#",
        [_value("metric", _WORDS), _value("currency", _WORDS)],
        _unique("metric_slot", "metric", "currency"),
    )
    _table("credit", "actor# at# source key", [])
    for bucket in ("day", "quarter"):
        name = f"tally_{bucket}"
        fits = f"total BETWEEN {1 - 2**62} AND {2**62 - 1}"
        _table(
            name,
            f"slot# {bucket}# actor#",
            [_value("number", _WHOLE), _value("total", _WHOLE)],
            sa.CheckConstraint(fits, name=op.f(f"ck_{name}_fits")),
        )
    _table(
        "quarantine",
        "id#",
        [
            _value("source", _WORDS),
            _value("code", _WORDS),
            _value("digest", _OCTETS),
            _value("item", _WORDS, optional=True),
            _value("faults", _WORDS),
            _value("content", _WORDS),
            _value("count", _WHOLE),
            _value("first_at", _WHOLE),
            _value("last_at", _WHOLE),
        ],
        _unique("quarantine", "source", "code", "digest"),
    )

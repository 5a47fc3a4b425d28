"""Deliveries kept as they came; quarantine entries know theirs and can be resolved."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision: str | None = "0002"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

_WHOLE = sa.BigInteger().with_variant(sa.INTEGER(), "sqlite")
_WORDS = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_COLUMNS = (
    ("id", _WHOLE), ("received_at", _WHOLE), ("door", _WORDS), ("source", _WORDS),
    ("sources", _WORDS), ("method", _WORDS), ("query", _WORDS),
    ("media_type", _WORDS), ("headers", _WORDS), ("outcomes", _WORDS),
    ("altered", _WHOLE), ("size", _WHOLE), ("packed", _WHOLE), ("body", sa.LargeBinary()),
)  # fmt: skip
_KEPT = (
    ("id", _WHOLE), ("source", _WORDS), ("code", _WORDS), ("digest", sa.LargeBinary()),
    ("item", _WORDS), ("faults", _WORDS), ("content", _WORDS), ("count", _WHOLE),
    ("first_at", _WHOLE), ("last_at", _WHOLE),
)  # fmt: skip
_ADDED = (("delivery", _WHOLE), ("position", _WHOLE), ("resolved_at", _WHOLE))
_OPTIONAL = {"item", *(name for name, _ in _ADDED)}
_UNIQUE = ("workspace_id", "source", "code", "digest")


def upgrade() -> None:
    """Add the table; entries from before have no delivery and cannot be replayed."""
    op.create_table(
        "delivery",
        sa.Column("workspace_id", _WORDS, nullable=False),
        *(sa.Column(name, kind, nullable=name == "source") for name, kind in _COLUMNS),
        sa.PrimaryKeyConstraint("workspace_id", "id", name=op.f("pk_delivery")),
        sqlite_strict=True,
    )
    op.create_index("ix_delivery_received", "delivery", ["workspace_id", "received_at", "id"])
    if op.get_bind().dialect.name == "sqlite":
        _remake(_KEPT + _ADDED)
    else:
        for name, kind in _ADDED:
            op.add_column("quarantine", sa.Column(name, kind, nullable=True))
    op.create_index(
        "ix_quarantine_open",
        "quarantine",
        ["workspace_id", "delivery"],
        sqlite_where=sa.text("resolved_at IS NULL"),
        postgresql_where=sa.text("resolved_at IS NULL"),
    )


def downgrade() -> None:
    """Take it all away; what was counted stays counted."""
    op.drop_index("ix_quarantine_open", "quarantine")
    if op.get_bind().dialect.name == "sqlite":
        _remake(_KEPT)
    else:
        for name, _ in _ADDED:
            op.drop_column("quarantine", name)
    op.drop_table("delivery")


def _remake(parts: Sequence[tuple[str, sa.types.TypeEngine[Any]]]) -> None:
    """Make the table anew: SQLite would add a column behind the constraints."""
    op.rename_table("quarantine", "quarantine_before")
    op.create_table(
        "quarantine",
        sa.Column("workspace_id", _WORDS, nullable=False),
        *(sa.Column(name, kind, nullable=name in _OPTIONAL) for name, kind in parts),
        sa.PrimaryKeyConstraint("workspace_id", "id", name=op.f("pk_quarantine")),
        sa.UniqueConstraint(*_UNIQUE, name=op.f(f"uq_quarantine_{'_'.join(_UNIQUE)}")),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    names = ["workspace_id", *(name for name, _ in _KEPT)]
    before = sa.table("quarantine_before", *map(sa.column, names))
    now = sa.table("quarantine", *map(sa.column, names))
    op.execute(sa.insert(now).from_select(names, sa.select(*before.c)))
    op.drop_table("quarantine_before")

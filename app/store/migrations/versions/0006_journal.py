"""The journal of tallies: what is known now less what came since is what was known then."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision: str | None = "0005"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

_WHOLE = sa.BigInteger().with_variant(sa.INTEGER(), "sqlite")
_WORDS = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_MOVED = (("slot", _WHOLE), ("seq", _WHOLE), ("quarter", _WHOLE), ("actor", _WHOLE))
_TABLES: Sequence[tuple[str, Sequence[tuple[str, sa.types.TypeEngine[Any]]], int]] = (
    ("counting", (("version", _WHOLE),), 0),
    ("source_heard", (("source", _WORDS), ("seq", _WHOLE), ("at", _WHOLE)), 2),
    ("journal", (*_MOVED, ("number", _WHOLE), ("total", _WHOLE)), 4),
    ("journal_values", (*_MOVED, ("value", _WORDS), ("n", _WHOLE)), 5),
)


def upgrade() -> None:
    """Add the tables; the journal fills with the next count of the whole workspace."""
    for name, parts, keys in _TABLES:
        key = ("workspace_id", *(column for column, _ in parts[:keys]))
        op.create_table(
            name,
            sa.Column("workspace_id", _WORDS, nullable=False),
            *(sa.Column(column, kind, nullable=False) for column, kind in parts),
            sa.PrimaryKeyConstraint(*key, name=op.f(f"pk_{name}")),
            sqlite_strict=True,
            sqlite_with_rowid=False,
        )
    op.create_index("ix_workspace_commit_at", "workspace_commit", ["workspace_id", "at"])
    op.create_index(
        "ix_activity_revision_seq", "activity_revision", ["workspace_id", "seq", "source", "key"]
    )
    _remember_when_sources_spoke()


def downgrade() -> None:
    """Take it all away; what is counted stays counted, and is known as of now only."""
    op.drop_index("ix_activity_revision_seq", "activity_revision")
    op.drop_index("ix_workspace_commit_at", "workspace_commit")
    for name, _, _ in reversed(_TABLES):
        op.drop_table(name)


def _remember_when_sources_spoke() -> None:
    """From before, only the commits that brought something new are known."""
    names = ["workspace_id", "source", "seq", "at"]
    report = sa.table("activity_revision", *map(sa.column, names[:3]))
    commit = sa.table("workspace_commit", *(sa.column(n) for n in ("workspace_id", "seq", "at")))
    spoke = (
        sa.select(report.c.workspace_id, report.c.source, report.c.seq, commit.c.at)
        .join(
            commit,
            sa.and_(commit.c.workspace_id == report.c.workspace_id, commit.c.seq == report.c.seq),
        )
        .distinct()
    )
    op.execute(
        sa.insert(sa.table("source_heard", *map(sa.column, names))).from_select(names, spoke)
    )

"""Addresses of hooks that were replaced, by which their sources are still found."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision: str | None = "0013"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

_WORDS = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Add the table: no address could be replaced before."""
    op.create_table(
        "retired_hook",
        sa.Column("workspace_id", _WORDS, nullable=False),
        sa.Column("hook_digest", sa.LargeBinary(), nullable=False),
        sa.Column("source", _WORDS, nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", "hook_digest", name=op.f("pk_retired_hook")),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    """Take the table away: what was replaced is unknown from then on."""
    op.drop_table("retired_hook")

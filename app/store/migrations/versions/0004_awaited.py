"""What open quarantine entries are about."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision: str | None = "0003"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

_WHOLE = sa.BigInteger().with_variant(sa.INTEGER(), "sqlite")
_WORDS = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_TEXTS = ("source", "key", "revision")


def upgrade() -> None:
    """Add the table; entries from before are settled by replaying them."""
    op.create_table(
        "awaited",
        sa.Column("workspace_id", _WORDS, nullable=False),
        sa.Column("entry", _WHOLE, nullable=False),
        *(sa.Column(name, _WORDS, nullable=False) for name in _TEXTS),
        sa.PrimaryKeyConstraint("workspace_id", "entry", name=op.f("pk_awaited")),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_index("ix_awaited_activity", "awaited", ["workspace_id", "source", "key"])


def downgrade() -> None:
    """Take the table away; entries stay."""
    op.drop_table("awaited")

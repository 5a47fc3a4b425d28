"""The rules of the zone by which a workspace's days were cut."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision: str | None = "0008"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

_WORDS = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Add the table; the next start cuts every day anew and says by what."""
    op.create_table(
        "zone_rules",
        sa.Column("workspace_id", _WORDS, nullable=False),
        sa.Column("zone", _WORDS, nullable=False),
        sa.Column("offsets", _WORDS, nullable=False),
        sa.PrimaryKeyConstraint("workspace_id", name=op.f("pk_zone_rules")),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    """Take the table away; days stay as they were cut."""
    op.drop_table("zone_rules")

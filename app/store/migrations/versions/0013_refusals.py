"""What was refused for want of a proof: why and how often."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision: str | None = "0012"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

_WHOLE = sa.BigInteger().with_variant(sa.INTEGER(), "sqlite")
_WORDS = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Add the table. What was refused before was not kept."""
    op.create_table(
        "refusal",
        *(
            sa.Column(name, _WORDS, nullable=False)
            for name in ("workspace_id", "source", "code", "params")
        ),
        *(sa.Column(name, _WHOLE, nullable=False) for name in ("number", "first_at", "last_at")),
        sa.PrimaryKeyConstraint("workspace_id", "source", "code", name=op.f("pk_refusal")),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    """Take the table away."""
    op.drop_table("refusal")

"""Which notifications a source was asked for, and until when."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision: str | None = "0011"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

_WORDS = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Add the column: no provider was asked to notify before."""
    op.add_column(
        "fetcher",
        sa.Column("channels", _WORDS, nullable=False, server_default=sa.text("'{}'")),
    )


def downgrade() -> None:
    """Take it away; the channels end by themselves."""
    op.drop_column("fetcher", "channels")

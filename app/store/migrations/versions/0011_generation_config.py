"""By which documents of the sources a generation counts."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision: str | None = "0010"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

_WHOLE = sa.BigInteger().with_variant(sa.INTEGER(), "sqlite")


def upgrade() -> None:
    """Add the column: what there is counts by the documents that stand."""
    op.add_column(
        "metric_generation",
        sa.Column("config", _WHOLE, nullable=False, server_default=sa.text("0")),
    )


def downgrade() -> None:
    """Take it away; an older program then counts every workspace anew."""
    op.drop_column("metric_generation", "config")
    op.execute(sa.text("DELETE FROM counting"))

"""A report knows the delivery that brought it."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision: str | None = "0004"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

_WHOLE = sa.BigInteger().with_variant(sa.INTEGER(), "sqlite")


def upgrade() -> None:
    """Add the column, without touching a row: reports from before have no delivery.

    Credits from before hold one instant an activity. What counts at another one is found after
    the next count of everything.
    """
    op.add_column("activity_revision", sa.Column("delivery", _WHOLE, nullable=True))


def downgrade() -> None:
    """Take the column away; deliveries and reports stay."""
    op.drop_column("activity_revision", "delivery")

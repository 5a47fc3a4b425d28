"""Forecasts as they were made, and how good they have been."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision: str | None = "0014"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

_WHOLE = sa.BigInteger().with_variant(sa.INTEGER(), "sqlite")
_WORDS = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_TABLES = ("forecast_issued", "forecast_judged")


def upgrade() -> None:
    """Add the tables. What was forecast before was not kept."""
    for name in _TABLES:
        op.create_table(
            name,
            sa.Column("workspace_id", _WORDS, nullable=False),
            sa.Column("plan", _WORDS, nullable=False),
            sa.Column("day", _WHOLE, nullable=False),
            *(sa.Column(word, _WORDS, nullable=False) for word in ("alias", "body")),
            *(sa.Column(number, _WHOLE, nullable=False) for number in ("at", "seq")),
            sa.PrimaryKeyConstraint("workspace_id", "plan", "day", name=op.f(f"pk_{name}")),
            sqlite_strict=True,
        )


def downgrade() -> None:
    """Take the tables away."""
    for name in reversed(_TABLES):
        op.drop_table(name)

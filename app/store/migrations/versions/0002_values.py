"""Multisets of values: what minimum, maximum, latest and unique are read from."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision: str | None = "0001"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

_WHOLE = sa.BigInteger().with_variant(sa.INTEGER(), "sqlite")
_WORDS = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_KEY = ("workspace_id", "slot", "quarter", "actor", "value")


def upgrade() -> None:
    """Add the table; it fills with the next count."""
    op.create_table(
        "tally_values",
        sa.Column("workspace_id", _WORDS, nullable=False),
        *(sa.Column(name, _WHOLE, nullable=False) for name in ("slot", "quarter", "actor")),
        sa.Column("value", _WORDS, nullable=False),
        sa.Column("n", _WHOLE, nullable=False),
        sa.PrimaryKeyConstraint(*_KEY, name=op.f("pk_tally_values")),
        sqlite_strict=True,
        sqlite_with_rowid=False,
        postgresql_with={"fillfactor": 70},
    )


def downgrade() -> None:
    """Take the table away; the tallies can always be counted anew."""
    op.drop_table("tally_values")

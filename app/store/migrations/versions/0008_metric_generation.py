"""Generations of a metric's count: one serves while another is being built."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision: str | None = "0007"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

_WHOLE = sa.BigInteger().with_variant(sa.INTEGER(), "sqlite")
_WORDS = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_PLACES = ("after_source", "after_key", "upto_source", "upto_key")


def upgrade() -> None:
    """Add the table. A metric without a row in it is counted as it always was."""
    op.create_table(
        "metric_generation",
        sa.Column("workspace_id", _WORDS, nullable=False),
        sa.Column("metric", _WORDS, nullable=False),
        sa.Column("number", _WHOLE, nullable=False),
        sa.Column("stage", _WORDS, nullable=False),
        sa.Column("version", _WHOLE, nullable=False),
        *(sa.Column(name, _WORDS, nullable=False) for name in _PLACES),
        sa.Column("counted", _WHOLE, nullable=False),
        sa.Column("expected", _WHOLE, nullable=False),
        sa.PrimaryKeyConstraint(
            "workspace_id", "metric", "number", name=op.f("pk_metric_generation")
        ),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    """Take the table away; an older program then counts every workspace anew."""
    op.drop_table("metric_generation")
    op.execute(sa.text("DELETE FROM counting"))

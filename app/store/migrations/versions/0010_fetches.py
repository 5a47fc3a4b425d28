"""What was named and is still to be fetched, and who fetches it."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision: str | None = "0009"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

_WHOLE = sa.BigInteger().with_variant(sa.INTEGER(), "sqlite")
_WORDS = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")


def upgrade() -> None:
    """Add the tables. Nothing waits: no sender named anything before."""
    op.create_table(
        "pending_fetch",
        *(
            sa.Column(name, _WORDS, nullable=False)
            for name in ("workspace_id", "source", "object", "id", "revision")
        ),
        *(
            sa.Column(name, _WHOLE, nullable=False)
            for name in ("named", "since", "attempts", "next_at")
        ),
        sa.Column("delivery", _WHOLE),
        sa.Column("position", _WHOLE, nullable=False),
        sa.PrimaryKeyConstraint(
            "workspace_id", "source", "object", "id", name=op.f("pk_pending_fetch")
        ),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_index("ix_pending_fetch_due", "pending_fetch", ["workspace_id", "source", "next_at"])
    op.create_table(
        "fetcher",
        sa.Column("workspace_id", _WORDS, nullable=False),
        sa.Column("source", _WORDS, nullable=False),
        *(
            sa.Column(name, _WHOLE, nullable=False)
            for name in ("lease_until", "fence", "failures", "retry_at", "pull_at")
        ),
        sa.Column("marks", _WORDS, nullable=False),
        sa.Column("tokens", sa.LargeBinary()),
        sa.Column("code", _WORDS),
        *(sa.Column(name, _WHOLE) for name in ("tried_at", "succeeded_at", "backfill_from")),
        sa.PrimaryKeyConstraint("workspace_id", "source", name=op.f("pk_fetcher")),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )


def downgrade() -> None:
    """Take the tables away; what was to be fetched is in the deliveries that named it."""
    op.drop_table("fetcher")
    op.drop_table("pending_fetch")

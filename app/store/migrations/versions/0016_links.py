"""What grew from what, and where those activities lie in the tallies."""

from __future__ import annotations

from collections.abc import Sequence

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision: str | None = "0015"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

_WHOLE = sa.BigInteger().with_variant(sa.INTEGER(), "sqlite")
_WORDS = sa.Text().with_variant(sa.Text(collation="C"), "postgresql")
_LINK = ("from_source", "from_key", "source", "key")


def _words(*names: str) -> list[sa.Column[str]]:
    return [sa.Column(name, _WORDS, nullable=False) for name in names]


def _wholes(*names: str) -> list[sa.Column[int]]:
    return [sa.Column(name, _WHOLE, nullable=False) for name in names]


def upgrade() -> None:
    """Add the tables; they are filled where a workspace is counted anew."""
    op.create_table(
        "link",
        *_words("workspace_id", *_LINK),
        *_wholes("since", "until"),
        sa.PrimaryKeyConstraint("workspace_id", *_LINK, "since", name=op.f("pk_link")),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_index("ix_link_activity", "link", ["workspace_id", "source", "key"])
    op.create_table(
        "placed",
        *_words("workspace_id"),
        *_wholes("slot", "quarter"),
        *_words("source", "key"),
        *_wholes("actor", "since", "until", "number"),
        sa.PrimaryKeyConstraint(
            *("workspace_id", "slot", "quarter", "source", "key", "actor", "since"),
            name=op.f("pk_placed"),
        ),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    op.create_index("ix_placed_activity", "placed", ["workspace_id", "source", "key"])


def downgrade() -> None:
    """Take the tables away."""
    op.drop_table("placed")
    op.drop_table("link")

"""`tassei` as a next release will be: with one migration more, which does all that one may do.

`python -m tests.faults.next_release FOLDER serve`; the folder is where its migrations are put.
"""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

from alembic.config import Config

from app import cli
from app.store import migrations

NEXT = '''
"""Whatever the rule for migrations allows."""

import sqlalchemy as sa
from alembic import op

revision = "9999"
down_revision = "{last}"
branch_labels = depends_on = None


def upgrade():
    op.create_table(
        "of_the_next",
        sa.Column("workspace_id", sa.Text(), primary_key=True),
        sa.Column("note", sa.Text(), nullable=False),
    )
    for table in ("activity", "activity_revision", "delivery", "tally_day", "workspace_head"):
        op.add_column(table, sa.Column("of_the_next", sa.BigInteger(), nullable=True))
    op.add_column("journal", sa.Column("more", sa.BigInteger(), server_default="0", nullable=False))
    op.create_index("ix_of_the_next", "activity_revision", ["workspace_id", "key", "seq"])
    op.execute(
        "INSERT INTO of_the_next SELECT workspace_id, 'was there' FROM workspace_head"
    )
'''


def prepare(folder: Path) -> None:
    """Put the present migrations and the next one into a folder, and let Alembic look there."""
    own = Path(str(migrations.__file__)).parent
    if not folder.exists():
        shutil.copytree(own, folder, ignore=shutil.ignore_patterns("__pycache__"))
        last = max((own / "versions").glob("[0-9]*.py")).name[:4]
        (folder / "versions" / "9999_next.py").write_text(NEXT.format(last=last))
    real = Config.set_main_option

    def elsewhere(self: Config, name: str, value: str) -> None:
        real(self, name, str(folder) if name == "script_location" else value)

    Config.set_main_option = elsewhere  # type: ignore[method-assign] # for this process


if __name__ == "__main__":
    prepare(Path(sys.argv.pop(1)))
    cli.main()

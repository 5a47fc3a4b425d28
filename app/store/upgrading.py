"""The tables of a database brought up to this program's, by Alembic.

Loaded when a database is opened to be served, not by every program that reads one: it costs a
fifth of a second.
"""

from __future__ import annotations

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from sqlalchemy import Connection

from app.store.backends import Backend


class Newer(Exception):
    """A later version of this program wrote the database."""


def upgrade(backend: Backend, connection: Connection) -> None:
    """Run the migrations that are missing. Raises Newer."""
    config = Config()
    config.set_main_option("script_location", "app.store:migrations")
    config.attributes["connection"] = connection
    scripts = ScriptDirectory.from_config(config)
    known = {script.revision for script in scripts.walk_revisions()}
    current = MigrationContext.configure(connection).get_current_revision()
    if current is not None and current not in known:
        raise Newer
    backend.claim(connection)
    if current != scripts.get_current_head():
        if current is not None:
            backend.hold_writers(connection)
        command.upgrade(config, "head")

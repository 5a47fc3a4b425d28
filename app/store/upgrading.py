"""The tables of a database brought up to this program's, by Alembic.

Loaded when a database is opened to be served, not by every program that reads one: it costs a
fifth of a second.
"""

from __future__ import annotations

from functools import cache

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
    head, *older = _revisions()
    current = MigrationContext.configure(connection).get_current_revision()
    if current is not None and current not in (head, *older):
        raise Newer
    backend.claim(connection)
    if current != head:
        if current is not None:
            backend.hold_writers(connection)
        config = _config()
        config.attributes["connection"] = connection
        command.upgrade(config, "head")


def _config() -> Config:
    config = Config()
    config.set_main_option("script_location", "app.store:migrations")
    return config


@cache
def _revisions() -> tuple[str, ...]:
    """All that this program knows, the newest first; each is a file that has to be read."""
    scripts = ScriptDirectory.from_config(_config())
    return tuple(script.revision for script in scripts.walk_revisions())

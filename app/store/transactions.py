"""The two kinds of transaction, as two types: what may write says so in its signature."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from sqlalchemy import Connection

if TYPE_CHECKING:
    from app.store.kept import Kept


@dataclass(frozen=True, slots=True)
class Reading:
    """One snapshot: everything read through it is from the same moment.

    kept: what this process has read before, for who can tell that it holds in this snapshot
    """

    connection: Connection
    kept: Kept | None = None


@dataclass(slots=True)
class Writing:
    """The head's lock on one workspace, held until the commit.

    `seq` and `at` are those of the commit to be: `at` never repeats and never runs backwards.
    `config_version` moves with every change of config inside the transaction.
    `before` is the instant of the commit before; None where it was not seen, which tells nothing.
    """

    connection: Connection
    workspace: str
    seq: int
    at: int
    config_version: int
    before: int | None = None


Access = Reading | Writing

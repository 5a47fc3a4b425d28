"""The two kinds of transaction, as two types: what may write says so in its signature."""

from __future__ import annotations

from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from functools import wraps
from typing import TYPE_CHECKING, Any, Concatenate, ParamSpec, TypeVar

from sqlalchemy import Connection

if TYPE_CHECKING:
    from app.store.kept import Kept


@dataclass(frozen=True, slots=True)
class Reading:
    """One snapshot: everything read through it is from the same moment.

    kept: what this process has read before, for who can tell that it holds in this snapshot
    told: what was asked through it, of what is asked `once_a_snapshot`
    """

    connection: Connection
    kept: Kept | None = None
    told: dict[Hashable, Any] = field(default_factory=dict, compare=False, repr=False)


@dataclass(slots=True)
class Writing:
    """The head's lock on one workspace, held until the commit.

    `seq` and `at` are those of the commit to be: `at` never repeats and never runs backwards.
    `config_version` moves with every change of config inside the transaction.
    `before` is the instant of the commit before; None where there was none.
    """

    connection: Connection
    workspace: str
    seq: int
    at: int
    config_version: int
    before: int | None = None


Access = Reading | Writing
P = ParamSpec("P")
R = TypeVar("R")


def once_a_snapshot(
    read: Callable[Concatenate[Access, P], R],
) -> Callable[Concatenate[Access, P], R]:
    """Ask once: whoever asks again in the same snapshot gets the same answer, to be left as it is.

    Names and numbers that one progress needs in five places are one question to the database. What
    writes sees its own changes, so it asks each time.
    """

    @wraps(read)
    def told(access: Access, /, *args: P.args, **kwargs: P.kwargs) -> R:
        if isinstance(access, Writing):
            return read(access, *args, **kwargs)
        place = (read, args, tuple(kwargs.items()))
        if place not in access.told:
            access.told[place] = read(access, *args, **kwargs)
        found: R = access.told[place]
        return found

    return told

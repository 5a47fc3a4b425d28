"""Asking what was known at a moment so young that commits under way could still come before it.

A commit's instant is taken when its delivery came in, which is before anybody can see it. So before
the first answer about a moment it is made final: whoever is writing is waited for, and whoever
writes later comes after it. An answer about the past never changes.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import wraps
from typing import Concatenate, ParamSpec, TypeVar

from app.store import heads
from app.store.transactions import Access
from app.usecases.context import Context

Asked = ParamSpec("Asked")
Found = TypeVar("Found")


class _Unsettled(Exception):
    """There may be commits before a moment that this snapshot does not see."""

    def __init__(self, workspace: str, at: int) -> None:
        super().__init__(workspace, at)
        self.workspace, self.at = workspace, at


def settled(access: Access, workspace: str, at: int) -> int:
    """A moment that no later commit comes before, in a function that is `settling`."""
    head = heads.head(access, workspace)
    if head is not None and at > head.at:
        raise _Unsettled(workspace, at)
    return at


def settling(
    ask: Callable[Concatenate[Context, Asked], Found],
) -> Callable[Concatenate[Context, Asked], Found]:
    """Begin anew once the moment that was asked about is final."""

    @wraps(ask)
    def asked(context: Context, /, *arguments: Asked.args, **named: Asked.kwargs) -> Found:
        # Each time one moment more is final, and there are two at most.
        while True:
            try:
                return ask(context, *arguments, **named)
            except _Unsettled as young:
                context.store.settle(young.workspace, young.at)

    return asked

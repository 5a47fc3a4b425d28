"""What every use case works with.

Clock and randomness are arguments: tests turn the one and fix the other.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

from app.outbound.calls import Callers
from app.store.committer import Commits
from app.store.engine import Store
from app.store.transactions import Reading, Writing
from app.usecases.organisation import Organisations
from app.usecases.refusals import Refusals
from app.usecases.vault import Vault
from app.usecases.watch import Watch

# n random characters of [A-Za-z0-9]
Token = Callable[[int], str]


@dataclass(frozen=True, slots=True)
class Context:
    """The parts of a running service, below the web. `public_url` has no trailing slash."""

    store: Store
    committer: Commits
    watch: Watch
    vault: Vault
    organisations: Organisations
    clock: Callable[[], int]
    token: Token
    public_url: str | None
    local_url: str
    callers: Callers
    refusals: Refusals

    def read(self) -> AbstractContextManager[Reading]:
        """One snapshot of the store."""
        return self.store.read()

    @contextmanager
    def write(self, workspace: str) -> Iterator[Writing]:
        """One transaction on a workspace; what it changed is known to this process at once."""
        with self.store.write(workspace, self.clock()) as writing:
            yield writing
        self.watch.wrote()

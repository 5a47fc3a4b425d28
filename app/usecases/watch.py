"""Where every workspace stands, known without asking the store at each request.

What this process writes is noted at once. What other processes write (replicas, the command line)
is found by looking at the heads a few times a second, and at once where a bell wakes us.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping

from app.domain.errors import Unavailable
from app.store import heads
from app.store.engine import Store
from app.store.heads import Head
from app.telemetry import logger

INTERVAL_SECONDS = 0.25

# Told that some head moved, by whichever thread noticed; it must be quick and not fail.
Listener = Callable[[], None]
# Told of a workspace of which commits that were there are gone.
Gone = Callable[[str], None]


class Watch:
    """The heads of all workspaces, as of at most a quarter of a second ago."""

    def __init__(self, store: Store) -> None:
        self._store = store
        self._heads: dict[str, Head] = {}
        self._noting = threading.Lock()
        self._listeners: tuple[Listener, ...] = ()
        self._gone: tuple[Gone, ...] = (store.forget,)
        self._ended = threading.Event()
        self._woken = threading.Event()
        self._bell = store.bell()
        self._thread = threading.Thread(target=self._run, name="watch", daemon=True)

    def start(self) -> None:
        """Look once, then keep looking."""
        self.look()
        self._thread.start()
        if self._bell is not None:
            self._bell.start(self._woken.set)

    def stop(self) -> None:
        """End looking."""
        self._ended.set()
        self._woken.set()
        if self._bell is not None:
            self._bell.stop()
        if self._thread.is_alive():
            self._thread.join()

    def listen(self, listener: Listener) -> None:
        """Tell it of every move from now on."""
        self._listeners += (listener,)

    def listen_for_gone(self, listener: Gone) -> None:
        """Tell it of every workspace that went back: what was learned of it may never have been."""
        self._gone += (listener,)

    def look(self) -> None:
        """Read the heads now."""
        before = self.heads()
        with self._store.read() as reading:
            found = heads.all_heads(reading)
        self._go_back(before, found)
        self.note(found)

    def moved(self, found: Mapping[str, Head]) -> None:
        """Heads that this process moved: note them, and wake whoever else serves the database."""
        self.note(found)
        self._ring()

    def wrote(self) -> None:
        """The same for who wrote without knowing where the heads went."""
        self.look()
        self._ring()

    def note(self, found: Mapping[str, Head]) -> None:
        """Heads that somebody read or moved. What is known to be further ahead stays.

        Two looks may end in the other order than they began: the older one must not bring back
        what a later commit revoked.
        """
        with self._noting:
            ahead = {
                workspace: head
                for workspace, head in found.items()
                if workspace not in self._heads or self._heads[workspace].seq < head.seq
            }
            self._heads |= ahead
        if ahead:
            for listener in self._listeners:
                listener()

    def _go_back(self, before: Mapping[str, Head], found: Mapping[str, Head]) -> None:
        """Forget what was known before the look and is not there any more.

        A standby took over that had not received it, or a backup was put in its place.
        """
        for workspace, known in before.items():
            head = found.get(workspace)
            if head is None or (head.seq, head.at) >= (known.seq, known.at):
                continue
            with self._noting:
                if self._heads[workspace] == known:
                    self._heads[workspace] = head
            for listener in self._gone:
                listener(workspace)
            logger(__name__).warning(
                "the database went back: commits that were there are gone",
                workspace=workspace,
                known=known.seq,
                found=head.seq,
            )

    def config_version(self, workspace: str) -> int:
        """As cheap as a variable: asked at every request."""
        head = self._heads.get(workspace)
        return -1 if head is None else head.config_version

    def seq(self, workspace: str) -> int:
        """The last commit that is known of; -1 for an unknown workspace."""
        head = self._heads.get(workspace)
        return -1 if head is None else head.seq

    def heads(self) -> Mapping[str, Head]:
        """All heads, by workspace, as they stand now."""
        with self._noting:
            return dict(self._heads)

    def _run(self) -> None:
        while not self._ended.is_set():
            self._woken.wait(INTERVAL_SECONDS)
            self._woken.clear()
            began = time.monotonic()
            try:
                self.look()
            except Unavailable:
                # A database that is away has moved nothing; whoever asks it is told so.
                continue
            except Exception:  # noqa: BLE001 - a thread that ended would let revoked keys pass
                logger(__name__).exception("the heads could not be read")
            # However often it is woken, it rests as long as it works.
            self._ended.wait(time.monotonic() - began)

    def _ring(self) -> None:
        if self._bell is not None:
            self._bell.ring()

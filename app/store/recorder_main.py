"""`python -m app.store.recorder_main FD...`: the recorder's own process.

It serves each line it was given until that line ends, one errand at a time, and then ends itself.
Signals are for the process that began it: that one drains, and closes the lines.
"""

from __future__ import annotations

import gc
import os
import signal
import sys
import threading
import traceback
from collections.abc import Mapping
from contextlib import suppress
from multiprocessing.connection import Connection
from typing import Any

from app.domain.errors import TasseiError
from app.store.breaking import fault_of
from app.store.deliveries import Placed
from app.store.engine import Store
from app.store.heads import Head
from app.store.recorder_process import Batch, Errand, Failed, Kept, deliveries_of, places
from app.store.recording import Recorder

# What a batch makes is free of cycles and gone with it; at Python's own 700 objects the collector
# would run some times in each batch, and find nothing.
_COLLECT_AFTER = (50_000, 20, 20)


class Clerk:
    """One line's recorder, and the heads that its errand moved."""

    def __init__(self, store: Store) -> None:
        self._heads: dict[str, Head] = {}
        self._recorder = Recorder(store, self._note)

    def answer(self, errand: Errand) -> Kept | Failed:
        """What came of an errand; never an exception."""
        self._heads = {}
        works = errand.works if isinstance(errand, Batch) else [errand.work]
        brought = deliveries_of(works, errand.empty if isinstance(errand, Batch) else ())
        placed: Placed = {id(brought[place]): number for place, number in errand.placed.items()}
        try:
            if isinstance(errand, Batch):
                done = self._recorder.record(errand.works, errand.empty, placed)
            else:
                done = [self._recorder.set_aside(errand.work, errand.error, placed)]
        except TasseiError as error:
            return Failed(error, fault_of(error), "")
        except Exception as error:  # noqa: BLE001 - whoever waits must hear of it
            return Failed(None, fault_of(error), traceback.format_exc())
        return Kept(done, places(brought, placed), self._heads)

    def _note(self, moved: Mapping[str, Head]) -> None:
        self._heads |= moved


def serve(line: Connection[Any, Any], store: Store) -> None:
    """Run the errands of a line until it ends."""
    clerk = Clerk(store)
    with suppress(EOFError, OSError):
        while True:
            line.send(clerk.answer(line.recv()))


def _served(line: Connection[Any, Any], store: Store) -> None:
    try:
        serve(line, store)
    except BaseException:  # noqa: BLE001 - a line that nobody serves would be waited for for ever
        traceback.print_exc()
        os._exit(1)


def main(descriptors: list[str]) -> None:
    """Serve lines until all of them end."""
    for sig in (signal.SIGINT, signal.SIGTERM):
        signal.signal(sig, signal.SIG_IGN)
    lines: list[Connection[Any, Any]] = [Connection(int(fd)) for fd in descriptors]
    store = Store([line.recv_bytes().decode() for line in lines][0])
    gc.collect()
    gc.freeze()
    gc.set_threshold(*_COLLECT_AFTER)
    others = [threading.Thread(target=_served, args=(line, store)) for line in lines[1:]]
    for thread in others:
        thread.start()
    _served(lines[0], store)
    for thread in others:
        thread.join()
    store.close()


if __name__ == "__main__":
    main(sys.argv[1:])

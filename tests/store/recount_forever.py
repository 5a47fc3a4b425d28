"""Sends deliveries and changes what the source counts until killed."""

from __future__ import annotations

import sys
import threading
import time
from itertools import count

from app.store import building, reconfiguring
from app.store.committer import Committer
from app.store.engine import Store
from tests.store.ingest_forever import reports
from tests.store.worlds import NOW, W, delivery, put_source


def main(url: str, life: int) -> None:
    building.CHUNK = 3  # a kill falls between two steps more often than into one
    store = Store(url)
    store.migrate()
    committer = Committer(store)
    committer.start()

    def pour() -> None:
        for number in count():
            committer.submit(delivery(*reports(life, number))).result(30)
            # Whoever pours faster than is counted anew makes each life longer than all before it.
            time.sleep(0.01)

    threading.Thread(target=pour, daemon=True).start()
    for turn in count():
        with store.write(W, NOW) as writing:
            put_source(writing, "crm", [None, [], ["deal"], ["call"]][(turn + life) % 4])
            reconfiguring.recount(writing)
        while building.step(store, W, NOW).left:
            pass
        sys.stdout.write(f"{turn}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))

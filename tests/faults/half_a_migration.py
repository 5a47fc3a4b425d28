"""Migrates a database and is killed at its n-th statement: `python -m ... ADDRESS N`."""

from __future__ import annotations

import os
import signal
import sys
from itertools import count

from sqlalchemy import event

from app.store.engine import Store
from tests.engines import engine_of


def main(address: str, n: int) -> None:
    store, statements = Store(address), count(1)

    def counted(*_: object) -> None:
        if next(statements) == n:
            os.kill(os.getpid(), signal.SIGKILL)

    event.listen(engine_of(store), "before_cursor_execute", counted)
    store.migrate()
    store.close()
    print(next(statements) - 1)  # noqa: T201 - what the test reads


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))

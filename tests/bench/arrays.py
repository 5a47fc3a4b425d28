"""Many rows to PostgreSQL: one array per column, against a statement per row.

`python -m tests.bench.arrays`, on a PostgreSQL that is started for it: the same rows of a tally
are added to in one transaction each, rounds of both in turn.
"""

from __future__ import annotations

import statistics
import sys
import time
from collections import defaultdict
from pathlib import Path
from tempfile import TemporaryDirectory

from app.store.engine import Store
from app.store.statements import inserting
from app.store.tables import tally_day
from tests import engines

ROUNDS = 15


def main() -> None:
    """Print milliseconds a transaction, by its number of rows."""
    adding = inserting(tally_day, "number", "total")
    with TemporaryDirectory() as folder, engines.use(engines.POSTGRESQL):
        store = Store(engines.url(Path(folder), migrated=True))
        for number in (1, 10, 100, 1_000):
            taken: dict[str, list[float]] = defaultdict(list)
            for day in range(ROUNDS):
                rows = [("default", 1, day, actor, 1, 5) for actor in range(number)]
                for words in ("arrays", "row by row"):
                    began = time.perf_counter()
                    with store.transaction() as connection:
                        if words == "arrays":
                            adding.many(connection, rows)
                        else:
                            each = adding._each.text(connection)
                            connection.exec_driver_sql(each, rows)
                    taken[words].append(1000 * (time.perf_counter() - began))
            said = ", ".join(
                f"{words} {statistics.median(all_of):.2f} ms (least {min(all_of):.2f})"
                for words, all_of in taken.items()
            )
            sys.stdout.write(f"{number} rows: {said}\n")
        store.close()


if __name__ == "__main__":
    main()

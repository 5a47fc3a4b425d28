"""From the acknowledgement of one replica to the frame of another, with the bell and without.

`python -m tests.bench.bell [NUMBER]`, on a PostgreSQL that is started for it. Each call comes
after a pause of its own, so that it falls anywhere between two looks.
"""

from __future__ import annotations

import statistics
import sys
import time
from contextlib import ExitStack
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory

from app.domain.instants import instant
from app.settings import Settings
from app.store.postgresql import Postgresql
from tests import engines
from tests.web.service import Clock
from tests.web.streaming import Copy, company, served

AT = "2026-12-07T12:00:00+09:00"


def milliseconds(number: int, random: Random) -> list[float]:
    """What each of so many calls took."""
    with TemporaryDirectory() as name, ExitStack() as stack, engines.use(engines.POSTGRESQL):
        folder = Path(name)
        settings = Settings(data_dir=folder, database_url=engines.url(folder))
        clock = Clock(instant(AT))
        one, two = (stack.enter_context(served(settings, clock)) for _ in range(2))
        company(one.client, AT[:7])
        reader, copy = two.reader(), Copy()
        copy.follow(reader, "0")
        taken = []
        for done in range(1, number + 1):
            time.sleep(random.uniform(0.2, 0.6))
            one.call()
            acknowledged = time.perf_counter()
            copy.follow(reader, str(done))
            taken.append(1000 * (time.perf_counter() - acknowledged))
    return taken


def main() -> None:
    """Print both, in turn on the same machine."""
    number = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    bell = Postgresql.bell
    for words in ("with the bell", "by looking alone"):
        taken = milliseconds(number, Random(2026))
        hundredths = statistics.quantiles(taken, n=100)
        print(
            f"{words}: half within {hundredths[49]:.0f} ms, 99 of 100 within {hundredths[98]:.0f} ms"
        )
        Postgresql.bell = lambda _self: None  # type: ignore[assignment,method-assign] # the second round
    Postgresql.bell = bell  # type: ignore[method-assign] # as it was


if __name__ == "__main__":
    main()

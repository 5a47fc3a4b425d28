"""From the acknowledgement of one replica to the frame of another, with the bell and without.

`python -m tests.bench.bell [NUMBER]`, on a PostgreSQL that is started for it. Each call comes
after a pause of its own, so that it falls anywhere between two looks.
"""

from __future__ import annotations

import statistics
import sys
import time
from contextlib import ExitStack, nullcontext
from pathlib import Path
from random import Random
from tempfile import TemporaryDirectory
from unittest.mock import patch

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
    """Print both, one after the other on the same machine."""
    number = int(sys.argv[1]) if len(sys.argv) > 1 else 100
    for words, silent in (("with the bell", False), ("by looking alone", True)):
        with patch.object(Postgresql, "bell", return_value=None) if silent else nullcontext():
            taken = milliseconds(number, Random(2026))
        half, most = (statistics.quantiles(taken, n=100)[place] for place in (49, 98))
        sys.stdout.write(f"{words}: half within {half:.0f} ms, 99 of 100 within {most:.0f} ms\n")


if __name__ == "__main__":
    main()

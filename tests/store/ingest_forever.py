"""Sends deliveries until killed; prints each delivery once it is acknowledged. A test runs it."""

from __future__ import annotations

import random
import sys
from collections import deque
from concurrent.futures import Future
from functools import partial
from itertools import count

from app.domain.activities import Report
from app.domain.deliveries import ItemResult
from app.store.committer import Committer
from app.store.engine import Store
from tests.store.worlds import delivery, report, won


def reports(life: int, number: int) -> list[Report]:
    """What delivery `number` of a life says; known to the test as well."""
    dice = random.Random(f"{life}/{number}")
    key = f"{life}-{number}"
    again = f"{life}-{dice.randint(0, number)}"
    return [
        won(key, 1, amount=str(dice.randint(1, 10**6))),
        report(again, 2 + number, full=False, amount=str(dice.randint(1, 10**6))),
        won(f"shared-{dice.randint(0, 20)}", life * 10**6 + number, owner=f"p{dice.randint(0, 5)}"),
    ]


def main(url: str, life: int) -> None:
    store = Store(url)
    store.migrate()
    committer = Committer(store)
    committer.start()
    waiting: deque[Future[list[ItemResult]]] = deque()
    for number in count():
        answer = committer.submit(delivery(*reports(life, number)))
        answer.add_done_callback(partial(acknowledge, number))
        waiting.append(answer)
        if len(waiting) > 8:
            waiting.popleft().result(30)


def acknowledge(number: int, answer: Future[list[ItemResult]]) -> None:
    answer.result()
    sys.stdout.write(f"{number}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]))

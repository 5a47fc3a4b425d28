"""What an input comes to, committed to a real database of each engine."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path
from typing import NamedTuple

from app.domain.activities import Outcome
from app.domain.deliveries import Delivery, ItemResult
from app.store import ledger
from tests import engines
from tests.intake.fuzzing.findings import Finding
from tests.intake.senders import NOW
from tests.outbound.accounts import W, inside
from tests.web.service import Clock


class Known(NamedTuple):
    """What an input came to."""

    provider: str
    data: bytes
    delivery: Delivery


# What the door itself refused, and a total beyond what a tally holds, are answers; this is not.
_UNSTORABLE = "not_storable"


def committed(known: Iterable[Known], folder: Path) -> list[Finding]:
    """Those deliveries that a database did not take."""
    findings = []
    every = list(known)
    for engine in engines.ENGINES:
        place = folder / engine
        place.mkdir(parents=True)
        with engines.use(engine), inside(place, Clock(NOW)) as context:
            waiting = [(one, context.committer.submit(one.delivery)) for one in every]
            for one, results in waiting:
                law = _broken(results.result(60))
                if law:
                    findings.append(Finding(one.provider, law, engine, one.data))
            if ledger.verify(context.store, W):
                findings.append(Finding("", "the ledger contradicts its reports", engine, b""))
    return findings


def _broken(results: list[ItemResult]) -> str | None:
    for result in results:
        code = result.error.code if result.error else ""
        if result.outcome is Outcome.QUARANTINED and code == _UNSTORABLE:
            return "a value that the store cannot hold"
    return None

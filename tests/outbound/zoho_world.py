"""A source of Zoho CRM that was connected to an account, at a clock that the test turns."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from app.domain.activities import State
from app.domain.instants import instant
from app.store import ledger
from app.usecases.context import Context
from app.usecases.fetch_channels import Standing, read_channels
from app.usecases.saving import ANY, Precondition
from app.usecases.sources import put_source
from tests.intake.zoho_events import notification, zoho
from tests.outbound.accounts import SOURCE, Connected, W, inside
from tests.outbound.serving import TOKEN, serving
from tests.outbound.truths import differing, of_zoho
from tests.outbound.zoho_account import Zoho
from tests.web.service import Clock

ADDRESS = "https://tassei.example.com"
CHANNEL_TOKEN = "the-token-of-the-channel"
START = "2026-12-01T09:00:00Z"
ASKING = {"client_id": "c", "client_secret": "s", "refresh_token": TOKEN}


@dataclass
class Organization(Connected[Zoho]):
    def notify(self, *ids: str, operation: str = "update", **more: Any) -> None:
        """One notification of some deals, sent now."""
        told = notification(
            operation=operation,
            ids=ids,
            token=CHANNEL_TOKEN,
            server_time=self.clock.now // 1_000,
            **more,
        )
        sent = replace(zoho(told), url="https://x")
        self.deliver(sent.headers, sent.body)

    def channel(self) -> Standing:
        return read_channels(self.fetcher().channels)["notifications"]

    def deals(self, *ids: str) -> dict[str, State]:
        keys = [f"deal:{id_}" for id_ in ids]
        return self.standing(keys)

    def assert_true(self) -> None:
        """What stands is the account's, by the account itself and not by any reader of ours."""
        truth = of_zoho(self.account)
        assert differing(truth, self.standing(truth)) == {}
        assert ledger.verify(self.context.store, W) == []


def connect(context: Context, account: Zoho, *, again: bool = False, **credentials: str) -> None:
    body = {
        "provider": "zoho",
        "name": "Zoho CRM",
        "settings": {"api_url": account.url, "accounts_url": account.url},
    }
    given: Any = {"token": CHANNEL_TOKEN} | ASKING | credentials
    seen = Precondition(frozenset({ANY}) if again else None)
    put_source(context, W, SOURCE, body, given, seen, "test")


@contextmanager
def organization(folder: Path) -> Iterator[Organization]:
    """The account connected, and the committer at work."""
    clock = Clock(instant(START))
    with serving(Zoho(clock)) as account, inside(folder, clock, public_url=ADDRESS) as context:
        connect(context, account)
        yield Organization(context, account, clock, [])


def deal(world: Organization, number: int, amount: int, **more: Any) -> None:
    values = {"Stage": "Closed Won", "Closing_Date": "2026-12-01", "Amount": amount}
    world.account.save("Deals", str(number), **values | more)

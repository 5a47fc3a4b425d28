"""Two neighbours on one service: each with a source, a plan, and something set aside."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import timedelta
from pathlib import Path
from typing import Any

from standardwebhooks import Webhook

from app.domain.instants import SECOND, moment_of
from app.main import random_token, wall_clock
from app.usecases import workspaces
from tests.faults.service import KEYS, OTHER, SOURCE, Answer, Service, running

PLAN = "load"
GOALS = ("deals_won", "calls")


def found(service: Service) -> None:
    """In each workspace Tokyo, yen, a source, a plan over today, and one delivery set aside."""
    with service.store() as store:
        workspaces.create(store, OTHER, wall_clock(), random_token, KEYS[OTHER])
    for workspace in KEYS:
        seen = ask(service, workspace, "GET", "/v1/workspace")
        body = seen.json() | {"time_zone": "Asia/Tokyo", "currency": "JPY"}
        body = {name: value for name, value in body.items() if name not in ("key", "version")}
        match = {"if-match": seen.headers["etag"]}
        assert ask(service, workspace, "PUT", "/v1/workspace", body, **match).status == 200
        events = {"provider": "events", "name": SOURCE, "counts": None}
        put(service, workspace, f"/v1/sources/{SOURCE}", events)
        put(service, workspace, f"/v1/plans/{PLAN}", plan())
        shop = put(
            service, workspace, "/v1/sources/shop", {"provider": "standard_webhooks", "name": "x"}
        )
        path = "/v1/hooks/" + shop["hook_url"].rpartition("/")[2]
        unusable = {"specversion": "1.0", "note": said_of(workspace)}
        assert signed(service, path, shop["secret"], unusable).status == 204


def said_of(workspace: str) -> str:
    """What only this workspace was ever told."""
    return f"only-for-{workspace}"


def plan() -> dict[str, Any]:
    today = moment_of(wall_clock()).date()
    days = {"start": today - timedelta(40), "end": today + timedelta(40)}
    return {
        "name": "Load",
        "period": {name: day.isoformat() for name, day in days.items()},
        "funnel": [{"metric": GOALS[0], "target": "1000"}, {"metric": GOALS[1], "rate": "0.5"}],
        "include_unassigned": True,
    }


def signed(service: Service, path: str, secret: str, event: Any, message: str = "m-1") -> Answer:
    """The answer to a delivery that is signed now."""
    body, now = json.dumps(event), wall_clock()
    sign = Webhook(secret).sign(message, moment_of(now), body)
    at = str(now // SECOND)
    headers = {"webhook-id": message, "webhook-timestamp": at, "webhook-signature": sign}
    return service.ask("POST", path, body, headers)


def ask(
    service: Service, workspace: str, method: str, path: str, body: Any = None, **headers: str
) -> Answer:
    """The answer to the admin of a workspace."""
    key = {"authorization": f"Bearer {KEYS[workspace]}"}
    return service.ask(method, path, body, key | headers)


def put(service: Service, workspace: str, path: str, body: Any) -> Any:
    answer = ask(service, workspace, "PUT", path, body)
    assert answer.status == 201, answer.body
    return answer.json()


@contextmanager
def serving(folder: Path, database_url: str | None = None, **options: Any) -> Iterator[Service]:
    """A founded service; whatever is left of it at the end is killed."""
    service = Service(folder, database_url, **options)
    with running(service):
        found(service)
        yield service


@contextmanager
def replicas(folder: Path, number: int, database_url: str | None = None) -> Iterator[list[Service]]:
    """So many founded services on one database."""
    services = [
        Service(folder, database_url, log=folder / f"service-{place}.log")
        for place in range(number)
    ]
    with running(*services):
        found(services[0])
        yield services

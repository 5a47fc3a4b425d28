"""A sender that does not exist: its hook takes a JSON list of events, by a mapping tests repair."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import pytest

from app.domain.deliveries import Delivery, Item, Refused
from app.intake import registry
from app.intake.cloudevents import read_event
from app.intake.credentials import Secret
from app.intake.events import delivery
from app.intake.requests import Hook, HookRequest, Provider
from tests.web.service import Service

AT = "2026-12-01T09:00:00Z"


@dataclass
class Sender:
    """What the mapping knows: how this sender spells currencies, and which events to ignore."""

    service: Service
    key: str
    spelled: dict[str, str] = field(default_factory=dict)
    ignored: set[str] = field(default_factory=set)
    path: str = ""

    def send(self, *events: Mapping[str, Any]) -> None:
        answer = self.service.client.post(self.path, content=json.dumps(events))
        assert answer.status_code == 204, answer.text

    def read(self, request: HookRequest) -> Delivery:
        found = [
            self._read(event, place, request)
            for place, event in enumerate(json.loads(request.body))
            if event["id"] not in self.ignored
        ]
        return delivery(request.workspace, request.received_at, found, quarantines=True)

    def _read(self, event: dict[str, Any], index: int, request: HookRequest) -> Item | Refused:
        data = event.get("data")
        if data and data.get("currency") in self.spelled:
            event = event | {"data": data | {"currency": self.spelled[data["currency"]]}}
        return read_event(event, index, request.received_at, source=request.source)


def connected(service: Service, patch: pytest.MonkeyPatch, key: str = "shop") -> Sender:
    """The sender, connected as a source."""
    sender = Sender(service, key)
    hook = Hook(lambda _request: None, sender.read, lambda _url: ())
    patch.setitem(registry.PROVIDERS, "fake", Provider("fake", None, (Secret("word"),), hook))
    body = {"provider": "fake", "name": key, "credentials": {"word": "a long enough word"}}
    answer = service.put(f"/v1/sources/{key}", body)
    assert answer.status_code == 201, answer.text
    url: str = answer.json()["hook_url"]
    sender.path = url[url.index("/v1/hooks/") :]
    return sender


def paid(key: str, amount: str, *, revision: int = 1, **more: Any) -> dict[str, Any]:
    """An event about a payment."""
    data = {"amount": amount, "paid_at": AT} | more.pop("data", {})
    head = {"specversion": "1.0", "id": f"{key}-{revision}", "source": "x", "type": "payment"}
    return head | {"subject": key, "revision": str(revision), "data": data} | more


def open_entries(service: Service) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = service.get("/v1/quarantine").json()["items"]
    return items


def settled_entries(service: Service) -> list[dict[str, Any]]:
    items: list[dict[str, Any]] = service.get("/v1/quarantine?resolved=true").json()["items"]
    return items


def replay(service: Service, entry: Mapping[str, Any]) -> dict[str, int]:
    """What a replay of the entry's delivery came to; the outcomes that are not zero."""
    answer = service.client.post(f"/v1/quarantine/{entry['id']}/replay")
    assert answer.status_code == 200, answer.text
    counts = answer.json() | {name: len(answer.json()[name]) for name in ("rejected", "conflicts")}
    return {word: number for word, number in counts.items() if number}


def cash_in(service: Service) -> str:
    """The sum of everything paid on the day."""
    asked = {"from": "2026-12-01", "to": "2026-12-02"}
    answer = service.client.get("/v1/metrics/cash_in/series", params=asked)
    assert answer.status_code == 200, answer.text
    return "0" if not answer.json()["items"] else str(answer.json()["items"][0]["value"])

"""Aircall's API on this machine, written from its documentation: calls listed by their begin."""

from __future__ import annotations

import json
from base64 import b64encode
from dataclasses import dataclass, field
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit

from app.domain.instants import SECOND
from tests.intake.aircall_events import SATO, call
from tests.outbound.serving import TOKEN, Account

API_ID = "an-api-id"
# What may be listed by one query: pages behind it are refused.
MOST = 10_000


@dataclass
class Aircall(Account):
    """A company's calls. `page` is the most that the simulation puts on one page."""

    page: int = 50
    truth: dict[int, dict[str, Any]] = field(default_factory=dict)
    header: ClassVar[str] = "authorization"
    token: str = f"Basic {b64encode(f'{API_ID}:{TOKEN}'.encode()).decode()}"

    def begin(self, number: int, **more: Any) -> dict[str, Any]:
        """A call that rings from now on."""
        known = {"id": number, "status": "initial", "started_at": self.clock() // SECOND}
        return self._put(number, call(answered_at=None, ended_at=None, **known) | more)

    def end(self, number: int, **more: Any) -> dict[str, Any]:
        """It is over, after a talk of all but three seconds unless told otherwise."""
        now = self.clock() // SECOND
        begun = self.truth[number]["started_at"]
        answered = {"answered_at": min(begun + 3, now), "user": SATO}
        return self._put(number, answered | {"status": "done", "ended_at": now} | more)

    def _put(self, number: int, values: dict[str, Any]) -> dict[str, Any]:
        with self.lock:
            self.truth[number] = self.truth.get(number, {}) | values
            return dict(self.truth[number])

    def listed(self, target: str) -> tuple[int, dict[str, str], bytes]:
        parts = urlsplit(target)
        if parts.path != "/v1/calls":
            found = self.truth.get(int(parts.path.removeprefix("/v1/calls/")))
            return (404, {}, b"{}") if found is None else _ok({"call": found})
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        number, size = int(query["page"]), int(query["per_page"])
        assert (query["order"], size <= 50, number >= 1) == ("asc", True, True)
        if number * size > MOST:
            return 400, {}, b"{}"
        later = sorted(
            (one["started_at"], id_)
            for id_, one in self.truth.items()
            if one["started_at"] >= int(query["from"])
        )
        size = min(size, self.page)
        shown = [self.truth[id_] for _, id_ in later[(number - 1) * size : number * size]]
        more = f"https://api.aircall.io/v1/calls?page={number + 1}"
        meta = {
            "count": len(shown),
            "total": len(later),
            "current_page": number,
            "per_page": size,
            "next_page_link": more if number * size < len(later) else None,
            "previous_page_link": None,
        }
        return _ok({"meta": meta, "calls": shown})


def _ok(body: Any) -> tuple[int, dict[str, str], bytes]:
    return 200, {"content-type": "application/json"}, json.dumps(body).encode()

"""A Google Workspace on this machine, written from the documentation of Calendar API v3.

Everybody who is invited has a copy of an event. A sync token is a place in the log of a calendar's
changes, and forgotten when the test says so; what was read by none comes with all there is.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from typing import Any, ClassVar
from urllib.parse import parse_qs, unquote, urlsplit

from app.domain.instants import DAY, SECOND, instant, written_instant
from tests.outbound.serving import PAGE, TOKEN, Account, ok

Answered = tuple[int, dict[str, str], bytes]
GONE = {"error": {"code": 410, "errors": [{"reason": "fullSyncRequired"}]}}
TOO_FAST = {"error": {"code": 403, "errors": [{"reason": "rateLimitExceeded"}]}}


@dataclass
class Workspace(Account):
    """copies: of each calendar, its events; log: of each, the ids that changed.

    generation: of sync tokens, older ones are forgotten; bare: cancellations say nothing else
    """

    page: int = PAGE
    copies: dict[str, dict[str, dict[str, Any]]] = field(default_factory=dict)
    log: dict[str, list[str]] = field(default_factory=dict)
    generation: int = 0
    bare: bool = False
    channels: dict[str, dict[str, Any]] = field(default_factory=dict)
    stopped: list[str] = field(default_factory=list)
    renewals: int = 0
    header: ClassVar[str] = "authorization"

    def invite(self, organizer: str, id_: str, guests: list[str], **values: Any) -> None:
        """An event as it is from now on, in the calendars of all who are invited."""
        with self.lock:
            known = self.copies.get(organizer, {}).get(id_, {"id": id_, "created": self._now()})
            attendees = [{"email": guest} for guest in guests]
            same = {"status": "confirmed", "creator": {"email": organizer}, "attendees": attendees}
            start = known.get("start", {"dateTime": "2026-12-10T15:00:00+09:00"})
            same |= {"start": start, "summary": "x"} | values
            for calendar in dict.fromkeys([organizer, *guests]):
                is_own = {"self": True} if calendar == organizer else {}
                copy = known | same | {"organizer": {"email": organizer} | is_own}
                self._put(calendar, copy)

    def cancel(self, organizer: str, id_: str) -> None:
        """The organizer calls it off, for everybody."""
        with self.lock:
            for calendar in [one for one, events in self.copies.items() if id_ in events]:
                self._take_out(calendar, id_)
            assert self.copies[organizer][id_]["status"] == "cancelled"

    def take_out(self, calendar: str, id_: str) -> None:
        """Somebody who is invited takes it out of his own calendar."""
        with self.lock:
            self._take_out(calendar, id_)

    def _take_out(self, calendar: str, id_: str) -> None:
        copy = self.copies[calendar][id_] | {"status": "cancelled"}
        self._put(calendar, copy, bare=self.bare)

    def _put(self, calendar: str, copy: dict[str, Any], *, bare: bool = False) -> None:
        micros = self.clock() // 1000 * 1000
        copy |= {"updated": self._now(), "etag": f'"{micros * 2}"'}
        if bare:
            copy = {name: copy[name] for name in ("id", "status", "etag")}
        self.copies.setdefault(calendar, {})[copy["id"]] = copy
        self.log.setdefault(calendar, []).append(copy["id"])

    def _now(self) -> str:
        at = self.clock()
        whole = written_instant(at // SECOND * SECOND).removesuffix("Z")
        return f"{whole}.{at // 1000 % 1000:03d}Z"

    def is_open(self, target: str) -> bool:
        return target == "/token"

    def opened(self, _target: str) -> Answered:
        form = {name: values[0] for name, values in parse_qs(self.posted[-1]).items()}
        wanted = {"grant_type": "refresh_token", "client_id": "c", "client_secret": "s"}
        if form != wanted | {"refresh_token": TOKEN}:
            return 400, {}, b'{"error":"invalid_grant"}'
        self.renewals += 1
        self.token = f"Bearer ya29.{self.renewals}"
        return ok({"access_token": f"ya29.{self.renewals}", "expires_in": 3599, "scope": "x"})

    def listed(self, target: str) -> Answered:
        parts = urlsplit(target)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        if parts.path == "/calendar/v3/channels/stop":
            self.stopped.append(json.loads(self.posted[-1])["id"])
            return 204, {}, b""
        calendar, _, what = parts.path.removeprefix("/calendar/v3/calendars/").partition("/")
        calendar = unquote(calendar)
        if what == "events/watch":
            return self._watched(calendar)
        assert what == "events", target
        assert (query["singleEvents"], query["showDeleted"]) == ("true", "true")
        return self._events(calendar, query)

    def _events(self, calendar: str, query: dict[str, str]) -> Answered:
        known, log = self.copies.get(calendar, {}), self.log.get(calendar, [])
        if "syncToken" in query:
            assert "timeMin" not in query
            generation, begun = map(int, query["syncToken"].split("."))
            if generation < self.generation:
                return 410, {}, json.dumps(GONE).encode()
            ids = list(dict.fromkeys(log[begun:]))
        else:
            assert instant(query["timeMin"]) <= self.clock()
            ids = list(known)
        end, start = len(log), 0
        if "pageToken" in query:
            end, start = json.loads(query["pageToken"])
        shown = ids[start : start + self.page]
        told: dict[str, Any] = {"items": [known[id_] for id_ in shown]}
        if start + self.page < len(ids):
            return ok(told | {"nextPageToken": json.dumps([end, start + self.page])})
        return ok(told | {"nextSyncToken": f"{self.generation}.{end}"})

    def _watched(self, calendar: str) -> Answered:
        told = json.loads(self.posted[-1])
        assert told["type"] == "web_hook"
        assert told["id"] not in self.channels
        ends = min(told["expiration"] * 1000, self.clock() + 7 * DAY)
        self.channels[told["id"]] = told | {"calendar": calendar, "ends": ends}
        answer = {"kind": "api#channel", "id": told["id"], "resourceId": f"r-{calendar}"}
        return ok(answer | {"expiration": str(ends // 1000), "token": told["token"]})

    def open_channels(self) -> dict[str, str]:
        """The calendars of those that have neither ended nor been stopped."""
        return {
            id_: one["calendar"]
            for id_, one in self.channels.items()
            if one["ends"] > self.clock() and id_ not in self.stopped
        }

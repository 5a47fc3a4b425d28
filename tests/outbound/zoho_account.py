"""An account of Zoho CRM on this machine, written from the documentation of version 8.

Times have whole seconds. Records are listed by their change, where that was asked for; Zoho's own
cursor is a place among what there is when it is used, so that whoever trusts it alone misses what
moves. Deleted records are listed newest first. A channel is sent to until it ends.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit

from app.domain.instants import DAY, SECOND, instant, written_instant
from tests.outbound.serving import PAGE, TOKEN, Account, ok

Answered = tuple[int, dict[str, str], bytes]
NOT_SUBSCRIBED = {"code": "NOT_SUBSCRIBED", "details": {}, "status": "error", "message": "..."}


def _nothing() -> None:
    pass


@dataclass
class Zoho(Account):
    """inclusive: whether If-Modified-Since has that very second; between: done after each page."""

    page: int = PAGE
    inclusive: bool = True
    truth: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    gone: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    channels: dict[str, dict[str, Any]] = field(default_factory=dict)
    watched: list[str] = field(default_factory=list)
    renewals: int = 0
    refuses_channels: bool = False
    refusal: int = 403
    longest: int = DAY
    between: Callable[[], None] = _nothing
    header: ClassVar[str] = "authorization"

    def save(self, module: str, id_: str, **values: Any) -> None:
        with self.lock:
            known = {"id": id_, "Created_Time": self._now(), "Owner": {"id": "77", "name": "x"}}
            before = self.truth.get((module, id_), known)
            self.truth[module, id_] = before | values | {"Modified_Time": self._now()}
            self.gone.pop((module, id_), None)

    def delete(self, module: str, id_: str) -> None:
        with self.lock:
            self.truth.pop((module, id_))
            told = {"id": id_, "display_name": "x", "type": "recycle", "deleted_by": {"id": "7"}}
            self.gone[module, id_] = told | {"deleted_time": self._now()}

    def _now(self) -> str:
        return written_instant(self.clock() // SECOND * SECOND).replace("Z", "+00:00")

    def is_open(self, target: str) -> bool:
        return target == "/oauth/v2/token"

    def opened(self, _target: str) -> Answered:
        form = {name: values[0] for name, values in parse_qs(self.posted[-1]).items()}
        wanted = {"grant_type": "refresh_token", "client_id": "c", "client_secret": "s"}
        if form != wanted | {"refresh_token": TOKEN}:
            return ok({"error": "invalid_client"})
        self.renewals += 1
        self.token = f"Zoho-oauthtoken 1000.{self.renewals}"
        told = {"access_token": f"1000.{self.renewals}", "token_type": "Bearer"}
        return ok(told | {"api_domain": self.url, "expires_in": 3600})

    def listed(self, target: str) -> Answered:
        parts = urlsplit(target)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        crm, version, module, *rest = parts.path.strip("/").split("/")
        assert (crm, version) == ("crm", "v8")
        if module == "actions":
            return self._channel(query)
        assert self.method == "GET"
        if rest == ["deleted"]:
            return self._deleted(module, query)
        if rest:
            found = self.truth.get((module, rest[0]))
            return (204, {}, b"") if found is None else ok({"data": [_shown(found, query)]})
        return self._changed(module, query)

    def _changed(self, module: str, query: dict[str, str]) -> Answered:
        assert (query["sort_by"], query["sort_order"]) == ("Modified_Time", "asc")
        found = sorted(
            ((instant(one["Modified_Time"]), int(id_)), _shown(one, query))
            for (of, id_), one in self.truth.items()
            if of == module and self._since(one["Modified_Time"])
        )
        start = int(query.get("page_token", "0"))
        answer = self._page([one for _, one in found], start, int(query["per_page"]))
        self.between()
        return answer

    def _deleted(self, module: str, query: dict[str, str]) -> Answered:
        assert query["type"] == "all"
        found = [
            one
            for (of, _), one in self.gone.items()
            if of == module and self._since(one["deleted_time"])
        ]
        found.sort(key=lambda one: instant(one["deleted_time"]), reverse=True)
        start = (int(query.get("page", "1")) - 1) * self.page
        return self._page(found, start, int(query["per_page"]))

    def _since(self, at: str) -> bool:
        since = {name.lower(): value for name, value in self.headers.items()}.get(
            "if-modified-since"
        )
        if since is None:
            return True
        return instant(at) >= instant(since) if self.inclusive else instant(at) > instant(since)

    def _page(self, found: list[dict[str, Any]], start: int, asked: int) -> Answered:
        assert asked == 200
        end = start + self.page
        if not found[start:end]:
            return (304 if self.inclusive else 204), {}, b""
        more = end < len(found)
        info = {"more_records": more, "next_page_token": str(end) if more else None}
        return ok({"data": found[start:end], "info": info | {"per_page": asked}})

    def _channel(self, query: dict[str, str]) -> Answered:
        self.watched.append(self.method)
        if self.refuses_channels:
            refused = {"code": "INVALID_DATA", "status": "error", "details": {}}
            return self.refusal, {}, json.dumps({"watch": [refused]}).encode()
        if self.method == "DELETE":
            known = self.channels.pop(query["channel_ids"], None)
            return (400, {}, b"{}") if known is None else ok({"watch": [{"status": "success"}]})
        (told,) = json.loads(self.posted[-1])["watch"]
        id_, ends = told["channel_id"], instant(told["channel_expiry"])
        told["channel_expiry"] = written_instant(min(ends, self.clock() + self.longest))
        assert id_.isdigit()
        assert len(told["token"]) <= 50
        assert ends <= self.clock() + DAY
        if self.method == "PATCH" and id_ not in self.open_channels():
            return 400, {}, json.dumps({"watch": [NOT_SUBSCRIBED]}).encode()
        self.channels[id_] = told
        events = [
            {"channel_id": id_, "channel_expiry": told["channel_expiry"], "resource_name": name}
            for name in (event.partition(".")[0] for event in told["events"])
        ]
        answer = {"code": "SUCCESS", "status": "success", "details": {"events": events}}
        status = 201 if self.method == "POST" else 200
        return status, {}, json.dumps({"watch": [answer]}).encode()

    def open_channels(self) -> dict[str, dict[str, Any]]:
        """Those that have not ended."""
        return {
            id_: one
            for id_, one in self.channels.items()
            if instant(one["channel_expiry"]) > self.clock()
        }


def _shown(record: dict[str, Any], query: dict[str, str]) -> dict[str, Any]:
    """The fields that were asked for; one that an account does not have is passed over."""
    names = {"id", *query["fields"].split(",")}
    return {name: value for name, value in record.items() if name in names}

"""Pipedrive on this machine, written from its documentation: an account that changes, lists, fails.

The truth is a dictionary of objects. Deals and activities are listed by cursor in the order of
their changes, with times in whole seconds; deleted deals only where they are asked for. `faults`
says what the next calls meet. The clock is the test's, and the Date header tells it.
"""

from __future__ import annotations

import json
import threading
import time
from base64 import b64decode, b64encode
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from app.domain.instants import SECOND, instant, moment_of, written_instant

TOKEN = "an-api-token"
PAGE = 3


@dataclass
class Pipedrive:
    """An account. Each call takes its fault from the left of `faults`; "" is none."""

    clock: Callable[[], int]
    page: int = PAGE
    truth: dict[tuple[str, int], dict[str, Any]] = field(default_factory=dict)
    faults: deque[str] = field(default_factory=deque)
    asked: list[str] = field(default_factory=list)
    lock: threading.RLock = field(default_factory=threading.RLock)
    url: str = ""

    def change(self, entity: str, number: int, **values: Any) -> dict[str, Any]:
        """An object as it is from now on."""
        with self.lock:
            now = self.clock() // SECOND * SECOND
            before = self.truth.get((entity, number), {"id": number, "is_deleted": False})
            started = {"add_time": before.get("add_time", written_instant(now))}
            after = before | started | values | {"update_time": written_instant(now)}
            self.truth[entity, number] = after
            return dict(after)

    def answer(self, target: str, token: str | None) -> tuple[int, dict[str, str], bytes]:
        with self.lock:
            self.asked.append(target)
            fault = self.faults.popleft() if self.faults else ""
            if fault:
                return self._failed(fault)
            if token != TOKEN:
                return 401, {}, b'{"success":false}'
            return self._listed(target)

    def _failed(self, fault: str) -> tuple[int, dict[str, str], bytes]:
        match fault:
            case "429":
                return 429, {"retry-after": "2"}, b"{}"
            case "garbage":
                return 200, {}, b'{"data": ['
            case "strange":
                return 200, {}, b'{"data": {"7": 8}}'
            case "redirect":
                return 302, {"location": f"{self.url}/elsewhere"}, b""
            case "drop":
                raise ConnectionResetError
            case "slow":
                time.sleep(0.3)
                return 503, {}, b""
        return int(fault), {}, b""

    def _listed(self, target: str) -> tuple[int, dict[str, str], bytes]:
        parts = urlsplit(target)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        _, _, version, collection, *rest = parts.path.split("/")
        assert version == "v2"
        entity = {"deals": "deal", "activities": "activity"}[collection]
        if rest:
            found = self.truth.get((entity, int(rest[0])))
            return (404, {}, b"{}") if found is None else _ok({"success": True, "data": found})
        assert (query["sort_by"], query["sort_direction"]) == ("update_time", "asc")
        after = _place(query["cursor"]) if "cursor" in query else (0, 0)
        if after is None:
            return 400, {}, b'{"success":false}'
        gone = query.get("status") == "deleted"
        changed = [
            ((instant(one["update_time"]), number), one)
            for (kind, number), one in self.truth.items()
            if kind == entity and (entity != "deal" or one["is_deleted"] is gone)
        ]
        changed.sort(key=lambda pair: pair[0])
        since = instant(query["updated_since"])
        later = [(place, one) for place, one in changed if place > after and place[0] >= since]
        shown = later[: self.page]
        cursor = _cursor(shown[-1][0]) if len(later) > len(shown) else None
        told = {"success": True, "data": [one for _, one in shown]}
        return _ok(told | {"additional_data": {"next_cursor": cursor}})


def _ok(body: Any) -> tuple[int, dict[str, str], bytes]:
    return 200, {"content-type": "application/json"}, json.dumps(body).encode()


def _cursor(place: tuple[int, int]) -> str:
    return b64encode(json.dumps(place).encode()).decode()


def _place(cursor: str) -> tuple[int, int] | None:
    try:
        at, number = json.loads(b64decode(cursor))
    except ValueError:
        return None
    return at, number


@contextmanager
def serving(account: Pipedrive) -> Iterator[Pipedrive]:
    """The account at an address of this machine."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            try:
                status, headers, body = account.answer(self.path, self.headers["x-api-token"])
            except ConnectionResetError:
                self.close_connection = True
                return
            self.send_response_only(status)
            now = moment_of(account.clock()).replace(microsecond=0)
            headers = {"date": format_datetime(now, usegmt=True)} | headers
            for name, value in (headers | {"content-length": str(len(body))}).items():
                self.send_header(name, value)
            self.end_headers()
            with suppress(OSError):
                self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    account.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield account
    finally:
        server.shutdown()
        server.server_close()
        thread.join()

"""An account of a provider on this machine: it answers, fails as it is told, and keeps the clock.

`faults` says what the next calls meet. The clock is the test's, and the Date header tells it.
"""

from __future__ import annotations

import json
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, ClassVar, TypeVar

from app.domain.instants import moment_of

TOKEN = "an-api-token"
PAGE = 3
_TOO_MANY = {
    "429": {"retry-after": "2"},
    "429 reset": {"ratelimit": "limit=100, remaining=0, reset=5"},
}


@dataclass
class Account:
    """An account. Each call takes its fault from the left of `faults`; "" is none."""

    clock: Callable[[], int]
    header: ClassVar[str] = ""
    token: str = TOKEN
    faults: deque[str] = field(default_factory=deque)
    asked: list[str] = field(default_factory=list)
    posted: list[str] = field(default_factory=list)
    lock: threading.RLock = field(default_factory=threading.RLock)
    url: str = ""
    method: str = ""
    headers: Mapping[str, str] = field(default_factory=dict)

    def answer(self, target: str, token: str | None) -> tuple[int, dict[str, str], bytes]:
        with self.lock:
            self.asked.append(target)
            fault = self.faults.popleft() if self.faults else ""
            if fault:
                return self._failed(fault)
            if self.is_open(target):
                return self.opened(target)
            if token != self.token:
                return 401, {}, b'{"success":false}'
            return self.listed(target)

    def is_open(self, _target: str) -> bool:
        return False

    def opened(self, target: str) -> tuple[int, dict[str, str], bytes]:
        raise NotImplementedError(target)

    def listed(self, target: str) -> tuple[int, dict[str, str], bytes]:
        raise NotImplementedError(target)

    def _failed(self, fault: str) -> tuple[int, dict[str, str], bytes]:
        if fault in _TOO_MANY:
            return 429, _TOO_MANY[fault], b"{}"
        match fault:
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


def ok(body: Any) -> tuple[int, dict[str, str], bytes]:
    return 200, {"content-type": "application/json"}, json.dumps(body).encode()


AnyAccount = TypeVar("AnyAccount", bound=Account)


@contextmanager
def serving(account: AnyAccount) -> Iterator[AnyAccount]:
    """The account at an address of this machine."""

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            try:
                with account.lock:
                    account.method, account.headers = self.command, dict(self.headers)
                    token = self.headers[account.header]
                    status, headers, body = account.answer(self.path, token)
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

        def do_POST(self) -> None:
            account.posted.append(self.rfile.read(int(self.headers["content-length"])).decode())
            self.do_GET()

        do_DELETE, do_PATCH = do_GET, do_POST  # noqa: N815 - the names that its base calls

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

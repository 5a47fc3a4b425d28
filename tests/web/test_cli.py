"""The process: it starts, serves two ports, stops on SIGTERM, and says one line when it cannot."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.patience import HANG_SECONDS

pytestmark = pytest.mark.slow
ROOT = Path(__file__).parents[2]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def command(*arguments: str, **settings: str) -> subprocess.Popen[str]:
    clean = {k: v for k, v in os.environ.items() if not k.startswith("TASSEI_")}
    return subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-m", "app", *arguments],
        cwd=ROOT,
        env=clean | settings,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


@contextmanager
def serving(*arguments: str, **settings: str) -> Iterator[subprocess.Popen[str]]:
    process = command(*arguments, **settings)
    try:
        yield process
    finally:
        process.kill()
        process.communicate()


def get(port: int, path: str) -> tuple[int, str]:
    deadline = time.monotonic() + HANG_SECONDS
    while True:
        try:
            with urllib.request.urlopen(
                f"http://127.0.0.1:{port}{path}", timeout=HANG_SECONDS
            ) as answer:
                return answer.status, answer.read().decode()
        except urllib.error.HTTPError as error:
            return error.code, error.read().decode()
        except OSError:
            if time.monotonic() > deadline:
                raise
            time.sleep(0.05)


@pytest.mark.parametrize("arguments", [("serve",), ()])
def test_it_serves_until_sigterm_and_exits_with_0(arguments: tuple[str, ...]) -> None:
    port = free_port()
    with serving(*arguments, TASSEI_PORT=str(port), TASSEI_LOG_FORMAT="json") as process:
        assert get(port, "/readyz") == (200, '{"status":"ready"}')
        assert get(port, "/metrics")[0] == 200
        kept = socket.create_connection(("127.0.0.1", port))
        process.send_signal(signal.SIGTERM)
        _, log = process.communicate(timeout=10)
        kept.close()
    assert process.returncode == 0
    entries = [json.loads(line) for line in log.splitlines()]
    assert [e["route"] for e in entries if e["event"] == "request"] == ["/readyz", "/metrics"]


def test_a_request_under_way_is_answered_after_sigterm() -> None:
    port = free_port()
    with serving(TASSEI_PORT=str(port), TASSEI_LOG_FORMAT="json") as process:
        assert get(port, "/livez")[0] == 200
        with socket.create_connection(("127.0.0.1", port), timeout=HANG_SECONDS) as connection:
            connection.sendall(
                b"POST /x HTTP/1.1\r\nHost: a\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n"
            )
            # It says so once the request is under way; a pause would only hope for it.
            assert connection.recv(65536).startswith(b"HTTP/1.1 100 ")
            connection.sendall(b"a")
            process.send_signal(signal.SIGTERM)
            time.sleep(0.5)
            connection.sendall(b"b")
            answer = connection.recv(65536)
        process.communicate(timeout=HANG_SECONDS)
    assert answer.startswith(b"HTTP/1.1 404 ")
    assert process.returncode == 0


def test_metrics_stand_on_their_own_port_and_nothing_else_does() -> None:
    port, metrics_port = free_port(), free_port()
    with serving(TASSEI_PORT=str(port), TASSEI_METRICS_PORT=str(metrics_port)):
        assert get(port, "/livez")[0] == 200
        assert get(port, "/metrics")[0] == 404
        status, text = get(metrics_port, "/metrics")
        assert status == 200
        assert 'route="/livez"' in text
        assert get(metrics_port, "/livez")[0] == 404
        assert get(metrics_port, "/openapi.json")[0] == 404


def test_a_wrong_setting_is_one_line_and_the_exit_code_2() -> None:
    process = command("serve", TASSEI_PROT="9000")
    out, log = process.communicate(timeout=HANG_SECONDS)
    assert process.returncode == 2
    assert (out, log) == ("", "TASSEI_PROT: no such setting\n")


def test_a_port_that_is_taken_is_one_line() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        process = command("serve", TASSEI_PORT=str(taken.getsockname()[1]))
        _, log = process.communicate(timeout=HANG_SECONDS)
    assert process.returncode == 2
    assert len(log.splitlines()) == 1
    assert "TASSEI_PORT" in log


def test_the_openapi_document_and_the_settings_can_be_printed() -> None:
    document = command("openapi").communicate(timeout=HANG_SECONDS)[0]
    assert json.loads(document)["openapi"] == "3.1.0"
    assert "`TASSEI_PORT`" in command("settings").communicate(timeout=HANG_SECONDS)[0]

"""The company that is measured, and the programs that serve it.

Forty people in four teams, one dialler that names them by extension, one plan of four goals.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from starlette.testclient import TestClient

from app.main import create_app, opened, random_token, wall_clock
from app.settings import PREFIX, Settings
from app.store.engine import Store
from app.usecases import workspaces
from tests import engines

ADMIN = "tsk_default_" + "B" * 40
PEOPLE = 40
SOURCE = "dialler"
PLAN = "2026-11"
_ROOT = Path(__file__).parents[2]
_PATIENCE_SECONDS = 30
_FUNNEL = [
    {"metric": "revenue", "target": "40000000"},
    {"metric": "deals_won", "rate": "400000"},
    {"metric": "appointments", "rate": "0.05"},
    {"metric": "calls", "rate": "0.2"},
]


def founded(folder: Path, clock: Callable[[], int] = wall_clock) -> None:
    """Make the company in a data folder."""
    settings = Settings(data_dir=folder, **address(folder))
    context = opened(settings, clock=clock)
    workspaces.first_start(context.store, clock(), random_token, ADMIN)
    headers = {"authorization": f"Bearer {ADMIN}"}
    with TestClient(create_app(settings, context), headers=headers) as client:
        workspace = client.get("/v1/workspace")
        seen = {"if-match": workspace.headers["etag"]}
        body = workspace.json() | {"time_zone": "Asia/Tokyo", "currency": "JPY"}
        for own in ("key", "version"):
            body.pop(own, None)
        assert client.put("/v1/workspace", json=body, headers=seen).status_code == 200
        for path, document in _documents():
            answer = client.put(path, json=document)
            assert answer.status_code == 201, answer.text


def address(folder: Path) -> dict[str, Any]:
    """The setting of a folder's database; none on SQLite, where it is a file in the folder."""
    if engines.chosen() == engines.SQLITE:
        return {}
    return {"database_url": engines.url(folder)}


def store(folder: Path) -> Store:
    """A folder's database, to look into it."""
    return Store(Settings(data_dir=folder, **address(folder)).database)


def _documents() -> Iterator[tuple[str, dict[str, Any]]]:
    teams = [f"team-{number}" for number in range(4)]
    for team in teams:
        yield f"/v1/teams/{team}", {"name": team}
    yield f"/v1/sources/{SOURCE}", {"provider": "events", "name": SOURCE, "counts": None}
    for number in range(PEOPLE):
        yield f"/v1/members/m{number:02d}", _member(number, teams[number % len(teams)])
    assignments = [{"team": team} for team in teams]
    plan = {"name": "November", "period": {"month": PLAN}, "funnel": _FUNNEL}
    yield f"/v1/plans/{PLAN}", plan | {"assignments": assignments, "reason": "monthly plan"}


def _member(number: int, team: str) -> dict[str, Any]:
    identity = {"source": SOURCE, "kind": "extension", "value": extension(number)}
    membership = {"team": team, "from": "2026-04-01", "to": None}
    return {
        "name": f"Member {number}",
        "capacity": "1",
        "memberships": [membership],
        "identities": [identity],
    }


def extension(number: int) -> str:
    """The extension of somebody, by any number."""
    return str(300 + number % PEOPLE)


def database(folder: Path) -> Path:
    """The database in a data folder."""
    return folder / "tassei.sqlite3"


@contextmanager
def service(folder: Path) -> Iterator[int]:
    """The service as a user runs it, with default settings and its log in a file; its port."""
    with running(folder) as (port, _):
        yield port


@contextmanager
def running(folder: Path) -> Iterator[tuple[int, int]]:
    """The same; its port and its process."""
    port = free_port()
    with (folder / "service.log").open("wb") as log:
        environment = {k: v for k, v in os.environ.items() if not k.startswith(PREFIX)}
        environment |= {f"{PREFIX}DATA_DIR": str(folder), f"{PREFIX}PORT": str(port)}
        environment |= {f"{PREFIX}{name.upper()}": url for name, url in address(folder).items()}
        with _serving(["app", "serve"], port, env=environment, stdout=log, stderr=log) as pid:
            yield port, pid


@contextmanager
def baseline() -> Iterator[int]:
    """The endpoint that only validates; its port."""
    port = free_port()
    with _serving(["tests.bench.baseline", "--port", str(port)], port):
        yield port


def module(*arguments: str) -> bytes:
    """What a module of ours prints when it is run with some arguments."""
    command = [sys.executable, "-m", *arguments]
    return subprocess.run(command, cwd=_ROOT, check=True, stdout=subprocess.PIPE).stdout  # noqa: S603 - our own modules


@contextmanager
def _serving(arguments: list[str], port: int, **options: Any) -> Iterator[int]:
    command = [sys.executable, "-m", *arguments]
    process = subprocess.Popen(command, cwd=_ROOT, **options)  # noqa: S603 - our own modules
    try:
        _await(port, process)
        yield process.pid
    finally:
        process.terminate()
        process.wait(_PATIENCE_SECONDS)


def _await(port: int, process: subprocess.Popen[bytes]) -> None:
    end = time.monotonic() + _PATIENCE_SECONDS
    while process.poll() is None and time.monotonic() < end:
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.05)
        else:
            return
    raise RuntimeError(f"{process.args!r} does not serve")


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as listening:
        listening.bind(("127.0.0.1", 0))
        port: int = listening.getsockname()[1]
        return port

"""Call n fails, for n = 1, 2, ... until nothing is left to fail: refused, absent, then taken.

Once inside the process, at every statement and every commit, on any machine; once at the system
calls themselves, where strace is there to inject the error.
"""

from __future__ import annotations

import shutil
import sqlite3
import subprocess
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, Self

import pytest
from psycopg import errors

from app.store import heads
from app.store.engine import Store
from tests.engines import EXECUTING, POSTGRESQL, SQLITE, chosen, engine_of, on_both, on_postgresql
from tests.faults.conftest import Noted
from tests.faults.events import Event, events
from tests.faults.founded import serving
from tests.faults.load import Load
from tests.faults.oracle import Told, Verdict, assert_laws
from tests.faults.service import KEY, SOURCE, Service
from tests.patience import HANG_SECONDS
from tests.store.worlds import W
from tests.web.service import Service as InProcess
from tests.web.service import started

AT = "2026-12-01T09:00:00+09:00"


Error = Callable[[], Exception]


def of_sqlite(name: str) -> Error:
    def made() -> Exception:
        error = sqlite3.OperationalError("injected")
        error.sqlite_errorname = name
        return error

    return made


# What the service says, and how each engine says it.
FATAL: dict[str, dict[str, Error]] = {
    "store-failed": {SQLITE: of_sqlite("SQLITE_IOERR_WRITE"), POSTGRESQL: errors.IoError},
    "disk-is-full": {SQLITE: of_sqlite("SQLITE_FULL"), POSTGRESQL: errors.DiskFull},
    "database-is-read-only": {
        SQLITE: of_sqlite("SQLITE_READONLY"),
        POSTGRESQL: errors.ReadOnlySqlTransaction,
    },
    # Raised as it is by both drivers, not as an error of the database.
    "memory-is-full": {SQLITE: MemoryError, POSTGRESQL: MemoryError},
}


class Failing:
    """Counts what a store asks of the database and fails the n-th; `after`: when it was done.

    `times`: so many in a row from there on.
    """

    def __init__(self, store: Store, n: int, error: Error, *, after: bool, times: int = 1) -> None:
        self.calls = 0
        self.failed = 0
        self._which = range(n, n + times)
        self._error = error
        self._after = after
        self._dialect: Any = engine_of(store).dialect
        self._commit = self._dialect.do_commit

    def __enter__(self) -> Self:
        # The dialect's own methods: statements of the hot path go past the engine's events.
        for name in EXECUTING:
            setattr(self._dialect, name, self._executing(getattr(self._dialect, name)))
        self._dialect.do_commit = self._committing
        return self

    def __exit__(self, *_: object) -> None:
        for name in (*EXECUTING, "do_commit"):
            delattr(self._dialect, name)

    def _executing(self, real: Callable[..., Any]) -> Callable[..., Any]:
        def execute(*values: Any, **named: Any) -> Any:
            if not self._after:
                self._count()
            return real(*values, **named)

        return execute

    def _committing(self, connection: Any) -> None:
        if self._after:
            self._commit(connection)
        self._count()
        if not self._after:
            self._commit(connection)

    def _count(self) -> None:
        # Of those who write only: what others read meanwhile must not change which call it is.
        if not threading.current_thread().name.startswith("committer"):
            return
        self.calls += 1
        if self.calls in self._which:
            self.failed += 1
            raise self._error()


@pytest.fixture
def service(engine: str) -> Iterator[InProcess]:
    assert engine == chosen()
    with started(AT) as service:
        body = service.get("/v1/workspace").json()
        own = {name: body[name] for name in body.keys() - {"key", "version"}}
        service.replace("/v1/workspace", own | {"time_zone": "Asia/Tokyo", "currency": "JPY"})
        source = {"provider": "events", "name": SOURCE, "counts": None}
        assert service.put(f"/v1/sources/{SOURCE}", source).status_code == 201
        yield service


def post(service: InProcess, chosen: list[Event]) -> Any:
    kind = {"content-type": "application/cloudevents-batch+json"}
    return service.client.post("/v1/events", json=[one.cloud for one in chosen], headers=kind)


@on_both
@pytest.mark.parametrize("problem", FATAL)
def test_whichever_call_fails_the_answer_is_503_and_nothing_is_there(
    service: InProcess, problem: str, noted: Noted
) -> None:
    error = FATAL[problem][chosen()]
    source = events(seed=1)
    sent: list[Event] = []
    n = 0
    while True:
        n += 1
        some = [next(source) for _ in range(3)]
        before = head_of(service.store)
        with Failing(service.store, n, error, after=False) as failing:
            answer = post(service, some)
            if failing.failed == 0:
                break
            assert answer.status_code == 503, (n, answer.text)
            assert answer.json()["type"].endswith(problem)
            assert "retry-after" in answer.headers
            assert head_of(service.store) == before
            assert service.get("/livez").status_code == 200
        assert post(service, some).json()["duplicate"] == 0
        sent += some
    assert answer.status_code == 200
    sent += some
    assert n > 10
    noted(f"call n fails ({problem})", n - 1, assert_laws(service.store, [Told(sent, sent)]))


def head_of(store: Store) -> heads.Head | None:
    with store.read() as reading:
        return heads.head(reading, W)


@on_both
def test_a_commit_whose_answer_is_lost_counts_once_when_it_is_sent_again(
    service: InProcess, noted: Noted
) -> None:
    error = FATAL["store-failed"][chosen()]
    source = events(seed=2)
    sent: list[Event] = []
    for _ in range(5):
        some = [next(source) for _ in range(3)]
        with Failing(service.store, 1, error, after=True) as failing:
            assert post(service, some).status_code == 503
            assert failing.failed == 1
        again = post(service, some).json()
        assert again["accepted"] + again["revised"] + again["stale"] == 0
        assert again["duplicate"] == 3
        sent += some
    noted("commit done, answer lost", 5, assert_laws(service.store, [Told(sent, sent)]))


PASSING = (
    errors.DeadlockDetected,
    errors.SerializationFailure,
    errors.LockNotAvailable,
    errors.QueryCanceled,
    errors.AdminShutdown,
)


@on_postgresql
@pytest.mark.parametrize("error", PASSING, ids=lambda error: str(error.__name__))
def test_what_passes_is_tried_again_whichever_call_it_hits_and_nobody_notices(
    service: InProcess, error: Error, noted: Noted
) -> None:
    source = events(seed=3)
    sent: list[Event] = []
    n, failed = 0, 1
    while failed:
        n += 1
        some = [next(source) for _ in range(3)]
        before = head_of(service.store)
        assert before is not None
        with Failing(service.store, n, error, after=False) as failing:
            answer = post(service, some)
        failed = failing.failed
        assert (answer.status_code, answer.json()["duplicate"]) == (200, 0), (n, answer.text)
        after = head_of(service.store)
        assert after is not None
        # What failed left no commit behind it.
        assert after.seq == before.seq + 1
        sent += some
    assert n > 10
    with Failing(service.store, 1, error, after=True) as failing:
        some = [next(source) for _ in range(3)]
        answer = post(service, some)
        assert failing.failed == 1
        assert (answer.status_code, answer.json()["duplicate"]) == (200, 3)
    sent += some
    with Failing(service.store, 1, error, after=False, times=10_000):
        answer = post(service, [next(source)])
        assert answer.status_code == 503
        assert int(answer.headers["retry-after"]) >= 1
    noted(f"{error.__name__} at call n", n, assert_laws(service.store, [Told(sent, sent)]))


@contextmanager
def injected(service: Service, call: str, n: int) -> Iterator[None]:
    """EIO from the n-th such system call on for three calls, while strace is attached."""
    command = ["strace", "-f", "-o", "/dev/null", "-e", f"trace={call}"]
    command += ["-e", f"inject={call}:error=EIO:when={n}..{n + 2}", "-p", str(service.committing)]
    tracer = subprocess.Popen(command, stderr=subprocess.PIPE, text=True)  # noqa: S603 - our own words
    assert tracer.stderr is not None
    said = tracer.stderr.readline()
    if "attached" not in said:
        tracer.wait(HANG_SECONDS)
        pytest.skip(f"strace may not attach here: {said.strip()}")
    try:
        yield
    finally:
        tracer.terminate()
        tracer.communicate(timeout=HANG_SECONDS)


@pytest.mark.slow
@pytest.mark.parametrize(
    "rounds", [2, pytest.param(25, marks=pytest.mark.faults)], ids=["short", "long"]
)
@pytest.mark.parametrize("call", ["pwrite64", "fdatasync"])
def test_a_disk_that_fails_at_call_n_loses_nothing_acknowledged(
    tmp_path: Path, call: str, rounds: int, noted: Noted
) -> None:
    if shutil.which("strace") is None:
        pytest.skip("no strace here")
    with serving(tmp_path) as service:
        load = Load(service)
        for n in range(1, rounds + 1):
            with injected(service, call, n), suppress(TimeoutError):
                for _ in range(n + 5):
                    load.deliver(load.next())
                    assert not load.faults, load.faults
            load.send(10)
        assert load.answers[503]
        assert_laws(service, load.told)
        load.resend()
        verdict: Verdict = assert_laws(service, load.told)
        noted(f"EIO from {call} n", load.answers[503], verdict)
    assert KEY not in service.log.read_text(encoding="utf-8")

"""A standby of a PostgreSQL server, by streaming replication; it can be cut off and promoted."""

from __future__ import annotations

import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest
from sqlalchemy import create_engine, make_url

from tests.faults.server import Server, _driven, _told, own_server

NAME = "standby"
_SECONDS = 60


class Standby(Server):
    """Begun from a backup of the primary. `both`: the address of whichever of the two writes."""

    def __init__(self, primary: Server, folder: Path) -> None:
        self._control = primary._control
        self._user = primary._user
        self._folder = folder
        # Its own name is what the primary waits for.
        self._options = f'-h "" -k {folder} -c cluster_name={NAME}'
        first = make_url(primary.url)
        hosts = f"{first.query['host']},{folder}"
        query = {"host": hosts, "target_session_attrs": "read-write"}
        self.both = first.set(query=query).render_as_string(hide_password=False)
        self.url = first.set(query={"host": str(folder)}).render_as_string(hide_password=False)
        if primary._user is not None:
            shutil.chown(folder, primary._user)
        self._copy(str(first.query["host"]), first.username or "postgres")
        self.start()

    def _copy(self, host: str, user: str) -> None:
        program = Path(self._control).with_name("pg_basebackup")
        if not program.exists():
            pytest.skip("pg_basebackup does not come with this PostgreSQL")
        subprocess.run(  # noqa: S603 - our own words
            [program, "-h", host, "-U", user, "-D", self._folder, "-R", "-c", "fast"],
            user=self._user,
            check=True,
            capture_output=True,
            timeout=_SECONDS,
        )
        # The primary's own, whose socket lies among its data.
        for lock in self._folder.glob(".s.PGSQL.*.lock"):
            lock.unlink()

    def cut(self) -> None:
        """From now on it receives nothing, as behind a network that is gone."""
        self.set("primary_conninfo", "host=/nowhere")
        end = time.monotonic() + _SECONDS
        with _told(create_engine(_driven(self.url))) as said:
            while said("SELECT pid FROM pg_stat_wal_receiver WHERE status = 'streaming'"):
                assert time.monotonic() < end
                time.sleep(0.05)

    def promote(self) -> None:
        """It is the primary now."""
        self._run("-w", "-t", str(_SECONDS), "promote")


def waits_for_standby(primary: Server, *, waits: bool) -> None:
    """Whether the primary confirms a commit only once the standby has it."""
    end = time.monotonic() + _SECONDS
    primary.set("synchronous_standby_names", NAME if waits else "")
    with _told(create_engine(_driven(primary.url))) as said:
        state = "sync" if waits else "async"
        while state not in said("SELECT sync_state FROM pg_stat_replication"):
            assert time.monotonic() < end
            time.sleep(0.05)


@contextmanager
def pair() -> Iterator[tuple[Server, Standby]]:
    """A primary and its standby, of which nothing is left at the end."""
    with own_server() as primary:
        standby = Standby(primary, Path(tempfile.mkdtemp(prefix="tassei-standby-")))
        try:
            yield primary, standby
        finally:
            with suppress(AssertionError):
                standby.stop()
            shutil.rmtree(standby._folder, ignore_errors=True)

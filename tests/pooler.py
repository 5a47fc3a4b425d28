"""A pooler in front of a database: each transaction gets whichever connection is free."""

from __future__ import annotations

import os
import shutil
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import make_url

from tests.patience import HANG_SECONDS
from tests.web.streaming import free_port


class Pooler:
    """pgbouncer in transaction mode, started on a port that stays the same."""

    def __init__(self, home: Path, straight: str) -> None:
        program = shutil.which("pgbouncer")
        if program is None:
            pytest.skip("pgbouncer is not installed (apt install pgbouncer)")
        self._program = program
        self._settings = home / "pgbouncer.ini"
        url = make_url(straight)
        host = url.query.get("host") or url.host
        secret = f" password={url.password}" if url.password else ""
        port = free_port()
        self._settings.write_text(
            f"[databases]\n* = host={host} port={url.port or 5432} user={url.username}"
            f"{secret}\n[pgbouncer]\nlisten_addr = 127.0.0.1\n"
            f"listen_port = {port}\nunix_socket_dir =\nauth_type = any\npool_mode = transaction\n"
            "default_pool_size = 5\nmax_client_conn = 100\nserver_reset_query =\n"
        )
        os.chmod(home, 0o755)  # noqa: PTH101, S103 - nothing secret is in it, and another user reads it
        self._options: dict[str, Any] = {}
        if os.geteuid() == 0:  # which it refuses to run as, and the server's socket is its own
            self._options["user"] = Path(str(host)).stat().st_uid if host else "nobody"
        found = url.set(host="127.0.0.1", port=port, query={})
        self.url = found.render_as_string(hide_password=False)
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        self._process = subprocess.Popen(  # noqa: S603 - found on the path
            [self._program, "-q", str(self._settings)], stderr=subprocess.DEVNULL, **self._options
        )
        time.sleep(0.3)
        assert self._process.poll() is None

    def stop(self) -> None:
        """At once: whoever is connected is cut off."""
        assert self._process is not None
        self._process.terminate()
        self._process.wait(HANG_SECONDS)


@contextmanager
def pooled(straight: str) -> Iterator[Pooler]:
    """A pooler that runs, until the end of the block."""
    with tempfile.TemporaryDirectory() as home:
        pooler = Pooler(Path(home), straight)
        pooler.start()
        try:
            yield pooler
        finally:
            pooler.stop()

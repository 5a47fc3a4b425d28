"""The commands that work on the database, on both engines."""

from __future__ import annotations

import json
import re
import signal
import socket
from collections.abc import Callable
from functools import partial
from pathlib import Path

import httpx
import pytest
from sqlalchemy import text
from typer.testing import CliRunner, Result

from app.cli import cli
from app.store.engine import Store
from tests import engines
from tests.engines import on_both, on_postgresql
from tests.patience import HANG_SECONDS
from tests.web.service import ADMIN
from tests.web.streaming import headers, wait
from tests.web.test_cli import command, free_port, get, serving

TABLE = "id,agent,closed,value\n1,Ann,2025-12-01,100\n2,Bo,2025-12-02,250\n"
MAPPING = """
[source]
key = "crm"
[activity]
kind = "deal"
key = "id"
actor = "agent"
[fields]
status = { constant = "won" }
won_at = { column = "closed", type = "date", zone = "UTC" }
amount = { column = "value", type = "decimal" }
currency = { constant = "USD" }
"""
PLAN = {
    "name": "December",
    "period": {"month": "2026-12"},
    "funnel": [{"metric": "calls", "target": "100"}],
    "allow_unmeasured": True,
}
Tassei = Callable[..., Result]


@pytest.fixture
def tassei(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Tassei:
    """The command line on a database that nobody has made tables in yet."""
    monkeypatch.setenv("TASSEI_DATA_DIR", str(tmp_path))
    monkeypatch.setenv("TASSEI_DATABASE_URL", engines.url(tmp_path))

    def run(*arguments: str | Path, code: int = 0) -> Result:
        done = CliRunner().invoke(cli, [str(word) for word in arguments])
        assert done.exit_code == code, done.output
        return done

    return run


@on_both
def test_init_prints_the_workspaces_first_key_once(tassei: Tassei) -> None:
    (token,) = re.findall(r"tsk_default_\w+", tassei("init").stdout)
    assert len(token) > 40
    assert "tsk_other_" in tassei("init", "--workspace", "other").stdout
    again = CliRunner().invoke(cli, ["init"])
    assert again.exit_code != 0
    assert str(getattr(again.exception, "code", "")) == "workspace_exists"


@on_both
def test_import_export_verify_and_rebuild(tassei: Tassei, tmp_path: Path) -> None:
    table, mapping, out = tmp_path / "deals.csv", tmp_path / "m.toml", tmp_path / "deals.ndjson"
    table.write_text(TABLE, "utf-8")
    mapping.write_text(MAPPING, "utf-8")
    tassei("init")
    tassei("import", "csv", table, "--mapping", mapping)
    tassei("import", "csv", table, "--mapping", mapping)
    tassei("export", "--kind", "deal", "--format", "ndjson", "-o", out)
    written = out.read_text("utf-8").splitlines()
    assert [json.loads(line)["id"] for line in written] == ["1", "2"]
    assert tassei("verify").stdout == "0 mismatches\n"
    store = Store(engines.url(tmp_path))
    with store.transaction() as connection:
        connection.execute(text("UPDATE tally_day SET number = number + 1"))
    store.close()
    assert not tassei("verify", code=1).stdout.startswith("0 ")
    assert tassei("rebuild").stdout == "rebuilt\n"
    assert tassei("verify").stdout == "0 mismatches\n"


@pytest.mark.slow
def test_the_tree_and_the_report_of_a_service_are_shown(tmp_path: Path) -> None:
    port = free_port()
    place = {"TASSEI_DATA_DIR": str(tmp_path), "TASSEI_DATABASE_URL": engines.url(tmp_path)}
    with serving(TASSEI_PORT=str(port), TASSEI_ADMIN_KEY=ADMIN, **place):
        wait(partial(listens, port), 90)
        assert get(port, "/readyz")[0] == 200
        url = f"http://127.0.0.1:{port}"
        made = httpx.put(f"{url}/v1/plans/december", json=PLAN, headers=headers())
        assert made.status_code == 201, made.text
        asked = command("tree", "december", TASSEI_KEY=ADMIN, TASSEI_URL=url)
        shown, _ = asked.communicate(timeout=HANG_SECONDS)
        asked_for = ("--format", "html", "--language", "ja")
        told = command("report", "december", *asked_for, TASSEI_KEY=ADMIN, TASSEI_URL=url)
        page, _ = told.communicate(timeout=HANG_SECONDS)
        nobody = command("report", "november", TASSEI_KEY=ADMIN, TASSEI_URL=url)
        _, why = nobody.communicate(timeout=HANG_SECONDS)
    assert asked.returncode == 0
    assert "December" in shown
    assert told.returncode == 0
    assert page.startswith('<!DOCTYPE html><html lang="ja">')
    assert "December" in page
    assert (nobody.returncode, why) == (1, "There is no such plan.\n")


def listens(port: int) -> bool:
    with socket.socket() as client:
        return client.connect_ex(("127.0.0.1", port)) == 0


@on_postgresql
@pytest.mark.slow
def test_of_replicas_that_start_at_once_exactly_one_prints_the_key(tmp_path: Path) -> None:
    address = engines.url(tmp_path)
    ports = [free_port() for _ in range(3)]
    replicas = [
        command(TASSEI_PORT=str(port), TASSEI_DATA_DIR=str(tmp_path), TASSEI_DATABASE_URL=address)
        for port in ports
    ]
    try:
        # Three starts and their migrations on one machine, beside other tests.
        for port in ports:
            wait(partial(listens, port), 90)
        assert [get(port, "/readyz")[0] for port in ports] == [200] * 3
        for replica in replicas:
            replica.send_signal(signal.SIGTERM)
        said = [replica.communicate(timeout=HANG_SECONDS)[0] for replica in replicas]
    finally:
        for replica in replicas:
            replica.kill()
            replica.communicate()
    assert sum(text.count("tsk_default_") for text in said) == 1
    assert [replica.returncode for replica in replicas] == [0] * 3

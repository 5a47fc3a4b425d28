"""The page about operations is executed, and its numbers are the program's."""

from __future__ import annotations

import re
import shlex
import subprocess
from pathlib import Path

import pytest
from typer.testing import CliRunner

from app.cli import cli
from app.domain.workspace import DELIVERIES_DAYS
from app.store.committer import QUEUE_BYTES, QUEUE_ITEMS
from app.usecases import retention, upkeep
from app.web.server import DRAIN_SECONDS

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/operations.md").read_text(encoding="utf-8")


def run(command: str) -> str:
    program, *arguments = shlex.split(command)
    if program != "tassei":
        assert program in {"cp", "rm"}
        subprocess.run([program, *arguments], check=True)  # noqa: S603 - the page's own two
        return ""
    done = CliRunner().invoke(cli, arguments)
    assert done.exit_code == 0, done.output
    return done.stdout


def test_every_command_of_the_page_does_what_it_says(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    run("tassei init")
    blocks = re.findall(r"```bash\n(.*?)```", PAGE, re.DOTALL)
    said = [run(line) for block in blocks for line in block.splitlines()]
    assert "default: 0 activities, commit 1 of" in said[0]
    assert said[0].splitlines()[1].endswith(" bytes, sound")
    assert said[1].splitlines()[1].endswith(" bytes, sound, recounted")
    for text in said[:2]:
        assert "secret.key" in text
        assert "TASSEI_SECRET_KEY" in text
    assert said[-1] == "0 mismatches\n"


def test_the_numbers_of_the_page_are_the_programs() -> None:
    assert f"{DELIVERIES_DAYS} days" in PAGE
    assert f"{QUEUE_ITEMS:,} items or {QUEUE_BYTES // 2**20} MiB" in PAGE
    assert f"beyond {upkeep.LONG_LOG // 2**20} MiB it is cut" in PAGE
    assert f"every {upkeep.INTERVAL_SECONDS:.0f} seconds" in PAGE
    assert retention.INTERVAL_SECONDS == 60
    assert f"have {DRAIN_SECONDS} seconds" in PAGE

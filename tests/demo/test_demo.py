"""The demo as a newcomer runs it: a process of its own, a real service, the whole story."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from functools import partial
from pathlib import Path

import pytest

from tests.patience import HANG_SECONDS
from tests.web.test_cli import ROOT, free_port, get

pytestmark = [pytest.mark.slow, pytest.mark.timeout(400)]
# Ten times what it takes on two cores that have nothing else to do: a runner may share them.
PROMISED = 150
# The demo with a month in which nothing happened: the rest of the story takes a second.
QUIET = """
from examples.demo import __main__ as demo
from examples.demo.sample import Fact
build = demo.build
def quiet(now, seed):
    sample = build(now, seed)
    sample.posts.clear()
    sample.facts.clear()
    {more}
    return sample
demo.build = quiet
raise SystemExit(demo.main())
"""
# One call that nobody reported: every number that it moves differs.
FALSIFIED = QUIET.format(more="sample.facts.append(Fact('calls', 'sato', now))")


def command(folder: Path, port: int, *program: str, **settings: str) -> subprocess.Popen[str]:
    clean = {k: v for k, v in os.environ.items() if not k.startswith(("TASSEI_", "DEMO_"))}
    own = {"TASSEI_DATA_DIR": str(folder), "TASSEI_PORT": str(port), "PYTHONIOENCODING": "utf-8"}
    return subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, *program],
        cwd=ROOT,
        env=clean | own | settings,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        # Whoever runs the tests behind a shell's `&` has Ctrl-C ignored, and so would the demo.
        preexec_fn=partial(signal.signal, signal.SIGINT, signal.SIG_DFL),  # noqa: PLW1509 - no threads here
    )


def run(folder: Path, *program: str, **settings: str) -> tuple[int, str]:
    process = command(folder, free_port(), *program, DEMO_ONCE="1", **settings)
    try:
        said, _ = process.communicate(timeout=PROMISED)
    finally:
        process.kill()
    return process.returncode, said


def test_one_run_shows_the_tree_agrees_with_the_recount_and_leaves_a_picture(
    tmp_path: Path,
) -> None:
    picture = tmp_path / "tree.svg"
    # A proxy's address in front: what is signed for it is accepted behind it.
    code, said = run(
        tmp_path / "data",
        "-m",
        "examples.demo",
        "--svg",
        str(picture),
        TASSEI_PUBLIC_URL="https://tassei.example.com/sales",
    )
    assert code == 0, said
    lines = said.splitlines()
    for goal, target in {"売上": "¥2,000,000", "受注": "5", "アポ": "100", "架電": "2,000"}.items():
        assert any(goal in line and f"/ {target} " in line and "━" in line for line in lines), said
    for name in ("東日本チーム", "西日本チーム", "佐藤 美咲", "渡辺 翔"):
        assert name in said
    assert "独立した再計算とすべての数値が一致しました" in said
    assert "Prometheus" in said
    assert "tsk_default_" in said
    drawn = picture.read_text(encoding="utf-8")
    assert len(drawn.encode()) < 60_000
    assert "url(http" not in drawn
    assert "2,000,000" in drawn


def test_a_number_that_differs_from_the_recount_makes_it_fail(tmp_path: Path) -> None:
    code, said = run(tmp_path / "data", "-c", FALSIFIED)
    assert code == 1, said
    assert "✖ plan calls actual: recounted" in said
    assert "一致しました" not in said


def test_a_folder_of_somebody_elses_is_not_emptied(tmp_path: Path) -> None:
    (tmp_path / "precious").touch()
    code, said = run(tmp_path, "-m", "examples.demo")
    assert code == 1
    assert said.replace("\n", "").startswith("demo: ")
    assert "is not empty and not from a demo" in said
    assert [path.name for path in tmp_path.iterdir()] == ["precious"]


def test_two_demos_do_not_share_a_folder(tmp_path: Path) -> None:
    port = free_port()
    first = command(tmp_path, port, "-c", QUIET.format(more=""))
    try:
        assert get(port, "/readyz")[0] == 200
        code, said = run(tmp_path, "-m", "examples.demo")
        assert get(port, "/readyz")[0] == 200
    finally:
        first.terminate()
        first.communicate(timeout=HANG_SECONDS)
    assert code == 1
    assert "another demo is running" in said


@pytest.mark.parametrize(("ending", "code"), [(signal.SIGINT, 0), (signal.SIGTERM, 143)])
def test_the_live_demo_ends_with_its_service(
    tmp_path: Path, ending: signal.Signals, code: int
) -> None:
    port = free_port()
    process = command(tmp_path, port, "-c", QUIET.format(more=""))
    try:
        assert process.stdout is not None
        said = ""
        while "Prometheus" not in said:  # said when all is well, right before it goes live
            said += process.stdout.readline()
            assert process.poll() is None, said
        time.sleep(1.5)
        process.send_signal(ending)
        said += process.communicate(timeout=HANG_SECONDS)[0]
    finally:
        process.kill()
    assert process.returncode == code, said
    assert "Traceback" not in said
    with pytest.raises(OSError, match="refused"):
        socket.create_connection(("127.0.0.1", port), timeout=1)

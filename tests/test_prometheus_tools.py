"""The fetcher finds a program, or says in one line what to do; it never shrugs."""

from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from tests.prometheus_tools import prometheus, promtool
from tools.prometheus import Missing, find

__all__ = ["prometheus", "promtool"]


@pytest.mark.slow
def test_both_programs_run(prometheus: Path, promtool: Path) -> None:
    for program in (prometheus, promtool):
        said = subprocess.run([program, "--version"], capture_output=True, text=True, check=True)  # noqa: S603 - fixed arguments
        assert f"{program.name}, version" in said.stdout + said.stderr


def test_the_path_comes_first(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mine = tmp_path / "promtool"
    mine.write_text("#!/bin/sh\n")
    mine.chmod(0o755)
    monkeypatch.setenv("PATH", str(tmp_path))
    assert find("promtool", tmp_path / "cache") == mine


def test_a_machine_that_can_have_neither_is_told_what_to_do(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(Missing, match=r"^prometheus and promtool are missing: apt install") as told:
        find("prometheus", tmp_path / "cache")
    assert "\n" not in str(told.value)


def test_a_failing_download_is_one_line_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for tool in ("apt-get", "dpkg"):
        (tmp_path / tool).write_text("#!/bin/sh\necho first >&2\necho no network >&2\nexit 100\n")
        (tmp_path / tool).chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:/bin")
    with pytest.raises(Missing, match=r"\(no network\)$") as told:
        find("prometheus", tmp_path / "cache")
    assert "\n" not in str(told.value)


def test_other_programs_are_none_of_its_business(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="rm"):
        find("rm", tmp_path)

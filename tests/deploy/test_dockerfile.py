"""The Dockerfile is clean to its linter and says what the project says."""

from __future__ import annotations

import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from app.web.server import DRAIN_SECONDS
from tests.deploy.dockerfile import ROOT, Stage, stages
from tests.deploy.image import let_in

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["project"]
STRICTLY = ("--no-color", "--failure-threshold", "style", "--disable-ignore-pragma")


@pytest.fixture(scope="module")
def build() -> Stage:
    return stages()[0]


@pytest.fixture(scope="module")
def final() -> Stage:
    return stages()[-1]


def test_hadolint_finds_nothing_and_nothing_is_ignored() -> None:
    hadolint = Path(sys.executable).parent / "hadolint"
    found = subprocess.run(  # noqa: S603 - our own linter
        [str(hadolint), *STRICTLY, str(ROOT / "Dockerfile")],
        cwd=ROOT.parent,  # no configuration file of anybody's
        capture_output=True,
        text=True,
        check=False,
    )
    assert (found.returncode, found.stdout + found.stderr) == (0, "")


def test_both_stages_have_one_base_of_a_fixed_version(build: Stage, final: Stage) -> None:
    # The environment points to the interpreter of its base.
    assert build.base == final.base
    assert re.fullmatch(r"python:3\.\d+\.\d+-slim-\w+", final.base)
    assert f"python{'.'.join(final.base[7:].split('.')[:2])}" in build.environment["UV_PYTHON"]


def test_the_user_is_a_number_other_than_root(final: Stage) -> None:
    user, group = final.one("USER").split(":")
    assert int(user) >= 10000
    assert int(group) >= 10000
    (prepared,) = final.all("RUN")
    assert f"--owner={user} --group={group} --mode=0700 /data" in prepared
    assert final.environment["TASSEI_DATA_DIR"] == "/data"
    assert final.command("VOLUME") == ["/data"]


def test_everything_that_is_started_is_started_without_a_shell(final: Stage) -> None:
    assert final.command("ENTRYPOINT")[0] in PROJECT["scripts"]
    assert final.command("CMD") == ["serve"]
    assert final.command("HEALTHCHECK")
    assert final.one("STOPSIGNAL") == "SIGTERM"
    assert final.one("EXPOSE") == final.environment["TASSEI_PORT"]


def test_the_labels_are_the_projects(final: Stage) -> None:
    prefix = "org.opencontainers.image."
    assert final.labels == {
        f"{prefix}title": PROJECT["name"],
        f"{prefix}description": PROJECT["description"],
        f"{prefix}version": PROJECT["version"],
    }


def test_uv_is_the_one_that_develops_the_project(build: Stage) -> None:
    locked = re.search(r"uv==(\d+)\.(\d+)\.\d+$", build.all("RUN")[0])
    asked = re.search(r"uv>=(\d+)\.(\d+),<\1\.(\d+)", (ROOT / "Makefile").read_text("utf-8"))
    assert locked is not None
    assert asked is not None
    assert locked.groups() == asked.groups()[:2]
    assert all("--frozen --no-dev" in text for text in build.all("RUN")[1:])


def test_only_the_environment_leaves_the_build(build: Stage, final: Stage) -> None:
    at = build.environment["UV_PROJECT_ENVIRONMENT"]
    assert final.all("COPY") == [f"--from=build {at} {at}"]
    assert final.environment["PATH"].startswith(f"{at}/bin:")


def test_the_build_sees_what_it_copies_and_nothing_else(build: Stage) -> None:
    copied = {source for text in build.all("COPY") for source in text.split()[:-1]}
    assert {entry.name for entry in ROOT.iterdir() if let_in(entry.name)} == copied


def test_docker_itself_would_kill_before_requests_under_way_may_end() -> None:
    # Docker waits ten seconds, which is why the instructions and compose.yaml ask for more.
    text = (ROOT / "docs" / "deploy.md").read_text("utf-8")
    asked = re.search(r"--stop-timeout (\d+)", text)
    assert asked is not None
    assert int(asked[1]) > DRAIN_SECONDS

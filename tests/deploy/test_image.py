"""What the Dockerfile builds runs as its user, writes to /data alone, and stops when told.

No Docker daemon is asked for: tests/deploy/image.py says what stands in for it.
"""

from __future__ import annotations

import re
import signal
import time
from collections.abc import Iterator

import pytest

from tests.deploy.dockerfile import ROOT
from tests.deploy.image import Image, built, namespaces
from tests.web.test_cli import free_port, get

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def image() -> Iterator[Image]:
    with built() as image:
        yield image


def output(image: Image, *words: str) -> tuple[int, str]:
    with image.program(*words) as process:
        out, log = process.communicate(timeout=30)
        return process.returncode, out + log


def test_it_serves_is_found_healthy_and_stops_within_two_seconds(image: Image) -> None:
    port = str(free_port())
    probe = image.final.command("HEALTHCHECK")
    with image.running(TASSEI_PORT=port, TASSEI_HOST="127.0.0.1") as process:
        assert get(int(port), "/readyz")[0] == 200
        with image.program(*probe, TASSEI_PORT=port) as healthy:
            assert healthy.wait(timeout=10) == 0
        told = time.monotonic()
        process.send_signal(signal.SIGTERM)
        out, log = process.communicate(timeout=10)
        assert time.monotonic() - told < 2
    assert process.returncode == 0, log
    assert "tsk_default_" in out
    with image.program(*probe, TASSEI_PORT=port) as unhealthy:
        assert unhealthy.wait(timeout=10) == 1
    assert {path.name for path in image.data.iterdir()} == {"tassei.sqlite3", "secret.key"}


def test_the_environment_holds_the_service_and_nothing_that_builds_or_tests(image: Image) -> None:
    code, listed = output(
        image,
        "python",
        "-c",
        "from importlib.metadata import distributions\n"
        "print(*sorted(d.name.lower() for d in distributions()))",
    )
    assert code == 0, listed
    installed = set(listed.split())
    assert {"tassei", "fastapi", "uvloop", "tzdata"} <= installed
    assert not installed & {"uv", "pip", "hatchling", "pytest", "hypothesis", "ruff", "mypy"}
    # Installed, not linked to a folder that the final stage does not have.
    assert list((image.folder / "environment").glob("lib/python*/site-packages/app/cli.py"))


def test_every_module_is_compiled_since_nobody_can_do_it_later(image: Image) -> None:
    modules = list((image.folder / "environment").glob("lib/python*/site-packages/app/**/*.py"))
    assert modules
    for module in modules:
        assert list((module.parent / "__pycache__").glob(f"{module.stem}.*.pyc")), module


def test_the_backup_of_the_instructions_is_taken_beside_the_service_and_counts_the_same(
    image: Image,
) -> None:
    text = (ROOT / "docs" / "deploy.md").read_text("utf-8")
    found = re.search(r"python -c '(import sqlite3.*)'", text)
    assert found is not None
    code = found[1] if namespaces() else found[1].replace("/data/", f"{image.data}/")
    port = free_port()
    with image.running(TASSEI_PORT=str(port)):
        assert get(port, "/readyz")[0] == 200
        assert output(image, "python", "-c", code) == (0, "")
    (copy,) = image.data.glob("backup*")
    restored = f"sqlite:///{'/data' if namespaces() else image.data}/{copy.name}"
    with image.running("verify", TASSEI_DATABASE_URL=restored) as process:
        assert process.communicate(timeout=30) == ("0 mismatches\n", "")
    for file in image.data.glob("backup*"):
        file.unlink()


@pytest.mark.skipif(not namespaces(), reason="needs root and mount namespaces")
def test_the_roots_only_writable_place_is_data_and_its_user_is_nobody(image: Image) -> None:
    code, said = output(
        image,
        "python",
        "-c",
        "import os\n"
        "def writable(folder):\n"
        "    try:\n"
        "        open(folder + '/written', 'w').close()\n"
        "    except OSError:\n"
        "        return False\n"
        "    os.unlink(folder + '/written')\n"
        "    return True\n"
        "folders = ['/', '/usr', '/tmp', '/opt/tassei', '/dev', '/data']\n"
        "print(os.getuid(), os.getgid(), os.getgroups(), *filter(writable, folders))",
    )
    assert (code, said) == (0, "10001 10001 [10001] /data\n")

"""What the Dockerfile builds runs as its user, writes to /data alone, and stops when told.

No Docker daemon is asked for: tests/deploy/image.py says what stands in for it.
"""

from __future__ import annotations

import re
import signal
from collections.abc import Iterator
from importlib.metadata import distributions
from pathlib import Path

import pytest

from tests.deploy.dockerfile import ROOT
from tests.deploy.image import Container, Image, built, namespaces
from tests.patience import HANG_SECONDS
from tests.web.test_cli import free_port, get

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def image(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Image]:
    with built(tmp_path_factory.mktemp("build")) as image:
        yield image


@pytest.fixture
def container(image: Image, tmp_path: Path) -> Container:
    return Container(image, tmp_path)


def output(container: Container, *words: str) -> tuple[int, str]:
    with container.program(*words) as process:
        out, log = process.communicate(timeout=HANG_SECONDS)
        return process.returncode, out + log


def test_it_serves_is_found_healthy_and_stops_when_it_is_told(container: Container) -> None:
    port = str(free_port())
    probe = container.image.final.command("HEALTHCHECK")
    with container.running(TASSEI_PORT=port) as process:
        assert get(int(port), "/readyz")[0] == 200
        with container.program(*probe, TASSEI_PORT=port) as healthy:
            assert healthy.wait(timeout=HANG_SECONDS) == 0
        process.send_signal(signal.SIGTERM)
        # Less than a request may take to drain, though the machine may be slow: none is under way.
        out, log = process.communicate(timeout=10)
    assert process.returncode == 0, log
    assert "tsk_default_" in out
    with container.program(*probe, TASSEI_PORT=port) as unhealthy:
        assert unhealthy.wait(timeout=HANG_SECONDS) == 1
    left = {path.name for path in container.data.iterdir()}
    assert left - {f"tassei.sqlite3-{end}" for end in ("turn", "floor")} == {
        "tassei.sqlite3",
        "secret.key",
    }


def test_the_backup_of_the_instructions_is_taken_beside_the_service_and_counts_the_same(
    container: Container,
) -> None:
    text = (ROOT / "docs" / "deploy.md").read_text("utf-8")
    found = re.search(r"docker exec tassei (tassei backup .*)", text)
    assert found is not None
    words = found[1].replace("/data/", f"{container.mounted}/").split()
    port = free_port()
    with container.running(TASSEI_PORT=str(port)):
        assert get(port, "/readyz")[0] == 200
        status, said = output(container, *words)
        assert status == 0, said
        assert "bytes, sound, recounted" in said
    restored = f"sqlite:///{container.mounted}/backup.sqlite3"
    with container.running("verify", TASSEI_DATABASE_URL=restored) as process:
        assert process.communicate(timeout=HANG_SECONDS) == ("0 mismatches\n", "")


def test_the_environment_holds_the_service_and_nothing_that_builds_or_tests(image: Image) -> None:
    (packages,) = image.environment.glob("lib/python*/site-packages")
    installed = {found.name.lower() for found in distributions(path=[str(packages)])}
    assert {"tassei", "fastapi", "uvloop", "tzdata"} <= installed
    assert not installed & {"uv", "pip", "hatchling", "pytest", "hypothesis", "ruff", "mypy"}
    # Installed, not linked to a folder that the final stage does not have; and all of it.
    for module in (ROOT / "app").rglob("*.py"):
        assert (packages / module.relative_to(ROOT)).read_bytes() == module.read_bytes()


def test_every_module_is_compiled_since_nobody_can_do_it_later(image: Image) -> None:
    modules = list(image.environment.glob("lib/python*/site-packages/app/**/*.py"))
    assert modules
    for module in modules:
        assert list((module.parent / "__pycache__").glob(f"{module.stem}.*.pyc")), module


@pytest.mark.skipif(not namespaces(), reason="needs root and mount namespaces")
def test_the_roots_only_writable_place_is_data_and_its_user_is_nobody(
    container: Container,
) -> None:
    assert output(container, "python", "-c", WRITABLE) == (0, "10001 10001 [10001] /data\n")


WRITABLE = """
import os

def writable(folder):
    try:
        open(folder + "/written", "w").close()
    except OSError:
        return False
    os.unlink(folder + "/written")
    return True

folders = ["/", "/usr", "/tmp", "/opt/tassei", "/dev", "/data"]
print(os.getuid(), os.getgid(), os.getgroups(), *filter(writable, folders))
"""

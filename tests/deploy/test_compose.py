"""compose.yaml agrees with the image, and Prometheus finds the service in it."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml
from sqlalchemy import make_url

from app.settings import load
from app.store.postgresql import OLDEST
from app.web.server import DRAIN_SECONDS
from tests.deploy.dockerfile import ROOT, stages
from tests.prometheus_tools import promtool

__all__ = ["promtool"]

CONFIG = ROOT / "examples" / "prometheus" / "prometheus.yml"


@pytest.fixture(scope="module")
def compose() -> dict[str, Any]:
    return dict(yaml.safe_load((ROOT / "compose.yaml").read_text("utf-8")))


@pytest.fixture(scope="module")
def tassei(compose: dict[str, Any]) -> dict[str, Any]:
    return dict(compose["services"]["tassei"])


def test_its_environment_over_the_images_loads(tassei: dict[str, Any]) -> None:
    defaults = {
        name: re.sub(r"\$\{\w+:-(.*)\}", r"\1", value)
        for name, value in tassei["environment"].items()
    }
    settings = load(stages()[-1].environment | defaults)
    assert settings.admin_key is None
    assert tassei["ports"] == [f"127.0.0.1:8000:{settings.port}"]
    assert settings.public_url == "http://localhost:8000"
    assert tassei["volumes"] == [f"data:{settings.data_dir}"]


def test_it_is_the_image_locked_down(tassei: dict[str, Any]) -> None:
    image = stages()[-1]
    assert tassei["image"] == f"tassei:{image.labels['org.opencontainers.image.version']}"
    assert tassei["healthcheck"]["test"] == ["CMD", *image.command("HEALTHCHECK")]
    assert tassei["read_only"] is True
    assert tassei["cap_drop"] == ["ALL"]
    assert int(tassei["stop_grace_period"].removesuffix("s")) > DRAIN_SECONDS


def test_every_volume_is_declared_and_every_mounted_file_is_there(compose: dict[str, Any]) -> None:
    mounted = [v.split(":")[0] for s in compose["services"].values() for v in s["volumes"]]
    assert {name for name in mounted if "/" not in name} == set(compose["volumes"])
    assert all((ROOT / name).is_file() for name in mounted if "/" in name)


def test_prometheus_is_pinned_and_scrapes_the_metrics_port(compose: dict[str, Any]) -> None:
    prometheus = compose["services"]["prometheus"]
    assert re.fullmatch(r"prom/prometheus:v\d+\.\d+\.\d+", prometheus["image"])
    (job,) = yaml.safe_load(CONFIG.read_text("utf-8"))["scrape_configs"]
    port = compose["services"]["tassei"]["environment"]["TASSEI_METRICS_PORT"]
    assert job["static_configs"] == [{"targets": [f"tassei:{port}"]}]


def test_on_postgresql_it_waits_for_the_server_and_has_the_key_from_outside() -> None:
    over = yaml.safe_load((ROOT / "compose.postgres.yaml").read_text("utf-8"))
    server, tassei = over["services"]["postgres"], over["services"]["tassei"]
    assert re.fullmatch(r"postgres:\d+\.\d+", server["image"])
    assert int(server["image"].removeprefix("postgres:").partition(".")[0]) * 10_000 >= OLDEST
    assert tassei["depends_on"] == {"postgres": {"condition": "service_healthy"}}
    # Never on the socket: there a server answers while the database is still being made.
    assert server["healthcheck"]["test"][:2] == ["CMD", "pg_isready"]
    assert "127.0.0.1" in server["healthcheck"]["test"]
    given = {"POSTGRES_PASSWORD": "s3cret", "TASSEI_SECRET_KEY": "A" * 43 + "="}
    filled = {
        name: re.sub(r"\$\{(\w+):\?\}", lambda found: given[found[1]], value)
        for name, value in tassei["environment"].items()
    }
    settings = load(stages()[-1].environment | filled)
    address = make_url(settings.database)
    made = server["environment"]
    assert (address.username, address.database, address.host) == (
        made["POSTGRES_USER"],
        made["POSTGRES_DB"],
        "postgres",
    )
    assert "ports" not in server
    assert [volume.partition(":")[0] for volume in server["volumes"]] == list(over["volumes"])


@pytest.mark.slow
def test_promtool_accepts_the_scrape_configuration(promtool: Path) -> None:
    ran = subprocess.run(  # noqa: S603 - Prometheus's own checker
        [promtool, "check", "config", CONFIG], capture_output=True, text=True, check=False
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr

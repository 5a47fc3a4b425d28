"""Settings: right ones are read, wrong ones stop the start with one line and no secret."""

from __future__ import annotations

import base64
import stat
from pathlib import Path

import pytest

from app.settings import Settings, SettingsError, load, secret_key, table

ROOT = Path(__file__).parents[2]
KEY = base64.urlsafe_b64encode(bytes(range(32))).decode()
ADMIN = "tsk_default_" + "a" * 32


def test_without_a_setting_all_is_local() -> None:
    settings = load({"PATH": "/bin", "TASSEI_TEST_DATABASE_URL": "x"})
    assert (settings.host, settings.port) == ("127.0.0.1", 8000)
    assert settings.database == "sqlite:///data/tassei.sqlite3"
    assert settings.cors_origins == ()
    assert settings.metrics_port is None


def test_every_setting_is_read() -> None:
    settings = load(
        {
            "TASSEI_DATA_DIR": "/srv/tassei",
            "TASSEI_DATABASE_URL": "sqlite:////srv/other.sqlite3",
            "TASSEI_HOST": "::",
            "TASSEI_PORT": "9000",
            "TASSEI_PUBLIC_URL": "https://tassei.example.com/base",
            "TASSEI_ADMIN_KEY": ADMIN,
            "TASSEI_SECRET_KEY": KEY,
            "TASSEI_METRICS_PORT": "9001",
            "TASSEI_METRICS_TOKEN": "scrape",
            "TASSEI_LOG_FORMAT": "json",
            "TASSEI_CORS_ORIGINS": "https://a.example, http://localhost:5173",
        }
    )
    assert settings.database == "sqlite:////srv/other.sqlite3"
    assert settings.cors_origins == ("https://a.example", "http://localhost:5173")
    assert settings.admin_key is not None
    assert settings.admin_key.get_secret_value() == ADMIN
    assert secret_key(settings) == KEY.encode()
    for secret in (ADMIN, KEY, "scrape"):
        assert secret not in repr(settings)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("TASSEI_PORT", "0"),
        ("TASSEI_PORT", "65536"),
        ("TASSEI_PORT", "http-hunter2"),
        ("TASSEI_METRICS_PORT", "8000"),
        ("TASSEI_LOG_FORMAT", "hunter2"),
        ("TASSEI_DATABASE_URL", "mysql://u:hunter2@db/x"),
        ("TASSEI_DATABASE_URL", "sqlite:///"),
        ("TASSEI_PUBLIC_URL", "tassei.example.com"),
        ("TASSEI_PUBLIC_URL", "ftp://tassei.example.com"),
        ("TASSEI_PUBLIC_URL", "https://tassei.example.com/"),
        ("TASSEI_PUBLIC_URL", "https://tassei.example.com?hunter2"),
        ("TASSEI_PUBLIC_URL", "https://me:hunter2@tassei.example.com"),
        ("TASSEI_PUBLIC_URL", "https://"),
        ("TASSEI_PUBLIC_URL", "https://[hunter2"),
        ("TASSEI_ADMIN_KEY", "hunter2"),
        ("TASSEI_ADMIN_KEY", "tsk_other_" + "a" * 32),
        ("TASSEI_SECRET_KEY", "hunter2"),
        ("TASSEI_SECRET_KEY", "ü" * 44),
        ("TASSEI_CORS_ORIGINS", "*"),
        ("TASSEI_CORS_ORIGINS", "https://a.example/path"),
        ("TASSEI_PROT", "hunter2"),
        ("TASSEI_", "hunter2"),
        ("TASSEI_SETTINGS", "/nowhere/hunter2"),
    ],
)
def test_a_wrong_setting_is_one_line_that_names_it_and_hides_its_value(
    name: str, value: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        load({name: value})
    line = str(caught.value)
    assert name in line
    assert "\n" not in line
    assert "hunter2" not in line


def test_a_file_may_hold_them_and_the_environment_wins(tmp_path: Path) -> None:
    file = tmp_path / "tassei.env"
    file.write_text(
        "# ours\nTASSEI_PORT=9000\nTASSEI_HOST='0.0.0.0'\nexport TASSEI_LOG_FORMAT=json\n"
    )
    settings = load({"TASSEI_SETTINGS": str(file), "TASSEI_PORT": "9009"})
    assert (settings.host, settings.port, settings.log_format) == ("0.0.0.0", 9009, "json")  # noqa: S104 - only compared


@pytest.mark.parametrize("line", ["TASSEI_PROT=1", "PORT=1", "TASSEI_PORT=x"])
def test_a_file_is_read_as_strictly(tmp_path: Path, line: str) -> None:
    file = tmp_path / "tassei.env"
    file.write_text(line + "\n")
    with pytest.raises(SettingsError) as caught:
        load({"TASSEI_SETTINGS": str(file)})
    assert "TASSEI_" in str(caught.value)


def test_a_missing_secret_key_is_made_once_for_the_owner_alone(tmp_path: Path) -> None:
    settings = Settings(data_dir=tmp_path / "data")
    key = secret_key(settings)
    file = tmp_path / "data" / "secret.key"
    assert len(base64.urlsafe_b64decode(key)) == 32
    assert secret_key(settings) == key
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [path.name for path in file.parent.iterdir()] == ["secret.key"]
    assert secret_key(Settings(data_dir=tmp_path / "other")) != key


def test_the_documented_table_is_the_generated_one() -> None:
    committed = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    assert committed == table(), "run `make openapi`"
    assert all(field.description for field in Settings.model_fields.values())

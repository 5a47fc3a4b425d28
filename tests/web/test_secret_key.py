"""One secret key for all who serve a database: another one is refused at the start, not later."""

from __future__ import annotations

import base64
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr
from sqlalchemy import delete
from typer.testing import CliRunner

from app.cli import cli
from app.main import opened, rekeyed
from app.settings import Settings, SettingsError
from app.store.engine import StartError, Store
from app.store.tables import seal
from tests import engines
from tests.engines import on_both
from tests.web.service import started_in

pytestmark = on_both
AT = "2026-12-07T12:00:00+09:00"
SIGNED = {"provider": "standard_webhooks", "name": "Booking", "counts": ["lead"]}


def key(letter: str) -> str:
    return base64.urlsafe_b64encode(letter.encode() * 32).decode()


def settings(folder: Path, letter: str) -> Settings:
    return Settings(
        data_dir=folder,
        database_url=engines.url(folder, migrated=True),
        secret_key=SecretStr(key(letter)),
    )


def served(folder: Path, letter: str, **more: Any) -> Any:
    return started_in(folder, AT, secret_key=SecretStr(key(letter)), **more)


def refusal(folder: Path, letter: str) -> StartError:
    with pytest.raises(StartError) as caught:
        opened(settings(folder, letter))
    return caught.value


def test_a_start_with_another_key_is_refused_in_one_sentence_that_names_it(tmp_path: Path) -> None:
    opened(settings(tmp_path, "a")).store.close()
    said = refusal(tmp_path, "b")
    assert said.code == "secret_key_differs"
    assert "TASSEI_SECRET_KEY" in str(said)
    assert "\n" not in str(said)
    opened(settings(tmp_path, "a")).store.close()


def test_of_many_first_starts_at_once_with_keys_of_their_own_one_is_served(tmp_path: Path) -> None:
    address = engines.url(tmp_path, migrated=True)
    Store(address).close()

    def start(letter: str) -> str:
        try:
            opened(settings(tmp_path, letter)).store.close()
        except StartError as error:
            return error.code
        return "served"

    with ThreadPoolExecutor(6) as pool:
        said = list(pool.map(start, "abcdef"))
    assert sorted(said) == ["secret_key_differs"] * 5 + ["served"]


def test_a_database_from_before_is_known_by_what_was_sealed(tmp_path: Path) -> None:
    with served(tmp_path, "a", public_url="https://t.example") as service:
        assert service.put("/v1/sources/booking", SIGNED).status_code == 201
        with service.store.transaction() as connection:
            connection.execute(delete(seal))
    refusal(tmp_path, "b")
    with served(tmp_path, "a") as service:
        assert service.get("/v1/sources/booking").status_code == 200
    refusal(tmp_path, "b")


def test_with_a_lost_key_the_service_goes_on_and_lists_who_needs_credentials(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with served(tmp_path, "a", public_url="https://t.example") as service:
        first = service.put("/v1/sources/booking", SIGNED).json()
        plain = {"provider": "events", "name": "CRM", "counts": ["call"]}
        assert service.put("/v1/sources/crm", plain).status_code == 201
    refusal(tmp_path, "b")
    monkeypatch.setenv("TASSEI_SECRET_KEY", key("b"))
    monkeypatch.setenv("TASSEI_DATABASE_URL", engines.url(tmp_path))
    monkeypatch.setenv("TASSEI_DATA_DIR", str(tmp_path))
    done = CliRunner().invoke(cli, ["rekey"])
    assert (done.exit_code, done.stdout) == (
        0,
        "default: booking\n1 sources to be given credentials anew\n",
    )
    assert rekeyed(settings(tmp_path, "b")) == []
    refusal(tmp_path, "a")
    with served(tmp_path, "b", public_url="https://t.example") as service:
        seen = service.get("/v1/sources/booking")
        again = service.replace("/v1/sources/booking", SIGNED).json()
        assert seen.status_code == 200
        assert again["secret"] != first["secret"]
        assert service.get("/v1/sources/crm").status_code == 200


def test_a_data_folder_that_can_hold_no_key_is_one_line(tmp_path: Path) -> None:
    (tmp_path / "secret.key").mkdir()
    with pytest.raises(SettingsError, match="TASSEI_SECRET_KEY: unset"):
        opened(Settings(data_dir=tmp_path, database_url=engines.url(tmp_path)))

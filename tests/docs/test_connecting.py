"""docs/connecting.md and docs/connecting.ja.md, executed."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from app.domain.errors import Unauthenticated
from app.views.messages import MESSAGES
from tests.docs.pages import commands, curl, tassei
from tests.web.example import START, settle
from tests.web.service import Service, started_in

DOCS = Path(__file__).parents[2] / "docs"
PAGES = {name: (DOCS / name).read_text("utf-8") for name in ("connecting.md", "connecting.ja.md")}
in_both_languages = pytest.mark.parametrize("page", PAGES.values(), ids=PAGES)


@pytest.fixture
def service(tmp_path: Path) -> Iterator[Service]:
    with started_in(tmp_path, START) as running:
        yield settle(running)


@in_both_languages
def test_every_command_of_the_page_works(
    page: str, service: Service, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TASSEI_DATA_DIR", str(tmp_path))
    done = 0
    for command in commands(page):
        if command[0] == "curl":
            answer = curl(service, command)
            assert answer.is_success, answer.text
        else:
            assert "/v1/hooks/h_default_" in tassei(command)
        done += 1
    assert done == 5
    told = service.get("/v1/activities/crm/d-1").json()
    assert told["fields"]["origin"] == [{"key": "m-1", "source": "booking"}]
    assert service.get("/v1/sources/booking").json()["counts"] == ["meeting"]


@in_both_languages
def test_every_code_of_the_page_is_one_that_is_told(page: str) -> None:
    rows = re.findall(r"^\| (`.+?) \|", page, re.MULTILINE)
    codes = [code for row in rows for code in re.findall(r"`(\w+)`", row)]
    assert len(codes) == 14
    assert [code for code in codes if not {code, f"refused_{code}"} & MESSAGES.keys()] == []


def test_every_reason_of_a_proof_has_its_advice() -> None:
    """Whatever a sender's proof can be refused for is told with what to do about it."""
    intake = Path(__file__).parents[2] / "app" / "intake"
    name = Unauthenticated.__name__
    found = {
        code
        for path in intake.rglob("*.py")
        for code in re.findall(rf'{name}\("(\w+)"\)', path.read_text(encoding="utf-8"))
    }
    assert len(found) > 6
    assert {code for code in found if f"refused_{code}" not in MESSAGES} == set()

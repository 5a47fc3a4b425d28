"""The table of senders, in both languages and in the README, against the adapters themselves."""

from __future__ import annotations

import importlib
import json
import re
import tomllib
from dataclasses import replace
from pathlib import Path

import pytest

from app.domain.errors import Unauthenticated
from app.domain.instants import DAY, MINUTE
from app.intake import providers
from app.intake.credentials import Use
from app.intake.registry import PROVIDERS
from app.intake.requests import HookRequest
from app.outbound.registry import APIS
from app.usecases.fetch_visit import INTERVAL
from tests.intake.conformance import all_samples, hook_of, read

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs" / "senders"
PAGES = {"en": "README.md", "ja": "README.ja.md"}
_COLUMNS = ("counts", "proof", "duplicates", "order", "fetched", "reconciled", "tested")
_NEEDED = {"en": "needed", "ja": "必要"}
_NOT_NEEDED = {"en": "not needed", "ja": "不要"}
_NOTHING = "–"
_SIMULATED = {"en": "simulated API", "ja": "API のシミュレータ"}
_CHANNEL = {"en": "renews its", "ja": "を更新"}
_UNITS = {"minutes": MINUTE, "分": MINUTE, "hours": 60 * MINUTE, "時間": 60 * MINUTE}
_UNITS |= {"day": DAY, "days": DAY, "日": DAY}
_AGE = re.compile(r"(?:許容差 |; )(\d+) ?(\w+?)(?:[;。]|$)")
# Vendors' code by what tests import.
_VENDORS = {
    "twilio": "twilio",
    "hubspot": "hubspot-api-client",
    "stripe": "stripe",
    "standardwebhooks": "standardwebhooks",
    "svix": "svix",
    "vonage_jwt": "vonage-jwt",
    "jwt": "PyJWT",
    "cloudevents": "cloudevents",
}
_IMPORTED = re.compile(rf"^(?:import|from) ({'|'.join(_VENDORS)})\b", re.MULTILINE)
_NODE = "@zoom/rivet"
# Their events are read by what everybody shares.
_SHARED = frozenset({"events", "csv", "standard_webhooks", "custom"})

Row = dict[str, str]


def table(page: str) -> dict[str, Row]:
    rows = re.findall(r"^\| \[?`(\w+)`\S* \| (.+) \|$", page, re.MULTILINE)
    return {name: dict(zip(_COLUMNS, cells.split(" | "), strict=True)) for name, cells in rows}


TABLES = {
    language: table((DOCS / page).read_text(encoding="utf-8")) for language, page in PAGES.items()
}
in_both_languages = pytest.mark.parametrize("language", TABLES)
SAMPLES: dict[str, list[HookRequest]] = {}
for _name, _request in all_samples():
    SAMPLES.setdefault(_name, []).append(_request)


def words(cell: str) -> set[str]:
    """What stands in a cell as code."""
    return set(re.findall(r"`([^`]+)`", cell))


def source(name: str) -> str:
    """The code of a provider; of those whose events everybody shares, of the room."""
    if name in _SHARED:
        found = list((ROOT / "app" / "intake").glob("*.py"))
    else:
        module = importlib.import_module(f"{providers.__name__}.{name}")
        own = Path(str(module.__file__))
        found = list(own.parent.glob("*.py")) if own.name == "__init__.py" else [own]
    return "\n".join(path.read_text(encoding="utf-8") for path in found)


@in_both_languages
def test_every_sender_has_one_row_with_what_it_counts(language: str) -> None:
    rows = TABLES[language]
    assert rows.keys() == PROVIDERS.keys()
    page = (DOCS / PAGES[language]).read_text(encoding="utf-8")
    assert len(re.findall(r"^\| \[?`", page, re.MULTILINE)) == len(PROVIDERS)
    linked = re.findall(r"\]\(([^)]+)\)", page)
    assert [one for one in linked if not (DOCS / one).exists()] == []
    told = {name: words(row["counts"]) for name, row in rows.items()}
    assert told == {name: set(one.counts or ()) for name, one in PROVIDERS.items()}


@in_both_languages
def test_what_proves_a_request_are_the_credentials_of_the_source(language: str) -> None:
    for name, provider in PROVIDERS.items():
        proving = {one.name for one in provider.secrets if one.use is Use.PROVING}
        known = {one.name for one in provider.secrets}
        told = words(TABLES[language][name]["proof"])
        assert told & known == proving, name
        unknown = [one for one in told - proving - {"X-API-Key"} if one not in source(name)]
        assert unknown == [], name


@in_both_languages
def test_a_request_is_taken_for_as_long_as_the_table_says(language: str) -> None:
    # How a sender of one's own proves itself its settings say.
    for name, requests in [pair for pair in SAMPLES.items() if pair[0] != "custom"]:
        ages = _AGE.findall(TABLES[language][name]["proof"])
        longest = max((int(number) * _UNITS[unit] for number, unit in ages), default=None)
        if longest is None:
            assert all(taken(name, one, 400 * DAY) for one in requests), name
        else:
            # Some samples are signed a little before they come.
            assert any(taken(name, one, longest - MINUTE) for one in requests), name
            assert not any(taken(name, one, longest + MINUTE) for one in requests), name


def taken(name: str, request: HookRequest, later: int) -> bool:
    try:
        hook_of(name).verify(replace(request, received_at=request.received_at + later))
    except Unauthenticated:
        return False
    return True


@in_both_languages
def test_keys_and_revisions_are_made_of_what_the_table_names(language: str) -> None:
    for name, row in TABLES[language].items():
        asked = f"app/outbound/apis/{name}.py"
        code = source(name)
        if (ROOT / asked).exists():
            code += (ROOT / asked).read_text(encoding="utf-8")
        named = words(row["duplicates"]) | words(row["order"])
        # As it stands in the code: a name in quotes, alone or among others.
        assert [one for one in named if not re.search(rf"[\"' ]{re.escape(one)}[\"' ]", code)] == []


@in_both_languages
def test_who_is_asked_and_for_what_is_what_is_done(language: str) -> None:
    for name, row in TABLES[language].items():
        api, hook = APIS.get(name), PROVIDERS[name].hook
        if api is None or hook is None:
            assert row["fetched"] == _NOTHING, name
            assert row["reconciled"].startswith(_NOTHING), name
            assert _SIMULATED[language] not in row["tested"], name
            continue
        thin = any(read(name, request).references for request in SAMPLES[name])
        assert row["fetched"].startswith((_NEEDED if thin else _NOT_NEEDED)[language]), name
        assert row["reconciled"].partition("5")[0] in {"every ", ""}, name
        assert words(row["reconciled"]) == set(api.required), name
        assert (_CHANNEL[language] in row["reconciled"]) is (api.channels is not None), name
        assert _SIMULATED[language] in row["tested"], name
    assert INTERVAL == 5 * MINUTE


@in_both_languages
def test_vendors_code_that_is_named_is_run_and_that_is_run_is_named(language: str) -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    wanted = {re.split(r"[<>=\[]", one)[0] for one in project["dependency-groups"]["test"]}
    node = json.loads((ROOT / "tests/node/package.json").read_text(encoding="utf-8"))
    for name, row in TABLES[language].items():
        told = words(row["tested"])
        assert {one.lower() for one in told} <= {*wanted, *node["dependencies"]}, name
        files = [*(ROOT / "tests/intake").glob("**/*.py"), *(ROOT / "tests/node").glob("test_*")]
        own = [path for path in files if is_about(path, name)]
        run = {_VENDORS[one] for path in own for one in _IMPORTED.findall(path.read_text("utf-8"))}
        run |= {_NODE} if any(path.parent.name == "node" for path in own) else set()
        assert run <= told, name
        # What several share is imported where their samples are made.
        every = {_VENDORS[one] for path in files for one in _IMPORTED.findall(path.read_text())}
        assert told <= every | run, name


def is_about(path: Path, name: str) -> bool:
    stem = path.stem.removeprefix("test_").removesuffix("_events")
    return stem == name and path.parent.name != "samples"


def test_the_readmes_short_table_has_the_same_senders_and_asks_the_same() -> None:
    page = (ROOT / "README.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| (\[?`.+?) \| (.+) \|$", page, re.MULTILINE)
    told = {
        name: cells.split(" | ")
        for names, cells in rows
        for name in re.findall(r"`(\w+)`", names)
        if name in PROVIDERS
    }
    assert told.keys() == PROVIDERS.keys() - {"csv"}
    for name, cells in told.items():
        assert ("every 5 minutes" in cells[-2]) is (name in APIS), name
        packages = words(TABLES["en"][name]["tested"]) - {"PyJWT"}
        assert all(one.removesuffix("-api-client") in cells[-1] for one in packages), name

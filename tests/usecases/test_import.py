"""A file is imported: counted as said, repeated without effect, refused by row and column."""

from __future__ import annotations

import csv
import io
import random
import sqlite3
import threading
from pathlib import Path
from typing import Any

import pytest
from rich.console import Console

from app.domain.errors import Unreadable
from app.main import opened, random_token
from app.settings import Settings
from app.usecases import workspaces
from app.usecases.import_file import Import, mapping_in
from tests.web.service import Clock, Service, started_in

DEALS = """
[source]
key = "crm"
[activity]
kind = "deal"
key = "id"
actor = "agent"
[fields]
status = { column = "stage", map = { Won = "won", Lost = "lost" } }
won_at = { column = "closed", type = "date", zone = "UTC", when = { stage = "Won" } }
amount = { column = "value", type = "decimal" }
currency = { constant = "USD" }
"""
TEAMS = """
[source]
key = "crm"
[activity]
kind = "team"
key = "team"
[fields]
name = "team"
parent = "office"
"""
MEMBERS = """
[source]
key = "crm"
[activity]
kind = "member"
key = "agent"
[fields]
name = "agent"
team = "team"
id = "agent"
"""
HEADER = "id,agent,stage,closed,value\n"
PEOPLE = "agent,team,office\nAnn Lee,North One,\nBo Kim,South,North One\nCy Ray,South,North One\n"
NOW = "2026-12-10T00:00:00Z"


def deals(number: int = 2_500) -> list[str]:
    dice = random.Random(7)
    return [
        f"d{n},{dice.choice(['Ann Lee', 'Bo Kim'])},{dice.choice(['Won', 'Lost'])},"
        f"2026-1{dice.randint(0, 1)}-{dice.randint(1, 28):02},{dice.randint(0, 999)}\n"
        for n in range(number)
    ]


class Importer:
    """Imports into a folder as the command does, beside whatever runs there."""

    def __init__(self, folder: Path, scratch: Path) -> None:
        clock = Clock(0)
        clock.set(NOW)
        self.context = opened(Settings(data_dir=folder), clock=clock)
        self.context.committer.start()
        self.scratch = scratch
        self.path = scratch / "file.csv"

    def __call__(self, rules: str, text: str) -> tuple[bool, str]:
        mapping = self.scratch / "mapping.toml"
        mapping.write_text(rules, encoding="utf-8")
        self.path.write_text(text, encoding="utf-8-sig")
        screen = io.StringIO()
        console = Console(file=screen, width=200)
        clean = Import(self.context, "default", mapping_in(mapping), console).run(self.path)
        return clean, screen.getvalue()

    def refused(self) -> list[list[str]]:
        path = self.path.with_name("file.csv.refused.csv")
        if not path.exists():
            return []
        return list(csv.reader(io.StringIO(path.read_text(encoding="utf-8"))))

    def close(self) -> None:
        self.context.committer.stop()
        self.context.store.close()


@pytest.fixture
def service(tmp_path: Path) -> Any:
    with started_in(tmp_path / "data", NOW) as running:
        yield running


@pytest.fixture
def load(service: Service, tmp_path: Path) -> Any:
    found = Importer(service.folder, tmp_path)
    yield found
    found.close()


def won(service: Service, by: str) -> dict[str | None, tuple[int, str]]:
    answer = service.get(f"/v1/metrics/revenue/series?from=2026-10-01&group_by={by}&fill=zero")
    assert answer.status_code == 200, answer.text
    return {item[by]: (item["count"], item["value"]) for item in answer.json()["items"]}


def expected(rows: list[str], agent: str) -> tuple[int, str]:
    cells = [row.strip().split(",") for row in rows]
    values = [int(c[4]) for c in cells if c[1] == agent and c[2] == "Won"]
    return len(values), str(sum(values))


def test_a_running_service_counts_what_is_imported_beside_it(
    service: Service, load: Importer
) -> None:
    # The service has written before and goes on: its own knowledge must not get in the way.
    source = {"provider": "events", "name": "own", "counts": ["call"]}
    assert service.put("/v1/sources/own", source).status_code == 201
    own = {"specversion": "1.0", "source": "own", "type": "call", "actor": "Ann Lee"}
    data = {"direction": "outbound", "started_at": "2026-12-09T00:00:00Z"}
    assert service.counts([own | {"id": "1", "data": data}]) == {"accepted": 1}
    rows = deals()
    assert load(TEAMS, PEOPLE.replace("South,North One", "North One,"))[0]
    assert load(TEAMS, "team,office\nSouth,North One\n")[0]
    assert load(MEMBERS, PEOPLE)[0]
    clean, said = load(DEALS, HEADER + "".join(rows))
    assert clean
    assert "accepted 2500  revised 0  duplicate 0" in said
    assert service.counts([own | {"id": "2", "data": data, "actor": "Bo Kim"}]) == {"accepted": 1}
    counted = won(service, "member")
    assert counted["ann-lee"] == expected(rows, "Ann Lee")
    assert counted["bo-kim"] == expected(rows, "Bo Kim")
    assert counted["cy-ray"] == (0, "0")
    assert won(service, "team")["south"] == expected(rows, "Bo Kim")
    assert service.mismatches() == []
    assert service.get("/v1/sources/crm").json()["counts"] == ["deal"]


def test_senders_are_heard_while_a_file_is_imported(service: Service, load: Importer) -> None:
    assert service.put("/v1/sources/crm", {"provider": "csv", "name": "x"}).status_code == 201
    assert load(MEMBERS.replace('team = "team"\n', ""), PEOPLE)[0]
    rows = deals()
    own = {"specversion": "1.0", "source": "crm", "type": "deal", "actor": "Ann Lee"}
    data = {"status": "won", "won_at": "2026-11-01T00:00:00Z", "amount": "1", "currency": "USD"}
    heard: list[dict[str, int]] = []
    ended = threading.Event()

    def send() -> None:
        while not ended.is_set():
            heard.append(service.counts([own | {"id": f"own{len(heard)}", "data": data}]))

    sender = threading.Thread(target=send)
    sender.start()
    clean, _ = load(DEALS, HEADER + "".join(rows))
    ended.set()
    sender.join()
    assert clean
    assert heard == [{"accepted": 1}] * len(heard)
    count, value = expected(rows, "Ann Lee")
    assert won(service, "member")["ann-lee"] == (count + len(heard), str(int(value) + len(heard)))
    assert service.mismatches() == []


def test_importing_again_in_any_order_changes_nothing(service: Service, load: Importer) -> None:
    rows = deals(1_200)
    load(DEALS, HEADER + "".join(rows))
    load(MEMBERS.replace('team = "team"\n', ""), PEOPLE)
    before = won(service, "member"), service.get("/v1/members").text
    for seed in (1, 2):
        random.Random(seed).shuffle(rows)
        clean, said = load(DEALS, HEADER + "".join(rows))
        assert clean
        assert "accepted 0  revised 0  duplicate 1200  stale 0" in said
        assert load(MEMBERS.replace('team = "team"\n', ""), PEOPLE)[0]
    assert (won(service, "member"), service.get("/v1/members").text) == before


def test_what_is_refused_is_listed_by_row_and_column(load: Importer) -> None:
    good, bad = "1,Ann Lee,Won,2026-11-01,5\n", "2,Ann Lee,Won,soon,5\n"
    clean, said = load(DEALS, HEADER + good + bad + "1,Ann Lee,Won,2026-11-01,6\n" + "3,,Won\n")
    assert not clean
    assert "accepted 1  revised 0  duplicate 0  stale 0  conflict 1  rejected 2" in said
    assert "row 3, closed: Must be a date" in said
    assert [line[:3] for line in load.refused()] == [
        ["row", "column", "code"],
        ["3", "closed", "not_a_date"],
        ["4", "", "revision_conflict"],
        ["5", "", "wrong_number_of_cells"],
    ]
    assert (
        load(DEALS, HEADER + good)
        == (
            True,
            "accepted 0  revised 0  duplicate 1  stale 0  conflict 0  rejected 0\n",
        )
        or load.refused() == []
    )


def test_only_the_first_twenty_faults_are_shown(load: Importer) -> None:
    again = 'closed_at = { column = "closed", type = "date", zone = "UTC" }\n'
    _, said = load(DEALS + again, HEADER + "".join(f"{n},,Won,soon,\n" for n in range(30)))
    assert said.count("Must be a date") == 20
    assert len(load.refused()) == 31


def test_a_member_in_an_unknown_team_is_refused_alone(service: Service, load: Importer) -> None:
    load(TEAMS, "team,office\nSouth,\n")
    clean, _ = load(MEMBERS, "agent,team\nAnn,South\nBo,Nowhere\nAnn,South\nAnn,\n")
    assert not clean
    assert [r[:3] for r in load.refused()[1:]] == [
        ["3", "team", "unknown_team"],
        ["5", "", "two_rows_one_key"],
    ]
    assert [one["key"] for one in service.get("/v1/members").json()["items"]] == ["ann"]


def test_who_changes_teams_moves_today_and_keeps_what_others_said(
    service: Service, load: Importer
) -> None:
    load(TEAMS, "team,office\nSouth,\nNorth,\n")
    email = {"source": "mail", "kind": "email", "value": "ann@x.jp"}
    body = {"name": "Ann", "memberships": [{"team": "south"}], "identities": [email]}
    assert service.put("/v1/sources/mail", {"provider": "events", "name": "m"}).status_code == 201
    assert service.put("/v1/members/ann", body).status_code == 201
    assert load(MEMBERS, "agent,team\nAnn,North\n")[0]
    found = service.get("/v1/members/ann").json()
    assert found["memberships"] == [
        {"team": "south", "to": "2026-12-10"},
        {"team": "north", "from": "2026-12-10"},
    ]
    assert [one["source"] for one in found["identities"]] == ["mail", "crm"]


def test_a_team_under_an_unknown_one_is_refused_at_its_cell(load: Importer) -> None:
    assert not load(TEAMS, "team,office\nSouth,Nowhere\n")[0]
    assert [r[:3] for r in load.refused()[1:]] == [["2", "office", "unknown_team"]]


def test_an_old_list_does_not_bring_back_who_left(service: Service, load: Importer) -> None:
    load(TEAMS, "team,office\nSouth,\n")
    assert load(MEMBERS, "agent,team\nAnn,South\n")[0]
    path = "/v1/members/ann"
    answer = service.client.delete(path, headers={"if-match": service.get(path).headers["etag"]})
    assert answer.is_success, answer.text
    assert not load(MEMBERS, "agent,team\nAnn,South\n")[0]
    assert load.refused()[1][2] == "person_archived"
    assert service.get("/v1/members").json()["items"] == []


def test_a_file_that_is_not_there_is_said_in_one_sentence(load: Importer, tmp_path: Path) -> None:
    load(TEAMS, "team,office\n")
    rules = mapping_in(tmp_path / "mapping.toml")
    with pytest.raises(Unreadable, match="file_not_opened"):
        Import(load.context, "default", rules, Console()).run(tmp_path / "nowhere.csv")


def test_a_source_of_another_provider_is_left_alone(service: Service, load: Importer) -> None:
    service.put("/v1/sources/crm", {"provider": "events", "name": "x"})
    with pytest.raises(Exception, match="provider_fixed"):
        load(DEALS, HEADER + "1,,Won,2026-11-01,5\n")


def test_a_kind_that_its_source_does_not_count_is_told(service: Service, load: Importer) -> None:
    service.put("/v1/sources/crm", {"provider": "csv", "name": "x", "counts": ["call"]})
    assert "does not count deal" in load(DEALS, HEADER + "1,,Won,2026-11-01,5\n")[1]


def test_the_import_waits_while_another_program_holds_the_database(
    service: Service, load: Importer
) -> None:
    other = sqlite3.connect(service.folder / "tassei.sqlite3", check_same_thread=False)
    other.execute("BEGIN IMMEDIATE")
    release = threading.Timer(1, other.close)
    release.start()
    assert load(DEALS, HEADER + "1,,Won,2026-11-01,5\n")[0]
    release.join()


def test_an_import_needs_no_service(tmp_path: Path) -> None:
    load = Importer(tmp_path / "data", tmp_path)
    workspaces.first_start(load.context.store, 0, random_token, None)
    assert load(DEALS, HEADER + "1,,Won,2026-11-01,5\n")[0]
    load.close()

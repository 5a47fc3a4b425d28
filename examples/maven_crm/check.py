"""Import the public "CRM Sales Opportunities" table and compare every number with its answers.

    python -m examples.maven_crm.check FOLDER

FOLDER holds sales_teams.csv, sales_pipeline.csv and reference/*.csv (won, lost and revenue by
month, agent, manager and region). The import goes into a data folder of its own; it is repeated
twice with the rows shuffled, which must change nothing.
"""

from __future__ import annotations

import csv
import random
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Iterable, Iterator
from pathlib import Path
from zoneinfo import ZoneInfo

from rich.console import Console

from app.domain.buckets import Granularity
from app.domain.instants import moment_of
from app.domain.quantities import Quantity
from app.domain.series import By
from app.main import opened, random_token, wall_clock
from app.settings import Settings
from app.store import activities, documents, ledger
from app.usecases import workspaces
from app.usecases.context import Context
from app.usecases.import_file import Import, mapping_in
from app.usecases.metrics import put_metric
from app.usecases.organisation import MEMBER, TEAM
from app.usecases.saving import ANY, Precondition
from app.usecases.series import Asked, Fill, series

HERE = Path(__file__).parent
WORKSPACE = workspaces.DEFAULT
ZONE = ZoneInfo("America/New_York")
SETTINGS = workspaces.FIRST_SETTINGS | {"time_zone": ZONE.key, "currency": "USD"}
# Presets count what is won; a lost deal is counted by a metric of one's own.
LOST = {
    "names": {"en": "Deals lost", "ja": "失注"},
    "kind": "deal",
    "aggregation": "count",
    "time": "closed_at",
    "roles": ["owner"],
    "where": [{"field": "status", "in": ["lost"]}],
}
METRICS = {"won": "deals_won", "lost": "deals_lost", "revenue": "revenue"}
Cell = tuple[str, str, str]  # who ("" for all), month ("" for the year), column
Numbers = dict[Cell, Quantity]


def main(folder: Path) -> int:
    """The number of differences; each is printed."""
    with tempfile.TemporaryDirectory() as data:
        context = opened(Settings(data_dir=Path(data) / "tassei"))
        context.committer.start()
        try:
            return _checked(context, folder, Path(data))
        finally:
            context.committer.stop()
            context.store.close()


def _checked(context: Context, folder: Path, scratch: Path) -> int:
    workspaces.first_start(context.store, wall_clock(), random_token, None)
    seen = Precondition(frozenset({ANY}))
    workspaces.put_settings(context, WORKSPACE, SETTINGS, seen, "check")
    put_metric(context, WORKSPACE, "deals_lost", LOST, Precondition(), "check")
    began = time.perf_counter()
    differences = int(not all(list(_imports(context, folder, scratch, None))))
    print(f"imported in {time.perf_counter() - began:.1f} s")
    differences += _compared(context, folder / "reference")
    before = _everything(context)
    for seed in (1, 2):
        differences += int(not all(list(_imports(context, folder, scratch, seed))))
        differences += int(_everything(context) != before)
    differences += len(ledger.verify(context.store, WORKSPACE))
    print(f"{differences} differences")
    return differences


def _imports(context: Context, folder: Path, scratch: Path, seed: int | None) -> Iterator[bool]:
    """Import every table; whether nothing was refused."""
    for mapping, table in (
        ("offices", "sales_teams"),
        ("teams", "sales_teams"),
        ("members", "sales_teams"),
        ("deals", "sales_pipeline"),
    ):
        path = _shuffled(folder / f"{table}.csv", scratch, seed)
        rules = mapping_in(HERE / f"{mapping}.toml")
        yield Import(context, WORKSPACE, rules, Console()).run(path)


def _shuffled(path: Path, scratch: Path, seed: int | None) -> Path:
    """A copy of a table, its rows in another order: what is imported is never written beside."""
    header, *rows = path.read_text(encoding="utf-8").splitlines(keepends=True)
    if seed is not None:
        random.Random(seed).shuffle(rows)
    rows = [row if row.endswith("\n") else f"{row}\n" for row in rows]
    copy = scratch / path.name
    copy.write_text("".join((header, *rows)), encoding="utf-8")
    return copy


def _compared(context: Context, reference: Path) -> int:
    offices, managers, agents = _names(context)
    differences = 0
    for table, who, by, names in (
        ("by_month", None, By.NOTHING, {}),
        ("by_agent", "sales_agent", By.MEMBER, agents),
        ("by_manager", "manager", By.TEAM, managers),
        ("by_region", "regional_office", By.TEAM, offices),
    ):
        found = _counted(context, by, names)
        asked = _expected(reference / f"{table}.csv", who)
        if who is not None:
            asked |= _expected(reference / f"{table}_month.csv", who)
        else:
            found = {cell: number for cell, number in found.items() if cell[1]}
        wrong = {
            cell for cell in found.keys() | asked.keys() if found.get(cell) != asked.get(cell, 0)
        }
        silent = {cell[0] for cell in found} - {cell[0] for cell in asked}
        shown = f", 0 for {', '.join(sorted(silent))}" if silent else ""
        print(f"{table}: {len(asked)} answers, {len(wrong)} wrong{shown}")
        for cell in sorted(wrong):
            print("  ", *cell, "is", found.get(cell), "and should be", asked.get(cell, 0))
        differences += len(wrong)
    return differences


def _names(context: Context) -> tuple[dict[str, str], dict[str, str], dict[str, str]]:
    """By key: the name of a team's office, the team's own, and the member's."""
    with context.read() as reading:
        teams = {d.key: d.body for d in documents.all_of(reading, WORKSPACE, TEAM)}
        members = documents.all_of(reading, WORKSPACE, MEMBER)
    managers = {key: body["name"] for key, body in teams.items() if body["parents"]}
    offices = {key: teams[teams[key]["parents"][0]["team"]]["name"] for key in managers}
    return offices, managers, {member.key: member.body["name"] for member in members}


def _counted(context: Context, by: By, names: dict[str, str]) -> Numbers:
    """What the service says, by month and in all."""
    found: Numbers = defaultdict(int)
    asked = Asked(
        start="2016-10-01", end="2018-01-01", granularity=Granularity.MONTH, by=by, fill=Fill.ZERO
    )
    for column, metric in METRICS.items():
        for item in series(context, WORKSPACE, metric, asked, None, 100_000).items:
            key = item.group.name
            if by is not By.NOTHING and key not in names and not item.value:
                continue  # nobody, and the offices themselves: no one is directly in them
            month = moment_of(item.bucket.start, ZONE).date().isoformat()[:7]
            for cell in ((names.get(key, key), month, column), (names.get(key, key), "", column)):
                found[cell] += item.value or 0
    return found


def _expected(path: Path, who: str | None) -> Numbers:
    with path.open(encoding="utf-8", newline="") as file:
        return {
            (row[who] if who else "", row.get("month", ""), column): int(row[column])
            for row in csv.DictReader(file)
            for column in METRICS
        }


def _everything(context: Context) -> list[object]:
    """All that is known: activities with what is counted of them, people, and the numbers."""
    with context.read() as reading:
        found: list[object] = [
            (one.key, dict(one.state.fields), one.state.base)
            for one in activities.page(reading, WORKSPACE, None, 100_000).items
        ]
        for collection in (TEAM, MEMBER):
            known: Iterable[documents.Document] = documents.all_of(reading, WORKSPACE, collection)
            found += [(one.key, one.version, one.body) for one in known]
    return [*found, _counted(context, By.ACTOR, {})]


if __name__ == "__main__":
    sys.exit(1 if main(Path(sys.argv[1])) else 0)

"""Importing people: what a file says of members and teams, beside what is known already.

A file knows no dates. Who is new has always been in their team; who was in another one moves
today, and what they did before stays where it was. Identities of other sources are kept.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from app.domain.activities import Outcome
from app.domain.deliveries import ItemResult
from app.domain.errors import Conflict, Fault, Invalid, TasseiError
from app.intake.csv_rows import Person, Row, pointed, read_person
from app.intake.mapping import IDENTITIES, MEMBER, RowMapping
from app.store import documents
from app.store.documents import Document
from app.usecases import organisation, people
from app.usecases.context import Context
from app.usecases.organisation import TEAM
from app.usecases.people import put_members, put_team
from app.usecases.saving import ANY, Precondition, Saved

Body = dict[str, Any]
# Where a document keeps what a field of the mapping says.
_FIELDS = {"memberships": "team", "parents": "parent"}


@dataclass(frozen=True, slots=True)
class _Wanted:
    """A document to be written, and the row that says so."""

    row: int
    key: str
    body: Body


class PeopleImport:
    """One file of members or teams on its way in."""

    def __init__(self, context: Context, workspace: str, mapping: RowMapping, author: str) -> None:
        self._context = context
        self._workspace = workspace
        self._mapping = mapping
        self._author = author
        self._collection = organisation.MEMBER if mapping.people == MEMBER else TEAM
        # What the file said of whom: two rows may repeat each other, not contradict.
        self._said: dict[str, Mapping[str, str]] = {}

    def take(self, rows: Sequence[Row]) -> list[ItemResult]:
        """Take some rows in; a result for each."""
        done: dict[int, ItemResult] = {}
        wanted: list[_Wanted] = []
        known = self._known()
        today = self._today()
        for row in rows:
            try:
                person = read_person(self._mapping, row)
                if self._is_said(person):
                    done[row.number] = _result(row.number, Outcome.DUPLICATE)
                    continue
                before = known.get(person.key)
                if before is not None and before.archived:
                    # Old lists name those who left; only a person can say that they are back.
                    raise Conflict("person_archived", key=person.key)
                body = self._body(person, before.body if before else None, today)
                wanted.append(_Wanted(row.number, person.key, body))
            except TasseiError as error:
                done[row.number] = _refused(row.number, error)
        save = self._save_members if self._mapping.people == MEMBER else self._save_teams
        done |= save(wanted)
        return [done[row.number] for row in rows]

    def _is_said(self, person: Person) -> bool:
        said = self._said.setdefault(person.key, person.values)
        if said != person.values:
            raise Conflict("two_rows_one_key", key=person.key)
        return said is not person.values

    def _known(self) -> dict[str, Document]:
        with self._context.read() as reading:
            found = documents.all_of(reading, self._workspace, self._collection)
        return {document.key: document for document in found}

    def _today(self) -> str:
        with self._context.read() as reading:
            calendar = organisation.settings(reading, self._workspace).calendar
        return calendar.local_day(self._context.clock()).isoformat()

    def _body(self, person: Person, before: Body | None, today: str) -> Body:
        values = person.values
        if self._mapping.people != MEMBER:
            body: Body = before or {"name": person.key, "parents": []}
            named = {"name": values["name"]} if "name" in values else {}
            return body | named | {"parents": _moved(body["parents"], values.get("parent"), today)}
        body = before or {
            "name": person.key, "capacity": "1", "memberships": [], "identities": [],
        }  # fmt: skip
        body = body | {label: values[label] for label in ("name", "capacity") if label in values}
        return body | {
            "memberships": _moved(body["memberships"], values.get("team"), today),
            "identities": self._identities(body["identities"], values),
        }

    def _identities(self, before: list[Body], values: Mapping[str, str]) -> list[Body]:
        source = self._mapping.source
        own = [
            {"source": source, "kind": kind, "value": values[kind]}
            for kind in IDENTITIES
            if kind in values
        ]
        # A dated identity is an admin's work, and says more than the file does.
        known = {(one["source"], one["kind"], one["value"]) for one in before}
        return before + [one for one in own if tuple(one.values()) not in known]

    def _save_teams(self, wanted: Sequence[_Wanted]) -> dict[int, ItemResult]:
        done = {}
        for one in wanted:
            try:
                done[one.row] = _result(one.row, _word(self._save_team(one)))
            except TasseiError as error:
                done[one.row] = _refused(one.row, self._placed(one.row, error))
        return done

    def _save_team(self, one: _Wanted) -> Saved:
        known = one.key in self._known()
        seen = Precondition(frozenset({ANY}) if known else None)
        return put_team(self._context, self._workspace, one.key, one.body, seen, self._author)

    def _placed(self, row: int, error: TasseiError) -> TasseiError:
        """A refusal of a document, pointing at the cell that it is about."""
        if not isinstance(error, Invalid):
            return error
        faults = [
            Fault(f"/row/{row}{self._column(fault.pointer)}", fault.code, fault.params)
            for fault in error.faults
        ]
        return Invalid(error.code, *faults)

    def _column(self, pointer: str) -> str:
        parts = (_FIELDS.get(part, part) for part in pointer.split("/"))
        cell = next((self._mapping.fields[p] for p in parts if p in self._mapping.fields), None)
        return pointed(cell.column) if cell and cell.column else ""

    def _save_members(self, wanted: Sequence[_Wanted]) -> dict[int, ItemResult]:
        """All in one transaction; whoever does not fit is left out, and the others tried again."""
        done: dict[int, ItemResult] = {}
        left = list(wanted)
        while left:
            bodies = [(one.key, one.body) for one in left]
            try:
                saved = put_members(self._context, self._workspace, bodies, self._author)
            except Invalid as error:
                refused = {
                    row: _refused(row, self._placed(row, why))
                    for row, why in _by_row(left, error).items()
                }
                done |= refused
                left = [one for one in left if one.row not in refused]
            else:
                pairs = zip(left, saved, strict=True)
                return done | {one.row: _result(one.row, _word(s)) for one, s in pairs}
        return done


def _moved(before: list[Body], team: str | None, today: str) -> list[Body]:
    """The dated teams of somebody who is in `team` from now on; as before where none is said."""
    current = [
        link for link in before if (link.get("from") or "") <= today < (link.get("to") or "9")
    ]
    if team is None or any(link["team"] == team for link in current):
        return before
    ended = people.ended({"memberships": before, "identities": []}, today)["memberships"]
    return [*ended, {"team": team, "from": today} if before else {"team": team}]


def _by_row(wanted: Sequence[_Wanted], error: Invalid) -> dict[int, Invalid]:
    """The rows that a refusal is about; all of them where it names none."""
    found: dict[int, list[Fault]] = {}
    for fault in error.faults:
        place = fault.pointer.split("/")[1:2]
        if place and place[0].isdigit():
            found.setdefault(wanted[int(place[0])].row, []).append(fault)
    if not found:
        return {one.row: error for one in wanted}
    return {row: Invalid(error.code, *faults) for row, faults in found.items()}


def _word(saved: Saved) -> Outcome:
    if saved.created:
        return Outcome.ACCEPTED
    return Outcome.REVISED if saved.changed else Outcome.DUPLICATE


def _result(row: int, word: Outcome) -> ItemResult:
    return ItemResult(row, None, word)


def _refused(row: int, error: TasseiError) -> ItemResult:
    word = Outcome.CONFLICT if isinstance(error, Conflict) else Outcome.REJECTED
    return ItemResult(row, None, word, error)

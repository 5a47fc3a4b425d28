"""A file on its way in: a bar while it goes, and a report of what was refused and why."""

from __future__ import annotations

import csv
import io
import tomllib
from collections import Counter
from pathlib import Path
from typing import Any, TextIO

from rich.console import Console
from rich.progress import Progress

from app.domain.activities import Outcome
from app.domain.errors import Invalid, TasseiError, Unreadable
from app.intake.mapping import RowMapping, mapping_of
from app.usecases.context import Context
from app.usecases.importing import RefusedRow, imported, uncounted_kinds
from app.views.messages import sentence

SHOWN = 20
_WORDS = (
    Outcome.ACCEPTED,
    Outcome.REVISED,
    Outcome.DUPLICATE,
    Outcome.STALE,
    Outcome.CONFLICT,
    Outcome.REJECTED,
)
_REFUSING = (Outcome.CONFLICT, Outcome.REJECTED)


def mapping_in(path: Path) -> RowMapping:
    """The mapping that a TOML file holds. Raises Unreadable and Invalid, naming file and place."""
    try:
        document = tomllib.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise _unopened(path, error) from None
    except ValueError:
        raise Unreadable("not_toml", file=str(path)) from None
    try:
        return mapping_of(document)
    except Invalid as error:
        fault = error.faults[0]
        why = sentence(fault.code, fault.params, "en")
        raise Invalid("mapping_refused", file=str(path), place=fault.pointer, why=why) from None


def _unopened(path: Path, error: OSError) -> TasseiError:
    return Unreadable("file_not_opened", file=str(path), why=error.strerror or "")


class Import:
    """One run of an import."""

    def __init__(
        self, context: Context, workspace: str, mapping: RowMapping, console: Console
    ) -> None:
        self._context = context
        self._workspace = workspace
        self._mapping = mapping
        self._console = console
        self._counts: Counter[Outcome] = Counter()
        self._faults = 0

    def run(self, path: Path) -> bool:
        """Take the file in and report. Whether every row was taken in as it stands."""
        refused = path.with_name(f"{path.name}.refused.csv")
        refused.unlink(missing_ok=True)  # it would tell of another run
        try:
            raw, size = path.open("rb"), path.stat().st_size
        except OSError as error:
            raise _unopened(path, error) from None
        try:
            self._take(raw, size, refused)
        finally:
            # Also of a run that ended early: what is said here is on disk.
            if self._counts:
                self._report(refused)
        return not any(self._counts[word] for word in _REFUSING)

    def _take(self, raw: io.BufferedReader, size: int, refused: Path) -> None:
        # Marked or not: spreadsheets begin UTF-8 with a byte order mark.
        lines = io.TextIOWrapper(raw, encoding="utf-8-sig", newline="")
        shown = Progress(
            console=self._console, transient=True, disable=not self._console.is_terminal
        )
        with lines, shown as progress:
            task = progress.add_task(self._mapping.source, total=size)
            for chunk in imported(self._context, self._workspace, self._mapping, lines):
                self._counts.update(chunk.outcomes)
                self._keep(chunk.refused, refused)
                progress.update(task, completed=raw.tell())

    def _keep(self, rows: tuple[RefusedRow, ...], path: Path) -> None:
        if not rows:
            return
        try:
            file = path.open("a", encoding="utf-8", newline="")
        except OSError as error:
            raise _unopened(path, error) from None
        with file:
            if not self._faults:
                csv.writer(file).writerow(("row", "column", "code", "why"))
            for row in rows:
                self._faults += 1
                self._write(row, file)

    def _write(self, row: RefusedRow, file: TextIO) -> None:
        why = sentence(row.code, row.params, "en")
        csv.writer(file).writerow((row.row, row.column, row.code, why))
        if self._faults <= SHOWN:
            place = f"row {row.row}" + (f", {row.column}" if row.column else "")
            self._print(f"{place}: {why}")

    def _report(self, refused: Path) -> None:
        counts = (f"{word.value} {self._counts[word]}" for word in _WORDS)
        self._print("  ".join(counts))
        if self._faults:
            self._print(f"{self._faults} faults in {refused}")
        for kind in uncounted_kinds(self._context, self._workspace, self._mapping):
            params: dict[str, Any] = {"source": self._mapping.source, "kind": kind}
            self._print(sentence("kind_not_counted", params, "en"))

    def _print(self, line: str) -> None:
        self._console.print(line, markup=False, highlight=False, soft_wrap=True)

"""What a run found: which law was broken, where, and the input that did it."""

from __future__ import annotations

import json
import traceback
from base64 import b64decode, b64encode
from collections.abc import Iterator
from pathlib import Path, PurePath
from typing import NamedTuple

from app.domain.deliveries import Delivery
from tests.intake.fuzzing.inputs import unpacked
from tests.intake.fuzzing.laws import delivered

_MOST = 20


class Finding(NamedTuple):
    """One law that did not hold."""

    provider: str
    law: str
    place: str
    data: bytes

    def __str__(self) -> str:
        return f"{self.provider}: {self.law} ({self.place})\n    {self.data!r}"


class Findings:
    """What was found of a provider, each law once a place; written at once where there is a file.

    A guided run ends its process without another word.
    """

    def __init__(self, provider: str, file: Path | None = None) -> None:
        self._provider = provider
        self._file = file
        self.found: dict[tuple[str, str], Finding] = {}

    def tried(self, data: bytes) -> Delivery | None:
        """What an input comes to; None where it breaks a law."""
        try:
            return delivered(self._provider, unpacked(self._provider, data))
        except Exception as error:  # noqa: BLE001 - whatever it is, it is what is looked for
            self._note(error, data)
            return None

    def _note(self, error: Exception, data: bytes) -> None:
        law = f"{type(error).__name__}: {str(error).partition(chr(10))[0][:200]}"
        last = traceback.extract_tb(error.__traceback__)[-1]
        place = f"{PurePath(last.filename).name}:{last.lineno}"
        known = (type(error).__name__ if not isinstance(error, AssertionError) else law, place)
        if known in self.found or len(self.found) >= _MOST:
            return
        finding = self.found[known] = Finding(self._provider, law, place, data)
        if self._file is not None:
            line = finding._asdict() | {"data": b64encode(data).decode()}
            with self._file.open("a", encoding="utf-8") as file:
                file.write(json.dumps(line) + "\n")


def read_findings(file: Path) -> Iterator[Finding]:
    """The findings that were written to a file."""
    if file.exists():
        for line in file.read_text(encoding="utf-8").splitlines():
            told = json.loads(line)
            yield Finding(**told | {"data": b64decode(told["data"])})

"""Reads the Dockerfile, so that no test repeats what it says."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

ROOT = Path(__file__).parents[2]


@dataclass(frozen=True, slots=True)
class Stage:
    """One stage: where it begins, and its instructions as (name, text) in their order."""

    base: str
    instructions: tuple[tuple[str, str], ...]

    def all(self, name: str) -> list[str]:
        return [text for own, text in self.instructions if own == name]

    def one(self, name: str) -> str:
        (text,) = self.all(name)
        return text

    def command(self, name: str) -> list[str]:
        """The words of an instruction in exec form; ValueError for the shell's."""
        words: list[str] = json.loads(self.one(name).removeprefix("CMD "))
        return words

    @property
    def environment(self) -> dict[str, str]:
        return self._pairs("ENV")

    @property
    def labels(self) -> dict[str, str]:
        return self._pairs("LABEL")

    def _pairs(self, name: str) -> dict[str, str]:
        words = [word for text in self.all(name) for word in shlex.split(text)]
        return dict(word.split("=", 1) for word in words)


def stages(path: Path = ROOT / "Dockerfile") -> list[Stage]:
    lines = [line for line in path.read_text("utf-8").splitlines() if not line.startswith("#")]
    whole = re.sub(r"\\\n\s*", "", "\n".join(lines))
    found: list[tuple[str, list[tuple[str, str]]]] = []
    for name, text in _instructions(whole):
        if name == "FROM":
            found.append((text, []))
        else:
            found[-1][1].append((name, _one_space(name, text)))
    return [Stage(base.split(" AS ")[0], tuple(instructions)) for base, instructions in found]


def _instructions(text: str) -> Iterator[tuple[str, str]]:
    for line in text.splitlines():
        if line.strip():
            name, _, rest = line.partition(" ")
            yield name, rest.strip()


def _one_space(name: str, text: str) -> str:
    """HEALTHCHECK's options are told apart from its command."""
    return re.sub(r"^(--\S+\s*)+", "", text) if name == "HEALTHCHECK" else text

"""What a page tells its reader to type, and a shell that does it without curl or a network."""

from __future__ import annotations

import re
import shlex
from pathlib import Path
from typing import Any

from typer.testing import CliRunner

from app.cli import cli
from tests.web.service import ADMIN, Service


def blocks(page: str, language: str) -> list[str]:
    """The code of a page in one language."""
    return re.findall(rf"```{language}\n(.*?)```", page, re.DOTALL)


def commands(page: str) -> list[list[str]]:
    """Every command of a page, as the words a shell would make of it."""
    lines = "\n".join(blocks(page, "bash")).replace("\\\n", " ")
    words = shlex.shlex(lines, posix=True, punctuation_chars="\n")
    words.whitespace, words.whitespace_split = " \t", True
    found: list[list[str]] = [[]]
    for word in words:
        if word.strip("\n"):
            found[-1].append(word)
        else:
            found.append([])
    return [command for command in found if command]


def curl(service: Service, command: list[str], folder: Path = Path()) -> Any:
    """What curl would do, without needing curl."""
    words = iter(word.replace("$KEY", ADMIN).replace("$URL", "") for word in command[1:])
    method, headers, body, path = "GET", {}, None, ""
    for word in words:
        match word:
            case "-X":
                method = next(words)
            case "-H":
                name, _, value = next(words).partition(": ")
                headers[name] = value
            case "-d":
                body = next(words).encode()
            case "--data-binary":
                body = (folder / next(words).removeprefix("@")).read_bytes()
            case _:
                path = word
    return service.client.request(method, path, headers=headers, content=body)


def tassei(command: list[str]) -> str:
    """What the program prints; it must not fail."""
    assert command[0] == "tassei"
    done = CliRunner().invoke(cli, command[1:])
    assert done.exit_code == 0, done.output
    return done.stdout

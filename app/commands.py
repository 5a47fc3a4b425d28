"""What the command line says and asks beyond calling a use case."""

from __future__ import annotations

import json
import sys
from enum import StrEnum
from pathlib import Path
from time import monotonic, sleep
from typing import Annotated, Any, cast
from urllib.parse import quote

import httpx
import typer
from pydantic import ValidationError
from rich.console import Console

from app.domain.errors import Invalid, TasseiError
from app.intake.reading import read_json
from app.intake.requests import Step
from app.usecases import connecting
from app.usecases.connecting import Wish
from app.usecases.context import Context
from app.usecases.sources import Connected
from app.views.messages import sentence
from app.views.progress_documents import ProgressDocument
from app.views.report import Format
from app.web.faults import in_body, refused
from app.web.schemas.sources import SourceBody

# What is given by a file, not by options.
_IN_DOCUMENT = ("/credentials", "/settings")
_COUNTED = ("came_counted", "came_counted_unassigned")


class Language(StrEnum):
    """The languages people are spoken to in."""

    EN = "en"
    JA = "ja"


def failed(line: str) -> typer.Exit:
    """The end of a command, with one line that says why."""
    typer.echo(line, err=True)
    return typer.Exit(1)


def progress_of(
    url: str, plan: str, key: str, breakdown: str | None, language: str
) -> ProgressDocument:
    """The document, or the end of the command with one line that says what to do."""
    asked = {"breakdown": breakdown} if breakdown else {}
    answer = _asked(f"{url}/v1/plans/{quote(plan, safe='')}/progress", asked, key, (url, language))
    try:
        body = answer.json()
        if answer.is_success and "root" in body:
            return cast("ProgressDocument", body)
        detail = str(body["detail"])
    except (ValueError, KeyError, TypeError):
        raise failed(sentence("not_this_service", {"url": url}, language)) from None
    raise failed(detail)


def _asked(address: str, asked: dict[str, str], key: str, told: tuple[str, str]) -> httpx.Response:
    """The answer of a service. told: its own address, and the language to say what went wrong in.

    Ends the command where nobody answers.
    """
    url, language = told
    # In bytes: a key with a letter that no key has is the service's to refuse.
    headers = [
        (b"Authorization", f"Bearer {key}".encode()),
        (b"Accept-Language", language.encode()),
    ]
    try:
        return httpx.get(address, params=asked, headers=headers, timeout=30)
    except httpx.TimeoutException:
        raise failed(sentence("no_answer_in_time", {"url": url}, language)) from None
    except (httpx.HTTPError, httpx.InvalidURL):
        raise failed(sentence("nobody_answers", {"url": url}, language)) from None


def show_report(
    plan: Annotated[str, typer.Argument(help="The plan's key.")],
    key: Annotated[str, typer.Option(envvar="TASSEI_KEY", help="A key with the scope read.")],
    url: Annotated[str, typer.Option(envvar="TASSEI_URL")] = "http://127.0.0.1:8000",
    form: Annotated[Format, typer.Option("--format", help="HTML is a page to print.")] = (
        Format.MARKDOWN
    ),
    language: Annotated[Language, typer.Option()] = Language.EN,
) -> None:
    """Print a plan's report for its manager, read from a running service."""
    own = url.rstrip("/")
    asked = {"format": form.value, "language": language.value}
    address = f"{own}/v1/plans/{quote(plan, safe='')}/report"
    answer = _asked(address, asked, key, (own, language.value))
    if answer.is_success and answer.headers.get("content-type", "").startswith(form.media_type):
        sys.stdout.buffer.write(answer.content)
        return
    try:
        detail = str(answer.json()["detail"])
    except (ValueError, KeyError, TypeError):
        raise failed(sentence("not_this_service", {"url": own}, language.value)) from None
    raise failed(detail)


def document_in(file: Path | None, language: str) -> dict[str, Any]:
    """The fields of a source that a file gives; `-` is standard input."""
    if file is None:
        return {}
    try:
        content = sys.stdin.buffer.read() if str(file) == "-" else file.read_bytes()
        found = read_json(content)
    except OSError as error:
        told = {"file": str(file), "why": error.strerror or ""}
        raise failed(sentence("file_not_opened", told, language)) from None
    except TasseiError as error:
        raise failed(f"{file}: {sentence(error.code, error.params, language)}") from None
    if not isinstance(found, dict):
        raise failed(f"{file}: {sentence('not_an_object', {}, language)}")
    # As a body of the API has it: numbers that are no integers stay as they are written.
    return cast("dict[str, Any]", json.loads(content))


def connect(context: Context, workspace: str, wish: Wish, language: str) -> Connected:
    """Connect a source and print what there is to enter at the provider."""
    try:
        found = connecting.connect(context, workspace, wish, _as_put)
    except TasseiError as error:
        raise failed(_refused(error, language)) from None
    typer.echo(f"{found.document.key} ({found.document.body['provider']})")
    if found.hook_url is not None:
        typer.echo(f"\n  {found.hook_url}")
    for name, value in found.made.items():
        _say(Step("secret_once", {"name": name}), language, before="\n")
        typer.echo(f"\n  {value}")
    if found.next_steps:
        typer.echo("")
    for number, step in enumerate(found.next_steps, 1):
        _say(step, language, before=f"{number}. ")
    for step in found.warnings:
        _say(step, language, before="! ")
    return found


def _as_put(body: dict[str, Any]) -> dict[str, Any]:
    """The document that the API would make of a body. Raises Invalid as it does."""
    try:
        return SourceBody.model_validate(body).document()
    except ValidationError as error:
        raise refused(in_body(error, body)) from None


def _refused(error: TasseiError, language: str) -> str:
    faults = error.faults if isinstance(error, Invalid) else ()
    lines = [sentence(error.code, error.params, language)]
    if error.code in {fault.code for fault in faults}:
        lines.clear()  # the fault says the same, with its place and what would be right
    for fault in faults:
        told = sentence(fault.code, fault.params, language)
        lines.append(f"  {fault.pointer}: {told}" if fault.pointer else f"  {told}")
    if any(fault.pointer.startswith(_IN_DOCUMENT) for fault in faults):
        lines.append(sentence("give_document", {}, language))
    return "\n".join(dict.fromkeys(lines))


def follow(
    context: Context, workspace: str, key: str, seconds: float | None, language: str
) -> bool:
    """Tell what comes until Ctrl-C or so many seconds are over; whether anything counted."""
    end = None if seconds is None else monotonic() + seconds
    counted = False

    def pause(rest: float) -> bool:
        left = rest if end is None else min(rest, end - monotonic())
        if left <= 0:
            return False
        sleep(left)
        return True

    console = Console(stderr=True)
    _say(Step("waiting_for_events", {}), language, before="\n")
    try:
        with console.status("..."):
            for step in connecting.news(context, workspace, key, pause):
                counted = counted or step.code in _COUNTED
                _say(step, language)
    except KeyboardInterrupt:
        typer.echo("")
    return counted


def _say(step: Step, language: str, *, before: str = "") -> None:
    params = dict(step.params)
    if "code" in params:
        # The sentence of a reason stands inside the sentence of what happened.
        params["why"] = sentence(str(params["code"]), params, language)
    typer.echo(before + sentence(step.code, params, language))


def simulate(
    runs: Annotated[int, typer.Option(min=1, max=100_000, help="Of each scenario.")] = 4_000,
    seed: Annotated[int, typer.Option(min=0, help="The same one gives the same runs.")] = 1,
) -> None:
    """Play sound and broken plans: how often evidence of drift is wrong, and how soon right.

    Exits with 1 where a figure is more than four standard errors off its reference.
    """
    from app.usecases.simulating import (  # noqa: PLC0415 - loads what no other command needs
        simulated,
    )

    sound = True
    typer.echo(f"{'':<64}{'measured':>10}{'reference':>18}{'standard errors':>17}")
    for row in simulated(runs, seed):
        reference = " to ".join(dict.fromkeys(row.written(end) for end in (row.low, row.high)))
        off = "" if row.sound else "  off"
        figures = f"{row.written(row.measured):>10}{reference:>18}{row.errors:>17.1f}"
        typer.echo(f"{row.what:<64}{figures}{off}")
        sound = sound and row.sound
    if not sound:
        raise typer.Exit(1)

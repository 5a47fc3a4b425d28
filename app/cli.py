"""The command line."""

from __future__ import annotations

import os
import sys
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import httpx
import typer
from rich.console import Console

from app import settings as settings_module
from app.domain.errors import TasseiError
from app.main import by_port, create_app, described, opened, random_token, wall_clock
from app.settings import Settings, SettingsError
from app.store import ledger
from app.store.engine import StartError
from app.telemetry import configure_logs
from app.usecases import workspaces
from app.usecases.context import Context
from app.usecases.keys import Issued
from app.views.messages import sentence
from app.views.terminal import svg as picture
from app.views.terminal import tree
from app.web.openapi import written
from app.web.server import listen, serve

cli = typer.Typer(
    help="Goal tracking for sales teams: exact, live, honest.",
    add_completion=False,
    pretty_exceptions_enable=False,
)


class Language(StrEnum):
    """The languages people are spoken to in."""

    EN = "en"
    JA = "ja"


WorkspaceOption = Annotated[str, typer.Option("--workspace", help="The workspace's key.")]


@cli.callback(invoke_without_command=True)
def _default(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        run_service()


@cli.command("serve")
def run_service() -> None:
    """Answer requests until SIGTERM (what happens without a command)."""
    settings = _settings()
    configure_logs(settings.log_format)
    context = opened(settings)
    _first_start(settings, context)
    app = create_app(settings, context)
    ports = (
        [settings.port] if settings.metrics_port is None else [settings.port, settings.metrics_port]
    )
    try:
        sockets = [listen(settings.host, port) for port in ports]
    except OSError as error:
        raise SettingsError(f"TASSEI_HOST, TASSEI_PORT: cannot listen ({error.strerror})") from None
    serve(by_port(app), app.state.drain, sockets)


@cli.command("init")
def init(workspace: WorkspaceOption = workspaces.DEFAULT) -> None:
    """Make a workspace and print its first admin key, this once."""
    settings = _settings()
    context = opened(settings)
    if workspace == workspaces.DEFAULT:
        issued = _first_start(settings, context)
        if issued is None:
            _fail(sentence("workspace_exists", {}, "en"))
    else:
        _show(workspaces.create(context.store, workspace, wall_clock(), random_token, None))
    context.store.close()


@cli.command("verify")
def verify(workspace: WorkspaceOption = workspaces.DEFAULT) -> None:
    """Recount everything from the reports; exit 1 and list what is stored wrongly."""
    context = opened(_settings())
    found = ledger.verify(context.store, workspace)
    with context.store.write(workspace, wall_clock()) as writing:
        ledger.note_verified(writing, len(found))
    context.store.close()
    for mismatch in found:
        place = " ".join(map(str, mismatch.place))
        print(f"{mismatch.what} {place}: stored {mismatch.stored}, is {mismatch.computed}")
    print(f"{len(found)} mismatches")
    if found:
        raise typer.Exit(1)


@cli.command("rebuild")
def rebuild(workspace: WorkspaceOption = workspaces.DEFAULT) -> None:
    """Count everything anew from the activities. The service may run meanwhile."""
    context = opened(_settings())
    ledger.rebuild(context.store, workspace, wall_clock())
    context.store.close()
    print("rebuilt")


@cli.command("tree")
def show_tree(
    plan: Annotated[str, typer.Argument(help="The plan's key.")],
    key: Annotated[str, typer.Option(envvar="TASSEI_KEY", help="A key with the scope read.")],
    url: Annotated[str, typer.Option(envvar="TASSEI_URL")] = "http://127.0.0.1:8000",
    breakdown: Annotated[str | None, typer.Option(help="team or member")] = None,
    language: Annotated[Language, typer.Option()] = Language.EN,
    svg: Annotated[Path | None, typer.Option(help="Also save a picture.")] = None,
) -> None:
    """Show a plan's progress as a tree, read from a running service."""
    answer = httpx.get(
        f"{url}/v1/plans/{plan}/progress",
        params={"breakdown": breakdown} if breakdown else {},
        headers={"Authorization": f"Bearer {key}", "Accept-Language": language.value},
        timeout=30,
    )
    body = answer.json()
    if answer.is_error:
        _fail(body["detail"])
    Console().print(tree(body, language.value))
    if svg:
        svg.write_text(picture(body, language.value), encoding="utf-8")


@cli.command("openapi")
def print_openapi() -> None:
    """Print the OpenAPI document."""
    print(written(described(Settings()).openapi()), end="")


@cli.command("settings")
def print_settings() -> None:
    """Print every setting, its default and its meaning."""
    print(settings_module.table(), end="")


def _settings() -> Settings:
    return settings_module.load(os.environ)


def _first_start(settings: Settings, context: Context) -> Issued | None:
    given = settings.admin_key.get_secret_value() if settings.admin_key else None
    issued = workspaces.first_start(context.store, wall_clock(), random_token, given)
    if issued is not None and given is None:
        _show(issued)
    return issued


def _show(issued: Issued) -> None:
    print(f"The first admin key of {issued.key.workspace}, shown this once:\n{issued.token}")


def _fail(line: str) -> None:
    print(line, file=sys.stderr)
    raise typer.Exit(1)


def main() -> None:
    """The entry point: a wrong setting is one line and the exit code 2, not a traceback."""
    try:
        cli()
    except (SettingsError, StartError) as error:
        print(error, file=sys.stderr)
        sys.exit(2)
    except TasseiError as error:
        print(sentence(error.code, error.params, "en"), file=sys.stderr)
        sys.exit(1)

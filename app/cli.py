"""The command line."""

from __future__ import annotations

import os
import socket
import sys
from contextlib import closing, nullcontext
from enum import StrEnum
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console
from rich.progress import Progress

from app import backtesting, commands
from app import settings as settings_module
from app.domain.errors import Invalid, TasseiError
from app.domain.instants import moment_of
from app.main import by_port, create_app, described, opened, random_token, rekeyed, wall_clock
from app.settings import Settings, SettingsError, given_key
from app.store import ledger
from app.store.engine import StartError
from app.telemetry import configure_logs
from app.usecases import workspaces
from app.usecases.backing_up import back_up
from app.usecases.connecting import Wish
from app.usecases.exporting import Format, export
from app.usecases.import_file import Import, mapping_in
from app.usecases.keys import Issued
from app.usecases.moving import move
from app.usecases.source_mapping import mapping_for
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


cli.command("backtest")(backtesting.run)


class Breakdown(StrEnum):
    """What stands below the tree."""

    TEAM = "team"
    MEMBER = "member"


importing = typer.Typer(help="Take in what was exported elsewhere.")
cli.add_typer(importing, name="import")
cli.command("report")(commands.show_report)
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
    # Before anything is made: a key is shown once, and not by a start that fails right after.
    sockets = _listening(settings)
    context = opened(settings, apart=True)
    given = _given_key(settings)
    issued = workspaces.first_start(context.store, wall_clock(), random_token, given)
    app = create_app(settings, context)
    _greet(settings, issued if given is None else None)
    serve(by_port(app), app.state.drain, sockets, app.state.direct)


def _listening(settings: Settings) -> list[socket.socket]:
    ports = (
        [settings.port] if settings.metrics_port is None else [settings.port, settings.metrics_port]
    )
    try:
        return [listen(settings.host, port) for port in ports]
    except OSError as error:
        raise SettingsError(f"TASSEI_HOST, TASSEI_PORT: cannot listen ({error.strerror})") from None


def _greet(settings: Settings, issued: Issued | None) -> None:
    own = f"http://{settings.host}:{settings.port}"
    metrics = f"http://{settings.host}:{settings.metrics_port or settings.port}/metrics"
    print(f"Tassei      {settings.public_url or own}\nPrometheus  {metrics}", flush=True)
    if issued is not None:
        _show(issued)


@cli.command("init")
def init(workspace: WorkspaceOption = workspaces.DEFAULT) -> None:
    """Make a workspace and print its first admin key, this once."""
    settings = _settings()
    given = _given_key(settings) if workspace == workspaces.DEFAULT else None
    with closing(opened(settings).store) as store:
        issued = workspaces.create(store, workspace, wall_clock(), random_token, given)
    if given is None:
        _show(issued)


@cli.command("verify")
def verify(workspace: WorkspaceOption = workspaces.DEFAULT) -> None:
    """Recount everything from the reports; exit 1 and list what is stored wrongly."""
    with closing(opened(_settings()).store) as store:
        found = ledger.verify(store, workspace)
        with store.write(workspace, wall_clock()) as writing:
            ledger.note_verified(writing, len(found))
    for mismatch in found:
        place = " ".join(map(str, mismatch.place))
        print(f"{mismatch.what} {place}: stored {mismatch.stored}, is {mismatch.computed}")
    print(f"{len(found)} mismatches")
    if found:
        raise typer.Exit(1)


@cli.command("backup")
def backup(
    file: Annotated[Path, typer.Argument(help="Where the copy goes; it must not be there yet.")],
    recount: Annotated[  # noqa: FBT002 - an option of the command line
        bool, typer.Option("--verify", help="Recount everything in the copy from its reports.")
    ] = False,
) -> None:
    """Copy the database while the service runs, check the copy, and say what it holds."""
    with Progress(console=Console(stderr=True)) as progress:
        task = progress.add_task("copying", total=None)
        made = back_up(
            _settings().database,
            file,
            lambda done, total: progress.update(task, completed=done, total=total),
            verified=(lambda one: progress.log(f"{one}: recounted")) if recount else None,
        )
    for one in made.held:
        at = moment_of(one.at).isoformat(timespec="seconds")
        print(f"{one.workspace}: {one.activities} activities, commit {one.seq} of {at}")
    print(f"{file}: {made.size} bytes, sound" + (", recounted" if recount else ""))
    print("Not in it: the key that the credentials of sources are read with. Keep secret.key of")
    print("the data folder, or TASSEI_SECRET_KEY, in another place than this file.")


@cli.command("copy")
def copy_database(
    source: Annotated[str, typer.Argument(help="sqlite:///FILE or postgresql://...")],
    target: Annotated[str, typer.Argument(help="The same; it must hold no workspace.")],
) -> None:
    """Copy a database into another one, of either engine, and recount it there.

    Stop the service first: what it takes in meanwhile is not copied.
    """
    with Progress(console=Console(stderr=True)) as progress:
        task = progress.add_task("copying", total=None)
        found = list(
            move(
                source,
                target,
                wall_clock,
                lambda table, done, total: progress.update(
                    task, description=table, completed=done, total=total
                ),
            )
        )
    for workspace, mismatches in found:
        print(f"{workspace}: {mismatches} mismatches")
    print("Not copied: the secret key. Set TASSEI_SECRET_KEY to the one that served the source.")
    if any(mismatches for _, mismatches in found):
        raise typer.Exit(1)


@cli.command("rebuild")
def rebuild(workspace: WorkspaceOption = workspaces.DEFAULT) -> None:
    """Count everything anew from the activities. The service may run meanwhile."""
    with closing(opened(_settings()).store) as store:
        ledger.rebuild(store, workspace, wall_clock())
    print("rebuilt")


@cli.command("rekey")
def rekey(
    old: Annotated[Path | None, typer.Option(help="A file with the key until now.")] = None,
) -> None:
    """Serve with another secret key; with the old one every credential is sealed anew.

    Those that neither key reads are forgotten; their sources are listed, and need them anew.
    """
    forgotten = rekeyed(_settings(), old=given_key(old) if old else None)
    for workspace, source in forgotten:
        print(f"{workspace}: {source}")
    print(f"{len(forgotten)} sources to be given credentials anew")


@cli.command("tree")
def show_tree(
    plan: Annotated[str, typer.Argument(help="The plan's key.")],
    key: Annotated[str, typer.Option(envvar="TASSEI_KEY", help="A key with the scope read.")],
    url: Annotated[str, typer.Option(envvar="TASSEI_URL")] = "http://127.0.0.1:8000",
    breakdown: Annotated[Breakdown | None, typer.Option(help="Also show these.")] = None,
    language: Annotated[commands.Language, typer.Option()] = commands.Language.EN,
    svg: Annotated[Path | None, typer.Option(help="Also save a picture.")] = None,
) -> None:
    """Show a plan's progress as a tree, read from a running service."""
    by = breakdown.value if breakdown else None
    body = commands.progress_of(url.rstrip("/"), plan, key, by, language.value)
    console = Console()
    console.print(tree(body, language.value, console.width))
    if svg:
        svg.write_text(picture(body, language.value), encoding="utf-8")


@cli.command("connect")
def connect_source(
    provider: Annotated[str, typer.Argument(help="Who sends; docs/senders has them all.")],
    key: Annotated[str | None, typer.Option(help="The source's key; else the provider.")] = None,
    counts: Annotated[str | None, typer.Option(help="The kinds to count, with commas.")] = None,
    document: Annotated[
        Path | None,
        typer.Option(help="JSON: name, credentials, settings, ... as PUT takes; - is stdin."),
    ] = None,
    workspace: WorkspaceOption = workspaces.DEFAULT,
    language: Annotated[commands.Language, typer.Option()] = commands.Language.EN,
    wait: Annotated[  # noqa: FBT002 - an option of the command line
        bool, typer.Option(help="Tell what arrives, until Ctrl-C.")
    ] = True,
    timeout: Annotated[float | None, typer.Option(min=0, help="Seconds; 1 if none count.")] = None,
) -> None:
    """Connect a sender, or change one; say what to enter there, and what then arrives."""
    given = commands.document_in(document, language.value)
    kinds = None if counts is None else [kind for kind in counts.split(",") if kind]
    wish = Wish(provider, key or provider, kinds, given)
    context = opened(_settings())
    with closing(context.store):
        commands.connect(context, workspace, wish, language.value)
        if wait:
            found = commands.follow(context, workspace, wish.key, timeout, language.value)
            raise typer.Exit(0 if found or timeout is None else 1)


@importing.command("csv")
def import_csv(
    file: Annotated[Path, typer.Argument(help="The table; UTF-8, with a header.")],
    mapping: Annotated[Path | None, typer.Option(help="What its columns mean, in TOML.")] = None,
    source: Annotated[
        str | None, typer.Option(help="A source whose own mapping says what its columns mean.")
    ] = None,
    workspace: WorkspaceOption = workspaces.DEFAULT,
) -> None:
    """Take a table in. Repeating it changes nothing; the service may run meanwhile.

    Exits with 1 when a row was refused or contradicts an earlier one; all of them stand in
    FILE.refused.csv then.
    """
    if (mapping is None) is (source is None):
        raise Invalid("mapping_or_source")
    rules = None if mapping is None else mapping_in(mapping)
    context = opened(_settings())
    context.committer.start()
    try:
        if rules is None:
            with context.read() as reading:
                rules = mapping_for(reading, workspace, str(source))
        clean = Import(context, workspace, rules, Console()).run(file)
    finally:
        context.committer.stop()
        context.store.close()
    if not clean:
        raise typer.Exit(1)


@cli.command("export")
def export_all(
    kind: Annotated[str, typer.Option(help="A kind of activity, or members, or teams.")],
    form: Annotated[Format, typer.Option("--format", help="NDJSON can be imported again.")],
    output: Annotated[Path | None, typer.Option("-o", "--output", help="A file.")] = None,
    workspace: WorkspaceOption = workspaces.DEFAULT,
) -> None:
    """Write out everything as it stands, as one snapshot. The service may run meanwhile."""
    context = opened(_settings())
    try:
        # As it is: a CSV has line ends of its own.
        with (
            output.open("w", encoding="utf-8", newline="")
            if output
            else nullcontext(sys.stdout) as out
        ):
            export(context, workspace, kind, form, out)
    except OSError as error:
        raise commands.failed(
            sentence("file_not_opened", {"file": str(output), "why": error.strerror or ""}, "en")
        ) from None
    finally:
        context.store.close()


cli.command("simulate")(commands.simulate)


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


def _given_key(settings: Settings) -> str | None:
    return settings.admin_key.get_secret_value() if settings.admin_key else None


def _show(issued: Issued) -> None:
    workspace = issued.key.workspace
    print(f"\nThe first admin key of the workspace {workspace}, shown this once:")
    # Flushed: who reads a pipe, as containers do, must not get it with the service's last words.
    print(f"\n    {issued.token}\n", flush=True)


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

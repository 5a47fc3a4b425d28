"""The command line."""

from __future__ import annotations

import os
import sys

import typer

from app import settings as settings_module
from app.main import by_port, create_app
from app.settings import Settings, SettingsError
from app.telemetry import configure_logs
from app.web.openapi import written
from app.web.server import listen, serve

cli = typer.Typer(
    help="Goal tracking for sales teams: exact, live, honest.",
    add_completion=False,
    pretty_exceptions_enable=False,
)


@cli.callback(invoke_without_command=True)
def _default(context: typer.Context) -> None:
    if context.invoked_subcommand is None:
        run_service()


@cli.command("serve")
def run_service() -> None:
    """Answer requests until SIGTERM (what happens without a command)."""
    settings = settings_module.load(os.environ)
    configure_logs(settings.log_format)
    app = create_app(settings)
    ports = (
        [settings.port] if settings.metrics_port is None else [settings.port, settings.metrics_port]
    )
    try:
        sockets = [listen(settings.host, port) for port in ports]
    except OSError as error:
        raise SettingsError(f"TASSEI_HOST, TASSEI_PORT: cannot listen ({error.strerror})") from None
    app.openapi()  # slow the first time, and not for the first who asks
    serve(by_port(app), app.state.drain, sockets)


@cli.command("openapi")
def print_openapi() -> None:
    """Print the OpenAPI document."""
    print(written(create_app(Settings()).openapi()), end="")


@cli.command("settings")
def print_settings() -> None:
    """Print every setting, its default and its meaning."""
    print(settings_module.table(), end="")


def main() -> None:
    """The entry point: a wrong setting is one line and the exit code 2, not a traceback."""
    try:
        cli()
    except SettingsError as error:
        print(error, file=sys.stderr)
        sys.exit(2)

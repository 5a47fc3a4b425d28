"""`tassei backtest`: how good forecasts would have been, in the terminal."""

from __future__ import annotations

import os
from collections.abc import Iterable
from datetime import date, datetime
from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from app import commands, settings
from app.domain.calendar import ONE_DAY
from app.domain.errors import TasseiError
from app.domain.instants import moment_of
from app.domain.scores import Scores, scored
from app.main import opened
from app.usecases.backtest import Compared, Group, backtest
from app.usecases.context import Context
from app.usecases.workspaces import DEFAULT
from app.views.messages import sentence

_MONTH_DAYS = 31


def run(
    metric: Annotated[
        list[str], typer.Option("--metric", help="A metric's key; may be given several times.")
    ],
    workspace: Annotated[str, typer.Option(help="The workspace's key.")] = DEFAULT,
    first: Annotated[
        datetime | None, typer.Option("--from", formats=["%Y-%m"], help="The first month.")
    ] = None,
    last: Annotated[
        datetime | None, typer.Option("--to", formats=["%Y-%m"], help="The last month.")
    ] = None,
) -> None:
    """Replay history: forecast every month as it would have been, and score it.

    At the end of the 5th, 10th and 15th working day, for the whole and for every member, against a
    run-rate by working days. Months with less than three months before them are left out.
    """
    context = opened(settings.load(os.environ))
    try:
        span = _months(context, first, last)
        found = list(backtest(context, workspace, metric, *span))
    except TasseiError as error:
        raise commands.failed(sentence(error.code, error.params, "en")) from None
    finally:
        context.store.close()
    if not found:
        raise commands.failed("No month has three months of history before it.")
    Console().print(table(found))


def _months(context: Context, first: datetime | None, last: datetime | None) -> tuple[date, date]:
    """From the first month up to the day after the last; the latest twelve whole ones."""
    today = moment_of(context.clock()).date()
    until = today.replace(day=1)
    if last is not None:
        until = min(until, (last.date() + _MONTH_DAYS * ONE_DAY).replace(day=1))
    start = first.date() if first else until.replace(year=until.year - 1)
    return start, until


def table(found: Iterable[Compared]) -> Table:
    """One line for each metric, level and working day: the forecast, and the run-rate beside it."""
    shown = Table("metric", "of", "day", "n", title="forecast | run-rate, in %")
    for name in ("WAPE", "CRPS", "80 % holds", "Brier"):
        shown.add_column(name, justify="right", no_wrap=True)
    groups: dict[Group, list[Compared]] = {}
    for one in found:
        groups.setdefault(one.group, []).append(one)
    for group, members in sorted(groups.items()):
        ours, theirs = (
            scored(getattr(one, which) for one in members) for which in ("forecast", "run_rate")
        )
        pairs = zip(_figures(ours), _figures(theirs), strict=True)
        cells = (f"{one}|{other}" for one, other in pairs)
        shown.add_row(group.metric, group.level, str(group.day), str(ours.number), *cells)
    return shown


def _figures(scores: Scores) -> Iterable[str]:
    for share in (scores.wape, scores.crps, scores.cover, scores.brier):
        yield "-" if share is None else f"{100 * share:.1f}"

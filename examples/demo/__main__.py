"""`python -m examples.demo`: a month of a sales team through signed webhooks, and then live.

Starts a service of its own, creates everything over the public API, posts the days gone by as
Twilio, Pipedrive and a booking tool would, compares every number with an independent recount, and
shows the tree. Exits with 1 when a number differs.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import secrets
import signal
import string
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from types import FrameType
from typing import Any, cast, get_args

import httpx
from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.text import Text

from app.settings import Settings, SettingsError, load
from app.views.progress_documents import ProgressDocument
from app.views.terminal import WIDTH, svg, tree
from app.views.terminal_words import Language
from examples.demo import live, recount, senders, team
from examples.demo.bodies import Door
from examples.demo.live import Happening
from examples.demo.sample import Sample, build
from examples.demo.senders import Credentials
from examples.demo.service import Api, DemoError, Service, free_port, fresh_folder
from examples.demo.words import SAID, Said

_PROGRESS = f"/v1/plans/{team.PLAN}/progress"
_REFRESH = 2.0
_NEWS = 5


def main() -> int:
    """The demo's exit code: 0, or 1 with the reason in one line or the differences listed."""
    console = Console(width=None if sys.stdout.isatty() else WIDTH)
    # Whoever ends the demo, or closes its terminal, ends the service that it started.
    for ending in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(ending, _end)
    try:
        return _demo(_options(), console)
    except (SettingsError, DemoError, senders.Refused, httpx.TransportError) as error:
        # A time-out or a reset connection comes without words: its name is all there is.
        reason = str(error) or type(error).__name__
        console.print(f"demo: {reason}", style="red", markup=False, soft_wrap=True)
        return 1
    except KeyboardInterrupt:
        return 130


def _end(number: int, _frame: FrameType | None) -> None:
    raise SystemExit(128 + number)


def _demo(options: Options, console: Console) -> int:
    settings, language = options.settings, options.language
    port = free_port(settings.host, options.port)
    key = _admin_key(settings)
    sample = build(_now(), options.seed)
    with fresh_folder(options.folder) as folder, Service(folder, settings, port, key) as service:
        api = Api(service.url, key, language)
        credentials = _connected(api, service, sample)
        said = SAID[language]
        _post(sample, credentials, said, console)
        _introduce_the_unknown(api, said, console)
        documents = [api.get(_PROGRESS, breakdown=by) for by in ("team", "member")]
        console.print(tree(_joined(*documents), language, console.width))
        found = recount.differences(sample, *documents)
        _say_differences(found, said, console)
        if options.svg:
            options.svg.write_text(svg(_joined(*documents), language), encoding="utf-8")
        _say_addresses(service, key, console)
        if not (options.once or found):
            _go_on(api, sample, credentials, options, console)
    return 1 if found else 0


@dataclass(frozen=True, slots=True)
class Options:
    """What was asked for. The settings are the service's own, read as it reads them."""

    settings: Settings
    folder: Path
    port: int | None
    language: Language
    seed: int
    svg: Path | None
    once: bool


def _options() -> Options:
    parser = argparse.ArgumentParser(prog="python -m examples.demo", description=__doc__)
    parser.add_argument("--language", choices=get_args(Language), default="ja")
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--svg", type=Path, help="also save the tree as a picture")
    once = os.environ.get("DEMO_ONCE", "") not in {"", "0"}
    parser.add_argument("--once", action="store_true", default=once, help="stop after the tree")
    given = parser.parse_args()
    settings = load(os.environ)
    named = settings.model_fields_set
    return Options(
        settings,
        settings.data_dir if "data_dir" in named else Path("data/demo"),
        settings.port if "port" in named else None,
        given.language,
        given.seed,
        given.svg,
        given.once,
    )


def _connected(api: Api, service: Service, sample: Sample) -> Credentials:
    """Everything the team needs, created over the API; what the providers were told."""
    api.put("/v1/workspace", team.workspace(sample.period))
    token, password = secrets.token_hex(16), secrets.token_urlsafe(18)
    answers = {
        source: api.put(f"/v1/sources/{source}", document)
        for source, document in team.sources(token, password).items()
    }
    for name, title in team.TEAMS.items():
        api.put(f"/v1/teams/{name}", {"name": title})
    for person in team.PEOPLE:
        path = f"/v1/members/{person.key}"
        api.put(path, team.member(person, extension_known=False))
        absent = [absence for absence in sample.absences if absence.person == person.key]
        if absent:
            api.put(f"{path}/absences", team.absence_document(absent))
    api.put(f"/v1/plans/{team.PLAN}", team.plan(sample.period))
    hooks = {cast("Door", source): str(answer["hook_url"]) for source, answer in answers.items()}
    secret = str(answers["booking"]["secret"])
    public, local = service.public_url, service.url
    return Credentials(hooks, token, "tassei", password, secret, public, local)


def _post(sample: Sample, credentials: Credentials, said: Said, console: Console) -> None:
    bar = Progress(
        TextColumn("{task.description}"),
        BarColumn(bar_width=40),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
        console=console,
    )
    started = time.perf_counter()
    with bar:
        task = bar.add_task(said.sending, total=len(sample.posts))
        posted = senders.deliver(sample.posts, credentials, _now, lambda: bar.advance(task))
        sent = asyncio.run(posted)
    seconds = time.perf_counter() - started
    doors = ", ".join(f"{door} {number:,}" for door, number in sorted(sent.items()))
    speed = f"{sent.total():,} deliveries in {seconds:.1f} s, {sent.total() / seconds:,.0f}/s"
    console.print(f"{speed} ({doors})", style="dim")


def _introduce_the_unknown(api: Api, said: Said, console: Console) -> None:
    """An extension that nobody had entered: its history follows its owner."""
    for unknown in api.get("/v1/identities/unmatched")["items"]:
        console.print(said.unknown.format_map(unknown), style="yellow", markup=False)
    person = team.UNKNOWN_AT_FIRST
    api.put(f"/v1/members/{person.key}", team.member(person))
    mapped = said.mapped.format(extension=person.extension, name=person.name)
    console.print(mapped, style="dim")


def _joined(by_team: dict[str, Any], by_member: dict[str, Any]) -> ProgressDocument:
    """One document with the teams above the people."""
    breakdown = [*by_team["breakdown"], *by_member["breakdown"]]
    return cast("ProgressDocument", by_member | {"breakdown": breakdown})


def _say_differences(found: list[str], said: Said, console: Console) -> None:
    for difference in found:
        console.print(f"✖ {difference}", style="red", markup=False, soft_wrap=True)
    if not found:
        console.print(said.agrees, style="green")


def _say_addresses(service: Service, key: str, console: Console) -> None:
    url = service.url
    addresses = {
        "API": f"{url}/openapi.json",
        "Progress": f"{url}{_PROGRESS}",
        "Prometheus": service.metrics_url,
        "Key": key,
        "Try": f"TASSEI_URL={url} TASSEI_KEY={key} .venv/bin/tassei tree {team.PLAN}",
        "": f"curl -H 'Authorization: Bearer {key}' {url}{_PROGRESS}",
    }
    for name, value in addresses.items():
        # Never wrapped: these lines are there to be copied.
        console.print(Text.assemble((f"{name:<12}", "bold"), value), soft_wrap=True)


def _go_on(
    api: Api, sample: Sample, credentials: Credentials, options: Options, console: Console
) -> None:
    """Live events until Ctrl-C, with the tree as it moves."""
    random = Random(options.seed)
    said = SAID[options.language]
    news: list[Text] = []
    with suppress(KeyboardInterrupt), Live(console=console, auto_refresh=False) as screen:
        shown = 0.0
        for happening in live.happenings(sample, _now, options.seed):
            asyncio.run(senders.deliver(happening.posts, credentials, _now))
            news = [*news, _news(happening, said)][-_NEWS:]
            if time.monotonic() - shown > _REFRESH:
                shown = time.monotonic()
                document = cast("ProgressDocument", api.get(_PROGRESS))
                picture = tree(document, options.language, console.width)
                room = max(1, console.height - len(console.render_lines(picture)) - 2)
                below = [*news[-room:], Text(said.stop, "dim")]
                screen.update(Group(picture, *below), refresh=True)
            time.sleep(live.pause(random))


def _news(happening: Happening, said: Said) -> Text:
    call = happening.call
    facts = [said.called if call.outbound else said.rang]
    if call.ended == "completed":
        minutes, seconds = divmod(call.talk, 60)
        facts.append(said.talked.format(minutes=minutes, seconds=seconds))
    line = Text(f"  {_now().astimezone(team.TOKYO):%H:%M:%S}  ", "dim")
    line.append(f"{call.person.name}  {' · '.join(facts)}")
    if happening.appointment:
        line.append(f"  ✔ {said.appointment}", "bold green")
    doors = " + ".join(f"{n} × {door}" for door, n in Counter(_doors(happening)).items())
    return line.append(f"   ⇠ {doors}", "dim")


def _doors(happening: Happening) -> Iterator[str]:
    return (post.door for post in happening.posts)


def _admin_key(settings: Settings) -> str:
    if settings.admin_key is not None:
        return settings.admin_key.get_secret_value()
    letters = string.ascii_letters + string.digits
    return "tsk_default_" + "".join(secrets.choice(letters) for _ in range(40))


def _now() -> datetime:
    return datetime.now(UTC)  # noqa: TID251 - the demo's one clock


if __name__ == "__main__":
    raise SystemExit(main())

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
import string
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from random import Random
from typing import Any, cast, get_args

import httpx
from rich.console import Console, Group
from rich.live import Live
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.text import Text

from app.views.progress_json import ProgressDocument
from app.views.terminal import WIDTH, svg, tree
from app.views.terminal_words import Language
from examples.demo import live, recount, senders, team
from examples.demo.bodies import Door, Post
from examples.demo.sample import Sample, build
from examples.demo.senders import Credentials
from examples.demo.service import Api, DemoError, Service, free_port, fresh_folder
from examples.demo.words import SAID, Said

_PROGRESS = f"/v1/plans/{team.PLAN}/progress"
_REFRESH = 2.0


def main() -> int:
    """The demo's exit code: 0, or 1 with the reason in one line or the differences listed."""
    options = _options()
    console = Console(width=None if sys.stdout.isatty() else WIDTH)
    try:
        return _demo(options, console)
    except (DemoError, senders.Refused, httpx.TransportError) as error:
        console.print(f"demo: {error}", style="red", markup=False, soft_wrap=True)
        return 1
    except KeyboardInterrupt:
        return 130


def _demo(options: argparse.Namespace, console: Console) -> int:
    folder = fresh_folder(options.data_dir)
    port = free_port(options.host, options.port)
    key = options.admin_key or _admin_key()
    sample = build(_now(), options.seed)
    with Service(folder, options.host, port, key) as service:
        api = Api(service.url, key, options.language)
        credentials = _connected(api, sample)
        said = SAID[cast("Language", options.language)]
        _post(sample, credentials, said, console)
        _introduce_the_unknown(api, said, console)
        documents = [api.get(_PROGRESS, breakdown=by) for by in ("team", "member")]
        console.print(tree(_joined(*documents), options.language))
        found = recount.differences(sample, *documents)
        _say_differences(found, said, console)
        if options.svg:
            options.svg.write_text(svg(_joined(*documents), options.language))
        _say_addresses(service.url, key, console)
        if not (options.once or found):
            _go_on(api, sample, credentials, options, console)
    return 1 if found else 0


def _options() -> argparse.Namespace:
    environment = os.environ
    parser = argparse.ArgumentParser(prog="python -m examples.demo", description=__doc__)
    folder = Path(environment.get("TASSEI_DATA_DIR") or "data/demo")
    parser.add_argument("--data-dir", type=Path, default=folder, help="made new")
    parser.add_argument("--host", default=environment.get("TASSEI_HOST") or "127.0.0.1")
    port = environment.get("TASSEI_PORT")
    parser.add_argument("--port", type=int, default=int(port) if port else None)
    parser.add_argument("--language", choices=get_args(Language), default="ja")
    parser.add_argument("--seed", type=int, default=2026)
    parser.add_argument("--svg", type=Path, help="also save the tree as a picture")
    once = environment.get("DEMO_ONCE", "") not in {"", "0"}
    parser.add_argument("--once", action="store_true", default=once, help="stop after the tree")
    parser.set_defaults(admin_key=environment.get("TASSEI_ADMIN_KEY"))
    return parser.parse_args()


def _connected(api: Api, sample: Sample) -> Credentials:
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
    return Credentials(hooks, token, "tassei", password, str(answers["booking"]["secret"]))


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


def _say_addresses(url: str, key: str, console: Console) -> None:
    addresses = {
        "API": f"{url}/openapi.json",
        "Progress": f"{url}{_PROGRESS}",
        "Prometheus": f"{url}/metrics",
        "Key": key,
        "Try": f"curl -H 'Authorization: Bearer {key}' {url}{_PROGRESS}",
    }
    for name, value in addresses.items():
        # Never wrapped: these lines are there to be copied.
        console.print(Text.assemble((f"{name:<12}", "bold"), value), soft_wrap=True)


def _go_on(
    api: Api,
    sample: Sample,
    credentials: Credentials,
    options: argparse.Namespace,
    console: Console,
) -> None:
    """Live events until Ctrl-C, with the tree as it moves."""
    random = Random(options.seed)
    said = SAID[cast("Language", options.language)]
    news = live.happenings(sample, _now, options.seed)
    last: list[Text] = []
    with _until_interrupted(), Live(console=console, auto_refresh=False) as screen:
        shown = 0.0
        while True:
            posts = next(news)
            asyncio.run(senders.deliver(posts, credentials, _now))
            last = [*last, _news(posts)][-5:]
            if time.monotonic() - shown > _REFRESH:
                shown = time.monotonic()
                document = cast("ProgressDocument", api.get(_PROGRESS))
                picture = tree(document, options.language)
                screen.update(Group(picture, *last, Text(said.stop, "dim")), refresh=True)
            time.sleep(live.pause(random))


def _news(posts: list[Post]) -> Text:
    doors = " + ".join(post.door for post in posts)
    return Text(f"  {_now().astimezone(team.TOKYO):%H:%M:%S}  ⇢ {doors}", "dim")


@contextmanager
def _until_interrupted() -> Iterator[None]:
    try:
        yield
    except KeyboardInterrupt:
        return


def _admin_key() -> str:
    letters = string.ascii_letters + string.digits
    return "tsk_default_" + "".join(secrets.choice(letters) for _ in range(40))


def _now() -> datetime:
    return datetime.now(UTC)  # noqa: TID251 - the demo's one clock


if __name__ == "__main__":
    raise SystemExit(main())

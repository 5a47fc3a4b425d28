"""Which exchanges of the worked month are the examples of the documentation.

`python -m tests.web.examples` prints app/web/examples.json.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import Any
from urllib.parse import parse_qsl

from tests.web.recorder import (
    DAY_TEN,
    FRIDAY,
    MONTH,
    Exchange,
    exchanges,
    operations,
    pattern_of,
    template_of,
)


@dataclass(frozen=True)
class Example:
    """Which exchange becomes an example: the first that fits. In `line`, * stands for anything."""

    name: str
    summary: str
    line: str
    status: int = 200
    tells: str = ""
    sends: str = ""

    def is_of(self, exchange: Exchange) -> bool:
        found = fnmatchcase(exchange.line, self.line) and exchange.status == self.status
        found = found and self.sends in ("", exchange.media_type)
        return found and self.tells in exchange.answer.decode()


EXAMPLES = (
    Example("japan", "A company in Japan", "GET /v1/workspace", tells="Asia/Tokyo"),
    Example("japan", "A company in Japan", "PUT /v1/workspace"),
    Example(
        "year_end",
        "A weekend, a working day, and the company's own holidays",
        "GET /v1/workspace/calendar?from=2026-12-25&to=2026-12-31",
    ),
    Example("keys", "The first key and one for a telephone system", "GET /v1/keys"),
    Example("for_a_sender", "A key that may only report", "POST /v1/keys", 201),
    Example("revoked", "The key is unknown from now on", "DELETE /v1/keys/*", 204),
    Example("teams", "All teams", "GET /v1/teams"),
    Example("team", "A team", "GET /v1/teams/east"),
    Example("team", "A team", "PUT /v1/teams/east", 201),
    Example("the_same_again", "The same again changes nothing", "PUT /v1/teams/east"),
    Example("archived", "A team that was a mistake", "DELETE /v1/teams/west", 204),
    Example("members", "Two members, and where the next begin", "GET /v1/members?limit=2"),
    Example("member", "A member", "GET /v1/members/sato"),
    Example("member", "A member with an e-mail address and an extension",
            "PUT /v1/members/sato", 201),
    Example("mapped", "An unknown extension turns out to be this member's",
            "PUT /v1/members/tanaka"),
    Example("import", "One member as before, and a new one", "PUT /v1/members"),
    Example("archived", "A member who leaves", "DELETE /v1/members/suzuki", 204),
    Example("two_days", "Two days off", "GET /v1/members/tanaka/absences"),
    Example("two_days", "Two days off", "PUT /v1/members/tanaka/absences", 201),
    Example("the_same_again", "The same again changes nothing", "PUT /v1/members/tanaka/absences"),
    Example("an_extension", "Somebody telephones from extension 305",
            "GET /v1/identities/unmatched"),
    Example("sources", "All sources", "GET /v1/sources"),
    Example("source", "A telephone system that speaks", "GET /v1/sources/zoom"),
    Example("direct", "A telephone system that uses /v1/events", "PUT /v1/sources/zoom", 201),
    Example("signed", "A web shop that signs; its secret is made and shown once",
            "PUT /v1/sources/shop", 201),
    Example("files", "Exports of another system, and what their columns mean",
            "PUT /v1/sources/before", 201),
    Example("counted_twice", "A second telephone system, with a warning",
            "PUT /v1/sources/twilio", 201),
    Example("custom", "A sender without code, by a mapping", "PUT /v1/sources/our-crm", 201),
    Example("fits", "What would be counted", "POST /v1/sources/our-crm/mapping/try"),
    Example("does_not_fit", "What is wrong, and where in the mapping",
            "POST /v1/sources/our-crm/mapping/try", tells="not_a_time"),
    Example("two_days", "A new secret; the old one is taken for two days",
            "POST /v1/sources/our-crm/rotate"),
    Example("another_address", "Another address; the old one is answered for a day",
            "POST /v1/sources/our-crm/rotate", tells='"secret":null'),
    Example("calls_twice", "A telephone system and another one report the same call",
            "GET /v1/sources/overlaps"),
    Example("wrong_secret", "A web shop of which one request was not its own",
            "GET /v1/sources/shop/status"),
    Example("the_same_again", "The same again changes nothing", "PUT /v1/sources/zoom"),
    Example("answering", "A CRM that answers when it is asked", "POST /v1/sources/crm/check"),
    Example("november", "Everything that changed since November",
            "POST /v1/sources/crm/backfill"),
    Example("disconnected", "A sender that is no longer used", "DELETE /v1/sources/twilio", 204),
    Example("metrics", "The first two", "GET /v1/metrics?limit=2"),
    Example("preset", "What counts as a call", "GET /v1/metrics/calls"),
    Example("largest", "The largest deal", "PUT /v1/metrics/largest-deal", 201),
    Example("narrowed", "Of new business only, and why", "PUT /v1/metrics/largest-deal"),
    Example("archived", "A metric that is no longer used", "DELETE /v1/metrics/largest-deal", 204),
    Example("days", "Two days of calls, member by member",
            "GET /v1/metrics/calls/series?from=2026-12-01*"),
    Example("nothing", "The largest deal of an hour without any",
            "GET /v1/metrics/largest-deal/series?*"),
    Example("plans", "All plans", "GET /v1/plans"),
    Example("plan", "What the month comes to", f"GET {MONTH}"),
    Example("funnel", "2,000,000 yen, back to 500 calls, over three people", f"PUT {MONTH}", 201),
    Example("the_same_again", "The same again changes nothing", f"PUT {MONTH}"),
    Example("better_rate", "What if one call in four led to an appointment?",
            "POST /v1/plans/preview"),
    Example("better_rate", "A new rate, and why", f"PATCH {MONTH}"),
    Example("versions", "The plan as it was made, and its change", f"GET {MONTH}/versions"),
    Example("new_rate", "What the new rate asks of everybody",
            f"GET {MONTH}/difference?from=1"),
    Example("next_month", "The same again for January, and what December has shown",
            f"POST {MONTH}/copy", 201),
    Example("calls", "Three people by pace", f"GET {MONTH}/leaderboard?*"),
    Example("win_rate", "Calls and appointments came, deals did not",
            f"GET {MONTH}/diagnosis?*"),
    Example("december", "The evening of the tenth working day",
            f"GET {MONTH}/report?as_of={DAY_TEN}&version=1"),
    Example("japanese", "The same, to be sent on",
            f"GET {MONTH}/report?*format=markdown&language=ja"),
    Example("to_print", "The same, as a page", f"GET {MONTH}/report?*format=html&language=ja"),
    Example("revenue", "What was won, and where it is going",
            f"GET {MONTH}/goals/revenue/line?*"),
    Example("lost_deal", "What is to be asked of whom until when", f"POST {MONTH}/notes", 201),
    Example("notes", "What was agreed", f"GET {MONTH}/notes"),
    Example("mistaken", "A note that was a mistake", f"DELETE {MONTH}/notes/*", 204),
    Example("half_time", "Where the month will end",
            f"GET {MONTH}/forecast?*"),
    Example("evening", "What was said of the appointments the evening before",
            f"GET {MONTH}/forecasts?*"),
    Example("first_month", "Nothing can be judged before the first month is over",
            f"GET {MONTH}/forecasts/scores"),
    Example("since_friday", "Two deals that turned out otherwise",
            f"GET {MONTH}/changes?known_from={FRIDAY}&as_of=*"),
    Example("books", "November's books are closed", "POST /v1/plans/2026-11-new/close", 201),
    Example("again", "And closed again", "POST /v1/plans/2026-11-new/close"),
    Example("books", "With what a month was closed", "GET /v1/plans/2026-11-new/close"),
    Example("opened", "A month that is open again", "DELETE /v1/plans/2026-11-new/close", 204),
    Example("archived", "A plan that is not wanted", "DELETE /v1/plans/2027-01-new", 204),
    Example("team", "A team on the evening of the tenth working day",
            f"GET {MONTH}/progress?as_of={DAY_TEN}&team=east"),
    Example("member", "One of its members at the same moment",
            f"GET {MONTH}/progress?as_of={DAY_TEN}&member=sato"),
    Example("sato", "A member on the morning of the eleventh working day",
            f"GET {MONTH}/today?member=sato"),
    Example("team", "A team on the same morning, person by person", f"GET {MONTH}/today?team=east"),
    Example("revenue", "The deals that make up a team's revenue",
            f"GET {MONTH}/goals/revenue/activities?*"),
    Example("calls", "The first two of a member's calls on one day",
            "GET /v1/metrics/calls/activities?*"),
    Example("a_call", "A screen that knew the last commit, a call, and the end of its key",
            f"GET {MONTH}/stream?member=sato"),
    Example("activities", "The first two", "GET /v1/activities?limit=2"),
    Example("uncounted", "A won deal that does not say when", "GET /v1/activities?counted=false"),
    Example("undated", "Deals that count as won nowhere, until they say when",
            "GET /v1/activities?counted=false&metric=deals_won"),
    Example("conflicts", "Two reports of revision 2 disagree", "GET /v1/activities/conflicts"),
    Example("repriced", "A deal, won and then priced anew", "GET /v1/activities/hubspot/D-1001"),
    Example("quarantine", "A report without a usable time", "GET /v1/quarantine"),
    Example("still", "It still has no usable time", "POST /v1/quarantine/*/replay"),
    Example("shop", "What the shop sent", "GET /v1/deliveries?source=shop"),
    Example("payment", "A request of the shop", "GET /v1/deliveries/*"),
    Example("day", "A day, which was counted already", "POST /v1/deliveries/replay"),
    Example("calls", "Four calls", "POST /v1/events", tells='"accepted":4'),
    Example("again", "A batch that is sent again", "POST /v1/events", tells='"duplicate":2'),
    Example("repriced", "A part of a deal changes", "POST /v1/events", tells='"revised":1'),
    Example("late", "A report that is older than what stands", "POST /v1/events",
            tells='"stale":1'),
    Example("conflict", "Another report of a revision that is known", "POST /v1/events",
            tells='"conflicts":[{'),
    Example("rejected", "An event of an unknown source, and one that is taken", "POST /v1/events",
            tells='"rejected":[{'),
    Example("structured", "A single event", "POST /v1/events",
            sends="application/cloudevents+json"),
    Example("lines", "One event a line", "POST /v1/events", sends="application/x-ndjson"),
    Example("binary", "The attributes are in the headers", "POST /v1/events",
            sends="application/json"),
    Example("table", "A table: one row is taken, one has no date", "POST /v1/events*",
            sends="text/csv"),
    Example("cloudevent", "As Standard Webhooks", "POST /v1/hooks/*", 204,
            sends="application/json"),
    Example("call_that_ended", "As Twilio posts it", "POST /v1/hooks/*", 204,
            sends="application/x-www-form-urlencoded"),
    Example("call_that_ended", "As Twilio asks when it is told to use GET",
            "GET /v1/hooks/*", 204),
    Example("live", "It answers", "GET /livez"),
    Example("ready", "It works", "GET /readyz"),
)  # fmt: skip


def recording() -> dict[str, Any]:
    """What app/web/examples.json holds."""
    found: dict[str, list[Any]] = {}
    for example in EXAMPLES:
        exchange = next(one for one in exchanges() if example.is_of(one))
        template = template_of(exchange)
        operation = operations()[template][exchange.method.lower()]
        shown = dict(_shown(example, exchange, template))
        found.setdefault(operation["operationId"], []).append(shown)
    problems: dict[str, list[Any]] = {}
    for exchange in exchanges():
        if exchange.status >= 400:
            told = problems.setdefault(str(exchange.status), [])
            if exchange.heard["type"] not in {problem["type"] for problem in told}:
                told.append(exchange.heard)
    return {"exchanges": dict(sorted(found.items())), "problems": dict(sorted(problems.items()))}


def _shown(example: Example, exchange: Exchange, template: str) -> Iterator[tuple[str, Any]]:
    yield "name", example.name
    yield "summary", example.summary
    yield "parameters", _parameters(exchange, template)
    if exchange.request:
        yield "media_type", exchange.media_type
        yield "request", exchange.said
    yield "status", exchange.status
    if exchange.answer:
        if exchange.answer_type in ("text/markdown", "text/html"):
            yield "answer_type", exchange.answer_type
        yield "answer", exchange.heard


def _parameters(exchange: Exchange, template: str) -> dict[str, Any]:
    fitting = pattern_of(template).fullmatch(exchange.path)
    query = {
        name: json.loads(value) if re.fullmatch(r"[0-9]+|true|false", value) else value
        for name, value in parse_qsl(exchange.target.partition("?")[2])
    }
    headers = {name: v for name, v in exchange.headers.items() if name.startswith("ce-")}
    return {**(fitting.groupdict() if fitting else {}), **query, **headers}


def written() -> str:
    """The text of app/web/examples.json."""
    return json.dumps(recording(), indent=1, ensure_ascii=False) + "\n"


if __name__ == "__main__":
    sys.stdout.write(written())

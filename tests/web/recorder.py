"""Plays the worked month, says everything else there is to say to the service, and listens.

`python -m tests.web.recorder` prints app/web/examples.json. Everything that is random elsewhere
is fixed here: the clock, the tokens, the address; a request's id is masked.
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC
from fnmatch import fnmatchcase
from functools import cache
from itertools import count
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode

from standardwebhooks import Webhook
from twilio.request_validator import RequestValidator

from app.domain.instants import SECOND, moment_of
from app.main import described
from app.settings import Settings
from tests.intake.senders import leg
from tests.web import test_worked_month as worked
from tests.web.service import Service, started

ADDRESS = "https://tassei.example.com"
INSTANCE = "4f9c2a7b8d1e4c3f9a6b5d8e7f0a1b2c"
AUTH_TOKEN = "0123456789abcdef0123456789abcdef"
DAY_TEN = "2026-12-14T18:00:00%2B09:00"
MONTH = f"/v1/plans/{worked.MONTH}"
CALL = leg("CA0123456789abcdef0123456789abcdef", "completed", "2026-12-15T08:58:00+09:00")
CALL_BY_GET = leg("CA1123456789abcdef0123456789abcdef", "busy", "2026-12-15T08:59:00+09:00")


@dataclass(frozen=True)
class Exchange:
    """What was asked and what was answered. `target` is the path and query as sent."""

    method: str
    target: str
    headers: Mapping[str, str]
    request: bytes
    status: int
    answer_type: str
    answer_headers: Mapping[str, str]
    answer: bytes

    @property
    def line(self) -> str:
        return f"{self.method} {self.target}"

    @property
    def path(self) -> str:
        return unquote(self.target.partition("?")[0])

    @property
    def media_type(self) -> str:
        return self.headers.get("content-type", "").partition(";")[0]

    @property
    def said(self) -> Any:
        """The request's body, as an example shows it."""
        text = self.request.decode()
        if self.media_type.endswith("ndjson"):
            return text
        return dict(parse_qsl(text)) if "form" in self.media_type else json.loads(text)

    @property
    def heard(self) -> Any:
        """The answer's body, without what differs from request to request."""
        body = json.loads(self.answer)
        if self.status >= 400:
            body["instance"] = INSTANCE
        return body


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
    Example("counted_twice", "A second telephone system, with a warning",
            "PUT /v1/sources/twilio", 201),
    Example("the_same_again", "The same again changes nothing", "PUT /v1/sources/zoom"),
    Example("disconnected", "A sender that is no longer used", "DELETE /v1/sources/twilio", 204),
    Example("plans", "All plans", "GET /v1/plans"),
    Example("plan", "What the month comes to", f"GET {MONTH}"),
    Example("funnel", "2,000,000 yen, back to 500 calls, over three people", f"PUT {MONTH}", 201),
    Example("the_same_again", "The same again changes nothing", f"PUT {MONTH}"),
    Example("archived", "A plan that is not wanted", "DELETE /v1/plans/2027-01-new", 204),
    Example("team", "A team on the evening of the tenth working day",
            f"GET {MONTH}/progress?as_of={DAY_TEN}&team=east"),
    Example("member", "One of its members at the same moment",
            f"GET {MONTH}/progress?as_of={DAY_TEN}&member=sato"),
    Example("activities", "The first two", "GET /v1/activities?limit=2"),
    Example("uncounted", "A won deal that does not say when", "GET /v1/activities?counted=false"),
    Example("conflicts", "Two reports of revision 2 disagree", "GET /v1/activities/conflicts"),
    Example("repriced", "A deal, won and then priced anew", "GET /v1/activities/hubspot/D-1001"),
    Example("quarantine", "A report without a usable time", "GET /v1/quarantine"),
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
    Example("cloudevent", "As Standard Webhooks", "POST /v1/hooks/*", 204,
            sends="application/json"),
    Example("call_that_ended", "As Twilio posts it", "POST /v1/hooks/*", 204,
            sends="application/x-www-form-urlencoded"),
    Example("call_that_ended", "As Twilio asks when it is told to use GET",
            "GET /v1/hooks/*", 204),
    Example("live", "It answers", "GET /livez"),
    Example("ready", "It works", "GET /readyz"),
)  # fmt: skip


class Recorder:
    """A service that remembers what was said to it."""

    def __init__(self, service: Service) -> None:
        self.service = service
        self.exchanges: list[Exchange] = []
        service.client.event_hooks = {"response": [self._listen]}

    def _listen(self, response: Any) -> None:
        answer, request = response.read(), response.request
        self.exchanges.append(
            Exchange(
                request.method,
                request.url.raw_path.decode(),
                dict(request.headers),
                request.content,
                response.status_code,
                response.headers.get("content-type", ""),
                dict(response.headers),
                answer,
            )
        )

    def says(self, method: str, target: str, body: Any = None, **headers: str) -> Any:
        """A request; headers by name with underscores. A body that is no bytes goes as JSON."""
        given = {name.replace("_", "-"): value for name, value in headers.items()}
        if body is not None and not isinstance(body, bytes):
            body = json.dumps(body).encode()
            given.setdefault("content-type", "application/json")
        return self.service.client.request(method, target, content=body, headers=given)

    def reads(self, *targets: str) -> None:
        for target in targets:
            etag = self.says("GET", target).headers.get("etag")
            if etag:
                self.says("GET", target, if_none_match=etag)

    def removes(self, target: str) -> None:
        self.says("DELETE", target, if_match=self.says("GET", target).headers["etag"])


def example_tokens() -> Callable[[int], str]:
    """Tokens that cannot be taken for real ones."""
    numbers = count(1)
    return lambda length: f"Example{next(numbers):02d}".ljust(length, "x")


@cache
def exchanges() -> Sequence[Exchange]:
    """Everything that was said, in its order."""
    token = example_tokens()
    with started("2026-11-27T09:00:00+09:00", token=token, public_url=ADDRESS) as service:
        recorder = Recorder(service)
        worked.set_up(service)
        worked.live_through(service)
        service.clock.set("2026-12-15T09:00:00+09:00")
        read_all(recorder)
        say_again(recorder)
        issue_and_revoke(recorder)
        report_in_every_way(recorder)
        connect_and_deliver(recorder)
        take_out_of_use(recorder)
        be_refused(recorder)
        return recorder.exchanges


def read_all(recorder: Recorder) -> None:
    recorder.reads(
        "/v1/workspace",
        "/v1/workspace/calendar?from=2026-12-25&to=2026-12-31",
        "/v1/workspace/calendar?from=2026-04-01&to=2027-04-01",
        "/v1/teams",
        "/v1/teams/east",
        "/v1/members?limit=2",
        "/v1/members",
        "/v1/members/sato",
        "/v1/members/tanaka/absences",
        "/v1/identities/unmatched",
        "/v1/sources",
        "/v1/sources/zoom",
        "/v1/plans",
        MONTH,
        f"{MONTH}/progress",
        f"{MONTH}/progress?as_of={DAY_TEN}&team=east",
        f"{MONTH}/progress?as_of={DAY_TEN}&member=sato",
        f"{MONTH}/progress?as_of=2026-12-14&breakdown=member",
        f"{MONTH}/progress?as_of=2026-12-14&breakdown=team",
        f"{MONTH}/progress?as_of=2026-11-27",
        "/v1/activities?limit=2",
        "/v1/activities?limit=500",
        "/v1/activities/hubspot/D-1001",
        "/v1/activities/hubspot/D-1002",
        "/v1/activities/conflicts",
        "/livez",
        "/readyz",
    )


def say_again(recorder: Recorder) -> None:
    """Who lost an answer repeats the request."""
    created = [e for e in recorder.exchanges if e.method == "PUT" and e.status == 201]
    for one in created:
        recorder.says("PUT", one.target, one.request, content_type="application/json")


def issue_and_revoke(recorder: Recorder) -> None:
    asked = {"name": "telephone system", "scopes": ["ingest"]}
    issued = recorder.says("POST", "/v1/keys", asked).json()
    recorder.says("PUT", "/v1/teams/west", {"name": "西日本チーム"}, **bearer(issued["token"]))
    recorder.reads("/v1/keys")
    recorder.says("DELETE", f"/v1/keys/{issued['id']}")
    recorder.reads("/v1/keys")


def bearer(token: str) -> dict[str, str]:
    return {"authorization": f"Bearer {token}"}


def report_in_every_way(recorder: Recorder) -> None:
    calls = [worked.call("sato", number, "2026-12-15", f"08:5{number}") for number in range(4)]
    one, two, three, four = ({**call, "specversion": "1.0"} for call in calls)
    recorder.says("POST", "/v1/events", one, content_type="application/cloudevents+json")
    lines = "".join(json.dumps(call) + "\n" for call in (two, three)).encode()
    recorder.says("POST", "/v1/events", lines, content_type="application/x-ndjson")
    attributes = {f"ce-{name}": value for name, value in four.items() if isinstance(value, str)}
    recorder.says("POST", "/v1/events", four["data"], **attributes)
    undated = worked.deal("e-7", "D-1003", "1", "tanaka", data={"status": "won", "amount": "1"})
    wrong = undated | {"id": "e-8", "source": "salesforce"}
    batch = "application/cloudevents-batch+json"
    recorder.says("POST", "/v1/events", [wrong, undated], content_type=batch)
    recorder.reads("/v1/activities?counted=false", "/v1/activities/hubspot/D-1003")


def connect_and_deliver(recorder: Recorder) -> None:
    shop = {"provider": "standard_webhooks", "name": "Web shop", "counts": ["payment"]}
    made = recorder.says("PUT", "/v1/sources/shop", shop).json()
    phone = {
        "provider": "twilio",
        "name": "Twilio",
        "counts": ["call"],
        "credentials": {"auth_tokens": [AUTH_TOKEN]},
    }
    connected = recorder.says("PUT", "/v1/sources/twilio", phone).json()
    for paid_at in ("2026-12-15T08:30:00+09:00", "this morning"):
        deliver_payment(recorder, made, paid_at)
    deliver_calls(recorder, connected["hook_url"])
    recorder.reads("/v1/quarantine", "/v1/sources/shop", "/v1/identities/unmatched")


def deliver_payment(recorder: Recorder, shop: Mapping[str, str], paid_at: str) -> None:
    event: dict[str, Any] = {
        "specversion": "1.0",
        "id": f"p-{len(paid_at)}",
        "source": "shop",
        "type": "payment",
        "actor": "tanaka@example.co.jp",
        "data": {"amount": "12000", "currency": "JPY", "paid_at": paid_at},
    }
    body = json.dumps(event).encode()
    now = moment_of(recorder.service.clock.now, UTC)
    signed = {
        "webhook-id": event["id"],
        "webhook-timestamp": str(recorder.service.clock.now // SECOND),
        "webhook-signature": Webhook(shop["secret"]).sign(event["id"], now, body.decode()),
        "content-type": "application/json",
    }
    hook = shop["hook_url"].removeprefix(ADDRESS)
    recorder.says("POST", hook, body, **signed)
    # The signature covers the id: who changes it is refused.
    recorder.says("POST", hook, body, **signed | {"webhook-id": "another"})


def deliver_calls(recorder: Recorder, hook_url: str) -> None:
    sign = RequestValidator(AUTH_TOKEN).compute_signature
    hook = hook_url.removeprefix(ADDRESS)
    form = {"content-type": "application/x-www-form-urlencoded"}
    body = urlencode(CALL).encode()
    recorder.says("POST", hook, body, x_twilio_signature=sign(hook_url, CALL), **form)
    query = f"?{urlencode(CALL_BY_GET)}"
    recorder.says("GET", hook + query, x_twilio_signature=sign(hook_url + query, {}))


def take_out_of_use(recorder: Recorder) -> None:
    recorder.says("PUT", "/v1/teams/west", {"name": "西日本チーム"})
    january = worked.PLAN | {"name": "January", "period": {"month": "2027-01"}}
    recorder.says("PUT", "/v1/plans/2027-01-new", january)
    for target in (
        "/v1/teams/west",
        "/v1/plans/2027-01-new",
        "/v1/sources/twilio",
        "/v1/members/suzuki",
    ):
        recorder.removes(target)


def be_refused(recorder: Recorder) -> None:
    recorder.says("PUT", "/v1/teams/east", b"{", content_type="application/json")
    recorder.says("GET", "/v1/teams", authorization="Bearer nobody")
    recorder.says("GET", "/v1/teams/north")
    recorder.removes("/v1/teams/east")
    changed = {"name": "東日本第一チーム"}
    recorder.says("PUT", "/v1/teams/east", changed)
    recorder.says("PUT", "/v1/teams/east", changed, if_match='"7"')
    recorder.says("PUT", "/v1/teams/east", b"name", content_type="text/plain")
    free = worked.PLAN | {"funnel": [{"metric": "revenue"}]}
    recorder.says("PUT", "/v1/plans/2027-02-new", free)


@cache
def operations() -> Mapping[str, Mapping[str, Any]]:
    """The documented operations by path and method."""
    paths: Mapping[str, Mapping[str, Any]] = described(Settings()).openapi()["paths"]
    return paths


def template_of(exchange: Exchange) -> str:
    """The documented path that an exchange is of; a fixed word goes before a parameter."""
    fitting = (path for path in operations() if pattern_of(path).fullmatch(exchange.path))
    return min(fitting, key=lambda path: path.count("{"))


@cache
def pattern_of(template: str) -> re.Pattern[str]:
    return re.compile(re.sub(r"\{(\w+)\}", r"(?P<\1>[^/]+)", template))


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

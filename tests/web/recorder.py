"""Plays the worked month, says everything else there is to say to the service, and listens.

Everything that is random elsewhere is fixed here: the clock, the tokens, the address; a request's
id is masked.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC
from functools import cache
from itertools import count
from threading import Thread
from time import sleep
from typing import Any
from urllib.parse import parse_qsl, unquote, urlencode

from standardwebhooks import Webhook
from twilio.request_validator import RequestValidator

from app.domain.instants import SECOND, moment_of
from app.main import described
from app.settings import Settings
from app.store import fetchers
from app.usecases import foreseeing
from app.usecases.stream import Topic
from app.views.stream import MEDIA_TYPE
from tests.intake.senders import leg
from tests.web import measuring
from tests.web import test_worked_month as worked
from tests.web.service import Service, started

ADDRESS = "https://tassei.example.com"
INSTANCE = "4f9c2a7b8d1e4c3f9a6b5d8e7f0a1b2c"
AUTH_TOKEN = "0123456789abcdef0123456789abcdef"
DAY_TEN = "2026-12-14T18:00:00%2B09:00"
FRIDAY = "2026-12-11T09:00:00%2B09:00"
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
        if self.media_type in {"application/x-ndjson", "text/csv"}:
            return text
        return dict(parse_qsl(text)) if "form" in self.media_type else json.loads(text)

    @property
    def heard(self) -> Any:
        """The answer's body, without what differs from request to request."""
        if self.answer_type == MEDIA_TYPE:
            return re.sub(r'("instance": ?)"\w+"', rf'\1"{INSTANCE}"', self.answer.decode())
        if self.answer_type in ("text/markdown", "text/html"):
            return self.answer.decode()
        body = json.loads(self.answer)
        if self.status >= 400:
            body["instance"] = INSTANCE
        return body


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
                response.headers.get("content-type", "").partition(";")[0],
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
        import_members(recorder)
        plan_ahead(recorder)
        measure(recorder)
        issue_and_revoke(recorder)
        report_in_every_way(recorder)
        post_a_table(recorder)
        connect_and_deliver(recorder)
        look_back(recorder)
        take_out_of_use(recorder)
        follow(recorder)
        ask_a_provider(recorder)
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
        f"{MONTH}/progress?member=sato&include=today",
        f"{MONTH}/today?member=sato",
        f"{MONTH}/today?team=east",
        f"{MONTH}/goals/revenue/activities?as_of={DAY_TEN}&team=east",
        f"{MONTH}/goals/calls/activities?part=unassigned&limit=1",
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


def import_members(recorder: Recorder) -> None:
    new = worked.member("tanaka") | {"key": "yamada", "name": "山田", "identities": []}
    lines = (worked.member("sato") | {"key": "sato"}, new)
    body = "".join(json.dumps(line, ensure_ascii=False) + "\n" for line in lines).encode()
    recorder.says("PUT", "/v1/members", body, content_type="application/x-ndjson")


def plan_ahead(recorder: Recorder) -> None:
    """A better rate is tried, then planned with; the next month begins as this one was meant."""
    stages: Any = worked.PLAN["funnel"]
    better = [*stages[:3], {"metric": "calls", "rate": "0.25"}]
    tried = worked.PLAN | {"plan": worked.MONTH, "funnel": better}
    recorder.says("POST", "/v1/plans/preview", tried)
    recorder.says(
        "PATCH",
        MONTH,
        {"funnel": better, "reason": "the new list answers more often"},
        if_match='"1"',
        content_type="application/merge-patch+json",
    )
    recorder.reads(f"{MONTH}/versions", f"{MONTH}/difference?from=1")
    recorder.reads(f"{MONTH}/leaderboard?goal=calls&as_of={DAY_TEN}")
    recorder.reads(f"{MONTH}/diagnosis?as_of={DAY_TEN}")
    look_ahead(recorder)
    note_and_report(recorder)
    following = {"period": {"month": "2027-01"}, "reason": "next month"}
    recorder.says("POST", f"{MONTH}/copy", following)


def note_and_report(recorder: Recorder) -> None:
    """What was agreed in the morning, and what the manager is told."""
    lost = {"goal": "deals_won", "member": "suzuki", "due": "2026-12-18"}
    recorder.says("POST", f"{MONTH}/notes", lost | {"text": "D-1002 の失注理由を確認する"})
    mistaken = recorder.says("POST", f"{MONTH}/notes", {"goal": "calls", "text": "?"}).json()
    recorder.says("DELETE", f"{MONTH}/notes/{mistaken['id']}")
    recorder.reads(f"{MONTH}/notes", f"{MONTH}/report?as_of={DAY_TEN}&version=1")
    for form in ("markdown", "html"):
        recorder.reads(f"{MONTH}/report?as_of={DAY_TEN}&version=1&format={form}&language=ja")
    recorder.reads(f"{MONTH}/goals/revenue/line?as_of={DAY_TEN}")


def look_ahead(recorder: Recorder) -> None:
    """Where the month will end; what was said of it on the evening before, and before that."""
    app: Any = recorder.service.client.app
    foreseeing.issue(app.state.context)
    recorder.reads(f"{MONTH}/forecast?as_of={DAY_TEN}&team=east")
    recorder.reads(f"{MONTH}/forecasts?goal=appointments", f"{MONTH}/forecasts/scores")


def measure(recorder: Recorder) -> None:
    """The largest deal, defined in the middle of the month; numbers over time."""
    recorder.says("PUT", measuring.METRIC, measuring.LARGEST)
    recorder.says("PUT", measuring.METRIC, measuring.NARROWED, if_match='"1"')
    recorder.reads(*measuring.READS)
    recorder.removes(measuring.METRIC)


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
    uncounted = "/v1/activities?counted=false"
    recorder.reads(uncounted, f"{uncounted}&metric=deals_won", "/v1/activities/hubspot/D-1003")


def post_a_table(recorder: Recorder) -> None:
    """An export of another system, once its columns have a meaning."""
    old = {
        "provider": "csv",
        "name": "The system before",
        "counts": ["deal"],
        "mapping": {
            "activity": {"kind": "deal", "key": "no", "actor": "担当"},
            "fields": {
                "status": {"column": "stage", "map": {"受注": "won", "失注": "lost"}},
                "won_at": {"column": "closed", "type": "date", "zone": "Asia/Tokyo"},
                "amount": {"column": "value", "type": "decimal"},
                "currency": {"constant": "JPY"},
            },
        },
    }
    recorder.says("PUT", "/v1/sources/before", old)
    recorder.reads("/v1/sources/before")
    table = (
        "no,担当,stage,closed,value\n17,佐藤,受注,2026-12-11,400000\n18,鈴木,受注,11.12.,90000\n"
    )
    csv = {"content_type": "text/csv"}
    recorder.says("POST", "/v1/events?source=before", table.encode(), **csv)
    recorder.says("POST", "/v1/events?source=zoom", table.encode(), **csv)
    recorder.says("POST", "/v1/events?source=after", table.encode(), **csv)
    recorder.reads("/v1/deliveries?source=before")


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
    see_twice(recorder)
    app: Any = recorder.service.client.app
    app.state.context.refusals.flush()
    recorder.reads("/v1/sources/shop/status")
    try_mapping(recorder)
    recorder.reads("/v1/quarantine", "/v1/sources/shop", "/v1/identities/unmatched")
    read_again(recorder)


def try_mapping(recorder: Recorder) -> None:
    """A sender without code, and its mapping tried on what it sends."""
    mapping = {
        "when": "event == 'deal.won'",
        "activity": {"kind": "deal", "key": "id", "revision": "sent_at", "actor": "owner.email"},
        "fields": {
            "status": {"constant": "won"},
            "amount": {"select": "cents", "type": "money", "unit": "minor"},
            "currency": "currency",
            "won_at": {"select": "closed", "type": "time", "zone": "Asia/Tokyo"},
        },
    }
    crm = {
        "provider": "custom",
        "name": "Our CRM",
        "counts": ["deal"],
        "settings": {"authentication": "hmac", "header": "X-Signature"},
        "mapping": mapping,
    }
    recorder.says("PUT", "/v1/sources/our-crm", crm)
    sample = {
        "event": "deal.won",
        "id": 7,
        "sent_at": "2026-12-15T00:00:00Z",
        "owner": {"email": "sato@example.co.jp"},
        "cents": 400000,
        "currency": "JPY",
        "closed": "2026-12-14 17:30",
    }
    recorder.says("POST", "/v1/sources/our-crm/mapping/try", {"sample": sample})
    broken = {"sample": sample | {"closed": "yesterday"}}
    recorder.says("POST", "/v1/sources/our-crm/mapping/try", broken)
    recorder.says("POST", "/v1/sources/our-crm/rotate", {"keep_minutes": 2880})
    recorder.says("POST", "/v1/sources/our-crm/rotate", {"address": True})


def read_again(recorder: Recorder) -> None:
    """What was refused, and a whole day, by the rules as they are now."""
    (entry,) = recorder.says("GET", "/v1/quarantine").json()["items"]
    recorder.says("POST", f"/v1/quarantine/{entry['id']}/replay")
    recorder.reads("/v1/deliveries?source=shop", f"/v1/deliveries/{entry['delivery']}")
    span = {"from": "2026-12-15T00:00:00+09:00", "to": "2026-12-16T00:00:00+09:00"}
    recorder.says("POST", "/v1/deliveries/replay", span)


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


def see_twice(recorder: Recorder) -> None:
    """Zoom reports the call that Twilio reported: both count calls."""
    twin = worked.call("sato", 5, "2026-12-15", "08:58")
    twin["data"] |= {"direction": "inbound", "counterpart": "090-1234-5678"}
    recorder.service.counts([twin])
    recorder.reads("/v1/sources/overlaps")


def look_back(recorder: Recorder) -> None:
    """Friday morning as it was known then, what has moved since, and a month that is closed."""
    recorder.reads(
        f"{MONTH}/progress?as_of={FRIDAY}&known_at={FRIDAY}",
        f"{MONTH}/changes?known_from={FRIDAY}&as_of={FRIDAY}",
        f"{MONTH}/changes?known_from={FRIDAY}&limit=1",
        f"/v1/metrics/revenue/series?from=2026-12-01&known_at={FRIDAY}",
        f"/v1/activities/hubspot/D-1001?known_at={FRIDAY}",
    )
    over = "/v1/plans/2026-11-new"
    recorder.says("PUT", over, worked.PLAN | {"period": {"month": "2026-11"}})
    recorder.says("POST", f"{over}/close", {"reason": "the books are closed", "at": "2026-12-10"})
    recorder.says("POST", f"{over}/close", {"reason": "one more invoice"})
    recorder.reads(f"{over}/close", f"{over}/progress")
    recorder.says("DELETE", f"{over}/close")


def ask_a_provider(recorder: Recorder) -> None:
    """A CRM that can be asked. Another process is about to: nobody is called from here."""
    service, hour = recorder.service, 3_600 * SECOND
    with service.store.transaction() as connection:
        now = service.clock()
        fetchers.take(connection, "default", "crm", now - 2 * hour, now + hour)
        values: dict[str, Any] = {"tried_at": now - 60 * SECOND, "succeeded_at": now - 60 * SECOND}
        marks = {"deal": {"upto": now - 90 * SECOND}}
        values |= {"marks": json.dumps(marks), "pull_at": now + hour}
        fetchers.change(connection, "default", "crm", 1, values)
    connecting = {
        "provider": "pipedrive",
        "name": "Pipedrive",
        "counts": ["lead"],
        "credentials": {"user": "tassei", "password": AUTH_TOKEN, "api_token": AUTH_TOKEN},
    }
    recorder.says("PUT", "/v1/sources/crm", connecting)
    recorder.says("POST", "/v1/sources/crm/check")
    recorder.says("POST", "/v1/sources/crm/backfill", {"from": "2026-11-01T00:00:00+09:00"})
    recorder.removes("/v1/sources/crm")


def take_out_of_use(recorder: Recorder) -> None:
    recorder.says("PUT", "/v1/teams/west", {"name": "西日本チーム"})
    for target in (
        "/v1/teams/west",
        "/v1/plans/2027-01-new",
        "/v1/sources/twilio",
        "/v1/members/suzuki",
    ):
        recorder.removes(target)


def follow(recorder: Recorder) -> None:
    """A screen that comes back, a call, and the end of the screen's key."""
    screen = {"name": "wall screen", "scopes": ["read"]}
    issued = recorder.says("POST", "/v1/keys", screen).json()
    app: Any = recorder.service.client.app
    topics = app.state.streams.hub._topics
    head = str(app.state.context.watch.seq("default"))
    asked = {"last_event_id": head, **bearer(issued["token"])}
    reading = Thread(
        target=recorder.says, args=("GET", f"{MONTH}/stream?member=sato"), kwargs=asked
    )
    reading.start()
    wait(lambda: come(topics) == [1])
    recorder.service.counts([worked.call("sato", 4, "2026-12-15", "08:54")])
    wait(lambda: come(topics) == [2])
    recorder.says("DELETE", f"/v1/keys/{issued['id']}")
    reading.join()


def come(topics: Mapping[Any, Topic]) -> list[int]:
    """How far each followed subject has come; 0 before its first state."""
    return [topic.state.number if topic.state else 0 for topic in list(topics.values())]


def wait(condition: Callable[[], bool]) -> None:
    """Until it holds; the time limit of a test ends what never does."""
    while not condition():
        sleep(0.01)


def be_refused(recorder: Recorder) -> None:
    recorder.says("POST", "/v1/events?dry=1", worked.call("sato", 9, "2026-12-15", "08:59"))
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

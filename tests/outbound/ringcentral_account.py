"""RingCentral's API on this machine, written from its documentation: call log and subscriptions."""

from __future__ import annotations

import json
from base64 import b64encode
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit

from app.domain.instants import SECOND, instant, written_instant
from tests.intake.ringcentral_events import CUSTOMER, OURS, SATO
from tests.outbound.serving import TOKEN, Account

CLIENT = ("a-client-id", TOKEN)
# As long as a real one, which is longer than other secrets.
JWT = f"eyJraWQi{'x' * 600}.eyJhdWQi.c2lnbmF0dXJl"
LIVES = 3600 * SECOND
_CALLS = "/restapi/v1.0/account/~/call-log"
_SUBSCRIPTIONS = "/restapi/v1.0/subscription"
_LONG_AGO = "1980-01-02T00:00:00Z"


def leg(kind: str, begins: str, seconds: int, result: str, **more: Any) -> dict[str, Any]:
    """A part of a call; of whose extension it is, is a number here."""
    extension = more.pop("extension", None)
    known = {"id": int(extension)} if extension else None
    return (
        {
            "startTime": begins,
            "duration": seconds,
            "type": "Voice",
            "direction": "Inbound",
            "action": "Phone Call",
            "result": result,
            "telephonySessionId": "s-1",
            "legType": kind,
            "master": False,
        }
        | ({"extension": known} if known else {})
        | more
    )


def logged(
    session: str, begins: str, seconds: int, result: str, *legs: dict[str, Any], **more: Any
) -> dict[str, Any]:
    """A record of the call log, in its detailed form."""
    outbound = more.get("direction") == "Outbound"
    ours, theirs = {"phoneNumber": OURS, "name": "佐藤"}, {"phoneNumber": CUSTOMER}
    return {
        "uri": f"https://platform.ringcentral.com{_CALLS}/L{session}?view=Detailed",
        "id": f"L{session}",
        "sessionId": "429180487016",
        "telephonySessionId": session,
        "startTime": begins,
        "duration": seconds,
        "type": "Voice",
        "direction": "Inbound",
        "action": "VoIP Call" if outbound else "Phone Call",
        "result": result,
        "to": theirs if outbound else ours,
        "from": ours if outbound else theirs,
        "transport": "PSTN",
        "lastModifiedTime": more.get("lastModifiedTime", begins),
        "legs": list(legs),
    } | more


@dataclass
class RingCentral(Account):
    """A company's calls. `page` is the most that the simulation puts on one page.

    A call is in the log once it is over, and listed by its begin, the latest first.
    """

    page: int = 100
    truth: dict[str, dict[str, Any]] = field(default_factory=dict)
    began: dict[str, int] = field(default_factory=dict)
    header: ClassVar[str] = "authorization"
    client: tuple[str, str] = CLIENT
    lives: int = LIVES
    granted: int = 0
    # Whether the address that a subscription is to send to greets as it should.
    greets: Callable[[str, str], bool] = lambda _address, _token: True
    subscriptions: dict[str, dict[str, Any]] = field(default_factory=dict)
    may_subscribe: bool = True
    _given: dict[str, int] = field(default_factory=dict)

    def begin(self, session: str) -> None:
        """A call that rings from now on."""
        self.began[session] = self.clock() // SECOND * SECOND

    def end(self, session: str, result: str = "Accepted", **more: Any) -> dict[str, Any]:
        """It is over, after a talk of all but three seconds where it was taken."""
        now, begun = self.clock() // SECOND * SECOND, self.began[session]
        whole = (now - begun) // SECOND
        outbound = more.get("direction") == "Outbound"
        talked = max(whole - 3, 0)
        answered = written_instant(begun + 3 * SECOND)
        kind = "SipToPstnUnmetered" if outbound else "PstnToSip"
        own = leg(kind, answered, talked, result, extension=SATO)
        first = leg("Accept", written_instant(begun), whole, result, extension=SATO, master=True)
        legs = (own,) if outbound else (first, own)
        stamp = written_instant(now)
        known = {"lastModifiedTime": stamp, "extension": {"id": int(SATO)}} | more
        with self.lock:
            record = logged(session, written_instant(begun), whole, result, *legs, **known)
            self.truth[session] = record
            return record

    def answer(self, target: str, token: str | None) -> tuple[int, dict[str, str], bytes]:
        with self.lock:
            if target != "/restapi/oauth/token":
                known = token is not None and self._given.get(token, 0) > self.clock()
                self.token = str(token) if known else "none that was given"
                return super().answer(target, token)
            self.asked.append(target)
            fault = self.faults.popleft() if self.faults else ""
            return self._failed(fault) if fault else self._granted(token)

    def _granted(self, proof: str | None) -> tuple[int, dict[str, str], bytes]:
        basic = f"Basic {b64encode(':'.join(self.client).encode()).decode()}"
        form = {name: values[0] for name, values in parse_qs(self.posted[-1]).items()}
        grant = "urn:ietf:params:oauth:grant-type:jwt-bearer"
        if proof != basic:
            return 401, {}, b'{"error":"invalid_client"}'
        if form != {"grant_type": grant, "assertion": JWT}:
            return 400, {}, b'{"error":"invalid_grant"}'
        self.granted += 1
        access = f"access-{self.granted}"
        self._given[f"Bearer {access}"] = self.clock() + self.lives
        seconds = self.lives // SECOND
        told = {"access_token": access, "token_type": "bearer", "expires_in": seconds}
        return _ok(told | {"refresh_token": "good-for-once", "refresh_token_expires_in": 604_800})

    def revoke(self) -> None:
        """Every token that was given is worth nothing from now on."""
        self._given.clear()

    def listed(self, target: str) -> tuple[int, dict[str, str], bytes]:
        parts = urlsplit(target)
        if parts.path.startswith(_SUBSCRIPTIONS):
            return self._subscribed(parts.path.removeprefix(_SUBSCRIPTIONS))
        if parts.path != _CALLS:
            id_ = parts.path.removeprefix(f"{_CALLS}/")
            found = next((one for one in self.truth.values() if one["id"] == id_), None)
            return (404, {}, b"{}") if found is None else _ok(found)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        number, size = int(query["page"]), int(query["perPage"])
        assert (query["view"], size <= 250, number >= 1) == ("Detailed", True, True)
        since = instant(query.get("dateFrom", _LONG_AGO))
        rows = sorted(
            (one for one in self.truth.values() if instant(one["startTime"]) >= since),
            key=lambda one: (instant(one["startTime"]), one["id"]),
            reverse=True,
        )
        size = min(size, self.page)
        shown = rows[(number - 1) * size : number * size]
        navigation = {"firstPage": {"uri": "https://elsewhere.example/?page=1"}}
        if number * size < len(rows):
            navigation["nextPage"] = {"uri": f"https://elsewhere.example/?page={number + 1}"}
        paging = {"page": number, "perPage": size, "pageStart": 0, "pageEnd": len(shown)}
        return _ok({"records": shown, "paging": paging, "navigation": navigation})

    def _subscribed(self, place: str) -> tuple[int, dict[str, str], bytes]:
        _, _, rest = place.partition("/")
        id_, _, renews = rest.partition("/")
        if not self.may_subscribe:
            return 403, {}, b'{"errorCode":"CMN-401"}'
        if not id_:
            return self._subscribes(json.loads(self.posted[-1]))
        known = self.open_subscriptions().get(id_)
        if known is None:
            return 404, {}, b'{"errorCode":"CMN-102"}'
        if self.method == "DELETE":
            del self.subscriptions[id_]
            return 204, {}, b""
        assert (self.method, renews, self.posted[-1]) == ("POST", "renew", "")
        return _ok(self._extended(id_, known))

    def _subscribes(self, asked: dict[str, Any]) -> tuple[int, dict[str, str], bytes]:
        delivery = asked["deliveryMode"]
        assert delivery["transportType"] == "WebHook"
        if not self.greets(delivery["address"], delivery["verificationToken"]):
            return 400, {}, b'{"errorCode":"SUB-525"}'
        id_ = f"subscription-{self.clock()}-{len(self.subscriptions)}"
        return _ok(self._extended(id_, {"status": "Active"} | asked))

    def _extended(self, id_: str, one: dict[str, Any]) -> dict[str, Any]:
        ends = self.clock() // SECOND * SECOND + one["expiresIn"] * SECOND
        self.subscriptions[id_] = one | {"id": id_, "expirationTime": written_instant(ends)}
        return self.subscriptions[id_]

    def open_subscriptions(self) -> dict[str, dict[str, Any]]:
        """Those that have not ended."""
        return {
            id_: one
            for id_, one in self.subscriptions.items()
            if instant(one["expirationTime"]) > self.clock()
        }


def _ok(body: Any) -> tuple[int, dict[str, str], bytes]:
    headers = {"content-type": "application/json", "x-rate-limit-group": "heavy"}
    return 200, headers, json.dumps(body).encode()

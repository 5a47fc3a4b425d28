"""Providers on this machine, written from their documentation: accounts that change, list, fail.

The truth is a dictionary of objects. Pipedrive lists deals and activities by cursor in the order of
their changes, with times in whole seconds; deleted deals only where they are asked for.
"""

from __future__ import annotations

import json
import re
from base64 import b64decode, b64encode
from dataclasses import dataclass, field
from typing import Any, ClassVar
from urllib.parse import parse_qs, urlsplit

from app.domain.instants import MINUTE, SECOND, instant, moment_of, written_instant
from tests.outbound.serving import PAGE, TOKEN, Account, ok


@dataclass
class Pipedrive(Account):
    """Deals and activities."""

    page: int = PAGE
    truth: dict[tuple[str, int], dict[str, Any]] = field(default_factory=dict)
    header: ClassVar[str] = "x-api-token"

    def change(self, entity: str, number: int, **values: Any) -> dict[str, Any]:
        """An object as it is from now on."""
        with self.lock:
            now = self.clock() // SECOND * SECOND
            before = self.truth.get((entity, number), {"id": number, "is_deleted": False})
            started = {"add_time": before.get("add_time", written_instant(now))}
            after = before | started | values | {"update_time": written_instant(now)}
            self.truth[entity, number] = after
            return dict(after)

    def listed(self, target: str) -> tuple[int, dict[str, str], bytes]:
        parts = urlsplit(target)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        _, _, version, collection, *rest = parts.path.split("/")
        assert version == "v2"
        entity = {"deals": "deal", "activities": "activity"}[collection]
        if rest:
            found = self.truth.get((entity, int(rest[0])))
            return (404, {}, b"{}") if found is None else ok({"success": True, "data": found})
        assert (query["sort_by"], query["sort_direction"]) == ("update_time", "asc")
        after = _place(query["cursor"]) if "cursor" in query else (0, 0)
        if after is None:
            return 400, {}, b'{"success":false}'
        gone = query.get("status") == "deleted"
        changed = [
            ((instant(one["update_time"]), number), one)
            for (kind, number), one in self.truth.items()
            if kind == entity and (entity != "deal" or one["is_deleted"] is gone)
        ]
        changed.sort(key=lambda pair: pair[0])
        since = instant(query["updated_since"])
        later = [(place, one) for place, one in changed if place > after and place[0] >= since]
        shown = later[: self.page]
        cursor = _cursor(shown[-1][0]) if len(later) > len(shown) else None
        told = {"success": True, "data": [one for _, one in shown]}
        return ok(told | {"additional_data": {"next_cursor": cursor}})


def _cursor(place: tuple[int, int]) -> str:
    return b64encode(json.dumps(place).encode()).decode()


def _place(cursor: str) -> tuple[int, int] | None:
    try:
        at, number = json.loads(b64decode(cursor))
    except ValueError:
        return None
    return at, number


@dataclass
class Kintone(Account):
    """An app of kintone: records with text values, whose times have whole minutes."""

    truth: dict[int, dict[str, Any]] = field(default_factory=dict)
    header: ClassVar[str] = "x-cybozu-api-token"
    _QUERY: ClassVar[re.Pattern[str]] = re.compile(
        r'(?:更新日時 >= "(?P<since>[^"]+)"'
        r'|\(更新日時 > "(?P<after>[^"]+)" or \(更新日時 = "(?P=after)" and \$id > (?P<id>\d+)\)\))'
        r" order by 更新日時 asc, \$id asc limit (?P<limit>\d+)"
    )

    def save(self, number: int, **values: str) -> dict[str, Any]:
        """A record as it is from now on; its revision is one more."""
        with self.lock:
            minute = written_instant(self.clock() // MINUTE * MINUTE)
            before = self.truth.get(number, {})
            revision = int(before.get("$revision", {"value": "0"})["value"]) + 1
            known = {
                "$id": {"type": "__ID__", "value": str(number)},
                "作成日時": before.get("作成日時", {"type": "CREATED_TIME", "value": minute}),
                "更新日時": {"type": "UPDATED_TIME", "value": minute},
                "$revision": {"type": "__REVISION__", "value": str(revision)},
            }
            own = {code: {"type": "SINGLE_LINE_TEXT", "value": v} for code, v in values.items()}
            self.truth[number] = before | own | known
            return self.truth[number]

    def listed(self, target: str) -> tuple[int, dict[str, str], bytes]:
        parts = urlsplit(target)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        assert query["app"] == "12"
        if parts.path == "/k/v1/record.json":
            found = self.truth.get(int(query["id"]))
            return (404, {}, b"{}") if found is None else ok({"record": found})
        asked = self._QUERY.fullmatch(query["query"])
        assert asked, query
        places = sorted(
            (instant(one["更新日時"]["value"]), number) for number, one in self.truth.items()
        )
        if asked["since"]:
            places = [place for place in places if place[0] >= instant(asked["since"])]
        else:
            behind = (instant(asked["after"]), int(asked["id"]))
            places = [place for place in places if place > behind]
        shown = [self.truth[number] for _, number in places[: int(asked["limit"])]]
        return ok({"records": shown, "totalCount": None})


@dataclass
class Salesforce(Account):
    """An organization: records by object, stamped in milliseconds; deleted ones stay to be read."""

    truth: dict[tuple[str, str], dict[str, Any]] = field(default_factory=dict)
    several_currencies: bool = False
    header: ClassVar[str] = "authorization"
    _QUERY: ClassVar[re.Pattern[str]] = re.compile(
        r"SELECT (?P<fields>[\w, ]+) FROM (?P<object>\w+) WHERE "
        r"(?:Id = '(?P<one>\w+)'|SystemModstamp >= (?P<since>[\w:.-]+)"
        r"|SystemModstamp > (?P<after>[\w:.-]+) OR "
        r"\(SystemModstamp = (?P=after) AND Id > '(?P<id>\w+)'\)) "
        r"ORDER BY SystemModstamp, Id LIMIT (?P<limit>\d+)"
    )

    def save(self, object_: str, id_: str, **values: Any) -> None:
        with self.lock:
            at = self.clock() // 1000 * 1000
            stamp = f"{written_instant(at // SECOND * SECOND)[:-1]}.{at // 1000 % 1000:03d}+0000"
            before = self.truth.get((object_, id_), {"Id": id_, "CreatedDate": stamp})
            self.truth[object_, id_] = before | values | {"SystemModstamp": stamp}

    def is_open(self, target: str) -> bool:
        return target == "/services/oauth2/token"

    def opened(self, _target: str) -> tuple[int, dict[str, str], bytes]:
        form = {name: values[0] for name, values in parse_qs(self.posted[-1]).items()}
        if form != {"grant_type": "client_credentials", "client_id": "c", "client_secret": TOKEN}:
            return 400, {}, b'{"error":"invalid_client"}'
        self.token = f"Bearer access-{len(self.posted)}"
        return ok({"access_token": self.token.partition(" ")[2], "instance_url": self.url})

    def listed(self, target: str) -> tuple[int, dict[str, str], bytes]:
        parts = urlsplit(target)
        assert re.fullmatch(r"/services/data/v\d+\.0/queryAll", parts.path)
        asked = self._QUERY.fullmatch(parse_qs(parts.query)["q"][0])
        assert asked, target
        rows = [
            ((_stamped(one), id_), one)
            for (object_, id_), one in self.truth.items()
            if object_ == asked["object"]
        ]
        rows.sort(key=lambda row: row[0])
        if asked["one"]:
            rows = [row for row in rows if row[0][1] == asked["one"]]
        elif asked["since"]:
            rows = [row for row in rows if row[0][0] >= instant(asked["since"])]
        else:
            behind = (instant(asked["after"]), asked["id"])
            rows = [row for row in rows if row[0] > behind]
        names = asked["fields"].split(", ")
        if "CurrencyIsoCode" in names and not self.several_currencies:
            return 400, {}, b'[{"errorCode":"INVALID_FIELD"}]'
        shown = [
            {"attributes": {"type": asked["object"]}} | {name: one.get(name) for name in names}
            for _, one in rows[: int(asked["limit"])]
        ]
        return ok({"totalSize": len(shown), "done": True, "records": shown})


def _stamped(record: dict[str, Any]) -> int:
    return instant(record["SystemModstamp"].replace("+0000", "Z"))


@dataclass
class Hubspot(Account):
    """An account: objects by kind, searched by offset in the order of their changes."""

    page: int = PAGE
    truth: dict[tuple[str, int], dict[str, Any]] = field(default_factory=dict)
    header: ClassVar[str] = "authorization"
    token: str = f"Bearer {TOKEN}"

    def save(self, object_: str, number: int, *, archived: bool = False, **values: str) -> None:
        with self.lock:
            at = self.clock() // 1000 * 1000
            stamp = f"{written_instant(at // SECOND * SECOND)[:-1]}.{at // 1000 % 1000:03d}Z"
            before = self.truth.get((object_, number), {"createdAt": stamp, "properties": {}})
            gone = {"archivedAt": stamp} if archived else {}
            known = {"id": str(number), "archived": archived, "updatedAt": stamp}
            searched = dict.fromkeys(("lastmodifieddate", "hs_lastmodifieddate"), stamp)
            properties = before["properties"] | values | searched
            after = before | known | gone | {"properties": properties}
            self.truth[object_, number] = after

    def listed(self, target: str) -> tuple[int, dict[str, str], bytes]:
        parts = urlsplit(target)
        _, crm, version, objects, object_, last = parts.path.split("/")
        assert (crm, version, objects) == ("crm", "v3", "objects")
        if last == "search":
            return self._searched(object_, json.loads(self.posted[-1]))
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        found = self.truth.get((object_, int(last))) if last.isdigit() else None
        if found is None or str(found["archived"]).lower() != query["archived"]:
            return 404, {}, b"{}"
        return ok(_with(found, query["properties"].split(",")))

    def _searched(self, object_: str, asked: dict[str, Any]) -> tuple[int, dict[str, str], bytes]:
        ((later,),) = (group["filters"] for group in asked["filterGroups"])
        (order,) = asked["sorts"]
        name = "lastmodifieddate" if object_ == "contacts" else "hs_lastmodifieddate"
        assert (later["propertyName"], later["operator"]) == (name, "GTE")
        assert order == {"propertyName": name, "direction": "ASCENDING"}
        since, start = int(later["value"]) * 1000, int(asked.get("after", 0))
        found = sorted(
            ((instant(one["updatedAt"]), number), number)
            for (kind, number), one in self.truth.items()
            if kind == object_ and not one["archived"] and instant(one["updatedAt"]) >= since
        )
        end = start + min(self.page, asked["limit"])
        shown = [self.truth[object_, number] for _, number in found[start:end]]
        body = {"results": [_with(one, asked["properties"]) for one in shown], "total": len(found)}
        return ok(body | ({"paging": {"next": {"after": str(end)}}} if end < len(found) else {}))


def _with(found: dict[str, Any], names: list[str]) -> dict[str, Any]:
    return found | {"properties": {name: found["properties"].get(name) for name in names}}


@dataclass
class Close(Account):
    """An organization: opportunities that are listed, and the log of what changed, latest first.

    Several edits of an object within a moment become one entry, which then is the latest. The log
    takes object and action together and no other filter, and behind a cursor no time.
    """

    page: int = PAGE
    truth: dict[tuple[str, str], dict[str, Any] | None] = field(default_factory=dict)
    log: list[dict[str, Any]] = field(default_factory=list)
    header: ClassVar[str] = "authorization"
    token: str = f"Basic {b64encode(f'{TOKEN}:'.encode()).decode()}"
    _CONSOLIDATED: ClassVar[int] = 10 * SECOND

    def change(self, kind: str, id_: str, action: str = "updated", **values: Any) -> dict[str, Any]:
        """An object as it is from now on; the entry that says so."""
        with self.lock:
            before = self.truth.get((kind, id_)) or {"id": id_, "date_created": self._now("+00:00")}
            after = before | values | {"date_updated": self._now("+00:00")}
            self.truth[kind, id_] = after
            return self._told(kind, id_, action, after)

    def delete(self, kind: str, id_: str) -> dict[str, Any]:
        with self.lock:
            self.truth[kind, id_] = None
            return self._told(kind, id_, "deleted", None)

    def _now(self, offset: str = "") -> str:
        return moment_of(self.clock()).isoformat(timespec="microseconds")[:-6] + offset

    def _told(
        self, kind: str, id_: str, action: str, data: dict[str, Any] | None
    ) -> dict[str, Any]:
        last = self.log[-1] if self.log else None
        if last and (last["object_id"], last["action"], action) == (id_, "updated", "updated"):
            young = self.clock() - instant(last["date_created"] + "Z") < self._CONSOLIDATED
            if young:
                last |= {"data": data, "date_updated": self._now()}
                return dict(last)
        entry = {
            "id": f"ev_{len(self.log)}",
            "date_created": self._now(),
            "date_updated": self._now(),
            "action": action,
            "object_type": kind,
            "object_id": id_,
            "data": data,
        }
        self.log.append(entry)
        return dict(entry)

    def listed(self, target: str) -> tuple[int, dict[str, str], bytes]:
        parts = urlsplit(target)
        query = {name: values[0] for name, values in parse_qs(parts.query).items()}
        assert parts.path.startswith("/api/v1/")
        place = parts.path.removeprefix("/api/v1/").strip("/")
        if place == "event":
            return self._entries(query)
        if place == "opportunity":
            return self._opportunities(query)
        kind, _, id_ = place.rpartition("/")
        found = self.truth.get((kind.replace("/", "."), id_))
        return (404, {}, b"{}") if found is None else ok(found)

    def _opportunities(self, query: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
        assert query.pop("_order_by") == "date_updated"
        since, skip = instant(query["date_updated__gte"]), int(query["_skip"])
        found = sorted(
            (one["date_updated"], id_)
            for (kind, id_), one in self.truth.items()
            if kind == "opportunity" and one and instant(one["date_updated"]) >= since
        )
        end = skip + min(self.page, int(query["_limit"]))
        shown = [self.truth["opportunity", id_] for _, id_ in found[skip:end]]
        return ok({"data": shown, "has_more": end < len(found), "total_results": len(found)})

    def _entries(self, query: dict[str, str]) -> tuple[int, dict[str, str], bytes]:
        assert set(query) <= {"object_type", "action", "date_updated__gte", "_cursor", "_limit"}
        asked = (query["object_type"], query["action"])
        found = [one for one in self.log if (one["object_type"], one["action"]) == asked]
        found.sort(key=lambda one: (one["date_updated"], one["id"]), reverse=True)
        if "_cursor" in query:
            assert "date_updated__gte" not in query
            behind = tuple(json.loads(b64decode(query["_cursor"])))
            found = [one for one in found if (one["date_updated"], one["id"]) < behind]
        else:
            since = instant(query["date_updated__gte"])
            found = [one for one in found if instant(one["date_updated"] + "Z") >= since]
        shown = found[: min(self.page, int(query["_limit"]), 50)]
        more = len(found) > len(shown)
        last = [shown[-1]["date_updated"], shown[-1]["id"]] if more else None
        onward = b64encode(json.dumps(last).encode()).decode() if last else None
        return ok({"data": shown, "cursor_next": onward, "cursor_previous": None})

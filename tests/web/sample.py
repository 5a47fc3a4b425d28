"""A small service on the platform: one collection, one raw door, one crash."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Annotated, Any, Literal

from fastapi import FastAPI
from pydantic import BaseModel, ConfigDict, Field
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import Lifespan

from app.domain.errors import Conflict
from app.telemetry import Counters
from app.usecases.keys import digest_of
from app.web.auth import Attempts, Gate, Principal, admitted, requires
from app.web.dependencies import Language, Now
from app.web.pagination import Paged, page
from app.web.platform import Platform
from app.web.routes import documented
from app.web.service import Service, assembled, router

SECRET = "x" * 32
TOKENS = {scope: f"tsk_default_{scope}{SECRET}" for scope in ("ingest", "read", "write", "admin")}
NOW = 1_797_292_800_000_000


@dataclass(frozen=True)
class StoredKey:
    id: str
    scopes: frozenset[str]
    revoked_at: int | None = None


class Keys:
    """A store of keys in memory, counting how often it is asked."""

    def __init__(self) -> None:
        self.version = 1
        self.asked = 0
        self.stored = {
            ("default", digest_of(token)): StoredKey(f"key-{scope}", frozenset({scope}))
            for scope, token in TOKENS.items()
        }

    def find(self, workspace: str, digest: bytes) -> StoredKey | None:
        self.asked += 1
        return self.stored.get((workspace, digest))

    def revoke(self, token: str) -> None:
        place = ("default", digest_of(token))
        self.stored[place] = replace(self.stored[place], revoked_at=NOW)
        self.version += 1

    def config_version(self, _workspace: str) -> int:
        return self.version


class Membership(BaseModel):
    model_config = ConfigDict(extra="forbid")
    team: str


class ById(BaseModel):
    model_config = ConfigDict(extra="forbid")
    kind: Literal["id"]
    value: str


class ByPhone(BaseModel):
    model_config = ConfigDict(extra="forbid")
    kind: Literal["phone"]
    number: int


class Thing(BaseModel):
    model_config = ConfigDict(extra="forbid")
    name: str = Field(min_length=1, max_length=10)
    size: int = Field(default=1, ge=1, le=9)
    memberships: list[Membership] = []
    identity: ById | ByPhone | None = None
    free: Any = None


things = router("/v1/things", "things")


@things.get("")
def list_things(
    principal: Annotated[Principal, requires("read")], paged: Paged, tag: str | None = None
) -> dict[str, Any]:
    after = paged.after(principal.workspace, "things")
    keys = [key for key in "abcdefg" if after is None or key > after]
    keys = keys[: paged.limit + 1]
    shown = page(keys, paged, principal.workspace, "things", key=str, show=lambda k: {"key": k})
    return shown | {"tag": tag}


@things.get("/{key}")
def get_thing(
    key: str, now: Now, language: Language, principal: Annotated[Principal, requires("read")]
) -> dict[str, Any]:
    return {"key": key, "now": now, "language": language, "by": principal.key_id}


@things.put("/{key}")
def put_thing(
    key: str, thing: Thing, principal: Annotated[Principal, requires("write")]
) -> dict[str, Any]:
    return {"key": key, "name": thing.name, "free": repr(thing.free), "by": principal.key_id}


@things.delete("/{key}")
def delete_thing(key: str, principal: Annotated[Principal, requires("write")]) -> None:
    raise Conflict("exists_already", key=len(key + principal.key_id))


@things.get("/{key}/crash")
def crash_thing(key: str) -> None:
    raise ZeroDivisionError(f"the secret of {key}")


async def take_raw(request: Request) -> Response:
    principal = await admitted(request.scope, "ingest")
    body = await request.body()
    return JSONResponse({"bytes": len(body), "by": principal.key_id})


class RawAsgi:
    """A door that is an ASGI app itself."""

    async def __call__(self, scope: Any, receive: Any, send: Any) -> None:
        await admitted(scope, "ingest")
        message = await receive()
        answer = JSONResponse({"bytes": len(message["body"])})
        await answer(scope, receive, send)


def service(
    keys: Keys | None = None,
    *,
    monotonic: Any = lambda: 0.0,
    lifespan: Lifespan[FastAPI] | None = None,
    routers: Sequence[Any] = (things,),
    **platform: Any,
) -> Service:
    keys = keys or Keys()
    given: Mapping[str, Any] = {
        "version": "1.2.3",
        "clock": lambda: NOW,
        "monotonic": monotonic,
        "counters": Counters("1.2.3"),
        "check": lambda: None,
        "gate": Gate(keys.find, keys.config_version, Attempts(monotonic)),
        **platform,
    }
    doors = [
        Route("/v1/raw", take_raw, methods=["POST"]),
        Route("/v1/asgi", RawAsgi(), methods=["POST"]),
    ]
    app = assembled(Platform(**given), routers=routers, doors=doors, lifespan=lifespan)
    documented(
        app,
        "/v1/raw",
        "post",
        {
            "operationId": "take_raw",
            "tags": ["events"],
            "summary": "Takes anything",
            "security": [{"key": ["ingest"]}],
            "requestBody": {"content": {"application/octet-stream": {"schema": {}}}},
            "responses": {"200": {"description": "Taken."}},
        },
    )
    return app


def bearer(scope: str) -> dict[str, str]:
    return {"Authorization": f"Bearer {TOKENS[scope]}"}

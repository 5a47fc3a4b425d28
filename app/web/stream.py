"""GET /v1/plans/{plan}/stream: progress as it moves, as server-sent events.

Of each reader the service keeps the number of the state it has, and nothing else. Whoever kept
up is sent what is new, whoever did not is sent the whole, and always the latest: a slow reader
skips what lies between and never misses the end.
"""

from __future__ import annotations

import asyncio
import json
from functools import partial
from typing import Annotated, Any, Literal, NamedTuple, Protocol

from fastapi import Depends, Header, Query
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from app.domain.errors import TasseiError, Unavailable
from app.domain.progress import Scope as Whose
from app.domain.scopes import Breakdown
from app.usecases.stream import State, Subject
from app.views.stream import COMMENT, MEDIA_TYPE, event, retry
from app.web.auth import Principal, admitted, requires
from app.web.body import CONNECTION
from app.web.dependencies import Language
from app.web.middleware import HEAD_ONLY
from app.web.problems import REQUEST_ID, problem
from app.web.resources import Parts
from app.web.schemas.common import Key
from app.web.service import router
from app.web.streams import Streams

routes = router("/v1/plans", "plans")

_HEADERS = {
    "Content-Type": f"{MEDIA_TYPE}; charset=utf-8",
    "Cache-Control": "no-store",
    "X-Accel-Buffering": "no",
    # Nothing comes after a stream; and whoever drops the connection drops nothing else with it.
    "Connection": "close",
}


class Connection(Protocol):
    """What the listener can do for an answer without an end."""

    def last(self) -> None: ...
    def push(self, part: bytes) -> bool: ...
    def drop(self) -> None: ...


class Followed(NamedTuple):
    """Whose progress is followed, and how broken down."""

    scope: Whose
    breakdown: Breakdown


def _followed(
    team: Annotated[Key | None, Query()] = None,
    member: Annotated[Key | None, Query()] = None,
    breakdown: Annotated[Literal["team", "member"] | None, Query()] = None,
) -> Followed:
    return Followed(Whose(team, member), Breakdown(breakdown or "none"))


class EventStream(Response):
    """One reader's stream, from the first state to the end."""

    media_type = MEDIA_TYPE

    def __init__(self, streams: Streams, principal: Principal, subject: Subject) -> None:
        super().__init__(headers=_HEADERS)
        del self.headers["content-length"]
        self._streams = streams
        self._key = principal.key_id
        self._moved = asyncio.Event()
        self._wake = partial(streams.woken, self.look, asyncio.get_running_loop())
        self._number = streams.enter(self._key, self._wake)
        self._checked: int | None = None
        self._topic = streams.hub.follow(subject, self._wake)
        self._seen = 0
        self._owed = False
        self._gone = False
        self._beat_due = False
        self._sending_since: float | None = None
        self._connection: Connection = _Unheld()
        self._idle = False

    def close(self) -> None:
        """Give the place back."""
        self._idle = False
        self._streams.hub.leave(self._topic, self._wake)
        self._streams.leave(self._key, self._wake)

    async def opened(self, seq: int, last_event_id: str | None) -> None:
        """Wait for the first state, not older than `seq`. Raises what its evaluation raised."""
        while (state := self._topic.reached(seq)) is None:
            if self._topic.error is not None:
                raise self._topic.error
            if self._streams.drain.begun:
                raise Unavailable("draining")
            await self._moved.wait()
            self._moved.clear()
        if last_event_id == str(state.seq):
            # This reader knows every commit. How late it was there, nobody knows: where minutes
            # may have changed figures since, it gets the whole at the first pause.
            self._seen, self._owed = state.number, state.aged

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Send what there is until there is no more, or nobody who takes it."""
        self._connection = _connection(scope)
        self._connection.last()
        aside = [
            asyncio.create_task(self._left(receive)),
            asyncio.create_task(self._beat()),
            asyncio.create_task(self._lose_patience(self._connection)),
        ]
        try:
            await self._send_all(scope, send)
        finally:
            for task in aside:
                task.cancel()
            self.close()

    async def _send_all(self, scope: Scope, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
        ended = bool(scope.get(HEAD_ONLY))
        frame = b""
        while not self._gone:
            if not ended:
                frame, ended = await self._next(scope)
            self._sending_since = _now()
            await send({"type": "http.response.body", "body": frame, "more_body": not ended})
            self._sending_since = None
            if ended:
                return

    async def _left(self, receive: Receive) -> None:
        while (await receive())["type"] != "http.disconnect":
            pass
        self._gone = True
        self._moved.set()

    # A timeout around each wait and each send would be a good part of what a frame costs.

    async def _beat(self) -> None:
        while True:
            await asyncio.sleep(self._streams.heartbeat)
            self._beat_due = True
            self._moved.set()

    async def _lose_patience(self, connection: Connection) -> None:
        """Drop a reader that takes a frame for too long; the send then ends by itself."""
        while True:
            await asyncio.sleep(self._streams.patience / 2)
            since = self._sending_since
            if since is not None and _now() - since > self._streams.patience:
                connection.drop()

    async def _next(self, scope: Scope) -> tuple[bytes, bool]:
        """The next frame, once there is one, and whether it is the last."""
        while not self._gone:
            self._moved.clear()
            last = await self._ending(scope)
            if last is not None:
                return last, True
            state = self._topic.state
            if state is not None and state.number != self._seen:
                return self._news(state), False
            if self._beat_due:
                return self._pause(state), False
            self._idle = True
            await self._moved.wait()
            self._idle = False
        return b"", True

    def look(self) -> None:
        """There may be something new. On the event loop.

        A change of figures is written here and now to who waits for nothing else: waking its task
        takes as long as reading an event, and a thousand readers have one each.
        """
        if not (self._idle and self._pushed()):
            self._moved.set()

    def _pushed(self) -> bool:
        state, hub = self._topic.state, self._streams.hub
        if (
            state is None
            or state.number == self._seen
            or self._topic.error is not None
            or self._streams.drain.begun
            or hub.config_version(self._topic.subject.workspace) != self._checked
        ):
            return False
        if not self._connection.push(self._frame(state)):
            return False
        self._seen = state.number
        return True

    def _news(self, state: State) -> bytes:
        frame = self._frame(state)
        self._seen = state.number
        return frame

    def _frame(self, state: State) -> bytes:
        """What leads to a state from what the reader has."""
        return state.news if state.number == self._seen + 1 else state.whole

    def _pause(self, state: State | None) -> bytes:
        self._beat_due = False
        owed, self._owed = self._owed, False
        return state.whole if owed and state is not None else COMMENT

    async def _ending(self, scope: Scope) -> bytes | None:
        """What is said at the end, if this is the end."""
        if self._streams.drain.begun:
            # Spread over some seconds: who comes next is not to be asked by all at once.
            return retry(500 + self._number % 100 * 25)
        if self._topic.error is not None:
            return self._refusal(scope, self._topic.error)
        version = self._streams.hub.config_version(self._topic.subject.workspace)
        if version != self._checked:
            try:
                await admitted(scope, "read")
            except Unavailable:
                return None  # nothing is known of the key, and so nothing against it
            except TasseiError as error:
                return self._refusal(scope, error)
            self._checked = version
        return None

    def _refusal(self, scope: Scope, error: TasseiError) -> bytes:
        told = problem(error, self._topic.subject.language, scope.get(REQUEST_ID))
        return event("end", json.dumps(told, ensure_ascii=False).encode())


def _now() -> float:
    return asyncio.get_running_loop().time()


class _Unheld:
    """A connection of a listener that is not ours."""

    def last(self) -> None: ...
    def drop(self) -> None: ...

    def push(self, part: bytes) -> bool:  # noqa: ARG002 - it may be anything
        return False


def _connection(scope: Scope) -> Connection:
    connection: Connection | None = scope.get("extensions", {}).get(CONNECTION, {}).get("protocol")
    return connection or _Unheld()


_ANSWER: dict[str, Any] = {
    "description": "Events, each with a JSON document as its data:\n"
    "- `snapshot`: a whole Progress, as `/progress` answers it. Replace what you have.\n"
    "- `goals`: an array of `{scope?, goal}`, the goals that changed, each whole but without "
    "`children`: a child that changed is an entry of its own. Put `goal` over the goal of that "
    "`key`: in the tree at `root`, or with `scope` in the entry of `breakdown` of that scope. "
    "`as_of`, `known_at`, `generated_at` and `next_change_at` stay those of the last snapshot.\n"
    "- `activity`: `{kind, member, goal, delta}`, a goal's actual rose or fell by what a member "
    "did (null: nobody known). It carries no state.\n"
    "- `end`: a problem; nothing follows. The plan was archived, the key revoked.\n\n"
    "`id` is the number of the commit that is shown. With `Last-Event-ID` of the current one the "
    "stream goes on from there, with any other it begins with a snapshot. A reader that does not "
    "keep up gets snapshots, always of the latest. In working hours each minute brings a "
    "snapshot, for time moves figures too. A comment comes every 15 seconds; on shutdown a "
    "`retry`, and the end.",
}


@routes.get("/{plan}/stream", status_code=200, response_class=EventStream, responses={200: _ANSWER})
async def stream_progress(
    request: Request,
    parts: Parts,
    who: Annotated[Principal, requires("read")],
    plan: Key,
    language: Language,
    followed: Annotated[Followed, Depends(_followed)],
    last_event_id: Annotated[
        str | None, Header(alias="Last-Event-ID", description="The `id` of the last event seen.")
    ] = None,
) -> Response:
    """The goal tree as it moves: server-sent events."""
    streams: Streams = request.app.state.streams
    subject = Subject(who.workspace, plan, followed.scope, followed.breakdown, language)
    stream = EventStream(streams, who, subject)
    try:
        await stream.opened(parts.watch.seq(who.workspace), last_event_id)
    except BaseException:
        stream.close()
        raise
    return stream

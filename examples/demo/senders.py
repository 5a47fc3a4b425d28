"""The three providers' delivery services: they sign as the vendors' own code does, and post."""

from __future__ import annotations

import asyncio
import json
from base64 import b64encode
from collections import Counter
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import datetime
from uuid import NAMESPACE_URL, uuid5

import httpx
from standardwebhooks import Webhook
from twilio.request_validator import RequestValidator

from examples.demo.bodies import Door, Post

_AT_ONCE = 16
_TRIES = 8


class Refused(Exception):
    """The service did not accept a delivery; the message has its answer."""


@dataclass(frozen=True, slots=True)
class Credentials:
    """The addresses given to the providers, and what each signs with.

    Providers sign the public address. Its proxy is played by `public_url` and `local_url`: what is
    signed for the one is delivered at the other.
    """

    hooks: dict[Door, str]
    twilio_token: str
    pipedrive_user: str
    pipedrive_password: str
    webhook_secret: str
    public_url: str = ""
    local_url: str = ""

    def delivered_at(self, url: str) -> str:
        """Where a request to a hook arrives on this machine."""
        return self.local_url + url.removeprefix(self.public_url)


@dataclass(frozen=True, slots=True)
class Signed:
    """A request ready to go."""

    url: str
    body: bytes
    headers: dict[str, str]


def signed(post: Post, credentials: Credentials, now: datetime) -> Signed:
    """The request of a post, as its provider sends it at `now`."""
    url = credentials.hooks[post.door]
    match post.door:
        case "twilio":
            return _twilio(post, url, credentials.twilio_token)
        case "pipedrive":
            return _pipedrive(post, url, credentials)
        case "booking":
            return _standard_webhook(post, url, credentials.webhook_secret, now)


def _twilio(post: Post, url: str, token: str) -> Signed:
    if isinstance(post.body, list):
        raise TypeError("a status callback is one form")
    form = {name: str(value) for name, value in post.body.items()}
    signature = RequestValidator(token).compute_signature(url, form)
    headers = {
        "Content-Type": "application/x-www-form-urlencoded; charset=UTF-8",
        "User-Agent": "TwilioProxy/1.1",
        "X-Twilio-Signature": signature,
        # The same token for each try of one callback.
        "I-Twilio-Idempotency-Token": str(uuid5(NAMESPACE_URL, post.id)),
    }
    return Signed(url, httpx.Request("POST", url, data=form).read(), headers)


def _pipedrive(post: Post, url: str, credentials: Credentials) -> Signed:
    pair = f"{credentials.pipedrive_user}:{credentials.pipedrive_password}".encode()
    headers = {
        "Content-Type": "application/json",
        "User-Agent": "Pipedrive Webhooks",
        "Authorization": f"Basic {b64encode(pair).decode()}",
    }
    return Signed(url, json.dumps(post.body).encode(), headers)


def _standard_webhook(post: Post, url: str, secret: str, now: datetime) -> Signed:
    batch = isinstance(post.body, list)
    body = json.dumps(post.body, ensure_ascii=False)
    headers = {
        "Content-Type": f"application/cloudevents{'-batch' if batch else ''}+json; charset=utf-8",
        "webhook-id": post.id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(secret).sign(post.id, now, body),
    }
    return Signed(url, body.encode(), headers)


async def deliver(
    posts: Iterable[Post],
    credentials: Credentials,
    clock: Callable[[], datetime],
    progressed: Callable[[], None] = lambda: None,
) -> Counter[Door]:
    """Post everything, several at once; raises Refused at the first that is not accepted."""
    waiting = iter(posts)
    sent: Counter[Door] = Counter()
    limits = httpx.Limits(max_connections=_AT_ONCE)
    async with httpx.AsyncClient(timeout=120, limits=limits, trust_env=False) as client:

        async def work() -> None:
            # One iterator for all workers: next() does not wait, so no two get the same post.
            for post in waiting:
                request = signed(post, credentials, clock())
                await _send(client, replace(request, url=credentials.delivered_at(request.url)))
                sent[post.door] += 1
                progressed()

        try:
            async with asyncio.TaskGroup() as workers:
                for _ in range(_AT_ONCE):
                    workers.create_task(work())
        except ExceptionGroup as group:
            raise group.exceptions[0] from group
    return sent


async def _send(client: httpx.AsyncClient, request: Signed) -> None:
    """One delivery; when the service is busy, again after the time it names."""
    for _ in range(_TRIES):
        answer = await client.post(request.url, content=request.body, headers=request.headers)
        if answer.is_success:
            return
        if answer.status_code not in {429, 503}:
            break
        await asyncio.sleep(float(answer.headers.get("Retry-After", "1")))
    raise Refused(f"{answer.status_code} {answer.text[:500]} for {request.body[:300]!r}")

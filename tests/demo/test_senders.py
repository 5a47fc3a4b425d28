"""What the senders sign, the vendors' own code accepts; deliveries are retried, or refused."""

from __future__ import annotations

import asyncio
import json
from base64 import b64decode
from datetime import UTC, datetime
from typing import Any
from urllib.parse import parse_qsl

import httpx
import pytest
from standardwebhooks import Webhook
from standardwebhooks.webhooks import WebhookVerificationError
from twilio.request_validator import RequestValidator

from examples.demo.bodies import Door, Post
from examples.demo.sample import build
from examples.demo.senders import Credentials, Refused, deliver, signed

REAL = httpx.AsyncClient
NOW = datetime.now(UTC)  # noqa: TID251 - the vendor's verifier reads the wall clock
HOOKS: dict[Door, str] = {
    "twilio": "http://127.0.0.1:8000/v1/hooks/h_default_t",
    "pipedrive": "http://127.0.0.1:8000/v1/hooks/h_default_p",
    "booking": "http://127.0.0.1:8000/v1/hooks/h_default_b",
}
CREDENTIALS = Credentials(HOOKS, "token", "tassei", "pass:word", "whsec_MfKQ9r8GKYqrTwjUPD8ILPZI")
POSTS = {post.door: post for post in build(NOW).posts}


def test_twilios_validator_accepts_the_callback_and_not_a_changed_one() -> None:
    request = signed(POSTS["twilio"], CREDENTIALS, NOW)
    form = dict(parse_qsl(request.body.decode(), keep_blank_values=True))
    signature = request.headers["X-Twilio-Signature"]
    validator = RequestValidator("token")
    assert form == POSTS["twilio"].body
    assert validator.validate(request.url, form, signature)
    assert not validator.validate(request.url, form | {"CallStatus": "ringing"}, signature)


@pytest.mark.parametrize("batch", [False, True])
def test_the_standard_webhooks_library_accepts_the_event_and_not_a_changed_one(batch: bool) -> None:  # noqa: FBT001 - parametrized
    body: Any = POSTS["booking"].body
    post = Post(NOW, "booking", "msg_1", [body, body] if batch else body)
    request = signed(post, CREDENTIALS, datetime.now(UTC))  # noqa: TID251 - as above
    verifier = Webhook(CREDENTIALS.webhook_secret)
    assert verifier.verify(request.body, request.headers) == post.body
    with pytest.raises(WebhookVerificationError):
        verifier.verify(request.body.replace(b"booked", b"cooked"), request.headers)
    media_type = request.headers["Content-Type"].split(";")[0]
    assert media_type == f"application/cloudevents{'-batch' if batch else ''}+json"


def test_pipedrive_sends_basic_authentication() -> None:
    request = signed(POSTS["pipedrive"], CREDENTIALS, NOW)
    scheme, pair = request.headers["Authorization"].split()
    assert (scheme, b64decode(pair)) == ("Basic", b"tassei:pass:word")
    assert json.loads(request.body) == POSTS["pipedrive"].body


def answering(monkeypatch: pytest.MonkeyPatch, *statuses: int) -> list[httpx.Request]:
    """Lets the next deliveries meet these answers, the last one from then on."""
    seen: list[httpx.Request] = []
    left = list(statuses)

    def answer(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        status = left.pop(0) if len(left) > 1 else left[0]
        return httpx.Response(status, headers={"Retry-After": "0"}, text="said")

    def client(**options: Any) -> httpx.AsyncClient:
        return REAL(**(options | {"transport": httpx.MockTransport(answer)}))

    monkeypatch.setattr(httpx, "AsyncClient", client)
    return seen


def test_everything_is_posted_once_and_counted_by_door(monkeypatch: pytest.MonkeyPatch) -> None:
    seen = answering(monkeypatch, 204)
    posts = build(NOW).posts[:300]
    ticks: list[None] = []
    sent = asyncio.run(deliver(posts, CREDENTIALS, lambda: NOW, lambda: ticks.append(None)))
    assert sent.total() == len(seen) == len(ticks) == 300
    assert sorted(request.content for request in seen) == sorted(
        signed(post, CREDENTIALS, NOW).body for post in posts
    )


def test_a_busy_service_is_tried_again_and_a_refusal_is_told(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    seen = answering(monkeypatch, 503, 429, 204)
    asyncio.run(deliver([POSTS["twilio"]], CREDENTIALS, lambda: NOW))
    assert len(seen) == 3
    answering(monkeypatch, 401)
    with pytest.raises(Refused, match="401 said"):
        asyncio.run(deliver([POSTS["twilio"]], CREDENTIALS, lambda: NOW))

"""Zoom's own receiver judges what the tests sign, and what we answer to its question."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest

from app.domain.errors import Unauthenticated
from app.domain.instants import SECOND
from app.intake.requests import HookRequest
from tests.intake.conformance import flipped_bodies, hook_of
from tests.intake.samples.zoom import SAMPLES
from tests.intake.senders import NOW
from tests.intake.zoom_events import TOKEN, VALIDATION, posted
from tests.node.programs import run

pytestmark = pytest.mark.slow

_STAMP, _PROOF = "x-zm-request-timestamp", "x-zm-signature"


def later(request: HookRequest) -> HookRequest:
    """A second later than it was signed."""
    return replace(request, headers={**request.headers, _STAMP: str(NOW // SECOND + 1)})


def flipped_proofs(request: HookRequest) -> list[HookRequest]:
    proof = request.headers[_PROOF]
    changed = [proof[:n] + chr(ord(one) ^ 1) + proof[n + 1 :] for n, one in enumerate(proof)]
    return [replace(request, headers={**request.headers, _PROOF: one}) for one in changed]


def by_another(request: HookRequest) -> HookRequest:
    return posted(None, body=request.body, token=TOKEN.swapcase())


def ours(request: HookRequest) -> bool:
    try:
        hook_of("zoom").verify(request)
    except Unauthenticated:
        return False
    return True


def theirs(requests: list[HookRequest]) -> list[dict[str, Any]]:
    """What Zoom's receiver answers, with the secret token of the samples."""
    sent = [
        {"token": TOKEN, "headers": dict(one.headers), "body": one.body.decode()}
        for one in requests
    ]
    answers: list[dict[str, Any]] = run("judge.cjs", sent)
    assert len(answers) == len(requests)
    return answers


def readable(request: HookRequest) -> bool:
    """Whether its body is a text, as the receiver is given one."""
    try:
        request.body.decode()
    except UnicodeDecodeError:
        return False
    return True


def test_whatever_zoom_accepts_and_refuses_so_do_we() -> None:
    tampered = [one for one in flipped_bodies(SAMPLES[0]) if readable(one)]
    assert len(tampered) > len(SAMPLES[0].body) // 2
    false = [*tampered, *flipped_proofs(SAMPLES[0])]
    false += [change(one) for one in SAMPLES for change in (later, by_another)]
    asked = posted(VALIDATION)
    *answers, greeting = theirs([*SAMPLES, *false, asked])
    accepted = [answer["statusCode"] == 200 for answer in answers]
    assert accepted == [True] * len(SAMPLES) + [False] * len(false)
    assert [ours(one) for one in (*SAMPLES, *false)] == accepted
    # Its question whether we know the secret: it would say the same.
    answered = hook_of("zoom").handshake(asked)
    assert answered is not None
    assert (greeting["statusCode"], json.loads(greeting["body"])) == (
        answered.status,
        json.loads(answered.body),
    )

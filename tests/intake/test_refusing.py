"""Why a request was refused: the mistake is found out, and the request is refused all the same."""

from __future__ import annotations

from base64 import b64encode
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook
from twilio.request_validator import RequestValidator

from app.domain.errors import Unauthenticated
from app.domain.instants import SECOND
from app.intake.providers import standard_webhooks, twilio
from app.intake.refusing import why_refused
from app.intake.requests import Hook, HookRequest, Step

NOW = 1_797_292_800 * SECOND
SECRET = "whsec_" + b64encode(b"k" * 32).decode()
TOKEN = "5f1c9a3b7d2e4f60819a2b3c4d5e6f70"
PUBLIC = "https://tassei.example.co.jp"
TARGET = "/v1/hooks/h_default_x?region=jp1"
FORM = {"CallSid": "CA1", "CallStatus": "completed"}


def hook_of(module: Any) -> Hook:
    found: Hook = module.PROVIDER.hook
    return found


def signed_at(seconds: int, secret: str = SECRET) -> HookRequest:
    at = NOW // SECOND + seconds
    headers = {
        "content-type": "application/json",
        "webhook-id": "m-1",
        "webhook-timestamp": str(at),
        "webhook-signature": Webhook(secret).sign("m-1", datetime.fromtimestamp(at, UTC), "{}"),
    }
    credentials = {"secret": (SECRET,)}
    return HookRequest("w", "app", PUBLIC + TARGET, "POST", headers, b"{}", credentials, NOW)


def signed_for(address: str, base: str = PUBLIC, token: str = TOKEN, **more: str) -> HookRequest:
    headers = {
        "content-type": "application/x-www-form-urlencoded",
        "x-twilio-signature": RequestValidator(token).compute_signature(address + TARGET, FORM),
    }
    headers |= {name.replace("_", "-"): value for name, value in more.items()}
    credentials = {"auth_tokens": (TOKEN,)}
    body = urlencode(FORM).encode()
    return HookRequest("w", "phone", base + TARGET, "POST", headers, body, credentials, NOW)


def told(hook: Hook, request: HookRequest, base: str = PUBLIC) -> Step:
    """What is told of a request that is refused, before and after."""
    with pytest.raises(Unauthenticated) as refused:
        hook.verify(request)
    found = why_refused(hook, request, base, refused.value.code)
    with pytest.raises(Unauthenticated):
        hook.verify(request)
    return found


@pytest.mark.parametrize("seconds", [-86_400, -301, 301, 7_200])
def test_a_right_signature_of_another_time_is_a_clock_that_is_off(seconds: int) -> None:
    found = told(hook_of(standard_webhooks), signed_at(seconds))
    assert found == Step("clock_off", {"seconds": seconds})


def test_a_wrong_secret_is_a_wrong_secret_whatever_the_clock_says() -> None:
    other = "whsec_" + b64encode(b"o" * 32).decode()
    hook = hook_of(standard_webhooks)
    assert told(hook, signed_at(0, other)).code == "signature_mismatch"
    assert told(hook, signed_at(-900, other)).code == "timestamp_out_of_tolerance"


@pytest.mark.parametrize(
    ("address", "base", "headers"),
    [
        ("https://phone.example.com", PUBLIC, {"host": "phone.example.com"}),
        ("https://real.example.com", PUBLIC, {"host": "10.0.0.7:8000",
                                              "x_forwarded_host": "real.example.com"}),
        ("http://tassei.example.co.jp", PUBLIC, {}),
        (PUBLIC, f"{PUBLIC}/goals", {}),
        (f"{PUBLIC}/goals", PUBLIC, {"x_forwarded_prefix": "/goals/"}),
        ("https://tassei.example.co.jp", "http://127.0.0.1:8000",
         {"host": "tassei.example.co.jp", "x_forwarded_proto": "https"}),
    ],
)  # fmt: skip
def test_a_right_signature_of_another_address_names_it(
    address: str, base: str, headers: dict[str, str]
) -> None:
    found = told(hook_of(twilio), signed_for(address, base, **headers), base)
    assert found == Step("signed_other_address", {"address": address, "expected": base})


def test_the_address_is_told_without_the_secret_part_of_it() -> None:
    found = told(hook_of(twilio), signed_for("https://a.example", host="a.example"))
    assert "h_default_x" not in str(found.params)


@pytest.mark.parametrize("host", ["a b", "x" * 300, "a/../b", "a@b", "ä.example", ""])
def test_a_host_that_is_none_is_not_tried(host: str) -> None:
    request = signed_for(f"https://{host}", host=host)
    assert told(hook_of(twilio), request).code == "signature_mismatch"


def test_a_wrong_token_is_told_as_such_and_costs_a_few_tries_only() -> None:
    hook, tries = hook_of(twilio), []
    request = signed_for(
        PUBLIC,
        token="0" * 32,
        host="one.example",
        x_forwarded_host="two.example",
        x_forwarded_prefix="/a",
        x_forwarded_proto="http",
    )

    def verify(tried: HookRequest) -> None:
        tries.append(tried)
        hook.verify(tried)

    counting = replace(hook, verify=verify)
    assert why_refused(counting, request, PUBLIC, "signature_mismatch").params == {}
    assert 1 < len(tries) <= 12


@given(st.dictionaries(
    st.sampled_from(["host", "x-forwarded-host", "x-forwarded-proto", "x-forwarded-prefix",
                     "webhook-timestamp", "date"]),
    st.text(alphabet=st.characters(max_codepoint=255), max_size=80),
))  # fmt: skip
def test_any_headers_are_looked_at_without_harm(headers: dict[str, str]) -> None:
    for module, request in ((twilio, signed_for("https://x")), (standard_webhooks, signed_at(900))):
        sent = replace(request, headers={**request.headers, **headers})
        for code in ("signature_mismatch", "timestamp_out_of_tolerance"):
            why_refused(hook_of(module), sent, PUBLIC, code)

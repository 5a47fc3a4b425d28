"""Credentials of sources, and the registry of senders."""

from __future__ import annotations

from typing import Any

import pytest

from app.domain.errors import Invalid
from app.intake.credentials import Absence, Arity, read_credentials
from app.intake.redaction import redacted
from app.intake.registry import PROVIDERS
from app.intake.requests import SignedUrl
from tests.intake.senders import SECRET

OWN = ("events", "csv", "standard_webhooks", "twilio", "pipedrive")


def test_only_direct_events_and_files_have_no_hook_and_twilio_signs_the_address() -> None:
    assert [name for name in OWN if PROVIDERS[name].hook is None] == ["events", "csv"]
    hooks = {name: hook for name in OWN if (hook := PROVIDERS[name].hook)}
    assert {n for n, hook in hooks.items() if hook.signed_url is SignedUrl.YES} == {"twilio"}


def test_what_is_made_when_absent_and_what_is_a_list() -> None:
    declared = {
        (name, secret.name): (secret.arity, secret.absence)
        for name in OWN
        for secret in PROVIDERS[name].secrets
    }
    assert declared == {
        ("standard_webhooks", "secret"): (Arity.ONE, Absence.GENERATED),
        ("twilio", "auth_tokens"): (Arity.SEVERAL, Absence.REFUSED),
        ("pipedrive", "user"): (Arity.ONE, Absence.REFUSED),
        ("pipedrive", "password"): (Arity.ONE, Absence.REFUSED),
        ("pipedrive", "api_token"): (Arity.ONE, Absence.OPTIONAL),
    }


@pytest.mark.parametrize(
    ("provider", "document", "expected"),
    [
        ("events", None, {}),
        ("events", {}, {}),
        ("standard_webhooks", None, {}),
        ("standard_webhooks", {"secret": None}, {}),
        ("standard_webhooks", {"secret": SECRET}, {"secret": (SECRET,)}),
        ("twilio", {"auth_tokens": ["new", "old"]}, {"auth_tokens": ("new", "old")}),
        (
            "pipedrive",
            {"user": "u", "password": "ひみつ"},
            {"user": ("u",), "password": ("ひみつ",)},
        ),
    ],
)
def test_credentials_are_read_into_every_valid_value(
    provider: str, document: Any, expected: dict[str, tuple[str, ...]]
) -> None:
    assert read_credentials(PROVIDERS[provider].secrets, document) == expected


@pytest.mark.parametrize(
    ("provider", "document", "expected"),
    [
        ("twilio", None, [("/auth_tokens", "required")]),
        ("twilio", "token", [("", "not_an_object")]),
        ("twilio", {"auth_tokens": "t"}, [("/auth_tokens", "not_a_list")]),
        ("twilio", {"auth_tokens": []}, [("/auth_tokens", "not_a_list")]),
        ("twilio", {"auth_tokens": ["t"] * 11}, [("/auth_tokens", "not_a_list")]),
        ("twilio", {"auth_tokens": [7]}, [("/auth_tokens", "not_a_text")]),
        ("twilio", {"auth_tokens": [""]}, [("/auth_tokens", "not_a_secret")]),
        ("twilio", {"auth_tokens": ["t\n"]}, [("/auth_tokens", "not_a_secret")]),
        ("twilio", {"auth_tokens": ["t "]}, [("/auth_tokens", "not_a_secret")]),
        ("twilio", {"auth_tokens": ["t" * 256]}, [("/auth_tokens", "not_a_secret")]),
        ("standard_webhooks", {"secret": "short"}, [("/secret", "not_a_webhook_secret")]),
        ("standard_webhooks", {"secret": [SECRET]}, [("/secret", "not_a_text")]),
        ("events", {"token": "t"}, [("", "unknown_field")]),
        ("pipedrive", {}, [("/user", "required"), ("/password", "required")]),
        ("pipedrive", {"user": "a:b", "password": "p"}, [("/user", "colon_in_user")]),
    ],
)
def test_wrong_credentials_are_told_where_and_never_repeated(
    provider: str, document: Any, expected: list[tuple[str, str]]
) -> None:
    with pytest.raises(Invalid) as refusal:
        read_credentials(PROVIDERS[provider].secrets, document)
    assert [(fault.pointer, fault.code) for fault in refusal.value.faults] == expected


def test_short_credentials_do_not_tear_holes_into_words() -> None:
    assert redacted("an umbrella", {"user": ("a",)}) == "an umbrella"
    assert redacted("my-password!", {"password": ("my-password",)}) == "[redacted]!"

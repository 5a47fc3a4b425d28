"""Access that is renewed: once, kept before it is used, and begun anew when the account changes."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from urllib.parse import parse_qs, urlencode

import pytest

from app.domain.instants import SECOND, instant
from app.intake.reading import read_json
from app.outbound.api import Api, Ask, OAuth, Page, Tokens
from app.outbound.calls import Answer, Callers
from app.outbound.errors import Away, Refused, Unusable
from app.outbound.rates import Rate
from app.outbound.sessions import Account, Means, Session

NOW = instant("2026-12-01T09:00:00Z")


def refreshing(credentials: Mapping[str, str], refresh: str) -> Ask:
    body = {"client_id": credentials["client_id"], "refresh_token": refresh}
    return Ask("POST", "", urlencode(body).encode(), "application/x-www-form-urlencoded")


API = Api(
    name="fake",
    base=lambda _settings: "https://api.example.com",
    required=("client_id", "refresh_token"),
    headers=lambda _credentials, access: {"authorization": f"Bearer {access}"},
    listings=lambda _settings: ("deal",),
    one=lambda _object, id_, _settings: Ask("GET", f"/deals/{id_}"),
    page=lambda _object, _since, _cursor, _settings: Ask("GET", "/deals"),
    taken=lambda _object, value: value if isinstance(value, dict) else None,
    listed=lambda _object, _value, _since, _cursor: Page((), None),
    changed_at=lambda _object, _found: None,
    rate=Rate(1000, 1000),
    oauth=OAuth(lambda _settings: "https://login.example.com/token", refreshing),
)


@dataclass
class Provider:
    """Rotates: each refresh token is good once, each access token until it is taken back."""

    refresh: str = "r0"
    access: str | None = None
    renewals: int = 0
    kept: list[Tokens] = field(default_factory=list)
    status: int = 200
    expires_in: object = 3600

    def ask(self, base: str, ask: Ask, headers: Mapping[str, str]) -> Answer:
        if base == "https://login.example.com":
            assert ask.path == "/token"
            return self._renewed(parse_qs(ask.body.decode())["refresh_token"][0])
        if headers["authorization"] != f"Bearer {self.access}":
            return Answer(401, None, None, b"")
        return Answer(self.status, "9", None, b'{"id": 1}')

    def _renewed(self, given: str) -> Answer:
        if given != self.refresh:
            return Answer(400, None, None, b'{"error":"invalid_grant"}')
        # What was kept is what is used next: a crash in between would find the rotated one.
        self.renewals += 1
        self.refresh, self.access = f"r{self.renewals}", f"a{self.renewals}"
        told = {"access_token": self.access, "refresh_token": self.refresh}
        body = told | {"expires_in": self.expires_in}
        return Answer(200, None, None, json.dumps(body).encode())


class Doubled(Callers):
    def __init__(self, provider: Provider) -> None:
        super().__init__(loopback=True)
        self.provider = provider

    def to(self, base: str) -> object:  # type: ignore[override] # a double of a caller
        provider = self.provider

        class Doubling:
            def ask(self, ask: Ask, headers: Mapping[str, str]) -> Answer:
                return provider.ask(base, ask, headers)

            def close(self) -> None:
                pass

        return Doubling()


@dataclass
class Clocked:
    now: int = NOW

    def __call__(self) -> int:
        return self.now


@contextmanager
def session(
    provider: Provider, clock: Clocked, tokens: Tokens | None = None, refresh: str = "r0"
) -> Iterator[Session]:
    credentials = {"client_id": "c", "refresh_token": refresh}
    account = Account({}, credentials, tokens, provider.kept.append)
    made = Session(API, account, Means(Doubled(provider), read_json, clock, lambda _s: True))
    yield made
    made.close()


def test_access_is_renewed_once_and_kept_with_the_token_that_was_rotated() -> None:
    provider, clock = Provider(), Clocked()
    with session(provider, clock) as asked:
        assert asked.one("deal", "1") == ({"id": 1}, None)
        assert asked.one("deal", "2") is not None
    assert provider.renewals == 1
    (kept,) = provider.kept
    assert (kept.access, kept.refresh, kept.expires_at) == ("a1", "r1", NOW + 3600 * SECOND)
    # Another process, with what was kept: nothing is renewed before its time.
    clock.now += 3539 * SECOND
    with session(provider, clock, kept) as asked:
        asked.one("deal", "1")
        assert provider.renewals == 1
        clock.now += 2 * SECOND
        asked.one("deal", "1")
    assert provider.renewals == 2
    assert provider.kept[-1].refresh == "r2"


def test_access_that_was_taken_back_is_renewed_once_and_not_again() -> None:
    provider, clock = Provider(), Clocked()
    with session(provider, clock) as asked:
        asked.one("deal", "1")
        provider.access = "another"
        assert asked.one("deal", "1") is not None
        assert provider.renewals == 2
        provider.status = 401
        with pytest.raises(Refused, match="provider_refuses_us"):
            asked.one("deal", "1")
        assert provider.renewals == 3


def test_new_credentials_in_the_document_begin_anew() -> None:
    provider, clock = Provider(), Clocked()
    with session(provider, clock) as asked:
        asked.one("deal", "1")
    provider.refresh = "given"
    with session(provider, clock, provider.kept[-1], refresh="given") as asked:
        assert asked.one("deal", "1") is not None
    assert provider.kept[-1].grant != provider.kept[0].grant


def test_a_refresh_token_that_is_refused_is_for_somebody_to_mend() -> None:
    provider = Provider(refresh="gone")
    with (
        session(provider, Clocked()) as asked,
        pytest.raises(Refused, match="provider_refuses_us"),
    ):
        asked.one("deal", "1")
    assert provider.kept == []


@pytest.mark.parametrize("expires_in", [-5, 0, "soon", None, 10**12, "3600"])
def test_how_long_access_lasts_is_bounded_whatever_is_told(expires_in: object) -> None:
    provider = Provider(expires_in=expires_in)
    with session(provider, Clocked()) as asked:
        asked.one("deal", "1")
    lasts = provider.kept[0].expires_at - NOW
    assert 60 * SECOND <= lasts <= 90 * 24 * 3600 * SECOND


@pytest.mark.parametrize(
    ("status", "error", "code", "wait"),
    [
        (429, Away, "provider_rate_limited", 9),
        (503, Away, "provider_failed", 9),
        (408, Away, "provider_failed", 9),
        (403, Refused, "provider_refuses_us", None),
        (400, Unusable, "provider_refuses_request", None),
        (302, Unusable, "provider_refuses_request", None),
        (204, Unusable, "provider_refuses_request", None),
    ],
)
def test_each_status_is_one_of_three_things(
    status: int, error: type[Exception], code: str, wait: int | None
) -> None:
    provider = Provider(status=status)
    with session(provider, Clocked()) as asked, pytest.raises(error, match=code) as raised:
        asked.one("deal", "1")
    assert getattr(raised.value, "retry_after", None) == wait


@pytest.mark.parametrize("status", [404, 410])
def test_what_is_not_there_is_no_error(status: int) -> None:
    with session(Provider(status=status), Clocked()) as asked:
        assert asked.one("deal", "1") is None


def test_without_credentials_nothing_is_asked() -> None:
    provider = Provider()
    with (
        pytest.raises(Refused, match="api_not_configured"),
        session(provider, Clocked(), refresh=""),
    ):
        raise AssertionError

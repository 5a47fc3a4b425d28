"""Whom a call may reach: nobody inside, however it is written and whatever a name becomes."""

from __future__ import annotations

import pytest

from app.outbound.addresses import address_of, place_of
from app.outbound.calls import Callers
from app.outbound.errors import Away, Refused

REFUSED = [
    "http://api.pipedrive.com",
    "ftp://api.pipedrive.com",
    "file:///etc/passwd",
    "gopher://api.pipedrive.com",
    "api.pipedrive.com",
    "https://",
    "https://localhost",
    "https://127.0.0.1",
    "https://127.1",
    "https://0x7f.1",
    "https://0x7f000001",
    "https://2130706433",
    "https://017700000001",
    "https://10.0.0.1",
    "https://172.16.0.1",
    "https://192.168.1.1",
    "https://169.254.169.254",
    "https://100.64.0.1",
    "https://0.0.0.0",
    "https://224.0.0.1",
    "https://[::1]",
    "https://[::]",
    "https://[fe80::1]",
    "https://[fc00::1]",
    "https://[::ffff:127.0.0.1]",
    "https://[::ffff:10.0.0.1]",
    "https://[64:ff9b::7f00:1]",
    "https://[2002:7f00:1::]",
    "https://api.pipedrive.com:22",
    "https://api.pipedrive.com:99999",
    "https://user@api.pipedrive.com",
    "https://user:word@api.pipedrive.com",
    "https://api.pipedrive.com@10.0.0.1",
    "https://api.pipedrive.com\\@10.0.0.1",
    "https://api.pipedrive.com?x=1",
    "https://api.pipedrive.com#x",
    "https://api.pipedrive.com\r\nx: y",
    "https://api pipedrive.com",
    "https://api.pipedrive.com/\x00",
    "https://" + "a" * 600 + ".com",
]


@pytest.mark.parametrize("url", REFUSED)
def test_an_address_that_is_not_public_is_refused_by_its_looks(url: str) -> None:
    with pytest.raises(Refused, match="address_not_allowed"):
        Callers().check(url)


def test_a_public_name_and_a_public_number_are_taken() -> None:
    assert place_of("https://api.pipedrive.com/", loopback=False).host == "api.pipedrive.com"
    assert place_of("https://example.cybozu.com/k/v1", loopback=False).path == "/k/v1"
    assert place_of("https://8.8.8.8", loopback=False).port == 443
    Callers().check("https://[2606:4700::1111]")


@pytest.mark.parametrize(
    "found",
    [
        ["127.0.0.1"],
        ["8.8.8.8", "10.0.0.1"],
        ["::ffff:169.254.169.254"],
        ["fe80::1%eth0"],
        ["64:ff9b::a00:1"],
        [],
        ["nonsense"],
    ],
)
def test_a_name_that_leads_inside_is_refused_when_it_is_called(found: list[str]) -> None:
    place = place_of("https://api.pipedrive.com", loopback=False)
    with pytest.raises(Refused, match="address_not_allowed"):
        address_of(place, lambda *_: found, loopback=False)


def test_a_name_is_asked_for_once_and_the_answer_is_kept_to() -> None:
    answers = iter([["8.8.8.8"], ["127.0.0.1"]])
    caller = Callers(resolve=lambda *_: next(answers)).to("https://api.pipedrive.com")
    # What is called is the number that was judged; the name is only what the certificate is of.
    assert caller._base == "https://8.8.8.8:443"
    assert caller._client.headers["host"] == "api.pipedrive.com"
    caller.close()
    assert next(answers) == ["127.0.0.1"]


def test_this_machine_is_reached_by_an_argument_only() -> None:
    for url in ("http://127.0.0.1:8080", "https://[::1]:8080"):
        with pytest.raises(Refused):
            Callers().check(url)
        Callers(loopback=True).check(url)
    with pytest.raises(Refused):
        Callers(loopback=True).check("http://10.0.0.1")


def test_a_name_that_nobody_knows_is_away() -> None:
    def unknown(*_: object) -> list[str]:
        raise OSError

    with pytest.raises(Away, match="provider_away"):
        Callers(resolve=unknown).to("https://api.pipedrive.com")

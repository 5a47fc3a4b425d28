"""Signatures against the vendors' own code; every tampered part is refused."""

from __future__ import annotations

from base64 import b64encode
from datetime import UTC, datetime
from urllib.parse import urlencode

import pytest
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook
from svix.webhooks import Webhook as SvixWebhook
from twilio.request_validator import RequestValidator

from app.domain.errors import Invalid, Unauthenticated
from app.domain.instants import SECOND, instant
from app.intake.proofs import MAX_SIGNATURES, verify_basic
from app.intake.signatures import (
    MAX_PARAMETERS,
    verify_standard_webhook,
    verify_twilio,
    webhook_key,
    written_webhook_secret,
)
from app.main import wall_clock

NOW = instant("2026-12-14T09:00:00Z")
SECRET = written_webhook_secret(bytes(range(32)))
BODY = '{"id":"案件-1","amount":"450000"}'.encode()


def signed(
    body: bytes = BODY, secret: str = SECRET, message: str = "msg_2f1", at: int = NOW
) -> dict[str, str]:
    moment = datetime.fromtimestamp(at // SECOND, UTC)
    return {
        "webhook-id": message,
        "webhook-timestamp": str(at // SECOND),
        "webhook-signature": Webhook(secret).sign(message, moment, body.decode()),
    }


def code_of(body: bytes, headers: dict[str, str], *secrets: str, now: int = NOW) -> str | None:
    try:
        verify_standard_webhook(body, headers, secrets or (SECRET,), now)
    except Unauthenticated as error:
        return error.code
    return None


def flipped(text: str, place: int) -> str:
    other = "A" if text[place] != "A" else "B"
    return text[:place] + other + text[place + 1 :]


def test_the_published_vector_is_accepted() -> None:
    headers = {
        "webhook-id": "msg_p5jXN8AQM9LWM0D4loKWxJek",
        "webhook-timestamp": "1614265330",
        "webhook-signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=",
    }
    secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
    verify_standard_webhook(b'{"test": 2432232314}', headers, (secret,), 1614265330 * SECOND)


def test_what_the_reference_library_signs_is_accepted() -> None:
    assert code_of(BODY, signed()) is None


def test_what_svix_signs_is_accepted_under_its_own_names() -> None:
    now = wall_clock()
    vendor, at = SvixWebhook(SECRET), datetime.fromtimestamp(now // SECOND, UTC)
    headers = {
        "svix-id": "msg_2f1",
        "svix-timestamp": str(now // SECOND),
        "svix-signature": vendor.sign("msg_2f1", at, BODY.decode()),
    }
    # These are the names that it looks for; its own verifier knows no other clock.
    vendor.verify(BODY, headers)
    assert code_of(BODY, headers, now=now) is None
    for name in headers:
        assert code_of(BODY, {k: v for k, v in headers.items() if k != name}, now=now) is not None


def test_every_changed_byte_of_body_and_headers_is_refused() -> None:
    headers = signed()
    for place in range(len(BODY)):
        altered = BODY[:place] + bytes([BODY[place] ^ 1]) + BODY[place + 1 :]
        assert code_of(altered, headers) == "signature_mismatch"
    for name, value in headers.items():
        for place in range(len(value)):
            assert code_of(BODY, headers | {name: flipped(value, place)}) is not None
        assert code_of(BODY, {k: v for k, v in headers.items() if k != name}) == "signature_missing"
    assert code_of(BODY, headers, written_webhook_secret(bytes(32))) == "signature_mismatch"
    assert code_of(b"", headers) == "signature_mismatch"


@pytest.mark.parametrize("seconds", [-300, -299, 0, 299, 300])
def test_five_minutes_of_difference_between_clocks_are_allowed(seconds: int) -> None:
    assert code_of(BODY, signed(at=NOW + seconds * SECOND)) is None


@pytest.mark.parametrize("seconds", [-86_400, -360, -301, 301, 360, 86_400])
def test_older_and_newer_timestamps_are_refused(seconds: int) -> None:
    found = code_of(BODY, signed(at=NOW + seconds * SECOND))
    assert found == "timestamp_out_of_tolerance"


@pytest.mark.parametrize("text", ["1.5", "-1", "+1", "１７", "now", " 1", "9" * 13, "1e9"])
def test_a_timestamp_is_digits(text: str) -> None:
    assert code_of(BODY, signed() | {"webhook-timestamp": text}) == "timestamp_invalid"


def test_a_dot_cannot_move_the_border_between_id_and_timestamp() -> None:
    inner = f"{NOW // SECOND}.x"
    headers = signed(body=inner.encode(), message="msg")
    moved = {**headers, "webhook-id": f"msg.{NOW // SECOND}"}
    assert code_of(b"x", moved) == "signature_mismatch"


def test_old_and_new_secret_are_valid_together() -> None:
    new = written_webhook_secret(b"n" * 24)
    assert code_of(BODY, signed(), new, SECRET) is None
    assert code_of(BODY, signed(secret=new), new, SECRET) is None
    assert code_of(BODY, signed(), new) == "signature_mismatch"


def test_garbage_among_the_signatures_is_ignored() -> None:
    good = signed()["webhook-signature"]
    for header in (
        f"garbage {good}",
        f"v1,a,b {good}",
        f"v1a,{good[3:]} v2,x {good} ,",
        f"  {good}",
    ):
        assert code_of(BODY, signed() | {"webhook-signature": header}) is None
    for header in (
        "garbage",
        "v1",
        "v1,",
        f"v0,{good[3:]}",
        f"v1a,{good[3:]}",
        ",",
        "v1,\xe9\u3042",
    ):
        assert code_of(BODY, signed() | {"webhook-signature": header}) == "signature_mismatch"


def test_only_the_first_eight_signatures_are_looked_at() -> None:
    good = signed()["webhook-signature"]
    eighth = " ".join(["v1,AAAA"] * (MAX_SIGNATURES - 1) + [good])
    ninth = " ".join(["v1,AAAA"] * MAX_SIGNATURES + [good])
    assert code_of(BODY, signed() | {"webhook-signature": eighth}) is None
    assert code_of(BODY, signed() | {"webhook-signature": ninth}) == "signature_mismatch"


def test_without_a_secret_nothing_is_authentic() -> None:
    with pytest.raises(Unauthenticated):
        verify_standard_webhook(BODY, signed(), (), NOW)


@pytest.mark.parametrize("length", [24, 32, 64])
def test_secrets_of_24_to_64_bytes_are_keys(length: int) -> None:
    secret = written_webhook_secret(b"k" * length)
    assert webhook_key(secret) == webhook_key(secret.rstrip("=")) == b"k" * length
    assert code_of(BODY, signed(secret=secret), secret) is None


@pytest.mark.parametrize(
    "secret",
    [
        written_webhook_secret(b"k" * 23),
        written_webhook_secret(b"k" * 65),
        "whsec_",
        "whsec_あいう",
        "whsec_" + "*" * 32,
        b64encode(b"k" * 32).decode(),
        "",
    ],
)
def test_other_secrets_are_refused(secret: str) -> None:
    with pytest.raises(Invalid) as refusal:
        webhook_key(secret)
    assert refusal.value.code == "not_a_webhook_secret"


URL = "https://tassei.example.co.jp/v1/hooks/h_default_abc?x=1&y=%E3%81%82"
TOKEN = "5f1c9a3b7d2e4f60819a2b3c4d5e6f70"
FORM = {"CallSid": "CA0f", "From": "+81312345678", "Empty": "", "Name": "佐藤 & co", "Zed": "a b+c"}
FORM_HEADERS = {"content-type": "application/x-www-form-urlencoded; charset=UTF-8"}


def twilio_code(url: str, body: bytes, headers: dict[str, str], *tokens: str) -> str | None:
    try:
        verify_twilio(url, body, headers, tokens or (TOKEN,))
    except Unauthenticated as error:
        return error.code
    return None


def twilio_headers(
    url: str, form: dict[str, str], token: str = TOKEN, algorithm: str = "HMAC_SHA1"
) -> dict[str, str]:
    signature = RequestValidator(token).compute_signature(url, form, algorithm)
    return FORM_HEADERS | {"x-twilio-signature": signature}


PLAIN = "https://tassei.example.co.jp/v1/hooks/h_1"
WITH_PORT = "https://tassei.example.co.jp:443/v1/hooks/h_1"


@pytest.mark.parametrize("seen", [PLAIN, WITH_PORT, PLAIN + "#rc=5&rp=all"])
@pytest.mark.parametrize("signed_as", [PLAIN, WITH_PORT])
def test_twilio_may_sign_the_default_port_or_not(seen: str, signed_as: str) -> None:
    body = urlencode(FORM).encode()
    assert twilio_code(seen, body, twilio_headers(signed_as, FORM)) is None


@pytest.mark.parametrize("port", ["8443", "80"])
def test_another_port_may_be_signed_or_left_out(port: str) -> None:
    body = urlencode(FORM).encode()
    seen = f"https://tassei.example.co.jp:{port}/v1/hooks/h_1"
    assert twilio_code(seen, body, twilio_headers(seen, FORM)) is None
    assert twilio_code(seen, body, twilio_headers(PLAIN, FORM)) is None


def test_twilio_signs_plain_http_and_odd_schemes_alike() -> None:
    for url in ("http://localhost/v1/hooks/h", "http://localhost:80/v1/hooks/h", "odd://x?y=1"):
        assert twilio_code(url, urlencode(FORM).encode(), twilio_headers(url, FORM)) is None


@given(
    st.dictionaries(st.text(min_size=1, max_size=8), st.text(max_size=8), max_size=6),
    st.text(alphabet="abc123%?&=/", max_size=20),
)
def test_twilios_validator_and_ours_agree_on_any_form(form: dict[str, str], tail: str) -> None:
    url = f"https://tassei.example.co.jp/v1/{tail}"
    body = urlencode(form).encode()
    assert twilio_code(url, body, twilio_headers(url, form)) is None
    assert twilio_code(f"{url}x", body, twilio_headers(url, form)) == "signature_mismatch"


def test_every_changed_part_of_a_twilio_request_is_refused() -> None:
    body, headers = urlencode(FORM).encode(), twilio_headers(URL, FORM)
    assert twilio_code(URL, body, headers) is None
    for name, value in FORM.items():
        changed = urlencode(FORM | {name: f"{value}1"}).encode()
        less = urlencode({key: kept for key, kept in FORM.items() if key != name}).encode()
        assert twilio_code(URL, changed, headers) == "signature_mismatch"
        assert twilio_code(URL, less, headers) == "signature_mismatch"
    assert (
        twilio_code(URL, urlencode(FORM | {"New": "1"}).encode(), headers) == "signature_mismatch"
    )
    signature = headers["x-twilio-signature"]
    for place in range(len(signature)):
        altered = headers | {"x-twilio-signature": flipped(signature, place)}
        assert twilio_code(URL, body, altered) == "signature_mismatch"
    for place in range(len("https://"), len(URL)):
        assert twilio_code(flipped(URL, place), body, headers) == "signature_mismatch"
    assert twilio_code(URL, body, FORM_HEADERS) == "signature_missing"
    assert twilio_code(URL, body, headers, "another") == "signature_mismatch"
    assert twilio_code(URL, body, headers, "another", TOKEN) is None


def test_repeated_parameters_are_signed_sorted_and_once() -> None:
    form = [("a", "2"), ("a", "1"), ("a", "2")]
    signature = RequestValidator(TOKEN).compute_signature(URL + "a1a2", {})
    headers = FORM_HEADERS | {"x-twilio-signature": signature}
    assert twilio_code(URL, urlencode(form).encode(), headers) is None


def test_a_json_body_is_covered_by_its_digest_in_the_url() -> None:
    body = '{"summary":"通話"}'.encode()
    validator = RequestValidator(TOKEN)
    url = f"{URL}&bodySHA256={validator.compute_hash(body.decode())}"
    headers = {
        "content-type": "application/json",
        "x-twilio-signature": validator.compute_signature(url, {}),
    }
    assert validator.validate(url, body.decode(), headers["x-twilio-signature"])
    assert twilio_code(url, body, headers) is None
    assert twilio_code(url, body + b" ", headers) == "body_not_signed"
    unsigned = headers | {"x-twilio-signature": validator.compute_signature(URL, {})}
    assert twilio_code(URL, body, unsigned) == "body_not_signed"
    assert twilio_code(URL, b"", unsigned) is None


def test_a_shared_key_signs_with_sha256() -> None:
    body = urlencode(FORM).encode()
    headers = twilio_headers(URL, FORM, algorithm="HMAC_SHA256")
    settings = {"x-twilio-webhooks-signature-settings": "key=webhooks_1, algorithm=HMAC_SHA256"}
    assert twilio_code(URL, body, headers | settings) is None
    assert twilio_code(URL, body, headers) == "signature_mismatch"


def test_a_form_of_too_many_parameters_is_not_looked_at() -> None:
    body = b"&".join([b"a=1"] * (MAX_PARAMETERS + 1))
    assert twilio_code(URL, body, twilio_headers(URL, {"a": "1"})) == "too_many_parameters"


def basic(user: str, password: str) -> dict[str, str]:
    return {"authorization": "Basic " + b64encode(f"{user}:{password}".encode()).decode()}


def basic_code(headers: dict[str, str]) -> str | None:
    try:
        verify_basic(headers, ("tassei",), ("新しい秘密", "old-one"))
    except Unauthenticated as error:
        return error.code
    return None


def test_basic_authentication_takes_every_valid_password() -> None:
    assert basic_code(basic("tassei", "新しい秘密")) is None
    assert basic_code(basic("tassei", "old-one")) is None
    token = basic("tassei", "old-one")["authorization"][6:]
    assert basic_code({"authorization": f"bASIC  {token}"}) is None


@pytest.mark.parametrize(
    ("headers", "code"),
    [
        ({}, "credentials_missing"),
        ({"authorization": "Bearer x"}, "credentials_missing"),
        ({"authorization": "Basic"}, "credentials_mismatch"),
        ({"authorization": "Basic あ"}, "credentials_mismatch"),
        (basic("tassei", ""), "credentials_mismatch"),
        (basic("tassei", "old-on"), "credentials_mismatch"),
        (basic("tassei", "old-one "), "credentials_mismatch"),
        (basic("Tassei", "old-one"), "credentials_mismatch"),
        (basic("", "tassei:old-one"), "credentials_mismatch"),
    ],
)
def test_other_credentials_are_refused(headers: dict[str, str], code: str) -> None:
    assert basic_code(headers) == code


def test_every_changed_byte_of_basic_credentials_is_refused() -> None:
    given = basic("tassei", "old-one")["authorization"]
    for place in range(len("Basic "), len(given)):
        assert basic_code({"authorization": flipped(given, place)}) == "credentials_mismatch"


def test_without_credentials_nobody_is_let_in() -> None:
    with pytest.raises(Unauthenticated):
        verify_basic(basic("", ""), (), ())

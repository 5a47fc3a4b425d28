"""The schemes that adapters share, signed by other code."""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
from collections.abc import Callable
from typing import Any

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.errors import Invalid, Unauthenticated
from app.domain.instants import SECOND, instant
from app.intake.proofs import (
    Algorithm,
    Encoding,
    bearer,
    claimed,
    jwt_payload,
    jwt_without_signature,
    require_recent,
    stamped_signatures,
    verify_claimed,
    verify_hmac,
    verify_jwt,
    verify_token,
)

KEY, OLD = b"a key of 32 bytes for signatures", b"the one before it, of 32 bytes  "
BODY = '{"id": "案件-1"}'.encode()
NOW = instant("2026-12-14T09:00:00Z")


def refused(call: Callable[[], object]) -> str:
    with pytest.raises(Unauthenticated) as error:
        call()
    return error.value.code


@pytest.mark.parametrize("algorithm", list(Algorithm))
@pytest.mark.parametrize("key", [KEY, OLD])
def test_an_hmac_fits_in_its_encoding_and_no_other(algorithm: Algorithm, key: bytes) -> None:
    digest = hmac.new(key, BODY, getattr(hashlib, algorithm.value)).digest()
    written = {
        Encoding.HEX: digest.hex(),
        Encoding.BASE64: base64.b64encode(digest).decode(),
    }
    for encoding, text in written.items():
        how: dict[str, Any] = {"algorithm": algorithm, "encoding": encoding}
        verify_hmac(text, BODY, [OLD, KEY], **how)
        verify_hmac(["x", f"v1={text}"], BODY, [OLD, KEY], prefix="v1=", **how)
        for wrong in (text.upper() + "x", text[:-1], "v1=" + text, text + " "):
            assert refused(lambda w=wrong, h=how: verify_hmac(w, BODY, [KEY, OLD], **h)) == (  # type: ignore[misc] # defaults bind
                "signature_mismatch"
            )
        assert refused(lambda h=how, t=text: verify_hmac(t, BODY, [], **h)) == "signature_mismatch"  # type: ignore[misc] # as above
        assert refused(lambda h=how: verify_hmac(None, BODY, [KEY], **h)) == "signature_missing"  # type: ignore[misc] # as above
        assert refused(lambda h=how: verify_hmac("", BODY, [KEY], **h)) == "signature_missing"  # type: ignore[misc] # as above


def test_a_text_in_a_header_or_a_body_is_compared_whole() -> None:
    verify_token("token", ["other", "token"])
    verify_claimed('{"token": "tökén"}'.encode(), "token", ["tökén"])
    verify_claimed(b'{"token": "\\u6771\\u4eac"}', "token", ["東京"])
    assert refused(lambda: verify_token(None, ["t"])) == "credentials_missing"
    assert refused(lambda: verify_token("", [""])) == "credentials_missing"
    assert refused(lambda: verify_token("tokeN", ["token"])) == "credentials_mismatch"
    for body in (b"{", b"[]", b"7", b'{"token": 7}', b'{"token": null}', b"{}", b'{"token": ""}'):
        assert refused(lambda b=body: verify_claimed(b, "token", ["7"])) == "credentials_missing"  # type: ignore[misc] # a default binds
    assert refused(lambda: verify_claimed(b'{"token": "x"}', "token", ["y"])) == (
        "credentials_mismatch"
    )
    assert claimed(b'{"a": 1}') == {"a": 1}
    assert bearer({"authorization": "bearer  abc "}) == "abc"
    assert bearer({"authorization": "Basic abc"}) is None


def test_a_header_with_time_and_signatures() -> None:
    assert stamped_signatures("t=1,v1=a, v1=b,v0=c") == ("1", ["a", "b"])
    assert stamped_signatures("v2=x,t=9", "v2") == ("9", ["x"])
    for header in (None, "", "t=1", "v1=a", "t=1,t=2,v1=a", "t=1,v1=", "v1"):
        assert refused(lambda h=header: stamped_signatures(h)) == "signature_missing"  # type: ignore[misc] # a default binds


@pytest.mark.parametrize(("unit", "milliseconds"), [(1, False), (1_000, True)])
def test_a_timestamp_is_near_on_both_sides(unit: int, milliseconds: bool) -> None:  # noqa: FBT001 - a case
    now = NOW // SECOND * unit
    for shift in (-300, 0, 300):
        require_recent(str(now + shift * unit), NOW, milliseconds=milliseconds)
    for shift in (-301, 301):
        text = str(now + shift * unit)
        assert refused(lambda t=text: require_recent(t, NOW, milliseconds=milliseconds)) == (  # type: ignore[misc] # a default binds
            "timestamp_out_of_tolerance"
        )
    for wrong in (None, "", "x", "-1", "１２", "1" * 16, "1.5"):
        assert refused(lambda t=wrong: require_recent(t, NOW)) == "timestamp_invalid"  # type: ignore[misc] # as above


PAYLOAD = {"state": "hangup", "call_id": 2**60}
TOKEN = jwt.encode(PAYLOAD, KEY, algorithm="HS256")


def test_a_token_signed_by_the_library_is_taken_with_any_valid_key() -> None:
    verify_jwt(TOKEN, [OLD, KEY])
    assert json.loads(jwt_payload(TOKEN)) == PAYLOAD
    assert refused(lambda: verify_jwt(TOKEN, [OLD])) == "signature_mismatch"
    assert refused(lambda: verify_jwt(None, [KEY])) == "signature_missing"


def test_every_character_of_a_token_counts() -> None:
    for place, letter in enumerate(TOKEN):
        changed = TOKEN[:place] + ("A" if letter != "A" else "B") + TOKEN[place + 1 :]
        assert refused(lambda t=changed: verify_jwt(t, [KEY])) == "signature_mismatch"  # type: ignore[misc] # a default binds


@pytest.mark.parametrize(
    "token",
    [
        jwt.encode(PAYLOAD, KEY + KEY, algorithm="HS512"),
        jwt.encode(PAYLOAD, "", algorithm="none"),
        jwt.encode(PAYLOAD, KEY, algorithm="HS256", headers={"crit": ["exp"]}),
        TOKEN + "=",
        TOKEN + ".x",
        TOKEN.rpartition(".")[0] + ".",
        "..",
        "a.b.c",
        "é" + TOKEN,
    ],
)
def test_other_algorithms_and_other_spellings_are_no_proof(token: str) -> None:
    assert refused(lambda: verify_jwt(token, [KEY, KEY + KEY, b""])) == "signature_mismatch"


def test_a_token_that_is_kept_says_the_same_and_proves_nothing() -> None:
    kept = jwt_without_signature(TOKEN)
    assert TOKEN.rpartition(".")[2] not in kept
    assert json.loads(jwt_payload(kept)) == PAYLOAD
    assert refused(lambda: verify_jwt(kept, [KEY])) == "signature_mismatch"


@given(st.text(max_size=60) | st.binary(max_size=40).map(lambda b: b.decode("latin-1")))
def test_any_text_is_a_token_or_refused(text: str) -> None:
    with pytest.raises(Unauthenticated):
        verify_jwt(text, [KEY])
    try:
        jwt_payload(text)
    except Invalid as error:
        assert error.code == "not_a_jwt"  # noqa: PT017 - most texts are none

"""Proofs that a request comes from the sender it names: what the schemes of providers are made of.

Every comparison takes the same time wherever two texts differ, every scheme takes several valid
secrets so that one can be rotated without losing a delivery, and texts are compared as sent: a
signature has one spelling. Failures raise Unauthenticated with a code that never holds input.
"""

from __future__ import annotations

import hmac
import re
from base64 import b64encode, urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Iterable, Mapping, Sequence
from enum import StrEnum

from app.domain.errors import Invalid, TasseiError, Unauthenticated
from app.domain.instants import MINUTE, SECOND
from app.domain.kinds import RawValue
from app.intake.reading import read_json

TOLERANCE = 5 * MINUTE
MAX_SIGNATURES = 8
_SECONDS = re.compile(r"[0-9]{1,12}", re.ASCII)
_MILLISECONDS = re.compile(r"[0-9]{1,15}", re.ASCII)
_JWT_PARTS = 3


class Algorithm(StrEnum):
    """The hash of an HMAC."""

    SHA1 = "sha1"
    SHA256 = "sha256"
    SHA512 = "sha512"


class Encoding(StrEnum):
    """How an HMAC is written: hexadecimal in lower case, or base64 with its padding."""

    HEX = "hex"
    BASE64 = "base64"


def verify_hmac(
    given: str | Iterable[str] | None,
    signed: bytes,
    keys: Iterable[bytes],
    *,
    algorithm: Algorithm = Algorithm.SHA256,
    encoding: Encoding = Encoding.HEX,
    prefix: str = "",
) -> None:
    """An HMAC over the signed bytes, under any of the keys.

    given: what the request carries, one or several of which one has to fit (the first eight)
    prefix: what stands before each of them, such as `sha256=`
    Raises Unauthenticated: signature_missing, signature_mismatch.
    """
    texts = [given] if isinstance(given, str) else list(given or ())
    if not any(texts):
        raise Unauthenticated("signature_missing")
    digests = (hmac.digest(key, signed, algorithm.value) for key in keys)
    expected = [prefix.encode() + _written(digest, encoding) for digest in digests]
    require_match(texts[:MAX_SIGNATURES], expected)


def _written(digest: bytes, encoding: Encoding) -> bytes:
    return digest.hex().encode() if encoding is Encoding.HEX else b64encode(digest)


def verify_token(given: str | None, tokens: Iterable[str]) -> None:
    """A shared text that the sender carries as it is, in a header, the query or the body.

    Raises Unauthenticated: credentials_missing, credentials_mismatch.
    """
    if not given:
        raise Unauthenticated("credentials_missing")
    if not any_same([given], [token.encode() for token in tokens]):
        raise Unauthenticated("credentials_mismatch")


def bearer(headers: Mapping[str, str]) -> str | None:
    """The token of an `Authorization: Bearer` header (RFC 6750)."""
    scheme, _, token = headers.get("authorization", "").partition(" ")
    return token.strip(" ") if scheme.lower() == "bearer" else None


def verify_basic(
    headers: Mapping[str, str], users: Iterable[str], passwords: Sequence[str]
) -> None:
    """HTTP Basic authentication (RFC 7617, UTF-8).

    User and password are compared together and encoded, so that neither leaks on its own.
    Raises Unauthenticated: credentials_missing, credentials_mismatch.
    """
    scheme, _, given = headers.get("authorization", "").partition(" ")
    if scheme.lower() != "basic":
        raise Unauthenticated("credentials_missing")
    pairs = (f"{user}:{password}" for user in users for password in passwords)
    if not any_same([given.strip(" ")], [b64encode(pair.encode()) for pair in pairs]):
        raise Unauthenticated("credentials_mismatch")


def stamped_signatures(header: str | None, label: str = "v1") -> tuple[str, list[str]]:
    """The timestamp and the signatures of a header like `t=1765702800,v1=...,v1=...`.

    Raises Unauthenticated (signature_missing).
    """
    pairs = [part.strip().partition("=") for part in (header or "").split(",")]
    stamps = [value for name, _, value in pairs if name == "t"]
    signatures = [value for name, _, value in pairs if name == label and value]
    if len(stamps) != 1 or not signatures:
        raise Unauthenticated("signature_missing")
    return stamps[0], signatures


def require_recent(
    timestamp: str | None, now: int, *, tolerance: int = TOLERANCE, milliseconds: bool = False
) -> None:
    """A signed timestamp (Unix time as digits) that is near the instant of receipt, on both sides.

    Only where the sender signs anew at each attempt: else a late repetition would be refused, and
    what identifies an activity keeps repetitions from counting anyway.
    Raises Unauthenticated: timestamp_invalid, timestamp_out_of_tolerance.
    """
    form, unit = (_MILLISECONDS, SECOND // 1000) if milliseconds else (_SECONDS, SECOND)
    if timestamp is None or not form.fullmatch(timestamp):
        raise Unauthenticated("timestamp_invalid")
    if abs(int(timestamp) * unit - now) > tolerance:
        raise Unauthenticated("timestamp_out_of_tolerance")


def verify_jwt(token: str | None, keys: Iterable[bytes]) -> None:
    """A compact JSON Web Signature with HS256 (RFC 7515), under any of the keys.

    The algorithm is fixed: what the token's own header says is only checked, never followed.
    Times in the payload are the caller's to look at.
    Raises Unauthenticated: signature_missing, signature_mismatch.
    """
    if not token:
        raise Unauthenticated("signature_missing")
    head, _, signature = token.rpartition(".")
    try:
        header = read_json(_jwt_part(token, 0))
    except TasseiError:
        raise Unauthenticated("signature_mismatch") from None
    # "crit" names rules that have to be understood, and none is.
    if not isinstance(header, dict) or header.get("alg") != "HS256" or "crit" in header:
        raise Unauthenticated("signature_mismatch")
    signed = header_bytes(head)
    digests = (hmac.digest(key, signed, "sha256") for key in keys)
    require_match([signature], [urlsafe_b64encode(digest).rstrip(b"=") for digest in digests])


def jwt_payload(token: str) -> bytes:
    """The payload of a compact JSON Web Token; whether it is genuine is `verify_jwt`'s to say.

    Raises Invalid (not_a_jwt).
    """
    return _jwt_part(token, 1)


def jwt_without_signature(token: str) -> str:
    """A token that still says what it said and proves nothing any more: fit to be kept."""
    head, dot, _ = token.rpartition(".")
    return head + dot


def _jwt_part(token: str, place: int) -> bytes:
    parts = token.split(".")
    if len(parts) != _JWT_PARTS or not token.isascii():
        raise Invalid("not_a_jwt")
    try:
        # The decoder would skip what is not of its alphabet.
        if not re.fullmatch(r"[A-Za-z0-9_-]*", parts[place]):
            raise ValueError  # noqa: TRY301 - to the one refusal below
        return urlsafe_b64decode(parts[place] + "=" * (-len(parts[place]) % 4))
    except ValueError:
        raise Invalid("not_a_jwt") from None


def claimed(body: bytes) -> Mapping[str, RawValue]:
    """A JSON object that is to prove itself by something in it.

    Raises Unauthenticated (credentials_missing) for any other body: nothing there can prove it.
    """
    try:
        value = read_json(body)
    except TasseiError:
        value = None
    if not isinstance(value, dict):
        raise Unauthenticated("credentials_missing")
    return value


def verify_claimed(body: bytes, name: str, tokens: Iterable[str]) -> None:
    """A shared text that a JSON object carries as a member.

    Raises Unauthenticated: credentials_missing, credentials_mismatch.
    """
    value = claimed(body).get(name)
    text = value.encode(errors="replace") if isinstance(value, str) else b""
    # As Latin-1, what a header's text would be: the one comparison is for both.
    verify_token(text.decode("latin-1"), tokens)


def require_match(given: Iterable[str], expected: Sequence[bytes]) -> None:
    """Unauthenticated (signature_mismatch) unless one of the given texts is one of the expected."""
    if not any_same(given, expected):
        raise Unauthenticated("signature_mismatch")


def any_same(given: Iterable[str], expected: Sequence[bytes]) -> bool:
    """Whether some given text is some expected one."""
    # A sum, which never stops early as any() does: all are compared, whichever fits.
    return sum(same(text, proof) for text in given for proof in expected) > 0


def same(text: str, proof: bytes) -> bool:
    """Whether a header's text is exactly these bytes, in constant time."""
    return hmac.compare_digest(header_bytes(text), proof)


def header_bytes(header: str) -> bytes:
    """A header's bytes; servers hand them over as Latin-1, and nothing else can match."""
    return header.encode("latin-1", "replace")

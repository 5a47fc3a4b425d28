"""Two schemes of signing that are more than one HMAC: Standard Webhooks and Twilio.

What they are made of, and what holds for all, stands in `proofs`.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping, Sequence
from urllib.parse import parse_qsl

from app.domain.errors import Invalid, Unauthenticated
from app.intake.proofs import (
    MAX_SIGNATURES,
    header_bytes,
    require_match,
    require_recent,
    same,
)

MAX_PARAMETERS = 1_000
WEBHOOK_SECRET = "whsec_"  # noqa: S105 - the public prefix of secrets, not one
_KEY_BYTES = range(24, 65)
_HEADER_FAMILIES = ("webhook-", "svix-")
_PORT = re.compile(r":[0-9]+$", re.ASCII)
_DEFAULT_PORTS = {"https": ":443", "http": ":80"}

Pairs = Sequence[tuple[str, str]]


def written_webhook_secret(key: bytes) -> str:
    """A Standard Webhooks secret as people copy it; the key's randomness is the caller's."""
    return WEBHOOK_SECRET + b64encode(key).decode()


def webhook_key(secret: str) -> bytes:
    """The key inside a Standard Webhooks secret: whsec_ and base64 of 24 to 64 bytes.

    Raises Invalid (not_a_webhook_secret).
    """
    text = secret.removeprefix(WEBHOOK_SECRET).rstrip("=")
    try:
        key = b64decode(text + "=" * (-len(text) % 4), validate=True)
    except ValueError:  # not base64, or outside ASCII
        raise Invalid("not_a_webhook_secret") from None
    if not secret.startswith(WEBHOOK_SECRET) or len(key) not in _KEY_BYTES:
        raise Invalid("not_a_webhook_secret")
    return key


def verify_standard_webhook(
    body: bytes, headers: Mapping[str, str], secrets: Iterable[str], now: int
) -> None:
    """Standard Webhooks v1 (HMAC-SHA256), under its own header names or Svix's.

    `headers` by lower-case names; `now` decides whether the timestamp is within five minutes.
    Raises Unauthenticated: signature_missing, timestamp_invalid, timestamp_out_of_tolerance,
    signature_mismatch.
    """
    message, timestamp, signatures = _webhook_headers(headers)
    require_recent(timestamp, now)
    # The signed text joins its parts by dots: an id with one could lend its tail to the rest.
    if "." in message:
        raise Unauthenticated("signature_mismatch")
    signed = header_bytes(f"{message}.{timestamp}.") + body
    expected = [b64encode(hmac.digest(webhook_key(s), signed, "sha256")) for s in secrets]
    given = [part[3:] for part in signatures.split(" ") if part.startswith("v1,")]
    require_match(given[:MAX_SIGNATURES], expected)


def _webhook_headers(headers: Mapping[str, str]) -> tuple[str, str, str]:
    for family in _HEADER_FAMILIES:
        message = headers.get(f"{family}id")
        timestamp = headers.get(f"{family}timestamp")
        signatures = headers.get(f"{family}signature")
        if message and timestamp and signatures:
            return message, timestamp, signatures
    raise Unauthenticated("signature_missing")


def form_pairs(text: bytes | str) -> Pairs:
    """The parameters of a form body or a query, empty ones too, in the order sent.

    Raises Invalid (too_many_parameters).
    """
    form = text if isinstance(text, str) else text.decode(errors="replace")
    try:
        return parse_qsl(form, keep_blank_values=True, max_num_fields=MAX_PARAMETERS)
    except ValueError:
        raise Invalid("too_many_parameters", limit=MAX_PARAMETERS) from None


def query_of(url: str) -> str:
    """The query of an address, without the fragment."""
    return url.partition("#")[0].partition("?")[2]


def is_form(headers: Mapping[str, str]) -> bool:
    """Whether the body is a URL-encoded form."""
    essence = headers.get("content-type", "").partition(";")[0]
    return essence.strip().lower() == "application/x-www-form-urlencoded"


def verify_twilio(url: str, body: bytes, headers: Mapping[str, str], tokens: Iterable[str]) -> None:
    """Twilio: HMAC over the public URL and the sorted form parameters.

    Any other body is covered by its SHA-256 in the URL. SHA-1 with an auth token, or SHA-256
    where the request says that a shared key signed it; whether Twilio signed the default port is
    not told, so every spelling is tried.
    Raises Unauthenticated: signature_missing, body_not_signed, too_many_parameters,
    signature_mismatch.
    """
    given = headers.get("x-twilio-signature")
    if not given:
        raise Unauthenticated("signature_missing")
    tail = _parameters_signed(url, body, headers)
    texts = [(spelling + tail).encode(errors="replace") for spelling in _spellings(url)]
    algorithm = _twilio_algorithm(headers)
    proofs = [hmac.digest(t.encode(), text, algorithm) for t in tokens for text in texts]
    require_match([given], [b64encode(proof) for proof in proofs])


def _parameters_signed(url: str, body: bytes, headers: Mapping[str, str]) -> str:
    try:
        pairs = form_pairs(body if is_form(headers) else query_of(url))
    except Invalid as error:
        raise Unauthenticated(error.code) from None
    if is_form(headers):
        return "".join(name + value for name, value in sorted(set(pairs)))
    if body:
        claimed = dict(pairs).get("bodySHA256", "")
        if not same(claimed, hashlib.sha256(body).hexdigest().encode()):
            raise Unauthenticated("body_not_signed")
    return ""


def _twilio_algorithm(headers: Mapping[str, str]) -> str:
    settings = headers.get("x-twilio-webhooks-signature-settings", "").replace(" ", "")
    return "sha256" if "algorithm=hmac_sha256" in settings.lower().split(",") else "sha1"


def _spellings(url: str) -> list[str]:
    """The URL without its fragment: as it is, without port, and with the default port."""
    scheme, _, rest = url.partition("#")[0].partition("://")
    host = re.split(r"[/?]", rest, maxsplit=1)[0]
    bare = _PORT.sub("", host)
    places = {host, bare, bare + _DEFAULT_PORTS.get(scheme, "")}
    return [f"{scheme}://{place}{rest[len(host) :]}" for place in sorted(places)]

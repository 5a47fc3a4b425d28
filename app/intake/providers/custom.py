"""A sender without code of its own: any body, read by the mapping of its source.

How it proves itself is said by the source's settings. Whoever can only call an address says so
explicitly (`address`): then the address is the one secret there is.
"""

from __future__ import annotations

import re
from base64 import b64decode
from collections.abc import Callable, Mapping

from app.domain.deliveries import Delivery
from app.domain.errors import Fault, Invalid, Unauthenticated, Unreadable
from app.domain.instants import SECOND
from app.intake.credentials import Absence, Credentials, Secret
from app.intake.events import delivery
from app.intake.payloads import mapped, payload_of
from app.intake.proofs import (
    Algorithm,
    Encoding,
    header_bytes,
    require_recent,
    stamped_signatures,
    verify_basic,
    verify_hmac,
    verify_token,
)
from app.intake.requests import (
    GET_OR_POST,
    Connecting,
    Hook,
    HookRequest,
    Maps,
    Provider,
    Step,
    body_text,
    hook_delivery,
    refusal,
)
from app.intake.signatures import query_of
from app.intake.source_settings import (
    Settings,
    choice_setting,
    number_setting,
    text_setting,
)

HMAC, HEADER, BASIC, ADDRESS = "hmac", "header", "basic", "address"
_PART = re.compile(r"\{(body|timestamp)\}")
_HEADER = re.compile(r"[A-Za-z0-9!#$%&'*+.^_`|~-]{1,100}", re.ASCII)

SETTINGS = (
    choice_setting(
        "authentication",
        "`hmac`: a signature over the body; `header`: the secret itself in a header; `basic`: HTTP "
        "Basic; `address`: nothing but the unguessable address.",
        (HMAC, HEADER, BASIC, ADDRESS),
    ),
    text_setting(
        "header", "The header of the signature or of the secret.", default="authorization"
    ),
    text_setting(
        "prefix", "What stands before it there, such as `sha256=` or `Bearer ` and a blank."
    ),
    choice_setting("algorithm", "Of the HMAC.", tuple(Algorithm), default="sha256"),
    choice_setting("encoding", "How the HMAC is written.", tuple(Encoding), default="hex"),
    choice_setting(
        "key_encoding", "How the secret is written.", ("text", "hex", "base64"), default="text"
    ),
    text_setting(
        "signed",
        "What is signed: a text in which {body} and {timestamp} stand for the request's own.",
        default="{body}",
    ),
    text_setting("timestamp_header", "The header of the timestamp that is signed."),
    text_setting(
        "label",
        "Where one header has both, like `t=1765702800,v1=5257a8...`: the name of the signature "
        "there (`v1`).",
    ),
    number_setting(
        "tolerance_seconds",
        "How far a signed timestamp may be from the receipt; 0: any distance, for senders that "
        "repeat what they signed hours ago.",
        0,
        7 * 86_400,
        default=300,
    ),
    choice_setting(
        "timestamp_unit", "What it counts.", ("seconds", "milliseconds"), default="seconds"
    ),
)


def _verify(request: HookRequest) -> None:
    _SCHEMES[request.settings.text("authentication") or HMAC](request)


def _verify_hmac(request: HookRequest) -> None:
    settings = request.settings
    if request.method == "GET":  # it would be told by its query, which nothing signs
        raise Unauthenticated("body_not_signed")
    given: str | list[str] | None = request.headers.get((settings.text("header") or "").lower())
    label, timestamp = settings.text("label"), ""
    if label is not None:
        timestamp, given = stamped_signatures(given if isinstance(given, str) else None, label)
    elif stamp := settings.text("timestamp_header"):
        timestamp = request.headers.get(stamp.lower(), "")
    if "{timestamp}" in (settings.text("signed") or "") and settings.number("tolerance_seconds"):
        require_recent(
            timestamp,
            request.received_at,
            tolerance=settings.number("tolerance_seconds") * SECOND,
            milliseconds=settings.text("timestamp_unit") == "milliseconds",
        )
    verify_hmac(
        given,
        _signed(settings, request.body, timestamp),
        [_key(settings, secret) for secret in request.credentials.get("secret", ())],
        algorithm=Algorithm(settings.text("algorithm") or Algorithm.SHA256),
        encoding=Encoding(settings.text("encoding") or Encoding.HEX),
        prefix=settings.text("prefix") or "",
    )


def _signed(settings: Settings, body: bytes, timestamp: str) -> bytes:
    parts = {"body": body, "timestamp": header_bytes(timestamp)}
    template = _PART.split(settings.text("signed") or "{body}")
    # Every second piece is the name of a part.
    pieces = (parts[p] if n % 2 else p.encode() for n, p in enumerate(template))
    return b"".join(pieces)


def _key(settings: Settings, secret: str) -> bytes:
    match settings.text("key_encoding"):
        case "hex":
            return bytes.fromhex(secret)
        case "base64":
            return b64decode(secret, validate=True)
    return secret.encode()


def _verify_header(request: HookRequest) -> None:
    header = (request.settings.text("header") or "").lower()
    prefix = request.settings.text("prefix") or ""
    secrets = request.credentials.get("secret", ())
    verify_token(request.headers.get(header), [prefix + secret for secret in secrets])


def _verify_basic(request: HookRequest) -> None:
    credentials = request.credentials
    verify_basic(request.headers, credentials.get("user", ()), credentials.get("secret", ()))


def _verify_address(_request: HookRequest) -> None:
    """The address was not guessed, and more is not asked."""


_SCHEMES: Mapping[str, Callable[[HookRequest], None]] = {
    HMAC: _verify_hmac,
    HEADER: _verify_header,
    BASIC: _verify_basic,
    ADDRESS: _verify_address,
}


def _read(request: HookRequest) -> Delivery:
    if request.mapping is None:
        # Kept, it counts once the mapping is there and the delivery is replayed.
        return _refused(request, Invalid("source_without_mapping", source=request.source))
    try:
        payload = payload_of(request)
    except (Unreadable, Invalid) as error:
        return _refused(request, error)
    outcomes = mapped(request.mapping, request, payload)
    return delivery(request.workspace, request.received_at, outcomes, quarantines=True)


def _refused(request: HookRequest, error: Invalid | Unreadable) -> Delivery:
    content = query_of(request.url) if request.method == "GET" else body_text(request.body)
    return hook_delivery(request, refused=(refusal(request, error, content),))


def _check(settings: Settings, credentials: Credentials) -> None:
    faults = [*_settings_faults(settings)]
    try:
        for secret in credentials.get("secret", ()):
            _key(settings, secret)
    except ValueError:
        faults.append(Fault("/credentials/secret", "not_in_its_encoding"))
    if faults:
        raise Invalid("invalid_request", *faults)


def _settings_faults(settings: Settings) -> list[Fault]:
    faults = [
        Fault(f"/settings/{name}", "not_a_header_name")
        for name in ("header", "timestamp_header")
        if not _HEADER.fullmatch(settings.text(name) or "-")
    ]
    if settings.text("authentication") != HMAC:
        return faults
    signed = settings.text("signed") or ""
    stamped = settings.text("timestamp_header") or settings.text("label")
    if "{body}" not in signed:
        faults.append(Fault("/settings/signed", "body_not_signed"))
    if "{timestamp}" in signed and not stamped:
        faults.append(Fault("/settings/timestamp_header", "required"))
    return faults


def _has_secret(settings: Settings) -> bool:
    return settings.text("authentication") != ADDRESS


def _has_user(settings: Settings) -> bool:
    return settings.text("authentication") == BASIC


def _no_colon(user: str) -> None:
    if ":" in user:  # Basic authentication ends the user there
        raise Invalid("colon_in_user")


def _next_steps(connecting: Connecting) -> tuple[Step, ...]:
    settings, to = connecting.settings, Step("send_to", {"url": connecting.hook_url})
    header, prefix = settings.text("header") or "", settings.text("prefix") or ""
    match settings.text("authentication"):
        case "hmac":
            how = {name: settings.text(name) or "" for name in ("algorithm", "encoding", "signed")}
            return to, Step("sign_custom", {"header": header, "prefix": prefix, **how})
        case "header":
            return to, Step("send_custom_header", {"header": header, "prefix": prefix})
        case "basic":
            return to, Step("send_custom_basic", {})
    return to, Step("keep_the_address_secret", {})


PROVIDER = Provider(
    name="custom",
    counts=None,
    secrets=(
        Secret("user", "HTTP Basic only: the user.", check=_no_colon, wanted=_has_user),
        Secret(
            "secret",
            "The key of the signature, the text of the header, or the password; left out, one is "
            "made and shown once.",
            absence=Absence.GENERATED,
            wanted=_has_secret,
        ),
    ),
    hook=Hook(_verify, _read, _next_steps, methods=GET_OR_POST),
    settings=SETTINGS,
    check=_check,
    maps=Maps.BODIES,
)

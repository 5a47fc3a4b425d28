"""Stripe: a charge is one payment, and what was refunded of it is a field of that payment.

One payment makes many events (of its invoice, its intent, its charge): only those of the charge are
read, or it would count more than once. Each has the whole charge, with all that was refunded so
far, so events may come in any order and as often as they like. Their time has seconds only; within
one second the state is newer that is captured, and then the one of which more was refunded.
"""

from __future__ import annotations

from decimal import Decimal

from app.domain.activities import JsonValue, Report
from app.domain.deliveries import About, Delivery, Item
from app.domain.errors import Invalid, Unreadable
from app.domain.instants import SECOND, instant
from app.domain.kinds import RawValue
from app.domain.revisions import of_number
from app.intake.credentials import Secret
from app.intake.proofs import header_bytes, require_recent, stamped_signatures, verify_hmac
from app.intake.reading import read_json
from app.intake.records import Record, record_of
from app.intake.requests import (
    Connecting,
    Hook,
    HookRequest,
    Provider,
    Step,
    body_text,
    fields_of,
    hook_delivery,
    hook_report,
    refusal,
    usable_name,
)
from app.intake.source_settings import Settings, flag_setting, text_setting, texts_setting

# Raised with every change of what an event comes to.
MAPPING = 1
_THOUSAND = 1_000
# How many digits seconds up to the year 9999 have, and the greatest amount that is read.
_SECONDS, _MINOR_UNITS = 12, 15
# Stripe's own list, which is not ISO 4217's: ISK and UGX have hundredths here, MGA has none.
_DIGITS = dict.fromkeys(
    "BIF CLP DJF GNF JPY KMF KRW MGA PYG RWF VND VUV XAF XOF XPF".split(), 0
) | dict.fromkeys("BHD JOD KWD OMR TND".split(), 3)
_ORIGINS = {
    "amount": "amount_captured",
    "currency": "currency",
    "paid_at": "created",
    "refunded_amount": "amount_refunded",
    "owner": "metadata",
}
SETTINGS = (
    text_setting(
        "owner_metadata",
        "The entry of a charge's metadata that says whom the payment is credited to.",
    ),
    texts_setting(
        "accounts",
        "Connected accounts whose payments count as well; without it only the account's own do.",
    ),
    flag_setting("test_mode", "Whether test payments count instead of real ones."),
)


def _verify(request: HookRequest) -> None:
    stamp, signatures = stamped_signatures(request.headers.get("stripe-signature"))
    require_recent(stamp, request.received_at)
    # The key is the secret's whole text, its prefix included.
    keys = [secret.encode() for secret in request.credentials.get("signing_secret", ())]
    verify_hmac(signatures, header_bytes(f"{stamp}.") + request.body, keys)


def _read(request: HookRequest) -> Delivery:
    id_, about = None, None
    try:
        event = record_of(read_json(request.body))
        id_ = usable_name(event.values.get("id"))
        charge = _charge(event, request.settings)
        if charge is None:
            return hook_delivery(request)
        about = _about(event, charge)
        report = _report(charge, about, request)
    except (Unreadable, Invalid) as error:
        content = body_text(request.body)
        return hook_delivery(request, refused=(refusal(request, error, content, id_, about),))
    return hook_delivery(request, *([Item(0, id_ or report.key, report)] if report else []))


def _charge(event: Record, settings: Settings) -> Record | None:
    """The charge that an event is about; None where it is not about one of ours."""
    if event.required("object") != "event":
        # Thin events carry no object at all.
        raise event.fault("object", "unsupported_version", supported="event")
    if event.flag("livemode") is settings.flag("test_mode"):
        return None
    account = event.text("account")
    if account is not None and account not in settings.texts("accounts"):
        return None
    event.required("type")
    charge = event.record("data").record("object")
    # Refunds and disputes have types like a charge's (charge.refund.updated) and are none.
    return charge if charge.text("object") == "charge" else None


def _about(event: Record, charge: Record) -> About:
    seconds = instant(_seconds(event, "created")) // SECOND
    captured, refunded = bool(charge.flag("captured")), charge.whole("amount_refunded") or 0
    # One width for all of them: a longer number would be the later one. Nothing begins with zero.
    order = f"1{seconds:0{_SECONDS}}{captured:d}{refunded:0{_MINOR_UNITS}}"
    return About(charge.required_name("id"), of_number(order))


def _seconds(record: Record, label: str) -> str:
    """RFC 3339 of seconds since 1970."""
    seconds = record.whole(label)
    if seconds is None:
        raise record.fault(label, "required")
    text = Record({label: seconds * _THOUSAND}, record.pointer).time(label)
    assert text is not None  # noqa: S101 - it was given
    return text


def _report(charge: Record, about: About, request: HookRequest) -> Report | None:
    """What a charge reports; None while no money has come."""
    if charge.required("status") != "succeeded" or not charge.flag("captured"):
        return None
    charged, captured = charge.whole("amount"), charge.whole("amount_captured")
    if charged is None:
        raise charge.fault("amount", "required")
    paid = charged if captured is None else captured
    # What was authorized and never captured is told as refunded, though nobody had paid it.
    released = max(charged - paid, 0)
    refunded = max((charge.whole("amount_refunded") or 0) - released, 0)
    currency = charge.required("currency").upper()
    values: dict[str, RawValue] = {
        "amount": _main_units(paid, currency),
        "currency": currency,
        "paid_at": _seconds(charge, "created"),
        "refunded_amount": _main_units(refunded, currency),
    }
    owner = _owner(charge, request.settings)
    fields = _fields(charge, values | ({"owner": owner} if owner else {}), request.received_at)
    return hook_report(request, about.key, about.revision, fields, full=True, mapping=MAPPING)


def _fields(charge: Record, values: dict[str, RawValue], now: int) -> dict[str, JsonValue]:
    origins = {label: f"{charge.pointer}/{name}" for label, name in _ORIGINS.items()}
    return fields_of("payment", values, origins, now)


def _main_units(minor: int, currency: str) -> str:
    return format(Decimal(minor).scaleb(-_DIGITS.get(currency, 2)), "f")


def _owner(charge: Record, settings: Settings) -> str | None:
    name = settings.text("owner_metadata")
    return charge.record("metadata").text(name) if name else None


def _next_steps(connecting: Connecting) -> tuple[Step, ...]:
    events = "charge.succeeded, charge.captured, charge.updated, charge.refunded"
    return (Step("add_stripe_endpoint", {"url": connecting.hook_url, "events": events}),)


PROVIDER = Provider(
    name="stripe",
    counts=("payment",),
    secrets=(Secret("signing_secret", "The endpoint's signing secret, whsec_ included."),),
    hook=Hook(_verify, _read, _next_steps),
    settings=SETTINGS,
)

"""Stripe: a payment and its refunds are one activity. Its own SDK signs."""

from __future__ import annotations

import hashlib
import hmac
import itertools
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.activities import KIND, RETRACTED, Report, joined
from app.domain.deliveries import Delivery
from app.domain.instants import SECOND
from app.domain.metrics import Contribution, contribution
from app.domain.presets import PRESETS
from app.domain.revisions import of_number
from app.intake.providers.stripe import PROVIDER
from app.intake.source_settings import NO_SETTINGS, Settings, read_settings
from tests.intake import conformance
from tests.intake.conformance import (
    assert_any_order_ends_alike,
    assert_refused,
    flipped_bodies,
    flipped_headers,
    states,
)
from tests.intake.senders import NOW
from tests.intake.stripe_events import CHARGE, OLDER, SECRET, event, header, stripe


def told(**document: Any) -> Settings:
    return read_settings(PROVIDER.settings, document)


def read(document: Any, settings: Settings = NO_SETTINGS) -> Delivery:
    return conformance.read("stripe", stripe(document, settings=settings))


def report(document: Any, settings: Settings = NO_SETTINGS) -> Report:
    delivery = read(document, settings)
    assert not delivery.refused, delivery.refused
    (item,) = delivery.items
    return item.report


def fields(found: Report) -> dict[str, Any]:
    return {name: value for name, value in found.fields.items() if name not in {KIND, RETRACTED}}


def nothing(document: Any, settings: Settings = NO_SETTINGS) -> bool:
    delivery = read(document, settings)
    return (delivery.items, delivery.refused) == ((), ())


# The proof


@pytest.mark.parametrize("secret", [SECRET, OLDER])
def test_what_the_sdk_signs_with_either_secret_is_authentic(secret: str) -> None:
    assert conformance.read("stripe", stripe(event(CHARGE), secret=secret)).items


def test_several_signatures_while_a_secret_is_rolled_prove_by_any_of_them() -> None:
    request = stripe(event(CHARGE))
    stamp = f"t={NOW // SECOND}"
    ours = header(request.body).split(",")[1]
    theirs = header(request.body, "whsec_of_somebody").split(",")[1]
    for parts in ([stamp, theirs, ours], [stamp, ours, theirs]):
        rolled = replace(request, headers={"stripe-signature": ",".join(parts)})
        assert conformance.read("stripe", rolled).items
    assert_refused("stripe", [replace(request, headers={"stripe-signature": f"{stamp},{theirs}"})])


def test_another_byte_or_secret_is_refused() -> None:
    request = stripe(event(CHARGE))
    assert_refused("stripe", flipped_bodies(request))
    assert_refused("stripe", flipped_headers(request, "stripe-signature"))
    bare = SECRET.removeprefix("whsec_")
    assert_refused("stripe", [stripe(event(CHARGE), secret=key) for key in ("whsec_x", bare)])


def test_a_timestamp_from_the_past_or_the_future_is_refused_though_the_sdk_takes_the_future() -> (
    None
):
    assert_refused("stripe", [stripe(event(CHARGE), away=away) for away in (-301, 301, 86_400)])
    assert conformance.read("stripe", stripe(event(CHARGE), away=-299)).items


def test_another_scheme_or_algorithm_is_refused() -> None:
    request = stripe(event(CHARGE))
    signature = request.headers["stripe-signature"]
    stamp = str(NOW // SECOND)
    signed = stamp.encode() + b"." + request.body
    long = hmac.new(SECRET.encode(), signed, hashlib.sha512).hexdigest()
    others = [signature.replace("v1=", "v0="), f"t={stamp},v1={long}", signature + f",t={stamp}"]
    assert_refused(
        "stripe", [replace(request, headers={"stripe-signature": text}) for text in others]
    )


# What events mean


def test_a_payment_counts_main_units_once_at_the_charges_time() -> None:
    found = report(event(CHARGE), told(owner_metadata="sales_rep"))
    assert (found.source, found.key, found.full) == ("st", CHARGE["id"], True)
    assert found.fields[KIND] == "payment"
    # The second of the event, that it is captured, and nothing refunded.
    assert found.stamp.revision == of_number("1" + "001796709601" + "1" + "000000000000000")
    assert fields(found) == {
        "amount": "1200.5",
        "currency": "USD",
        "paid_at": "2026-12-08T06:00:00Z",
        "refunded_amount": "0",
        "owner": "sato@example.co.jp",
    }


@pytest.mark.parametrize(
    ("minor", "currency", "amount"),
    [
        (450000, "jpy", "450000"),
        (450000, "krw", "450000"),
        (450000, "mga", "450000"),
        (123456, "eur", "1234.56"),
        (123456, "isk", "1234.56"),
        (123456, "ugx", "1234.56"),
        (1234560, "kwd", "1234.56"),
        (5, "usd", "0.05"),
    ],
)
def test_minor_units_follow_stripes_list_of_currencies(
    minor: int, currency: str, amount: str
) -> None:
    charge = CHARGE | {"amount": minor, "amount_captured": minor, "currency": currency}
    found = fields(report(event(charge)))
    assert (found["amount"], found["currency"]) == (amount, currency.upper())


def test_events_of_invoice_and_intent_do_not_count_the_payment_again() -> None:
    for kind, name in [
        ("invoice", "invoice.paid"),
        ("invoice", "invoice.payment_succeeded"),
        ("payment_intent", "payment_intent.succeeded"),
        ("checkout.session", "checkout.session.completed"),
        ("refund", "charge.refund.updated"),
        ("dispute", "charge.dispute.created"),
    ]:
        assert nothing(event({"id": "x_1", "object": kind, "amount": 120050}, name))


@pytest.mark.parametrize(
    "change",
    [{"status": "pending"}, {"status": "failed"}, {"captured": False, "amount_captured": 0}],
)
def test_what_has_not_been_paid_is_no_payment(change: dict[str, Any]) -> None:
    assert nothing(event(CHARGE | change))


def test_what_a_partial_capture_released_is_neither_paid_nor_refunded() -> None:
    part = CHARGE | {"amount": 1000, "amount_captured": 700}
    for refunded, expected in [(0, "0"), (300, "0"), (500, "2")]:
        found = fields(report(event(part | {"amount_refunded": refunded})))
        assert (found["amount"], found["refunded_amount"]) == ("7", expected)


def test_test_mode_counts_only_where_that_is_wanted_and_then_alone() -> None:
    wanted = told(test_mode=True)
    assert nothing(event(CHARGE, livemode=False))
    assert report(event(CHARGE, livemode=False), wanted)
    assert nothing(event(CHARGE), wanted)


def test_connected_accounts_count_if_they_are_named() -> None:
    theirs = event(CHARGE, account="acct_1")
    assert nothing(theirs)
    assert nothing(theirs, told(accounts=["acct_2"]))
    assert report(theirs, told(accounts=["acct_1"]))


def test_without_the_setting_or_the_entry_a_payment_has_no_owner() -> None:
    assert "owner" not in fields(report(event(CHARGE)))
    assert "owner" not in fields(report(event(CHARGE), told(owner_metadata="other")))


@pytest.mark.parametrize(
    ("document", "pointer", "code"),
    [
        ({"object": "v2.core.event"}, "/object", "unsupported_version"),
        (event(CHARGE | {"amount": None}), "/data/object/amount", "required"),
        (
            event(CHARGE | {"amount_captured": "x"}),
            "/data/object/amount_captured",
            "not_an_integer",
        ),
        (event(CHARGE | {"created": None}), "/data/object/created", "required"),
        (event(CHARGE | {"currency": "dollar"}), "/data/object/currency", "not_a_currency"),
        (event(CHARGE | {"id": None}), "/data/object/id", "required"),
        (event(CHARGE | {"id": "ch_" + "x" * 253}), "/data/object/id", "not_a_name"),
        (event(CHARGE | {"id": "a\x00b"}), "/data/object/id", "not_a_name"),
        (event(CHARGE, created=10**14), "/created", "not_a_time"),
    ],
)
def test_what_cannot_be_used_says_where(document: Any, pointer: str, code: str) -> None:
    (refused,) = read(document).refused
    assert [(f.pointer, f.code) for f in refused.error.faults] == [(pointer, code)]


# Order


def life(*seconds: int) -> list[dict[str, Any]]:
    """A payment and two refunds, each in its second."""
    kinds = ("charge.succeeded", "charge.refunded", "charge.refunded")
    return [
        event(CHARGE | {"amount_refunded": amount}, kind, f"2026-12-08T06:00:0{second}Z")
        for amount, kind, second in zip((0, 20000, 50050), kinds, seconds, strict=True)
    ]


@pytest.mark.parametrize("seconds", [(1, 2, 3), (1, 1, 1), (1, 1, 2)])
def test_a_payment_and_its_refunds_are_one_activity_in_any_order(
    seconds: tuple[int, ...],
) -> None:
    deliveries = [read(one) for one in life(*seconds)]
    assert_any_order_ends_alike(deliveries)
    (state,) = states(deliveries).values()
    assert state.fields["refunded_amount"] == "500.5"
    cash = contribution(PRESETS["cash_in"], state, "USD")
    assert isinstance(cash, Contribution)
    assert cash.total == 70_000  # cents


@pytest.mark.parametrize("amount", [1_200_000, 999_999_999_999, 10**15 - 1])
def test_refunds_of_one_second_that_differ_by_one_minor_unit_are_two_states(amount: int) -> None:
    sums = (0, 1, amount // 2, amount // 2 + 1, amount - 1, amount)
    whole = CHARGE | {"amount": amount, "amount_captured": amount, "currency": "jpy"}
    told = [report(event(whole | {"amount_refunded": refunded})) for refunded in sums]
    revisions = [one.stamp.revision for one in told]
    assert revisions == sorted(set(revisions))
    for order in itertools.permutations(told):
        assert joined(order).fields["refunded_amount"] == str(amount)


def test_every_revision_is_of_one_width_whatever_the_year_and_the_amount() -> None:
    dates = ("1980-01-01T00:00:00Z", "2001-09-09T01:46:40Z", "2026-12-08T06:00:00Z")
    sums = (0, 9, 10**6, 10**15 - 1)
    found = [
        report(event(CHARGE | {"amount": 10**15 - 1, "amount_refunded": one}, at=at))
        for at in dates
        for one in sums
    ]
    revisions = [one.stamp.revision for one in found]
    assert len({len(one) for one in revisions}) == 1
    assert revisions == sorted(set(revisions))


def test_a_refund_is_the_sum_so_far_and_is_not_added_up() -> None:
    last = life(1, 2, 3)[2]
    assert joined([report(last), report(last)]).fields["refunded_amount"] == "500.5"


def test_a_full_refund_leaves_nothing() -> None:
    state = joined([report(event(CHARGE | {"amount_refunded": 120050}))])
    cash = contribution(PRESETS["cash_in"], state, "USD")
    assert not isinstance(cash, Contribution) or cash.total == 0


VALUES = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=20)
    | st.sampled_from(["charge", "usd", "succeeded", "-0", 10**15 - 1])
    | st.lists(st.integers(), max_size=2)
)


@given(st.data())
def test_any_event_is_read_or_refused(data: st.DataObject) -> None:
    charge = CHARGE | data.draw(st.dictionaries(st.sampled_from(sorted(CHARGE)), VALUES))
    document = event(charge)
    read(document | data.draw(st.dictionaries(st.sampled_from(sorted(document)), VALUES)))

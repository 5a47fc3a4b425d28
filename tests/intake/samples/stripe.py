"""Stripe's events: a payment, a partial refund, its invoice, a thin one, one without amount."""

from __future__ import annotations

from tests.intake.stripe_events import CHARGE, event, stripe

SAMPLES = [
    stripe(event(CHARGE)),
    stripe(event(CHARGE | {"amount_refunded": 20000}, "charge.refunded")),
    stripe(event({"id": "in_1", "object": "invoice", "amount_paid": 120050}, "invoice.paid")),
    stripe({"id": "evt_1", "object": "v2.core.event", "type": "v1.charge.succeeded"}),
    stripe(event(CHARGE | {"amount": None})),
]

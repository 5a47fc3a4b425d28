"""Standard Webhooks: signed CloudEvents, whose source is the hook's."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from app.domain.deliveries import Delivery
from app.domain.errors import Unauthenticated
from app.intake.events import MAX_ITEMS
from app.intake.providers.standard_webhooks import PROVIDER
from app.intake.requests import Connecting, HookRequest
from app.intake.source_settings import NO_SETTINGS
from tests.intake import conformance
from tests.intake.senders import HOOK, SECRET, webhook

assert PROVIDER.hook
HOOKED = PROVIDER.hook
DEAL = {
    "specversion": "1.0",
    "id": "e-1",
    "subject": "D-1001",
    "revision": "1",
    "source": "somebody-else",
    "type": "deal",
    "actor": "sato@example.co.jp",
    "data": {"status": "won", "amount": "450000", "won_at": "2026-12-08T15:00:00+09:00"},
}


def read(request: HookRequest) -> Delivery:
    return conformance.read("standard_webhooks", request)


def reading(event: object) -> Delivery:
    return read(webhook(json.dumps(event, ensure_ascii=False).encode()))


def test_one_event_or_an_array_of_them_is_read_as_the_hooks_source() -> None:
    one, batch = reading(DEAL), reading([DEAL, DEAL | {"id": "e-2"}])
    assert (one.workspace, one.quarantines, one.refused) == ("default", True, ())
    assert [item.report.source for item in batch.items] == ["crm", "crm"]
    assert one.items[0] == batch.items[0]
    assert [item.id for item in batch.items] == ["e-1", "e-2"]


@pytest.mark.parametrize(
    "content_type",
    ["application/cloudevents-batch+json", "application/cloudevents+json", "", "text/x"],
)
def test_the_content_type_does_not_matter(content_type: str) -> None:
    request = webhook(json.dumps(DEAL).encode())
    other = replace(request, headers={**request.headers, "content-type": content_type})
    assert read(other).items == read(request).items


def test_a_delivery_sent_again_under_another_id_says_the_same() -> None:
    body = json.dumps(DEAL).encode()
    assert read(webhook(body)).items == read(webhook(body, message="msg_2")).items


def test_bad_events_are_kept_and_good_ones_count() -> None:
    delivery = reading([DEAL, DEAL | {"type": "?"}, {"source": "x"}, 7])
    assert [item.index for item in delivery.items] == [0]
    assert [(r.index, r.id, r.source) for r in delivery.refused] == [
        (1, "e-1", "crm"),
        (2, None, "crm"),
        (3, None, "crm"),
    ]
    missing = [fault.pointer for fault in delivery.refused[1].error.faults]
    assert missing == ["/id", "/specversion", "/type"]


def test_a_source_is_required_though_the_hooks_stands() -> None:
    (found,) = reading({name: v for name, v in DEAL.items() if name != "source"}).refused
    assert [(f.pointer, f.code) for f in found.error.faults] == [("/source", "required")]


@pytest.mark.parametrize(
    ("body", "code"),
    [
        (b"{", "not_json"),
        (b"", "not_json"),
        (b"[" * 1000, "too_deep"),
        (b"[" + b"0," * MAX_ITEMS + b"0]", "too_many_items"),
    ],
)
def test_an_authentic_body_that_cannot_be_read_is_kept_whole(body: bytes, code: str) -> None:
    (found,) = read(webhook(body)).refused
    assert (found.error.code, found.content, found.source) == (code, body.decode(), "crm")


def test_kept_content_holds_no_secret_of_ours() -> None:
    (found,) = reading(DEAL | {"type": "?", "note": SECRET}).refused
    assert SECRET not in found.content
    assert "D-1001" in found.content
    (whole,) = read(webhook(f"{{{SECRET}\x00".encode())).refused
    assert whole.content == "{[redacted]\N{REPLACEMENT CHARACTER}"


def test_a_tampered_delivery_is_not_read() -> None:
    request = webhook(json.dumps(DEAL).encode())
    for forged in (
        replace(request, body=request.body.replace(b"450000", b"950000")),
        replace(request, headers={}),
        replace(request, credentials={}),
        replace(request, received_at=request.received_at + 360_000_000),
        webhook(request.body, secret="whsec_" + "A" * 32),
    ):
        with pytest.raises(Unauthenticated):
            HOOKED.verify(forged)


def test_the_steps_name_the_address() -> None:
    assert HOOKED.next_steps(Connecting(HOOK, NO_SETTINGS))[0].params["url"] == HOOK

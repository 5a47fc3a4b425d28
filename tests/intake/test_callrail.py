"""CallRail: its published vector, and one call however often it is told."""

from __future__ import annotations

import base64
import hashlib
import hmac
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.activities import KIND, RETRACTED, Report, joined
from app.domain.deliveries import Delivery
from app.domain.metrics import Contribution, contribution
from app.domain.presets import PRESETS
from app.intake.receiving import received
from app.intake.requests import HookRequest
from tests.intake import conformance
from tests.intake.callrail_events import CALL_ID, KEY, call, posted
from tests.intake.conformance import (
    assert_any_order_ends_alike,
    assert_refused,
    failing,
    flipped_bodies,
    flipped_headers,
    hook_of,
)

HOOKED = hook_of("callrail")

# CallRail's documentation ("Validating payloads") publishes this key, body and signature.
PUBLISHED_KEY = "072e77e426f92738a72fe23c4d1953b4"
PUBLISHED_SIGNATURE = "UZAHbUdfm3GqL7qzilGozGzWV64="
PUBLISHED_BODY = (
    '{"answered":false,"business_phone_number":"","call_type":"voicemail","company_id":155920786,'
    '"company_name":"Boost Marketing","company_time_zone":"America/Los_Angeles","created_at":'
    '"2018-02-19T13:41:00.252-05:00","customer_city":"Rochester","customer_country":"US",'
    '"customer_name":"Kaylah Mills","customer_phone_number":"+12148654559","customer_state":"PA",'
    '"device_type":"","direction":"inbound","duration":"13","first_call":false,'
    '"formatted_call_type":"Voicemail","formatted_customer_location":"Rochester, PA",'
    '"formatted_business_phone_number":"","formatted_customer_name":"Kaylah Mills",'
    '"prior_calls":16,"formatted_customer_name_or_phone_number":"Kaylah Mills",'
    '"formatted_customer_phone_number":"214-865-4559","formatted_duration":"13s",'
    '"formatted_tracking_phone_number":"404-555-8514","formatted_tracking_source":"Google Paid",'
    '"formatted_value":"--","good_lead_call_id":715587840,"good_lead_call_time":'
    '"2016-06-17T10:23:33.363-04:00","id":766970532,"lead_status":"previously_marked_good_lead",'
    '"note":"","recording":"https://app.callrail.com/calls/766970532/recording/redirect?'
    'access_key=aaaaccccddddeeee","recording_duration":8,"source_name":"Google AdWords",'
    '"start_time":"2018-02-19T13:41:00.236-05:00","tags":[],"total_calls":17,'
    '"tracking_phone_number":"+14045558514","transcription":"","value":"","voicemail":true,'
    '"tracker_id":354024023,"keywords":"","medium":"","referring_url":"","landing_page_url":"",'
    '"last_requested_url":"","referrer_domain":"","conversational_transcript":"",'
    '"utm_source":"google","utm_medium":"cpc","utm_term":"","utm_content":"","utm_campaign":'
    '"Google AdWords","utma":"","utmb":"","utmc":"","utmv":"","utmz":"","ga":"","gclid":"",'
    '"integration_data":[{"integration":"Webhooks","data":null}],"keywords_spotted":"",'
    '"recording_player":"https://app.callrail.com/calls/766970532/recording?access_key='
    'aaaabbbbccccdddd","speaker_percent":"","call_highlights":[],"callercity":"Rochester",'
    '"callercountry":"US","callername":"Kaylah Mills","callernum":"+12148654559","callerstate":'
    '"PA","callsource":"google_paid","campaign":"","custom":"","datetime":"2018-02-19 18:41:00",'
    '"destinationnum":"","ip":"","kissmetrics_id":"","landingpage":"","referrer":"",'
    '"referrermedium":"","score":1,"tag":"","trackingnum":"+14045558514","timestamp":'
    '"2018-02-19T13:41:00.236-05:00"}'
)


def published() -> HookRequest:
    headers = {"signature": PUBLISHED_SIGNATURE}
    credentials = {"signing_keys": (PUBLISHED_KEY,)}
    body = PUBLISHED_BODY.encode()
    return replace(posted({}), body=body, headers=headers, credentials=credentials)


def read(request: HookRequest) -> Delivery:
    return conformance.read("callrail", request)


def report(request: HookRequest) -> Report:
    delivery = read(request)
    assert not delivery.refused
    (item,) = delivery.items
    return item.report


def fields(found: Report) -> dict[str, Any]:
    return {name: value for name, value in found.fields.items() if name not in {KIND, RETRACTED}}


def test_the_published_vector_is_authentic_and_every_byte_of_it_counts() -> None:
    request = published()
    HOOKED.verify(request)
    assert_refused("callrail", flipped_bodies(request))
    assert_refused("callrail", flipped_headers(request, "signature"))
    other = {"signing_keys": (PUBLISHED_KEY[:-1] + "5",)}
    assert_refused("callrail", [replace(request, credentials=other), replace(request, headers={})])
    assert_refused("callrail", [replace(request, body=request.body + b"\n")])


def test_another_algorithm_or_encoding_is_refused() -> None:
    request = posted(call())
    sha256 = hmac.new(KEY.encode(), request.body, hashlib.sha256).digest()
    hexadecimal = hmac.new(KEY.encode(), request.body, hashlib.sha1).hexdigest()
    for proof in (base64.b64encode(sha256).decode(), hexadecimal, f"sha1={hexadecimal}"):
        assert_refused("callrail", [replace(request, headers={"signature": proof})])


def test_the_published_call_is_a_voicemail_of_an_older_form() -> None:
    found = report(published())
    assert found.key == "766970532"
    assert fields(found) == {
        "direction": "inbound",
        "outcome": "voicemail",
        "started_at": "2018-02-19T18:41:00.236000Z",
        "ended_at": "2018-02-19T18:41:13.236000Z",
        "duration_seconds": 13,
        "talk_seconds": 0,
        "counterpart": "+12148654559",
    }


def test_an_answered_call_whose_duration_is_a_text() -> None:
    found = report(posted(call()))
    assert (found.source, found.key, found.full) == ("cr", CALL_ID, True)
    assert fields(found) == {
        "direction": "inbound",
        "outcome": "connected",
        "started_at": "2026-12-10T05:30:00.236000Z",
        "ended_at": "2026-12-10T05:31:35.236000Z",
        "duration_seconds": 95,
        "talk_seconds": 95,
        "counterpart": "+819012345678",
        "agent": "sato@example.co.jp",
    }
    assert report(posted(call(duration=95))) == found


def test_outbound_calls_count_as_calls_made() -> None:
    found = report(posted(call(direction="outbound")))
    for preset in ("calls", "connected_calls", "talk_time"):
        assert isinstance(contribution(PRESETS[preset], joined([found]), "JPY"), Contribution)


def test_the_resource_id_identifies_a_call_even_beside_the_older_number() -> None:
    assert report(posted(call(id=766970532))).key == CALL_ID


RINGING = posted(call(answered=False, duration="0", call_type="missed", agent_email=None))
STORY = [
    RINGING,
    posted(call()),
    posted(call(changes=["agent_email"], agent_email="suzuki@example.co.jp")),
]


def test_ringing_ended_and_modified_come_to_the_last_of_them_in_any_order() -> None:
    deliveries = [read(request) for request in STORY]
    assert_any_order_ends_alike(deliveries)
    state = joined(item.report for one in deliveries for item in one.items)
    assert (state.fields["outcome"], state.fields["agent"]) == ("connected", "suzuki@example.co.jp")


def test_the_query_is_not_believed() -> None:
    request = posted(call())
    forged = replace(request, url=request.url.replace("duration=95", "duration=9999"))
    assert report(forged) == report(request)


def test_a_call_told_twenty_minutes_late_is_taken() -> None:
    late = replace(posted(call()), received_at=posted(call()).received_at + 30 * 60 * 10**6)
    assert report(late) == report(posted(call()))


def test_keys_to_recordings_are_not_kept() -> None:
    raw = received(HOOKED, posted(call()), failing).raw
    assert raw
    assert b"access_key" not in raw.body


@pytest.mark.parametrize(
    "document",
    [
        {"resource_id": "SCH1", "content": "hello"},
        {"resource_id": "FRM1", "form_data": {}},
        {"id": 5, "content": "hello"},
    ],
)
def test_text_messages_and_forms_count_as_nothing(document: dict[str, Any]) -> None:
    delivery = read(posted(document))
    assert (delivery.items, delivery.refused) == ((), ())


@pytest.mark.parametrize(
    ("more", "expected"),
    [
        ({"direction": "sideways"}, ("/direction", "unknown_value")),
        ({"start_time": None}, ("/start_time", "required")),
        ({"start_time": "2026-12-10 14:30"}, ("/start_time", "time_without_offset")),
        ({"duration": "1m 35s"}, ("/duration", "not_an_integer")),
        ({"duration": "99999999"}, ("/duration", "out_of_range")),
        ({"answered": "perhaps"}, ("/answered", "not_a_boolean")),
        ({"resource_id": None}, ("/resource_id", "required")),
    ],
)
def test_what_cannot_be_used_is_refused_with_its_place(
    more: dict[str, Any], expected: tuple[str, str]
) -> None:
    (refused,) = read(posted(call(**more))).refused
    assert [(fault.pointer, fault.code) for fault in refused.error.faults] == [expected]


JUNK = st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.lists(st.none())


@given(st.dictionaries(st.sampled_from(sorted(call())), JUNK))
def test_any_values_of_a_call_are_read_or_refused(changed: dict[str, Any]) -> None:
    delivery = read(posted(call(**changed)))
    assert len(delivery.items) + len(delivery.refused) <= 1

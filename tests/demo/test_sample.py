"""The sample is believable, the same every time, and its requests mean its facts."""

from __future__ import annotations

from collections import Counter
from datetime import UTC, datetime, timedelta
from email.utils import parsedate_to_datetime
from fractions import Fraction
from itertools import pairwise
from typing import Any

import pytest

from examples.demo.sample import Sample, build
from examples.demo.team import PEOPLE, TOKYO, Period

MOMENTS = [
    datetime(2026, 11, 24, 13, 18, tzinfo=TOKYO),  # a Tuesday at work, after a holiday
    datetime(2026, 11, 21, 2, 18, tzinfo=TOKYO),  # a Saturday night
    datetime(2026, 12, 21, 9, 0, tzinfo=TOKYO),  # the period runs into the new-year break
    datetime(2027, 1, 4, 0, 0, tzinfo=TOKYO),  # and over the year's end
    datetime(2026, 5, 4, 0, 0, 1, tzinfo=UTC),  # Golden Week
]
BY_OWNER = {person.owner_id: person.key for person in PEOPLE}
BY_ACTOR = {person.email: person.key for person in PEOPLE} | {
    person.extension: person.key for person in PEOPLE
}
Total = dict[tuple[str, str], Fraction]


def facts(sample: Sample) -> Total:
    total: Counter[tuple[str, str]] = Counter()
    for fact in sample.facts:
        total[fact.metric, fact.person] += fact.quantity  # type: ignore[assignment] # exact
    return {key: Fraction(value) for key, value in total.items()}


def last_states(sample: Sample) -> dict[tuple[str, Any], Any]:
    """What each thing finally is: the newest by its provider's own clock, whatever came last."""
    newest: dict[tuple[str, Any], tuple[Any, Any]] = {}
    for post in sample.posts:
        body: Any = post.body
        if post.door == "pipedrive":
            meta = body["meta"]
            key, version = (meta["entity"], meta["entity_id"]), meta["timestamp"]
        elif post.door == "booking":
            key, version = ("booking", body["subject"]), body["revision"]
        else:
            key, version = ("twilio", body["CallSid"]), body["Timestamp"]
        if key not in newest or version > newest[key][0]:
            newest[key] = (version, body)
    return {key: body for key, (_, body) in newest.items()}


def recounted(sample: Sample) -> Total:
    """The counts that a person with a pencil would find in the requests."""
    total: Counter[tuple[str, str]] = Counter()
    for (kind, _), body in last_states(sample).items():
        if kind == "twilio" and "ParentCallSid" not in body and body["Direction"] == "inbound":
            if body["From"].startswith("client:"):
                total["calls", body["From"].removeprefix("client:")] += 1
        elif kind == "booking" and not body.get("retracted"):
            total["appointments", BY_ACTOR[body["actor"]]] += 1
        elif kind == "activity" and body["data"] and body["data"]["type"] == "meeting":
            total["appointments", BY_OWNER[body["data"]["owner_id"]]] += 1
        elif kind == "deal" and body["data"] and body["data"]["status"] == "won":
            total["deals_won", BY_OWNER[body["data"]["owner_id"]]] += 1
            total["revenue", BY_OWNER[body["data"]["owner_id"]]] += body["data"]["value"]
    return {key: Fraction(value) for key, value in total.items()}


@pytest.mark.parametrize("now", MOMENTS, ids=lambda now: f"{now:%m-%d}")
def test_the_requests_mean_the_facts(now: datetime) -> None:
    sample = build(now)
    assert recounted(sample) == facts(sample)
    assert all(fact.at <= now for fact in sample.facts)


def test_the_same_seed_tells_the_same_story_and_another_another() -> None:
    first, second, other = build(MOMENTS[0], 1), build(MOMENTS[0], 1), build(MOMENTS[0], 2)
    assert (first.posts, first.facts) == (second.posts, second.facts)
    assert other.facts != first.facts


@pytest.mark.parametrize("now", MOMENTS, ids=lambda now: f"{now:%m-%d}")
def test_the_period_runs_from_the_monday_three_weeks_ago_to_the_monday_after_next(
    now: datetime,
) -> None:
    period = Period.around(now)
    today = now.astimezone(TOKYO).date()
    assert period.start.weekday() == period.end.weekday() == 0
    assert period.end - period.start == timedelta(weeks=5)
    assert timedelta(weeks=3) <= today - period.start < timedelta(weeks=4)


def test_a_month_at_work_has_every_trouble_that_senders_make() -> None:
    sample = build(MOMENTS[0])
    assert 1_500 <= len(sample.posts) <= 4_000
    assert {post.door for post in sample.posts} == {"twilio", "pipedrive", "booking"}
    ids = Counter((post.door, post.id) for post in sample.posts)
    assert sum(number > 1 for number in ids.values()) > 30
    attempts = Counter(p.body["meta"]["attempt"] for p in pipedrive(sample))
    assert attempts[2] > 0
    deals = [p.body for p in pipedrive(sample) if p.body["meta"]["entity"] == "deal"]
    assert any(body["meta"]["action"] == "delete" for body in deals)
    changes = [body for body in deals if body["meta"]["action"] == "change"]
    assert any(body["previous"].get("status") == "won" for body in changes)
    assert any("value" in body["previous"] for body in changes)
    leaves = [post.leaves_at for post in sample.posts]
    assert sum(a > b for a, b in pairwise(leaves)) > 50
    assert any(p.body.get("retracted") for p in sample.posts if isinstance(p.body, dict))
    unknown = [p for p in sample.posts if isinstance(p.body, dict) and p.body.get("actor") == "308"]
    assert unknown


def pipedrive(sample: Sample) -> list[Any]:
    return [post for post in sample.posts if post.door == "pipedrive"]


def test_people_call_in_their_working_hours_and_not_when_away() -> None:
    sample = build(MOMENTS[0])
    days = set(sample.period.working_days())
    (off, *_) = sample.absences
    for fact in sample.facts:
        assert fact.at.date() in days
        assert 9 <= fact.at.hour < 18
        assert not (
            fact.person == off.person and fact.metric == "calls" and fact.at.date() == off.since
        )


def test_a_callback_tells_when_the_call_began() -> None:
    sample = build(MOMENTS[0])
    began = {
        parsedate_to_datetime(post.body["Timestamp"])
        - timedelta(seconds=int(post.body["CallDuration"]))
        for post in sample.posts
        if post.door == "twilio"
        and isinstance(post.body, dict)
        and "ParentCallSid" not in post.body
    }
    assert {fact.at for fact in sample.facts if fact.metric == "calls"} <= began

"""Amounts beyond what a float holds, up to what a tally holds: exact to the answer's last digit."""

from __future__ import annotations

import json
from decimal import Context, Decimal
from itertools import count

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from app.store import ledger
from tests.engines import on_both
from tests.web.example import EVENTS, SETTINGS, START, deal, member
from tests.web.service import Service, started

pytestmark = on_both

DIGITS = {"JPY": 0, "USD": 2, "KWD": 3}
# What one activity may bring, in minor units: some of them still fit one day of one person.
LARGEST = (2**63 - 1) // 8
WIDE = Context(prec=60)
WHO = ("sato", "suzuki", "stranger")
PLAN = {
    "name": "December",
    "period": {"month": "2026-12"},
    "funnel": [{"metric": "revenue", "target": "1"}],
    "assignments": [{"team": "east"}],
}

_minor = st.one_of(
    st.integers(-LARGEST, LARGEST),
    st.sampled_from([LARGEST, LARGEST - 1, -LARGEST, 2**53 + 1, -(2**53) - 1, 1, 0]),
)
_deals = st.lists(st.tuples(_minor, st.sampled_from(WHO)), min_size=1, max_size=13)


def company(service: Service, currency: str) -> Service:
    """A workspace of its own, in a currency."""
    own = service.workspace(currency.lower())
    own.replace("/v1/workspace", SETTINGS | {"currency": currency})
    for path, body in (
        ("/v1/teams/east", {"name": "east"}),
        ("/v1/members/sato", member("sato")),
        ("/v1/members/suzuki", member("suzuki")),
        ("/v1/sources/crm", EVENTS),
        ("/v1/plans/december", PLAN),
    ):
        answer = own.put(path, body)
        assert answer.status_code == 201, answer.text
    return own


def text(minor: int, digits: int) -> str:
    """A number of minor units as the field writes it, worked by hand with digits only."""
    whole, part = divmod(abs(minor), 10**digits)
    fraction = f"{part:0{digits}d}".rstrip("0") if digits else ""
    return ("-" if minor < 0 else "") + str(whole) + (f".{fraction}" if fraction else "")


@pytest.mark.parametrize("currency", DIGITS)
def test_sums_are_exact_from_the_event_to_the_text_of_the_answer(
    currency: str,
) -> None:
    digits, revisions = DIGITS[currency], count(1)
    with started(START) as running:
        service = company(running, currency)

        @settings(max_examples=8, deadline=None, suppress_health_check=[HealthCheck.too_slow])
        @given(_deals)
        def holds(deals: list[tuple[int, str]]) -> None:
            revision = str(next(revisions))
            # One a day, and the last example's taken back: what a day holds is the limit.
            service.post_events(
                [
                    deal(
                        day, f"{who}@example.co.jp", amount=text(minor, digits), currency=currency,
                        won_at=f"2026-12-{day:02d}T10:00:00+09:00",
                    ) | {"revision": revision, "retracted": day > len(deals)}
                    for day, (minor, who) in enumerate(
                        deals + [(0, "sato")] * (13 - len(deals)), 1
                    )
                ]
            )  # fmt: skip
            sums = {who: sum(minor for minor, own in deals if own == who) for who in WHO}
            _assert_said(service, {who: text(total, digits) for who, total in sums.items()}, deals)

        def _assert_said(
            service: Service, sums: dict[str, str], deals: list[tuple[int, str]]
        ) -> None:
            whole = text(sum(minor for minor, _ in deals), digits)
            path = "/v1/metrics/revenue/series?from=2026-12-01"
            assert f'"value":"{whole}"' in compact(service.get(path).text)
            days = service.get(f"{path}&granularity=day").json()["items"]
            assert [day["value"] for day in days] == [text(minor, digits) for minor, _ in deals]
            mine = service.get(f"{path}&group_by=member").json()["items"]
            named = {one["member"] or "stranger": one["value"] for one in mine}
            assert named == {who: sums[who] for who in {who for _, who in deals}}
            body = service.progress("december", breakdown="member").body
            told = {part["scope"]["member"]: part["root"]["actual"] for part in body["breakdown"]}
            assert told == {who: sums[who] for who in ("sato", "suzuki")}
            assert body["root"]["unassigned"] == sums["stranger"]
            inside = WIDE.add(Decimal(sums["sato"]), Decimal(sums["suzuki"]))
            assert Decimal(body["root"]["actual"]) == inside
            assert WIDE.add(inside, Decimal(sums["stranger"])) == Decimal(whole)

        holds()
        assert ledger.verify(running.store, currency.lower()) == []


def compact(answer: str) -> str:
    return json.dumps(json.loads(answer, parse_float=_no_float), separators=(",", ":"))


def _no_float(written: str) -> None:
    raise AssertionError(f"{written} is no text")


@pytest.mark.parametrize(
    ("currency", "amount", "code"),
    [
        ("JPY", text(LARGEST + 1, 0), "amount_does_not_fit"),
        ("KWD", text(-LARGEST - 1, 3), "amount_does_not_fit"),
        ("JPY", "0.5", "amount_does_not_fit"),
        ("KWD", "0.0005", "amount_does_not_fit"),
    ],
)
def test_an_amount_that_could_only_be_kept_rounded_is_refused(
    currency: str, amount: str, code: str
) -> None:
    with started(START) as running:
        service = company(running, currency)
        (told,) = service.post_events([deal(1, amount=amount, currency=currency)]).json()[
            "rejected"
        ]
        assert code in json.dumps(told["problem"]).replace("-", "_")

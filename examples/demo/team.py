"""Who sells, what they are to reach, and who reports it: the documents of the sample workspace."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from fractions import Fraction
from typing import Any
from zoneinfo import ZoneInfo

import jpholiday

TOKYO = ZoneInfo("Asia/Tokyo")
OPENS, CLOSES = time(9), time(18)
PLAN = "new-business"
KGI = Fraction(2_000_000)
# Each stage's rate converts it into the one above.
FUNNEL = (
    ("revenue", Fraction(1)),
    ("deals_won", Fraction(400_000)),
    ("appointments", Fraction(1, 20)),
    ("calls", Fraction(1, 20)),
)
TEAMS = {"east": "東日本チーム", "west": "西日本チーム"}
TWILIO_NUMBER = "+815031234500"

Document = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Person:
    """A salesperson: what providers know, and what makes the story (dials, hit rate)."""

    key: str
    name: str
    team: str
    extension: str
    owner_id: int
    calls_a_day: int
    hit_rate: float
    capacity: str = "1"

    @property
    def client(self) -> str:
        """The address of the person's softphone at Twilio; its name is the person's key."""
        return f"client:{self.key}"

    @property
    def email(self) -> str:
        return f"{self.key}@example.co.jp"


PEOPLE = (
    Person("sato", "佐藤 美咲", "east", "301", 20101, 15, 0.056),
    Person("suzuki", "鈴木 健太", "east", "302", 20102, 14, 0.052),
    Person("takahashi", "高橋 結衣", "east", "303", 20103, 14, 0.057),
    Person("tanaka", "田中 大輔", "east", "304", 20104, 14, 0.051),
    Person("ito", "伊藤 愛", "west", "305", 20105, 10, 0.042),
    Person("watanabe", "渡辺 翔", "west", "308", 20106, 12, 0.045),
    Person("yamamoto", "山本 彩", "west", "306", 20107, 10, 0.042, capacity="0.75"),
    Person("nakamura", "中村 蓮", "west", "307", 20108, 11, 0.04),
)
# This extension is in no directory yet when the first bookings come.
UNKNOWN_AT_FIRST = PEOPLE[5]


@dataclass(frozen=True, slots=True)
class Absence:
    """Days on which a person works less: share 1 = away, 1/2 = half a day; `to` is exclusive."""

    person: str
    since: date
    to: date
    share: Fraction
    reason: str


@dataclass(frozen=True, slots=True)
class Period:
    """Half-open days."""

    start: date
    end: date

    @classmethod
    def around(cls, now: datetime) -> Period:
        """From the Monday three weeks ago to the Monday after next."""
        today = now.astimezone(TOKYO).date()
        monday = today - timedelta(days=today.weekday())
        return cls(monday - timedelta(weeks=3), monday + timedelta(weeks=2))

    def working_days(self) -> list[date]:
        """Monday to Friday, without Japanese holidays and the company's new-year break."""
        days = (self.start + timedelta(days=n) for n in range((self.end - self.start).days))
        return [day for day in days if _works(day)]


def _works(day: date) -> bool:
    closed = (day.month, day.day) >= (12, 29) or (day.month, day.day) <= (1, 3)
    return day.weekday() < 5 and not closed and not jpholiday.is_holiday(day)


def absences(period: Period) -> tuple[Absence, ...]:
    """A day off behind us and half a day before us, both on working days."""
    days = period.working_days()
    if len(days) < 3:
        return ()
    off, half = days[len(days) // 4], days[-2]
    day = timedelta(days=1)
    return (
        Absence("tanaka", off, off + day, Fraction(1), "有給休暇"),
        Absence("nakamura", half, half + day, Fraction(1, 2), "午後休"),
    )


def workspace(period: Period) -> Document:
    """The workspace with its calendar."""
    years = sorted({period.start.year, period.end.year} | {period.start.year - 1})
    closures = [
        {"from": f"{year}-12-29", "to": f"{year + 1}-01-04", "reason": "年末年始"} for year in years
    ]
    return {
        "name": "株式会社サンプル インサイドセールス部",
        "time_zone": "Asia/Tokyo",
        "currency": "JPY",
        "locale": "ja-JP",
        "fiscal_year_start_month": 4,
        "calendar": {
            "holidays": "JP",
            "weekdays": ["mon", "tue", "wed", "thu", "fri"],
            "working_hours": {"from": "09:00", "to": "18:00"},
            "closures": closures,
            "extra_working_days": [],
        },
    }


def member(person: Person, *, extension_known: bool = True) -> Document:
    """A person with the identities under which the three providers know them."""
    identities = [("twilio", "id", person.key), ("pipedrive", "id", str(person.owner_id))]
    if person is not UNKNOWN_AT_FIRST:
        identities.append(("booking", "email", person.email))
    elif extension_known:
        identities.append(("booking", "extension", person.extension))
    return {
        "name": person.name,
        "capacity": person.capacity,
        "memberships": [{"team": person.team, "from": None, "to": None}],
        "identities": [
            {"source": source, "kind": kind, "value": value} for source, kind, value in identities
        ],
    }


def absence_document(absent: list[Absence]) -> Document:
    """The absences of one person."""
    return {
        "absences": [
            {
                "from": absence.since.isoformat(),
                "to": absence.to.isoformat(),
                "share": "0.5" if absence.share < 1 else "1",
                "reason": absence.reason,
            }
            for absence in absent
        ]
    }


def plan(period: Period) -> Document:
    """The goal tree in its short form."""
    stages = [
        {"metric": metric, "target": str(KGI)}
        if metric == FUNNEL[0][0]
        else {"metric": metric, "rate": str(float(rate) if rate < 1 else rate)}
        for metric, rate in FUNNEL
    ]
    return {
        "name": "新規開拓（デモ）",
        "period": {"start": period.start.isoformat(), "end": period.end.isoformat()},
        "funnel": stages,
        "assignments": [{"team": team} for team in TEAMS],
        "reason": "デモ",
    }


def sources(twilio_token: str, password: str) -> dict[str, Document]:
    """Who reports what. Pipedrive stores the calls too; Twilio is the one that counts them."""
    return {
        "twilio": {
            "provider": "twilio",
            "name": "Twilio 電話",
            "counts": ["call"],
            "credentials": {"auth_tokens": [twilio_token]},
            "expect": {"every": "PT24H", "within": "working_hours"},
        },
        "pipedrive": {
            "provider": "pipedrive",
            "name": "Pipedrive 商談管理",
            "counts": ["deal", "meeting"],
            "credentials": {"user": "tassei", "password": password},
            "expect": {"every": "PT24H", "within": "working_hours"},
        },
        "booking": {
            "provider": "standard_webhooks",
            "name": "日程調整ツール",
            "counts": ["meeting"],
            "expect": {"every": "PT24H", "within": "working_hours"},
        },
    }

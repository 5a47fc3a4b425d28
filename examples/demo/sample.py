"""The month so far: what happened, and what the providers made of it.

`facts` is the plain truth, written down while the story is told and never read from a request:
the recount adds it up by itself. `posts` are the requests of the providers, with their habits:
legs in any order, retries, reports that come late, a win taken back.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from fractions import Fraction
from random import Random

from examples.demo import bodies
from examples.demo.bodies import Call, Json, Post
from examples.demo.team import (
    CLOSES,
    OPENS,
    PEOPLE,
    TOKYO,
    UNKNOWN_AT_FIRST,
    Absence,
    Period,
    Person,
    absences,
)

_RETRIED = 0.03
_LATE = 0.02
_ENDS = ("completed", "no-answer", "busy", "failed")


@dataclass(frozen=True, slots=True)
class Fact:
    """Something that counts in the end: one call, one appointment, one deal, an amount of yen."""

    metric: str
    person: str
    at: datetime
    quantity: Fraction = Fraction(1)


@dataclass(slots=True)
class Sample:
    """Everything the demo needs to know about its month."""

    period: Period
    absences: tuple[Absence, ...]
    facts: list[Fact] = field(default_factory=list)
    posts: list[Post] = field(default_factory=list)


def build(now: datetime, seed: int = 2026) -> Sample:
    """The month up to `now`; the same seed and moment tell the same story."""
    period = Period.around(now)
    sample = Sample(period, absences(period))
    random = Random(seed)
    teller = Teller(sample, now.astimezone(TOKYO), random)
    days = [day for day in period.working_days() if day <= teller.now.date()]
    for person in PEOPLE:
        _calls_and_meetings(teller, person, days)
    _deals(teller, days)
    sample.posts = _as_they_arrive(sample.posts, random)
    return sample


@dataclass(slots=True)
class Teller:
    """Writes facts and posts side by side; nothing after `now` is told."""

    sample: Sample
    now: datetime
    random: Random
    numbers: int = 40_000

    def next_number(self) -> int:
        """A new identifier at a provider."""
        self.numbers += 1
        return self.numbers

    def call(self, person: Person, at: datetime) -> Call:
        """One call from its first ring; only the outgoing ones count."""
        random = self.random
        ended = random.choices(_ENDS, (46, 44, 7, 3))[0]
        talk = int(random.lognormvariate(4.4, 0.8)) + 5 if ended == "completed" else 0
        call = Call(
            person,
            at,
            outbound=random.random() > 0.08,
            ended=ended,  # type: ignore[arg-type] # one of _ENDS
            ring=random.randint(6, 28),
            talk=talk,
        )
        self.sample.posts += bodies.call_posts(call, random)
        if call.outbound:
            self.sample.facts.append(Fact("calls", person.key, at))
        return call

    def meeting(self, person: Person, at: datetime, *, retracted: bool = False) -> None:
        """One appointment, through the tool that the person's team uses."""
        if person.team == "east" or person is UNKNOWN_AT_FIRST:
            self._meeting_in_booking_tool(person, at, retracted=retracted)
        else:
            self._meeting_in_pipedrive(person, at, retracted=retracted)
        if not retracted:
            self.sample.facts.append(Fact("appointments", person.key, at))

    def _meeting_in_booking_tool(self, person: Person, at: datetime, *, retracted: bool) -> None:
        key = f"bk-{self.next_number()}"
        starts = at + timedelta(days=self.random.randint(1, 9), hours=self.random.randint(-2, 3))
        actor = person.extension if person is UNKNOWN_AT_FIRST else person.email
        data: Json = {
            "status": "booked",
            "booked_at": at.isoformat(timespec="seconds"),
            "starts_at": starts.isoformat(timespec="seconds"),
            "counterpart": f"株式会社お客様{self.random.randint(1, 400)}",
        }
        events = [bodies.booked(key, 1, at, actor, data)]
        later = min(starts + timedelta(hours=1), self.now)
        if retracted:
            wrong = min(at + timedelta(minutes=20), self.now)
            events.append(bodies.booked(key, 2, wrong, actor, data, retracted=True))
        elif starts < self.now:
            # A canceled meeting stays an appointment that was made.
            status = self.random.choices(("held", "canceled", "no_show"), (82, 12, 6))[0]
            events.append(bodies.booked(key, 2, later, actor, data | {"status": status}))
        for event in events:
            leaves = datetime.fromisoformat(event["time"])
            self.sample.posts.append(Post(leaves, "booking", f"msg_{event['id']}", event))

    def _meeting_in_pipedrive(self, person: Person, at: datetime, *, retracted: bool) -> None:
        starts = at + timedelta(days=self.random.randint(1, 9))
        planned = bodies.activity(self.next_number(), person, "meeting", at, starts)
        change = bodies.pipedrive_change
        posts = [change("activity", planned, None, at, self.random)]
        if retracted:
            wrong = min(at + timedelta(minutes=20), self.now)
            posts.append(bodies.pipedrive_delete("activity", planned, wrong, self.random))
        elif starts < self.now:
            done = planned | {"done": True}
            posts.append(change("activity", done, {"done": False}, starts, self.random))
        self.sample.posts += posts

    def note_in_pipedrive(self, call: Call) -> None:
        """The call as a note in the CRM: it must not be counted a second time."""
        at = call.started_at + timedelta(minutes=1)
        note = bodies.activity(self.next_number(), call.person, "call", at, at) | {"done": True}
        post = bodies.pipedrive_change("activity", note, None, min(at, self.now), self.random)
        self.sample.posts.append(post)


def _calls_and_meetings(teller: Teller, person: Person, days: list[date]) -> None:
    """Enough appointments for the person's hit rate, each out of a call that was answered."""
    credit = teller.random.random() / 2
    for day in days:
        for at in _call_times(teller, person, day):
            call = teller.call(person, at)
            if teller.random.random() < 0.02:
                teller.note_in_pipedrive(call)
            credit += person.hit_rate
            over = at + timedelta(seconds=call.ring + call.talk + 60)
            if credit >= 1 and call.outbound and call.ended == "completed" and over <= teller.now:
                credit -= 1
                teller.meeting(person, over)
                if teller.random.random() < 0.06:
                    teller.meeting(person, over, retracted=True)


def _call_times(teller: Teller, person: Person, day: date) -> list[datetime]:
    """When a person dials on a day: in the working hours, not at lunch, not when away."""
    away = sum(
        (
            a.share
            for a in teller.sample.absences
            if a.person == person.key and a.since <= day < a.to
        ),
        Fraction(0),
    )
    planned = person.calls_a_day * (1 - away) * Fraction(person.capacity)
    many = round(float(planned) * teller.random.uniform(0.85, 1.2))
    opens = datetime.combine(day, OPENS, TOKYO)
    minutes = (datetime.combine(day, CLOSES, TOKYO) - opens) // timedelta(minutes=1) - 10
    times = [opens + timedelta(seconds=teller.random.randrange(minutes * 60)) for _ in range(many)]
    working = (at + timedelta(hours=1) if at.hour == 12 else at for at in times)
    return sorted(at for at in working if at + timedelta(minutes=10) <= teller.now)


def _deals(teller: Teller, days: list[date]) -> None:
    """Two deals that hold, one of them cheaper than first agreed; one taken back, one deleted."""
    if len(days) < 5:
        return
    people = {person.key: person for person in PEOPLE}
    at = {share: _afternoon(days[len(days) * share // 100]) for share in (10, 30, 50, 60, 70)}
    add = teller.sample.facts.append

    first = _Deal(teller, people["sato"], 450_000, at[10])
    first.win(at[30])
    first.reprice(380_000, at[50])
    add(Fact("deals_won", "sato", at[30]))
    add(Fact("revenue", "sato", at[30], Fraction(380_000)))

    second = _Deal(teller, people["takahashi"], 420_000, at[30])
    second.win(at[60])
    add(Fact("deals_won", "takahashi", at[60]))
    add(Fact("revenue", "takahashi", at[60], Fraction(420_000)))

    taken_back = _Deal(teller, people["ito"], 400_000, at[10])
    win = taken_back.win(at[50])
    taken_back.reopen(at[60])
    # The report of the win once more, long after it was taken back.
    teller.sample.posts.append(bodies.again(win, timedelta(days=4)))

    doubled = _Deal(teller, people["nakamura"], 390_000, at[30])
    doubled.win(at[60])
    doubled.delete(at[70])

    for person, value in (("suzuki", 520_000), ("watanabe", 360_000), ("yamamoto", 410_000)):
        _Deal(teller, people[person], value, at[50])


def _afternoon(day: date) -> datetime:
    return datetime.combine(day, OPENS, TOKYO) + timedelta(hours=1)


class _Deal:
    """A deal in Pipedrive, reported at each change."""

    def __init__(self, teller: Teller, person: Person, value: int, at: datetime) -> None:
        self._teller = teller
        key = teller.next_number()
        self._state = bodies.deal(key, person, f"新規導入 {key}", value, at)
        post = bodies.pipedrive_change("deal", self._state, None, at, teller.random)
        teller.sample.posts.append(post)

    def win(self, at: datetime) -> Post:
        return self._become(bodies.won(self._state, at), at)

    def reprice(self, value: int, at: datetime) -> Post:
        return self._become(bodies.repriced(self._state, value, at), at)

    def reopen(self, at: datetime) -> Post:
        return self._become(bodies.reopened(self._state, at), at)

    def delete(self, at: datetime) -> None:
        post = bodies.pipedrive_delete("deal", self._state, at, self._teller.random)
        self._teller.sample.posts.append(post)

    def _become(self, state: Json, at: datetime) -> Post:
        before = {name: self._state[name] for name in state if state[name] != self._state[name]}
        self._state = state
        post = bodies.pipedrive_change("deal", state, before, at, self._teller.random)
        self._teller.sample.posts.append(post)
        return post


def _as_they_arrive(posts: list[Post], random: Random) -> list[Post]:
    """In the order in which they leave, with retries, and with some held up on the way."""
    retries = [
        bodies.again(post, timedelta(seconds=random.choice((3, 30, 150))))
        for post in posts
        if random.random() < _RETRIED
    ]

    def arrives(post: Post) -> datetime:
        held_up = timedelta(hours=30) if random.random() < _LATE else timedelta()
        return post.leaves_at + held_up + timedelta(seconds=random.uniform(0, 20))

    return sorted([*posts, *retries], key=arrives)

"""An independent recount: the same numbers from the plain facts, by a second reading of the rules.

Nothing of the service is imported here. It compares every figure of every goal, for the plan, each
team and each person, and returns the differences as sentences.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from decimal import Decimal, localcontext
from fractions import Fraction
from math import ceil, floor
from statistics import NormalDist
from typing import Any

from examples.demo.sample import Fact, Sample
from examples.demo.team import CLOSES, FUNNEL, KGI, OPENS, PEOPLE, TOKYO, Person

CERTAIN = Fraction(1)
ZERO = Fraction(0)
Goal = dict[str, Any]
Differences = list[str]


@dataclass(frozen=True, slots=True)
class Time:
    """Working time in days: all of it, what has gone by, what remains."""

    total: Fraction
    elapsed: Fraction

    @property
    def remaining(self) -> Fraction:
        return self.total - self.elapsed


@dataclass(frozen=True, slots=True)
class Share:
    """What one person owes and has had time for."""

    person: Person
    time: Time
    part: Fraction


class Recount:
    """The sample's numbers at one moment."""

    def __init__(self, sample: Sample, as_of: datetime) -> None:
        self._sample = sample
        self._as_of = as_of.astimezone(TOKYO)
        # Counted is what began before the end of the running quarter hour.
        running = self._as_of - timedelta(minutes=self._as_of.minute % 15)
        self._counted_to = running.replace(second=0, microsecond=0) + timedelta(minutes=15)
        self.calendar = self._time(lambda _: Fraction(1))
        self.shares = self._split()
        self.targets = _targets()

    def _time(self, share_of: Callable[[date], Fraction]) -> Time:
        days = self._sample.period.working_days()
        total = sum((share_of(day) for day in days), ZERO)
        elapsed = sum((share_of(day) * self._gone(day) for day in days), ZERO)
        return Time(total, elapsed)

    def _gone(self, day: date) -> Fraction:
        """How much of a day's working hours has gone by."""
        opens = datetime.combine(day, OPENS, TOKYO)
        length = datetime.combine(day, CLOSES, TOKYO) - opens
        gone = Fraction((self._as_of - opens) // timedelta(microseconds=1))
        return min(Fraction(1), max(ZERO, gone / (length // timedelta(microseconds=1))))

    def _split(self) -> list[Share]:
        """Shares by own working days times capacity."""
        times = {person: self._own_time(person) for person in PEOPLE}
        weights = {person: times[person].total * Fraction(person.capacity) for person in PEOPLE}
        whole = sum(weights.values())
        return [Share(person, times[person], weights[person] / whole) for person in PEOPLE]

    def _own_time(self, person: Person) -> Time:
        return self._time(lambda day: self._present(person, day))

    def _present(self, person: Person, day: date) -> Fraction:
        away = (
            absence.share
            for absence in self._sample.absences
            if absence.person == person.key and absence.since <= day < absence.to
        )
        return max(ZERO, 1 - sum(away, ZERO))

    def actual(self, metric: str, people: list[Share]) -> Fraction:
        keys = {share.person.key for share in people}
        return sum((f.quantity for f in self._counted(metric) if f.person in keys), ZERO)

    def _counted(self, metric: str) -> Iterator[Fact]:
        start = datetime.combine(self._sample.period.start, datetime.min.time(), TOKYO)
        return (
            fact
            for fact in self._sample.facts
            if fact.metric == metric and start <= fact.at < self._counted_to
        )

    def figures(
        self, level: int, people: list[Share], own: Time, chance: Fraction = CERTAIN
    ) -> Goal:
        """One goal's figures for some people; `own` is the calendar its remainder is spread on.

        chance: of reaching the target, as it is answered; the verdict has to follow from it
        """
        metric, _ = FUNNEL[level]
        whole = self.targets[metric]
        target = sum((whole * share.part for share in people), ZERO)
        expected = sum(
            (whole * s.part * s.time.elapsed / s.time.total for s in people if s.time.total), ZERO
        )
        actual = self.actual(metric, people)
        return {
            "target": target,
            "actual": actual,
            "expected": expected,
            "gap": actual - expected,
            "attainment": actual / target if target else None,
            "pace": actual / expected if expected else None,
            "required_per_day": _required(target - actual, own),
            "rate": self._rate(level, people, actual),
            "verdict": self._verdict(actual, target, expected, chance),
            "unassigned": ZERO,
            "outside_plan": ZERO,
            "next_period": ZERO,
        }

    def _rate(self, level: int, people: list[Share], actual: Fraction) -> Goal | None:
        if level + 1 == len(FUNNEL):
            return None
        below, assumed = FUNNEL[level + 1]
        source = self.actual(below, people)
        observed = actual / source if source else None
        low, high = (None, None) if FUNNEL[level][0] == KGI else _wilson(actual, source)
        found = {"assumed": assumed, "observed": observed, "low": low, "high": high}
        return found | {"sample": source}

    def _verdict(
        self, actual: Fraction, target: Fraction, expected: Fraction, chance: Fraction
    ) -> str:
        end = datetime.combine(self._sample.period.end, datetime.min.time(), TOKYO)
        if actual >= target:
            return "reached"
        if self._as_of >= end:
            return "missed"
        if expected == 0 and actual == 0:
            return "not_started"
        if chance >= Fraction(2, 5):
            return "on_track"
        return "at_risk" if chance >= Fraction(1, 10) else "off_track"


def _wilson(of: Fraction, out_of: Fraction) -> tuple[Fraction | None, Fraction | None]:
    """The ends p of the rates with (seen - p)^2 = z^2 p (1 - p) / n, by the quadratic formula."""
    if not out_of or of > out_of:
        return None, None
    z2 = Fraction(str(NormalDist().inv_cdf(0.9))) ** 2
    seen, n = of / out_of, out_of
    square, linear, constant = 1 + z2 / n, -(2 * seen + z2 / n), seen * seen
    within = linear * linear - 4 * square * constant
    with localcontext(prec=40):
        root = Fraction((Decimal(within.numerator) / Decimal(within.denominator)).sqrt())
    return (-linear - root) / (2 * square), (-linear + root) / (2 * square)


def differences(sample: Sample, *documents: dict[str, Any]) -> Differences:
    """Every figure in which a progress document differs from the facts; [] when none does."""
    found: Differences = []
    for document in documents:
        recount = Recount(sample, datetime.fromisoformat(document["as_of"]))
        found += _of_scope(recount, document, recount.shares, recount.calendar, "plan")
        for part in document.get("breakdown", []):
            people, own, label = _scope(recount, part["scope"])
            found += _of_scope(recount, part, people, own, label)
        found += _of_displays(document)
    return found


def _scope(recount: Recount, scope: dict[str, str]) -> tuple[list[Share], Time, str]:
    if "member" in scope:
        people = [s for s in recount.shares if s.person.key == scope["member"]]
        return people, people[0].time, scope["member"]
    people = [s for s in recount.shares if s.person.team == scope["team"]]
    return people, recount.calendar, scope["team"]


def _of_scope(
    recount: Recount, scoped: dict[str, Any], people: list[Share], own: Time, label: str
) -> Differences:
    days = {"total": own.total, "elapsed": own.elapsed, "remaining": own.remaining}
    found = _compared(f"{label} working_days", days, scoped["working_days"])
    goals = list(_chain(scoped["root"]))
    if [goal["metric"] for goal in goals] != [metric for metric, _ in FUNNEL]:
        return [*found, f"{label}: the goals are {[goal['metric'] for goal in goals]}"]
    for level, goal in enumerate(goals):
        forecast = goal["forecast"]
        chance = Fraction(forecast["probability"]) if forecast else CERTAIN
        figures = recount.figures(level, people, own, chance)
        found += _compared(f"{label} {goal['metric']}", figures, goal)
    return found


def _compared(label: str, ours: Goal, theirs: Goal) -> Differences:
    found: Differences = []
    for name, value in ours.items():
        if isinstance(value, dict) and isinstance(theirs[name], dict):
            found += _compared(f"{label} {name}", value, theirs[name])
        elif _text(value) != (None if theirs[name] is None else str(theirs[name])):
            found.append(f"{label} {name}: recounted {_text(value)}, answered {theirs[name]}")
    return found


def _of_displays(document: dict[str, Any]) -> Differences:
    """Displayed targets: rounded up for the plan, and the members' whole numbers add up to it."""
    found: Differences = []
    parts = [part for part in document.get("breakdown", []) if "member" in part["scope"]]
    for level, goal in enumerate(_chain(document["root"])):
        shown = Fraction(goal["target_display"])
        if shown != ceil(Fraction(goal["target"])):
            found.append(f"plan {goal['metric']} target_display: {shown} is not rounded up")
        members = [list(_chain(part["root"]))[level] for part in parts]
        if members and sum(Fraction(m["target_display"]) for m in members) != shown:
            found.append(f"{goal['metric']}: the members' target_display do not add up to {shown}")
        for member in members:
            exact, display = Fraction(member["target"]), Fraction(member["target_display"])
            if display not in {floor(exact), ceil(exact)}:
                found.append(
                    f"{goal['metric']} target_display: {display} is no rounding of {exact}"
                )
    return found


def _targets() -> dict[str, Fraction]:
    """Back from the KGI: each stage needs what the one above needs, over its rate."""
    targets, needed = {}, KGI
    for metric, rate in FUNNEL:
        needed = needed / rate
        targets[metric] = needed
    return targets


def _required(rest: Fraction, own: Time) -> Fraction | None:
    if rest <= 0:
        return ZERO
    return rest / own.remaining if own.remaining else None


def _chain(goal: Goal) -> Iterator[Goal]:
    yield goal
    for child in goal["children"]:
        yield from _chain(child)


def _text(value: Fraction | str | None) -> str | None:
    """A decimal with at most six digits, half to even, as the documents write it."""
    if value is None or isinstance(value, str):
        return value
    millionths = round(value * 10**6)
    whole, part = divmod(abs(millionths), 10**6)
    digits = f"{whole}.{part:06d}".rstrip("0").rstrip(".")
    return f"-{digits}" if millionths < 0 else digits

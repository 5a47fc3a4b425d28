"""The answer that everything is for: a goal tree, evaluated at a moment."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from app.domain.foreseen import ForecastLaw
from app.domain.metrics import UnitKind
from app.domain.progress import Edge, FreshnessState, Verdict
from app.web.schemas.answers import Answer, Moment, Quantity, Tallied, Told
from app.web.schemas.answers_rates import Rate
from app.web.schemas.common import Key, LocalDate, Name


class Unit(Answer):
    """What a number is a number of: things, money, seconds, or a ratio."""

    kind: Annotated[
        UnitKind, Field(description="`count`: things; `duration`: seconds; `money`; `ratio`.")
    ]
    currency: Annotated[
        str | None, Field(description="ISO 4217; with `money` only.", examples=["JPY"])
    ] = None


class Forecast(Answer):
    """Where the goal will stand at its deadline."""

    median: Annotated[Quantity, Field(description="It ends below this as often as above.")]
    low: Annotated[
        Quantity, Field(description="It ends between `low` and `high` in 80 of 100 cases.")
    ]
    high: Quantity
    mean: Annotated[
        Quantity, Field(description="Means of people add up to the plan's; medians do not.")
    ]
    probability: Annotated[
        Quantity, Field(description="Of reaching the target by the deadline, in hundredths.")
    ]
    law: Annotated[
        ForecastLaw,
        Field(
            description="What the whole plan's goes by: `gamma_poisson`, the pace of what came; "
            "`pipeline`, the items under way, once that was better in earlier periods."
        ),
    ]


class Waiting(Answer):
    """Objects that a sender has named without saying what they are: counted once fetched."""

    count: Annotated[Tallied, Field(description="How many, of whatever kind.")]
    oldest: Annotated[Moment, Field(description="When the oldest of them was named.")]


class Freshness(Answer):
    """Whether what is known is up to date: silence is not zero."""

    state: Annotated[
        FreshnessState,
        Field(
            description="`fresh`: all sources of this goal speak as often as they should; "
            "`stale`: one of them has been silent for too long; `pending`: they speak, and some of "
            "what they named is still to be fetched; `none`: nothing was ever heard."
        ),
    ]
    last_event_at: Annotated[
        Moment | None, Field(description="The last delivery of any source that feeds the goal.")
    ]
    pending: Annotated[
        Waiting | None,
        Field(description="What its sources named and is still to be fetched; left out for none."),
    ] = None


class InFlight(Answer):
    """What was begun of the goal below and has not turned out yet: its conversion takes time."""

    items: Annotated[
        Tallied,
        Field(description="How many; also those begun before the period that yield in it."),
    ]
    expected: Annotated[
        Quantity, Field(description="What they should still yield before this goal's deadline.")
    ]


Priority = Annotated[
    int,
    Field(
        ge=1,
        description="What to mend first: by what closing the shortfall to date would bring the "
        "KGI, unless the plan says otherwise.",
    ),
]


class Day(Answer):
    """What a day asks of a goal: fixed at local midnight, so that working does not move it."""

    required: Annotated[
        Quantity | None,
        Field(
            description="The remainder at midnight / working days from this one on, times the "
            "day's own part: 1, a half, or 0 on a day off. null when no day is left."
        ),
    ]
    required_display: Annotated[
        Quantity | None, Field(description="`required` in whole things or the minor unit.")
    ]
    required_from_kgi: Annotated[
        Quantity | None,
        Field(description="As `required`, of what the KGI still needs; null of influences."),
    ]
    done: Annotated[Quantity, Field(description="On this day.")]
    left: Annotated[
        Quantity | None, Field(description="What is required less what is done; never below 0.")
    ]
    reasons: Annotated[
        list[Told], Field(description="Why a value is null, or a day asks for nothing.")
    ]


class Today(Day):
    """The same, and which day it is."""

    date: LocalDate


class Excluded(Answer):
    """Amounts in another currency than the workspace's: told, never added."""

    currency: Annotated[str, Field(description="ISO 4217.", examples=["USD"])]
    count: Annotated[Tallied, Field(description="How many amounts.")]
    total: Annotated[Quantity, Field(description="Their sum, in that currency.")]


class Goal(Answer):
    """One goal with everything below it. Quantities are in its unit unless said otherwise."""

    key: Key
    edge: Annotated[
        Edge | None,
        Field(
            description="How it hangs on the goal above: `conversion`: that one = this x rate; "
            "`part`: that one is a sum with this in it; `influence`: tracked with a target of its "
            "own and calculated with nowhere. The root has none."
        ),
    ] = None
    weight: Annotated[
        Quantity | None,
        Field(description="Of an influence only: its rank among those of the goal above."),
    ] = None
    name: Name
    metric: Annotated[Key, Field(description="What is counted.", examples=["calls"])]
    unit: Unit
    target: Annotated[
        Quantity,
        Field(description="The exact requirement; all arithmetic uses this one."),
    ]
    target_display: Annotated[
        Quantity,
        Field(description="The target in whole things or the minor unit, for people to read."),
    ]
    deadline: Annotated[
        Moment,
        Field(description="The period's end less the lags above: what is later comes too late."),
    ]
    actual: Annotated[
        Quantity,
        Field(
            description="What was reached in the period up to `as_of`. Its activities are at "
            "`/v1/plans/{plan}/goals/{goal}/activities`; those of `unassigned`, `outside_plan` "
            "and `excluded` with that as `part`."
        ),
    ]
    actual_at_close: Annotated[
        Quantity | None,
        Field(description="`actual` as it was known at the close; only of a closed plan."),
    ] = None
    next_period: Annotated[
        Quantity,
        Field(description="The part of `actual` after the deadline: it feeds the next period."),
    ]
    expected: Annotated[
        Quantity,
        Field(description="target x own working time elapsed / own working time, over the people."),
    ]
    attainment: Annotated[
        Quantity | None, Field(description="actual / target, a ratio; null for a target of 0.")
    ]
    pace: Annotated[
        Quantity | None,
        Field(description="actual / expected, a ratio; null while nothing is expected."),
    ]
    gap: Annotated[Quantity, Field(description="actual - expected; negative means behind.")]
    gap_beyond_noise: Annotated[
        bool,
        Field(
            description="Whether chance alone, while the plan holds, would make such a gap in less "
            "than 1 of 10 cases."
        ),
    ]
    required_per_day: Annotated[
        Quantity | None,
        Field(
            description="What is left per remaining working day up to the deadline; 0 when "
            "reached, null when no day is left."
        ),
    ]
    required_from_kgi_per_day: Annotated[
        Quantity | None,
        Field(
            description="The same, solved anew from what the KGI still needs: down the chain by "
            "the assumed rates, net of what is in flight. null when no day is left, when what is "
            "begun now converts too late, and of influences."
        ),
    ]
    in_flight: Annotated[
        InFlight | None,
        Field(description="Only of a goal whose conversion has a lag."),
    ] = None
    forecast: Annotated[
        Forecast | None, Field(description="null where nothing tells what to expect.")
    ]
    rate: Annotated[Rate | None, Field(description="null for a leaf and for a sum of parts.")]
    unassigned: Annotated[
        Quantity, Field(description="Counted in the workspace by nobody known; not in `actual`.")
    ]
    outside_plan: Annotated[
        Quantity,
        Field(description="Counted by people who are not in the plan; not in `actual`."),
    ]
    excluded: list[Excluded]
    freshness: Freshness
    verdict: Annotated[
        Verdict,
        Field(
            description="The first that fits: `reached`: actual >= target; `unknown`: a source "
            "that feeds it is silent for too long; `missed`: the period is over; `not_started`: "
            "nothing expected, nothing done; then by the forecast's probability `on_track` "
            "(>= 0.4), `at_risk` (>= 0.1), `off_track`, or the plan's own `thresholds`. Without a "
            "forecast by pace: 1 and 0.8."
        ),
    ]
    priority: Priority
    why: Annotated[str | None, Field(description="Why the goal matters, as the plan says it.")] = (
        None
    )
    today: Annotated[
        Today | None, Field(description="What the day asks; with `include=today`.")
    ] = None
    reasons: Annotated[
        list[Told], Field(description="Why a value is null or the verdict what it is.")
    ]
    children: Annotated[
        list[Goal],
        Field(description="What it is converted from, or its parts; then its influences."),
    ]


class PlanReference(Answer):
    """Which plan, and which version of it."""

    key: Key
    alias: Annotated[Key, Field(description="The name that stays from period to period.")]
    name: Name
    version: Annotated[int, Field(ge=1)]


class ProgressScope(Answer):
    """Whose progress; empty for the whole plan's."""

    team: Key | None = None
    member: Key | None = None


class WorkingDays(Answer):
    """Days of the scope's calendar: the workspace's for plans and teams, a member's own."""

    total: Annotated[Quantity, Field(description="Working days of the period; half days exist.")]
    elapsed: Annotated[Quantity, Field(description="Those that are over; today by working hours.")]
    remaining: Annotated[Quantity, Field(description="total - elapsed.")]


class ScopedProgress(Answer):
    """The tree of one team or one member."""

    scope: ProgressScope
    name: Name
    working_days: WorkingDays
    root: Goal


class Closed(Answer):
    """The close of a period: later corrections show in `actual`, not in `actual_at_close`."""

    known_at: Annotated[Moment, Field(description="What was received until then is closed with.")]
    closed_at: Moment
    author: Annotated[str, Field(description="The id of the key that closed it.")]
    reason: Annotated[str | None, Field(description="As it was given.")]


class Progress(Answer):
    """A plan evaluated at a moment. Times are in the workspace's zone."""

    workspace: Key
    plan: PlanReference
    scope: ProgressScope
    as_of: Annotated[Moment, Field(description="The moment that `expected` is measured at.")]
    known_at: Annotated[Moment, Field(description="What was received until then is counted.")]
    generated_at: Moment
    time_zone: Annotated[str, Field(description="IANA name.", examples=["Asia/Tokyo"])]
    working_days: WorkingDays
    next_change_at: Annotated[
        Moment | None,
        Field(description="When time alone next changes the answer; null when it never will."),
    ]
    root: Goal
    breakdown: Annotated[
        list[ScopedProgress] | None,
        Field(description="One tree a team or member, by key; only when it was asked for."),
    ] = None
    closed: Annotated[
        Closed | None, Field(description="Only of a plan whose period was closed.")
    ] = None

"""A conversion of a plan: assumed, seen, how sure that is, and whether it has drifted."""

from __future__ import annotations

from typing import Annotated

from pydantic import Field

from app.domain.progress import DriftState, EdgeState, RateBasis
from app.web.schemas.answers import Answer, Quantity, Tallied
from app.web.schemas.common import LocalDate


class Evidence(Answer):
    """The figures that a drift's word is made of; null with the state `none`."""

    e_value: Annotated[
        Quantity | None, Field(description="The evidence now: 1 says nothing, 20 is much.")
    ]
    highest: Annotated[
        Quantity | None,
        Field(description="The most there was at the end of any day: `state` is made of this one."),
    ]
    changed: Annotated[
        Quantity | None,
        Field(
            description="The most there was at the end of any day that the rate fell within the "
            "period (CUSUM): from 1000 on it is suspected; null with a lag."
        ),
    ]
    dispersion: Annotated[
        Quantity | None,
        Field(
            description="By how much the weeks before the period differ more than by chance (1: "
            "not at all); 2 where there are not 8 of them. Evidence is taken to the root of it."
        ),
    ]


class Drift(Answer):
    """Whether the rate has left the plan's, as sure as it is however often one looks."""

    state: Annotated[
        DriftState,
        Field(
            description="`proven`: evidence of 100 or more that the rate is not within a tenth of "
            "the plan's; `suspected`: of 20, or that it fell within the period; `unproven`: less, "
            "or a sample that there is no test of (money, prices, times, ratios of 1 and more); "
            "`none`: no sample, more that came than there was for it to come of, and with a lag "
            "less than three lags of a past. With a lag only a fall is looked for, and by period "
            "it is `suspected` at most."
        ),
    ]
    since: Annotated[
        LocalDate | None, Field(description="The day at whose end it was first so sure.")
    ]
    evidence: Annotated[Evidence | None, Field(description="Only with `include=evidence`.")] = None


class LearnedLag(Answer):
    """How long items took to turn out, once 50 of them had, in half a year."""

    mean_days: Annotated[Quantity, Field(description="On average, in calendar days.")]
    longest_days: Annotated[int, Field(description="Until the last one did.")]
    conversions: Annotated[int, Field(description="Of how many that was learned.")]


class MaturedRate(Answer):
    """How many turned out, of as many as could have by now: each counts by the time it has had."""

    converted: Annotated[Tallied, Field(description="How many turned out.")]
    exposure: Annotated[
        Quantity,
        Field(
            description="Each that began, times the share that turns out by its age, and times the "
            "part of all that turned out lately that says of what."
        ),
    ]
    rate: Annotated[
        Quantity | None, Field(description="The one by the other; null where nothing could have.")
    ]
    low: Annotated[
        Quantity | None,
        Field(
            description="The rate in the end lies between `low` and `high` in 80 of 100 cases, the "
            "plan's being worth 20 items; null where the plan's is no probability."
        ),
    ]
    high: Quantity | None


class Rate(Answer):
    """The conversion of the child into this goal: this goal = child x rate."""

    assumed: Annotated[Quantity, Field(description="What the plan assumes.")]
    observed: Annotated[
        Quantity | None,
        Field(description="This goal's actual / the child's; null while the child's is 0."),
    ]
    low: Annotated[
        Quantity | None,
        Field(
            description="The true rate lies between `low` and `high` in 80 of 100 cases (Wilson); "
            "null where it is not a share of things that are counted."
        ),
    ]
    high: Quantity | None
    shrunken: Annotated[
        Quantity | None,
        Field(
            description="Of a team or a member: the observed rate in the light of everybody's, the "
            "nearer to theirs the fewer there are of the child; null for the whole plan."
        ),
    ]
    sample: Annotated[Tallied, Field(description="In how many of the child it was observed.")]
    basis: Annotated[
        RateBasis,
        Field(
            description="`cohort`: it is known which of the child turned out, since what they "
            "became says so (`origin`); `matured` and what is in flight go by that. `period`: only "
            "how many were counted of both."
        ),
    ]
    lag: Annotated[
        LearnedLag | None,
        Field(description="How long it takes, as it was seen; null where the plan's lag stands."),
    ]
    matured: Annotated[
        MaturedRate | None,
        Field(
            description="Of what began in the longest lag and eight weeks before; null by period."
        ),
    ]
    drift: Drift
    edge_state: Annotated[
        EdgeState | None,
        Field(
            description="Which of the two goals, the child (KPI) and this one (KGI), has what is "
            "expected by now: `kpi_on_pace_kgi_behind` says that the rate between them does not "
            "hold. null while nothing is expected of one of them."
        ),
    ]

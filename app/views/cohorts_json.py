"""What was learned of single items, as JSON."""

from __future__ import annotations

from typing import TypedDict

from app.domain.progress import Rate
from app.domain.quantities import tallied, written
from app.views.progress_documents import LagDocument, MaturedDocument


class CohortDocuments(TypedDict):
    """The members of a rate that tell of items."""

    basis: str
    lag: LagDocument | None
    matured: MaturedDocument | None


def cohort_documents(rate: Rate) -> CohortDocuments:
    """By what a rate goes, how long items take, and how many have turned out of what could."""
    return {"basis": rate.basis.value, "lag": _lag(rate), "matured": _matured(rate)}


def _lag(rate: Rate) -> LagDocument | None:
    lag = rate.lag
    if lag is None:
        return None
    return {
        "mean_days": written(lag.mean),
        "longest_days": lag.longest,
        "conversions": lag.conversions,
    }


def _matured(rate: Rate) -> MaturedDocument | None:
    found = rate.matured
    if found is None:
        return None
    rates = (None if one is None else written(one) for one in (found.rate, found.low, found.high))
    at, low, high = rates
    return {
        "converted": tallied(found.converted),
        "exposure": written(found.exposure),
        "rate": at,
        "low": low,
        "high": high,
    }

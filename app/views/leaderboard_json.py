"""The leaderboard as JSON: the very quantities of the progress it is made of."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TypedDict

from app.domain.leaderboard import Ranked
from app.domain.progress import Progress
from app.domain.quantities import written
from app.views.progress_documents import (
    PlanDocument,
    ReasonDocument,
)
from app.views.progress_json import (
    Sentence,
    optional,
    plan_reference,
    reason_document,
)


class RankDocument(TypedDict):
    """One member's place."""

    rank: int
    member: str
    name: str
    attainment: str | None
    pace: str | None
    target: str
    actual: str
    reasons: list[ReasonDocument]


class LeaderboardDocument(TypedDict):
    """Members by pace, at a moment."""

    workspace: str
    plan: PlanDocument
    goal: str
    as_of: str
    known_at: str
    time_zone: str
    items: list[RankDocument]


def leaderboard_document(
    progress: Progress, goal: str, ranked: Iterable[Ranked], told: tuple[Sentence, str]
) -> LeaderboardDocument:
    """The document of a leaderboard; `told`: who writes sentences, in which language."""
    return {
        "workspace": progress.workspace,
        "plan": plan_reference(progress.plan),
        "goal": goal,
        "as_of": progress.as_of.isoformat(),
        "known_at": progress.known_at.isoformat(),
        "time_zone": progress.time_zone,
        "items": [_item(place, told) for place in ranked],
    }


def _item(place: Ranked, told: tuple[Sentence, str]) -> RankDocument:
    goal = place.goal
    return {
        "rank": place.rank,
        "member": place.member,
        "name": place.name,
        "attainment": optional(goal.attainment),
        "pace": optional(goal.pace),
        "target": written(goal.target),
        "actual": written(goal.actual),
        "reasons": [reason_document(reason, *told) for reason in goal.reasons],
    }

"""What moved between two knowings, as JSON: the activities, and what they come to."""

from __future__ import annotations

from datetime import tzinfo
from typing import Any

from app.domain.changes import Move, Part
from app.domain.goals import Goal
from app.domain.instants import moment_of
from app.domain.quantities import Quantity, written


def difference_document(goal: Goal, before: Quantity, after: Quantity) -> dict[str, Any]:
    """A goal's actual as known first and last."""
    return {
        "goal": goal.key,
        "before": written(before),
        "after": written(after),
        "difference": written(after - before),
    }


def move_document(move: Move, zone: tzinfo) -> dict[str, Any]:
    """How an activity moved a goal."""
    return {
        "goal": move.goal.key,
        "before": [_part(part, zone) for part in move.before],
        "after": [_part(part, zone) for part in move.after],
        "difference": written(move.difference),
    }


def _part(part: Part, zone: tzinfo) -> dict[str, Any]:
    return {
        "value": written(part.value),
        "member": part.member or None,
        "actor": part.identity or None,
        "at": moment_of(part.at, zone).isoformat(),
    }

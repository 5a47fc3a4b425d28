"""What activities were before, for the metrics that leave credit with whoever had the role then.

Only for kinds of which a metric asks it (`Rules.remembering`), and only of activities that were
told of more than once: everything else costs no statement.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Container, Iterable, Mapping

from app.domain.activities import KIND, NOTHING, State, Story
from app.store import history, states
from app.store.history import LAST, Told
from app.store.rules import Rules
from app.store.standing import NOWHERE, Standing, stood
from app.store.states import Recorded, Where
from app.store.tallies import Change
from app.store.transactions import Access, Writing


def stories(
    access: Access,
    workspace: str,
    kinds: Container[str],
    held: Mapping[Where, State],
    upto: int = LAST,
) -> dict[Where, Story]:
    """What activities are, with what those of some kinds were before.

    upto: the commit up to which `held` has them
    """
    asked = [where for where, state in held.items() if state.kind in kinds]
    told = history.of(access, workspace, asked, upto) if asked else {}
    return {
        where: history.last(told[where]) if where in told else Story(state)
        for where, state in held.items()
    }


def changes(
    writing: Writing,
    by: Rules,
    recorded: Iterable[Recorded],
    before: Mapping[Where, State],
    after: Mapping[Where, State],
) -> dict[Where, Change]:
    """How the reports that this commit has recorded move the activities whose past is asked for.

    Among them are such whose state does not change: a late report may come into what was before.

    before: the states that changed, as they were; after: all states, as they are
    """
    if not by.remembering:
        return {}
    brought = Counter((one.source, one.key) for one in recorded)
    asked = [
        where
        for where, times in brought.items()
        for was in (before.get(where, after[where]),)
        if (was is not NOTHING or times > 1)
        and any(one.fields.get(KIND) in by.remembering for one in (was, after[where]))
    ]
    told = history.of(writing, writing.workspace, asked) if asked else {}
    found = {where: _change(writing, by, where, reports) for where, reports in told.items()}
    _flag(writing, {where: one for where, one in found.items() if where not in before})
    return found


def _change(writing: Writing, by: Rules, where: Where, told: list[Told]) -> Change:
    past = [one for one in told if one.seq < writing.seq]
    return Change(*where, _stood(by, where, past), _stood(by, where, told))


def _flag(writing: Writing, unchanged: Mapping[Where, Change]) -> None:
    """Whoever writes the states that changed does not write these."""
    states.flag(
        writing,
        {
            where: one.after.uncounted
            for where, one in unchanged.items()
            if one.after.uncounted != one.before.uncounted
        },
    )


def _stood(by: Rules, where: Where, told: list[Told]) -> Standing:
    return NOWHERE if not told else stood(where, history.last(told), by)

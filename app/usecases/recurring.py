"""Plans that recur: when a period is over, the same plan begins for the next one.

Each replica looks, and whoever takes the workspace's lock first makes it; the others find it made.
Rates stay as they were assumed: what was observed is proposed to whoever reads the plan.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from app.domain.documents import Node
from app.domain.errors import Conflict, Invalid, TasseiError, Unavailable
from app.domain.instants import SECOND
from app.domain.periods import following_period
from app.store import documents
from app.store.documents import Document
from app.store.transactions import Access
from app.telemetry import logger
from app.usecases.background import Background
from app.usecases.context import Context
from app.usecases.organisation import PLAN, Organisation, load
from app.usecases.plan_names import naming_in
from app.usecases.planning import body_for, key_for
from app.usecases.plans import kept
from app.usecases.saving import Precondition, standing

INTERVAL_SECONDS, SHORTEST_SECONDS = 60.0, 0.1
AUTHOR = "tassei"
# In one round and workspace: a plan that recurs since years ago is caught up with bit by bit.
MOST_AT_ONCE = 100


class _Known(NamedTuple):
    """As of which config version, and when something next falls due; None: nothing does."""

    config_version: int
    due: int | None


class Recurrence(Background):
    """Looks once a minute, and at the very midnight at which a period ends."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._known: dict[str, _Known] = {}
        super().__init__("recurrence")

    def look(self) -> int:
        """Begin whatever is due, in every workspace; how many plans were begun."""
        begun = 0
        for workspace, head in self._context.watch.heads().items():
            known = self._known.get(workspace)
            if known and known.config_version == head.config_version and not self._is_due(known):
                continue
            begun += self._begin_due(workspace)
        return begun

    def _is_due(self, known: _Known) -> bool:
        return known.due is not None and known.due <= self._context.clock()

    def _begin_due(self, workspace: str) -> int:
        begun, refused = 0, set[str]()
        while begun < MOST_AT_ONCE:
            with self._context.read() as reading:
                found = self._context.organisations.at(reading, workspace)
                waiting = dict(_waiting(reading, found))
            now = self._context.clock()
            ready = [key for key, due in waiting.items() if due <= now and key not in refused]
            if not ready:
                ahead = (due for due in waiting.values() if due > now)
                self._known[workspace] = _Known(found.config_version, min(ahead, default=None))
                break
            for key in ready:
                if begin_next(self._context, workspace, key):
                    begun += 1
                else:
                    # Until somebody changes something it would end the same.
                    refused.add(key)
        return begun

    def _rest(self) -> float:
        due = [known.due for known in self._known.values() if known.due is not None]
        ahead = (min(due) - self._context.clock()) / SECOND if due else INTERVAL_SECONDS
        return min(max(ahead, SHORTEST_SECONDS), INTERVAL_SECONDS)

    def _run(self) -> None:
        while True:
            try:
                self.look()
            except Unavailable:
                logger(__name__).warning("plans could not be begun; tried again in a minute")
            except Exception:  # noqa: BLE001 - the next round may succeed
                logger(__name__).exception("plans could not be begun")
            if self._ended.wait(self._rest()):
                return


def begin_next(context: Context, workspace: str, key: str) -> bool:
    """Begin the plan that follows one, unless it has been; whether this was who did it."""
    try:
        with context.write(workspace) as writing:
            old = standing(writing, workspace, PLAN, key)
            if old is None or not old.body.get("recurs"):
                return False
            found = load(writing, workspace)
            period = _next_period(found, old)
            following = key_for(found, old, period)
            if documents.get(writing, workspace, PLAN, following) is not None:
                return False
            body = body_for(writing, found, old, period) | {
                "reason": f"follows {key}, which recurs"
            }
            kept(writing, following, body, Precondition(), AUTHOR)
    except (Invalid, Conflict) as error:
        log = logger(__name__)
        log.warning("a plan does not recur", workspace=workspace, plan=key, why=error.code)
        return False
    return True


def _waiting(access: Access, found: Organisation) -> Iterator[tuple[str, int]]:
    """Of plans that recur and that no other one follows yet: when their period is over."""
    every = documents.all_of(access, found.workspace.key, PLAN)
    known = {document.key for document in every}
    stand = [naming_in(found, document) for document in every if not document.archived]
    for document in every:
        if document.archived or not document.body.get("recurs"):
            continue
        naming = naming_in(found, document)
        until = naming.span.until
        if any(other.alias == naming.alias and until in other.span for other in stand):
            continue
        try:
            following = key_for(found, document, _next_period(found, document))
        except TasseiError:
            continue  # no key that it could have, or the calendar is at its end
        if following not in known:
            yield document.key, found.workspace.calendar.midnight(until)


def _next_period(found: Organisation, document: Document) -> dict[str, object]:
    period = Node(document.body["period"])
    return following_period(period, found.workspace.fiscal_year_start_month)

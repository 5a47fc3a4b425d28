"""A workspace as its documents describe it: settings, people, sources, metrics.

Built once per change of the configuration, because progress is asked far more often than people
change teams.
"""

from __future__ import annotations

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from datetime import date
from fractions import Fraction
from typing import Any, NamedTuple

from app.domain.directory import Directory, directory
from app.domain.errors import Conflict, Invalid, NotFound
from app.domain.experience import Experience
from app.domain.freshness import Source, source_of
from app.domain.ground import Ground, ground
from app.domain.history import History
from app.domain.metrics import Metric
from app.domain.people import Member, Team, member_of, team_of
from app.domain.plans import EFFECTIVE_FROM, check_assignments, plan_of
from app.domain.presets import PRESETS
from app.domain.survival import Learned
from app.domain.workspace import Workspace, holiday_country, workspace_of
from app.store import documents, heads, rules
from app.store.cohorts import Grown
from app.store.documents import Document
from app.store.kept import Commit
from app.store.transactions import Access
from app.usecases.cadence import Cadences
from app.usecases.holidays import public_holidays

SETTINGS = "workspace"
TEAM = "team"
MEMBER = "member"
ABSENCES = "absences"
SOURCE = "source"
PLAN = "plan"
METRIC = "metric"


@dataclass(frozen=True, slots=True)
class Remembered:
    """A history with what it teaches of a plan, and a commit that it is known to hold for.

    base: the very plan: a draft may have the key and version of what it is compared with
    """

    commit: Commit
    base: Ground
    history: History
    experience: Experience


# The metric of the items, and that of what they become.
Edge = tuple[str, str]


class Followed(NamedTuple):
    """What the items of an edge have taught.

    linked: what part of all that turned out lately says what it grew from
    """

    lag: Learned | None
    linked: Fraction


@dataclass(frozen=True, slots=True)
class Organisation:
    """The documents of a workspace as values, as of a config version.

    metrics: those whose numbers can be read; building: those that are being counted, as they
    will be; histories: what has been read of the time before a plan, by whoever reads it;
    assumed: by plan and version, since when the rates of its goals are assumed;
    cadences: what its sources have taught; followed: what its items have, by the day and what was
    known then; grown: the items that turned out, for whoever asks of the same commit;
    linked: whether anything ever said what it grew from, whose first one moves the configuration
    """

    config_version: int
    workspace: Workspace
    people: Directory
    sources: tuple[Source, ...]
    metrics: Mapping[str, Metric]
    cadences: Cadences
    building: Mapping[str, Metric] = field(default_factory=dict)
    linked: bool = False
    histories: dict[tuple[str | int | date | None, ...], Remembered] = field(default_factory=dict)
    assumed: dict[tuple[str, int], Mapping[str, date]] = field(default_factory=dict)
    followed: dict[tuple[Edge, date, int], Followed] = field(default_factory=dict)
    grown: dict[tuple[Hashable, ...], list[Grown]] = field(default_factory=dict)
    _grounds: dict[tuple[str, int], Ground] = field(default_factory=dict)

    def ground(self, access: Access, document: Document) -> Ground:
        """A plan with its people and days, worked out once. Raises Invalid."""
        place = (document.key, document.version)
        if place not in self._grounds:
            revised = self._revised(access, document)
            self._grounds[place] = self.draft(
                document.key, document.body, document.version, revised
            )
        return self._grounds[place]

    def _revised(self, access: Access, document: Document) -> Ground | None:
        """The version whose line this one follows until its `effective_from`.

        None where it never was a revision, and where the other one can no longer be worked out.
        Versions that held from no earlier day are passed over: until then they follow it as well.
        """
        day = document.body.get(EFFECTIVE_FROM)
        if day is None:
            return None
        versions = documents.versions(access, self.workspace.key, PLAN, document.key)
        for earlier in reversed(versions[: document.version - 1]):
            if earlier.body.get(EFFECTIVE_FROM, "") < day:
                try:
                    return self.ground(access, earlier)
                except Invalid:
                    return None
        return None

    def metric(self, key: str) -> Metric:
        """A metric whose numbers can be read.

        Raises NotFound `unknown_metric`, and Conflict `metric_building` while it is first counted.
        """
        found = self.metrics.get(key)
        if found is not None:
            return found
        if key in self.building:
            raise Conflict("metric_building", metric=key)
        raise NotFound("unknown_metric", metric=key)

    def draft(
        self, key: str, body: Mapping[str, Any], version: int, before: Ground | None = None
    ) -> Ground:
        """The same for what is not kept.

        Raises Invalid, also for a plan that a metric would break with its next definition; and
        Conflict `metric_building` for goals whose numbers cannot be read yet.
        """
        for metric in self.building:
            if names_metric(body, metric):
                if metric not in self.metrics:
                    raise Conflict("metric_building", metric=metric)
                plan_of(key, body, self.workspace, {**self.metrics, **self.building})
        plan = plan_of(key, body, self.workspace, self.metrics)
        check_assignments(plan, self.people)
        return ground(self.workspace, plan, version, self.people, before)


class Organisations:
    """The organisation of each workspace, kept until its configuration moves.

    With the commit that it was read at: where that one is not to be found, the database went back,
    and an equal config version may be that of another history.
    """

    def __init__(self) -> None:
        self._known: dict[str, tuple[Commit, Organisation]] = {}

    def at(self, access: Access, workspace: str) -> Organisation:
        """The organisation in this snapshot. Raises NotFound for an unknown workspace."""
        standing = heads.standing(access, workspace)
        if standing is None:
            raise NotFound("unknown_workspace")
        now, config_version = standing
        commit, known = self._known.get(workspace, (now, None))
        stands = commit == now or commit.seq > now.seq or heads.stands(access, workspace, commit)
        if known is None or known.config_version != config_version or not stands:
            cadences = known.cadences if known and stands else None
            known = load(access, workspace, config_version, cadences)
            self._known[workspace] = (now, known)
        return known

    def forget(self, workspace: str) -> None:
        """Read it anew when it is next asked for."""
        self._known.pop(workspace, None)

    def cadences(self, workspace: Workspace) -> Cadences:
        """What the sources of a workspace have taught; nothing yet where nobody asked."""
        _, known = self._known.get(workspace.key, (None, None))
        if known is None or known.cadences.calendar != workspace.calendar:
            return Cadences(workspace.calendar)
        return known.cadences


def load(
    access: Access, workspace: str, config_version: int = 0, cadences: Cadences | None = None
) -> Organisation:
    """Build it from the documents that stand in this snapshot.

    cadences: those that were known, kept where the calendar is the same

    Raises Invalid where they contradict each other; inside a write that undoes the write.
    """
    found = settings(access, workspace)
    if cadences is None or cadences.calendar != found.calendar:
        cadences = Cadences(found.calendar)
    return Organisation(
        config_version,
        found,
        people(access, workspace),
        tuple(
            source_of(found.key, found.body)
            for found in documents.all_of(access, workspace, SOURCE)
            if not found.archived
        ),
        {**PRESETS, **rules.own_metrics(access, workspace)},
        cadences,
        rules.building_metrics(access, workspace),
        rules.is_linked(access, workspace),
    )


def names_metric(part: object, metric: str) -> bool:
    """Whether a plan's document names a metric anywhere."""
    match part:
        case dict():
            return part.get("metric") == metric or any(
                names_metric(one, metric) for one in part.values()
            )
        case list():
            return any(names_metric(one, metric) for one in part)
        case _:
            return False


def settings(access: Access, workspace: str) -> Workspace:
    """The workspace's own settings."""
    found = documents.get(access, workspace, SETTINGS, SETTINGS)
    if found is None:
        raise NotFound("unknown_workspace")
    return settings_of(workspace, found.body)


def settings_of(workspace: str, body: Mapping[str, Any]) -> Workspace:
    """The settings that a workspace document means, with its country's holidays."""
    language = str(body.get("locale", "en")).split("-")[0]
    return workspace_of(workspace, body, public_holidays(holiday_country(body), language))


def people(access: Access, workspace: str) -> Directory:
    """Everyone, those who left among them: what they did keeps its meaning."""
    return directory(_teams(access, workspace), _members(access, workspace))


def _teams(access: Access, workspace: str) -> list[Team]:
    return [team_of(found.key, found.body) for found in documents.all_of(access, workspace, TEAM)]


def _members(access: Access, workspace: str) -> list[Member]:
    absences = {
        found.key: found.body
        for found in documents.all_of(access, workspace, ABSENCES)
        if not found.archived
    }
    return [
        member_of(found.key, found.body, absences.get(found.key))
        for found in documents.all_of(access, workspace, MEMBER)
    ]

"""A person's rate in the light of everybody's: the fewer trials, the nearer to the team's.

Twenty appointments say little about one person, and what a team does says something about who is
in it. So a rate is pulled towards the team's, the team's towards the whole's and that towards the
plan's, by as many trials as they differ little: a beta-binomial law whose strength is estimated by
the method of moments from how much the rates differ beyond chance (Kleinman 1973), kept within
bounds because of few groups it is little more than a guess.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

# Trials that a prior is worth, at least and at most; what it is worth where it cannot be told.
WEAKEST, STRONGEST, ASSUMED = Fraction(10), Fraction(500), Fraction(40)
# Of fewer groups there is no telling how much they differ.
_GROUPS = 3


class Seen(NamedTuple):
    """What was seen of a conversion; 0 <= successes <= trials."""

    successes: Fraction
    trials: Fraction

    def towards(self, rate: Fraction, strength: Fraction) -> Fraction:
        """The rate, pulled towards another one that is worth so many trials."""
        return (self.successes + strength * rate) / (self.trials + strength)


NOTHING_SEEN = Seen(Fraction(0), Fraction(0))


def together(groups: Iterable[Seen]) -> Seen:
    """All of them added up."""
    found = NOTHING_SEEN
    for one in groups:
        found = Seen(found.successes + one.successes, found.trials + one.trials)
    return found


def strength(groups: Sequence[Seen]) -> Fraction:
    """How many trials the common rate is worth to one group: many where they are much alike."""
    told = [one for one in groups if one.trials]
    whole = together(told)
    if len(told) < _GROUPS or not 0 < whole.successes < whole.trials:
        return ASSUMED
    rate = whole.successes / whole.trials
    chance = rate * (1 - rate)
    differ = sum((n * (s / n - rate) ** 2 for s, n in told), Fraction(0))
    spread = whole.trials - sum((n * n for _, n in told), Fraction(0)) / whole.trials
    beyond, room = differ - chance * (len(told) - 1), chance * (spread - (len(told) - 1))
    if beyond <= 0 or room <= 0:
        return STRONGEST
    return min(max(room / beyond - 1, WEAKEST), STRONGEST)


@dataclass(frozen=True, slots=True)
class Priors:
    """What a person's rate is pulled towards: the team's; whoever has none, the whole's."""

    whole: Fraction
    teams: Mapping[str, Fraction]
    between_teams: Fraction
    between_people: Fraction

    def person(self, seen: Seen, team: str | None) -> Fraction:
        """A person's rate."""
        rate = self.whole if team is None else self.teams.get(team, self.whole)
        return seen.towards(rate, self.between_people)

    def team(self, seen: Seen) -> Fraction:
        """A team's rate."""
        return seen.towards(self.whole, self.between_teams)


def priors(
    people: Mapping[str, Seen], teams: Mapping[str, str | None], assumed: Fraction
) -> Priors:
    """What to pull towards. people: by member; teams: the nearest team of each, where there is one.

    The whole is pulled towards the rate that the plan assumes, as if that were seen in 40 trials.
    """
    members: dict[str, list[Seen]] = {}
    for member, seen in people.items():
        team = teams.get(member)
        if team is not None:
            members.setdefault(team, []).append(seen)
    by_team = {team: together(seen) for team, seen in members.items()}
    whole = together(people.values()).towards(assumed, ASSUMED)
    between = strength([*by_team.values()])
    rates = {team: seen.towards(whole, between) for team, seen in by_team.items()}
    return Priors(whole, rates, between, strength([*people.values()]))

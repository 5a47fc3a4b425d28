"""Back-calculation: what every goal of a tree must reach, exactly.

Goals joined by conversions are a chain; one free target decides the whole of it, downwards by
division and upwards by multiplication. Chains meet in sums of parts; there the one unknown of a
sum follows from the others. An influence begins a chain that meets no other. Everything is a
Fraction; rounding up is done for display only and never chained, because a ceiling of a ceiling
asks for work that nobody needs.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from fractions import Fraction

from app.domain.errors import Fault, Invalid
from app.domain.goals import Given, Goal, Hold
from app.domain.quantities import rounded_up, written

Chain = list[Goal]
EPSILON = Fraction(1, 10**9)


def targets(root: Goal) -> dict[str, Fraction]:
    """The exact target of every goal, by its key.

    Raises Invalid, each fault naming its goals: two_free_targets in one chain, missing_target
    where nothing decides a goal, negative_target where a part would have to be below zero, and
    targets_mismatch where a pinned target or a sum contradicts the calculation; its faults carry
    `residual`, and for each given number the single value (`repair`) that would mend it.
    """
    solving = _Solving(_chains(root))
    solving.start_from_free_targets()
    solving.follow_sums()
    solving.require_all()
    mismatches = [*solving.sum_mismatches(), *solving.pin_mismatches()]
    if mismatches:
        raise Invalid("targets_mismatch", *mismatches)
    return {goal.key: solving.value[goal.key] for goal in root.walk()}


def display(goal: Goal, target: Fraction) -> Fraction:
    """The exact requirement of a whole goal, rounded up to what can be counted or paid."""
    return rounded_up(target, goal.unit.decimals)


def _chains(root: Goal) -> list[Chain]:
    chain = list(root.chain())
    influences = (other.goal for goal in chain for other in goal.influences)
    return [chain, *(found for goal in (*chain[-1].parts, *influences) for found in _chains(goal))]


@dataclass(slots=True)
class _Solving:
    """What is known so far; `anchor` is where the values of a chain come from."""

    chains: list[Chain]
    value: dict[str, Fraction] = field(default_factory=dict)
    anchor: dict[str, int] = field(default_factory=dict)

    def start_from_free_targets(self) -> None:
        faults: list[Fault] = []
        for chain in self.chains:
            free = [(n, g.target) for n, g in enumerate(chain) if g.target and g.hold is Hold.FREE]
            if len(free) > 1:
                params = {"goals": ", ".join(chain[place].key for place, _ in free)}
                faults += [Fault(t.pointer, "two_free_targets", params) for _, t in free]
            for place, target in free[:1]:
                self._spread(chain, place, target.value)
        if faults:
            raise Invalid("two_free_targets", *faults, **faults[0].params)

    def follow_sums(self) -> None:
        """Solve sums with one unknown until none is left; each one decides a further chain."""
        waiting = [chain for chain in self.chains if chain[-1].parts]
        while ready := next((sum_ for sum_ in waiting if len(self._unknown(sum_)) == 1), None):
            waiting.remove(ready)
            self._solve_sum(ready)

    def _unknown(self, chain: Chain) -> list[Goal]:
        return [g for g in (chain[-1], *chain[-1].parts) if g.key not in self.value]

    def _solve_sum(self, chain: Chain) -> None:
        whole, (unknown,) = chain[-1], self._unknown(chain)
        known = sum(
            (self.value[part.key] for part in whole.parts if part is not unknown), Fraction(0)
        )
        value = known if unknown is whole else self.value[whole.key] - known
        if value < 0:
            params = {"goals": unknown.key, "solved": written(value)}
            raise Invalid("negative_target", Fault(unknown.pointer, "negative_target", params))
        decided = next(c for c in self.chains if unknown in c)
        self._spread(decided, decided.index(unknown), value)

    def _spread(self, chain: Chain, anchor: int, value: Fraction) -> None:
        self.anchor[chain[0].key] = anchor
        self.value[chain[anchor].key] = value
        rates = _rates(chain)
        for place in range(anchor, len(chain) - 1):
            above, below = chain[place].key, chain[place + 1].key
            self.value[below] = self.value[above] / rates[place].value
        for place in reversed(range(anchor)):
            above, below = chain[place].key, chain[place + 1].key
            self.value[above] = self.value[below] * rates[place].value

    def require_all(self) -> None:
        missing = [goal for chain in self.chains for goal in chain if goal.key not in self.value]
        if missing:
            params = {"goals": ", ".join(goal.key for goal in missing)}
            faults = [Fault(goal.pointer, "missing_target", params) for goal in missing]
            raise Invalid("missing_target", *faults, **params)

    def sum_mismatches(self) -> Iterator[Fault]:
        """Parts add up exactly or not at all; each member of the sum could repair it alone."""
        for chain in self.chains:
            whole = chain[-1]
            if not whole.parts:
                continue
            total = sum((self.value[part.key] for part in whole.parts), Fraction(0))
            residual = self.value[whole.key] - total
            if residual:
                yield _mismatch(whole.pointer, whole, self.value[whole.key], residual, total)
                for part in whole.parts:
                    value = self.value[part.key]
                    yield _mismatch(part.pointer, part, value, residual, value + residual)

    def pin_mismatches(self) -> Iterator[Fault]:
        for chain in self.chains:
            for place, goal in enumerate(chain):
                if goal.target is not None and goal.hold is Hold.PINNED:
                    yield from self._pin_mismatch(chain, place, goal.target)

    def _pin_mismatch(self, chain: Chain, place: int, pinned: Given) -> Iterator[Fault]:
        anchor, calculated = self.anchor[chain[0].key], self.value[chain[place].key]
        source = chain[anchor].target if _decides(chain[anchor]) else None
        between = range(min(anchor, place), max(anchor, place))
        rates = _rates(chain)
        inputs = [pinned, *(rates[n] for n in between), *([source] if source else [])]
        residual = pinned.value - calculated
        if abs(residual) <= abs(calculated) * sum((n.rounding for n in inputs), EPSILON):
            return
        yield _mismatch(pinned.pointer, chain[place], pinned.value, residual, calculated)
        if not calculated or not pinned.value:
            return  # no factor turns something into nothing
        ratio = pinned.value / calculated
        if source:
            repair = source.value * ratio
            yield _mismatch(source.pointer, chain[anchor], source.value, residual, repair)
        for n in between:
            repair = rates[n].value * ratio if place < anchor else rates[n].value / ratio
            yield _mismatch(rates[n].pointer, chain[n], rates[n].value, residual, repair)


def _decides(goal: Goal) -> bool:
    return goal.target is not None and goal.hold is Hold.FREE


def _rates(chain: Chain) -> list[Given]:
    """The rates between a chain's goals: one fewer than there are goals."""
    return [goal.conversion.rate for goal in chain if goal.conversion]


def _mismatch(
    pointer: str, goal: Goal, value: Fraction, residual: Fraction, repair: Fraction
) -> Fault:
    params: Mapping[str, str | int] = {
        "goal": goal.key,
        "given": written(value),
        "residual": written(residual),
        "repair": written(repair),
    }
    return Fault(pointer, "targets_mismatch", params)

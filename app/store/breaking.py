"""What broke a transaction, as a refusal of the one item that did it."""

from __future__ import annotations

from sqlalchemy.exc import IntegrityError

from app.domain.errors import Invalid


class Broken(Exception):
    """A transaction broke in another process. `fault` is what its item is refused with if alone."""

    def __init__(self, fault: Invalid, trace: str) -> None:
        super().__init__(trace)
        self.fault = fault


def fault_of(error: Exception) -> Invalid:
    """What an item is refused with that breaks its transaction in this way."""
    if isinstance(error, Invalid):
        return error
    if isinstance(error, Broken):
        return error.fault
    # The one constraint that sound items can meet: a total beyond what a tally can hold.
    return Invalid("tally_does_not_fit" if isinstance(error, IntegrityError) else "not_storable")

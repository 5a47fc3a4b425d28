"""Shared credit: whose an activity is when several people did it together.

Shares are whole millionths that make one, so whatever is divided by them adds up again without a
remainder: nobody has to decide who gets the odd yen.
"""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from fractions import Fraction
from typing import Any, NamedTuple

from app.domain.activities import JsonValue
from app.domain.errors import Fault, Invalid
from app.domain.quantities import FRACTION_DIGITS, canonical_decimal, written

CREDITS = "credits"
MILLION = 10**FRACTION_DIGITS
MOST = 20
LONGEST_IDENTITY = 255
_MEMBERS = ("identity", "share")


class Share(NamedTuple):
    """A person, as the sender names people, and how many millionths are theirs."""

    identity: str
    millionths: int


def shares(credited: object, spelled: Callable[[Any], str]) -> tuple[Share, ...]:
    """What a list of `{"identity", "share"}` means, in the order of the identities.

    spelled: the canonical spelling of an identity; raises Invalid for what is none

    Raises Invalid with a fault for each entry: not_a_list, too_few_items, too_many_items,
    not_an_object, required, unknown_field, not_a_decimal, not_a_share, credited_twice; or, when
    each is right for itself, shares_do_not_sum.
    """
    if not isinstance(credited, list):
        raise Invalid("not_a_list")
    if not credited:
        raise Invalid("too_few_items", limit=1)
    if len(credited) > MOST:
        raise Invalid("too_many_items", limit=MOST)
    found: dict[str, int] = {}
    faults: list[Fault] = []
    for place, entry in enumerate(credited):
        try:
            who, millionths = _share(entry, spelled)
        except Invalid as error:
            faults += error.below(f"/{place}").faults
            continue
        if who in found:
            faults.append(Fault(f"/{place}/identity", "credited_twice"))
        found[who] = millionths
    if faults:
        raise Invalid("invalid_credits", *faults)
    _check_sum(sum(found.values()))
    return tuple(Share(*one) for one in sorted(found.items()))


def _share(entry: object, spelled: Callable[[Any], str]) -> Share:
    if not isinstance(entry, dict):
        raise Invalid("not_an_object")
    faults = [Fault(f"/{name}", "required") for name in _MEMBERS if entry.get(name) is None]
    if entry.keys() - set(_MEMBERS):
        # Its name may be anything, of any length: the entry is pointed at.
        faults.append(Fault("", "unknown_field"))
    if faults:
        raise Invalid("invalid_credits", *faults)
    try:
        who = _short(spelled(entry["identity"]))
    except Invalid as error:
        faults += error.below("/identity").faults
    try:
        millionths = _millionths(entry["share"])
    except Invalid as error:
        faults += error.below("/share").faults
    if faults:
        raise Invalid("invalid_credits", *faults)
    return Share(who, millionths)


def _short(identity: str) -> str:
    """Folding can lengthen a name."""
    if len(identity) > LONGEST_IDENTITY:
        raise Invalid("not_a_name")
    return identity


def _millionths(share: object) -> int:
    if isinstance(share, bool) or not isinstance(share, str | int | Decimal):
        raise Invalid("not_a_decimal")
    millionths = Decimal(canonical_decimal(str(share))).scaleb(FRACTION_DIGITS)
    if not 0 < millionths <= MILLION or millionths != millionths.to_integral_value():
        raise Invalid("not_a_share")
    return int(millionths)


def _check_sum(millionths: int) -> None:
    if millionths != MILLION:
        raise Invalid("shares_do_not_sum", sum=written(Fraction(millionths, MILLION)))


def canonical_credits(credited: object, spelled: Callable[[Any], str]) -> JsonValue:
    """The one spelling of shared credit: the order of the people says nothing. Raises Invalid."""
    return [
        {"identity": share.identity, "share": written(Fraction(share.millionths, MILLION))}
        for share in shares(credited, spelled)
    ]

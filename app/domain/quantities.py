"""Exact numbers and how they are written.

Inside, a quantity is an int or a Fraction; outside, a decimal string of at most six fractional
digits, rounded half to even, without exponent or trailing zeros. No float ever holds a count or
an amount: ceil(21 / 0.35) is 60, and with binary floats it is 61.
"""

from __future__ import annotations

import re
from fractions import Fraction
from functools import lru_cache
from math import ceil

from app.domain.errors import Invalid

Quantity = int | Fraction

FRACTION_DIGITS = 6
_SCALE = 10**FRACTION_DIGITS
_DECIMAL = re.compile(r"-?(?:0|[1-9][0-9]{0,29})(?:\.[0-9]{1,12})?", re.ASCII)
INT64 = 2**63 - 1
# Of one activity: a few of them still add up within 64 bits, and a tally says where it is full.
LARGEST_SCALED = INT64 // 8

# Currencies of ISO 4217 whose minor unit is not a hundredth.
_MINOR_DIGITS = dict.fromkeys(
    "BIF CLP DJF GNF ISK JPY KMF KRW PYG RWF UGX UYI VND VUV XAF XOF XPF".split(), 0
) | dict.fromkeys("BHD IQD JOD KWD LYD OMR TND".split(), 3)


def written(quantity: Quantity) -> str:
    """The decimal string of a quantity, rounded half to even at six fractional digits."""
    # In integers: a Fraction that is multiplied and rounded takes three times as long.
    top, bottom = quantity.as_integer_ratio()
    units, rest = divmod(abs(top) * _SCALE, bottom)
    units += 2 * rest > bottom or (2 * rest == bottom and units % 2)
    whole, part = divmod(units, _SCALE)
    digits = f"{whole}.{part:0{FRACTION_DIGITS}d}".rstrip("0").rstrip(".")
    return f"-{digits}" if quantity < 0 and digits != "0" else digits


def tallied(number: Quantity) -> int | str:
    """A number of activities as JSON has it: an integer, or decimal text where it is shared."""
    return number if isinstance(number, int) else written(number)


def exact(text: str) -> Fraction:
    """The quantity that a decimal string means; Invalid `not_a_decimal` for anything else."""
    if not _DECIMAL.fullmatch(text):
        raise Invalid("not_a_decimal")
    return Fraction(text)


def canonical_decimal(text: str) -> str:
    """One spelling per number, so that "5.10" and "5.1" are the same content. Keeps every digit."""
    if not _DECIMAL.fullmatch(text):
        raise Invalid("not_a_decimal")
    sign, digits = ("-", text[1:]) if text.startswith("-") else ("", text)
    digits = digits.rstrip("0").rstrip(".") if "." in digits else digits
    return digits if digits == "0" else sign + digits


def minor_digits(currency: str) -> int:
    """Fractional digits of a currency's minor unit (ISO 4217): JPY 0, USD 2, KWD 3."""
    return _MINOR_DIGITS.get(currency, 2)


@lru_cache(maxsize=4096)  # prices and durations repeat, and the same one is read twice
def scaled(text: str, decimals: int) -> int:
    """A decimal string as an integer of 10^-decimals; never rounded.

    Raises Invalid `amount_does_not_fit` when digits would be lost or 64 bits are not enough, and
    `not_a_decimal` for what is none.
    """
    if not _DECIMAL.fullmatch(text):
        raise Invalid("not_a_decimal")
    whole, _, part = text.partition(".")
    value = int(whole + part[:decimals].ljust(decimals, "0"))
    if part[decimals:].strip("0"):
        raise Invalid("amount_does_not_fit", decimals=decimals)
    return fitting(value, decimals)


def fitting(value: int, decimals: int) -> int:
    """An integer of 10^-decimals, if it fits. Raises Invalid `amount_does_not_fit`."""
    if abs(value) > LARGEST_SCALED:
        raise Invalid("amount_does_not_fit", decimals=decimals)
    return value


def unscaled(value: int, decimals: int) -> Fraction:
    """The inverse of `scaled`."""
    return Fraction(value, 10**decimals)


def rounded_up(quantity: Quantity, decimals: int) -> Fraction:
    """The smallest multiple of 10^-decimals that is not below the exact requirement."""
    return Fraction(ceil(quantity * 10**decimals), 10**decimals)

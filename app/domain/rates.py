"""How sure an observed rate is.

The interval is Wilson's (1927), for 80 of 100: unlike the usual one it stays between 0 and 1, and
says something of 0 out of 3 (Brown, Cai, DasGupta 2001). It is of one look at unrelated trials.
"""

from __future__ import annotations

from decimal import Context, Decimal, localcontext
from fractions import Fraction

from app.domain.quantities import Quantity

# The standard normal deviate that 10 % lie above.
_DEVIATE = Decimal("1.2815515655446004")
# Fractions of such roots have hundreds of digits, and a plan of forty people has as many of them.
_DIGITS = Context(prec=40)


def interval(successes: Quantity, trials: Quantity) -> tuple[Fraction, Fraction] | None:
    """The rates between which the true one lies, 80 of 100 times; None where it is no such rate.

    That is where there were no trials, or more successes than trials.
    """
    if not 0 <= successes <= trials or not trials:
        return None
    with localcontext(_DIGITS):
        z2, rate, n = _DEVIATE**2, _decimal(Fraction(successes) / trials), _decimal(trials)
        middle = rate + z2 / (2 * n)
        reach = _DEVIATE * (rate * (1 - rate) / n + z2 / (4 * n * n)).sqrt()
        whole = 1 + z2 / n
        low, high = (middle - reach) / whole, (middle + reach) / whole
    # Forty digits; the ends of a rate of 0 or 1 are exact.
    return (
        Fraction(low) if successes else Fraction(0),
        Fraction(high) if successes < trials else Fraction(1),
    )


def _decimal(value: Quantity) -> Decimal:
    return Decimal(value.numerator) / Decimal(value.denominator)

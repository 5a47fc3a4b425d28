"""How the values of a multiset are written, so that text order is the order that is asked for.

Minimum, maximum and latest have no inverse under a correction: whoever takes the greatest value
away must know the second. So each value is kept with how often it occurs, and the answer is the
first or last text that is left.
"""

from __future__ import annotations

import hashlib

from app.domain.activities import Stamp

LONGEST = 200
_ABOVE_ZERO = 2**63
_DIGITS = 20


def sorted_number(number: int) -> str:
    """A number of up to 63 bits and sign, in texts of one length that sort as the numbers do."""
    return f"{number + _ABOVE_ZERO:0{_DIGITS}d}"


def sorted_latest(at: int, stamp: Stamp, number: int) -> str:
    """A number that was true at an instant; of two at one instant the greater stamp is later."""
    revision, mapping, digest = stamp
    # A blank is smaller than anything in a revision, so a longer one stays behind its beginning.
    return f"{at:0{_DIGITS}d}{revision} {mapping:010d}{digest.hex()}{sorted_number(number)}"


def number_of(text: str) -> int:
    """The number in a text of `sorted_number` or `sorted_latest`."""
    return int(text[-_DIGITS:]) - _ABOVE_ZERO


def distinct(text: str) -> str:
    """A text to be told from others; a long one by its digest, for an index takes no page."""
    if len(text) <= LONGEST:
        return text
    return f"sha256:{hashlib.sha256(text.encode()).hexdigest()}"

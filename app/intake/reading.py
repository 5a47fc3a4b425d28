"""Strict JSON: one meaning for the signer, the sender and us, or none.

The standard reader keeps the last of two equal keys, accepts NaN and turns long decimals into
binary floats; each of these lets two honest readers of one body count differently. Errors carry a
stable code and never a piece of the input.
"""

from __future__ import annotations

import json
from decimal import Decimal

import jiter

from app.domain.errors import TooDeep, Unreadable
from app.domain.kinds import RawValue

MAX_DEPTH = 32
# The decimal exponent at which binary64 ends: other readers of this body see infinity there, and
# nothing on its other side, where a few bytes would be a gigabyte of zeros once they are written.
MAX_EXPONENT = 308
_BYTE_ORDER_MARKS = (b"\xef\xbb\xbf", b"\xff\xfe", b"\xfe\xff")
# jiter has one exception type; its message is the only place that says which rule was broken.
_CODES = (
    ("Detected duplicate key", "duplicate_key"),
    ("number out of range", "number_out_of_range"),
    ('Internal error: "InvalidOperation', "number_out_of_range"),
)
_WALKED = frozenset({dict, list, Decimal})


def read_json(body: bytes, **where: int) -> RawValue:
    """The value that a JSON text holds; numbers with a point or exponent as Decimal.

    `where` goes into the error's parameters, for bodies that hold many texts.
    Raises Unreadable (not_json, duplicate_key, not_utf8, byte_order_mark,
    number_out_of_range) and TooDeep (too_deep).
    """
    try:
        value: RawValue = jiter.from_json(
            body, catch_duplicate_keys=True, float_mode="decimal", allow_inf_nan=False
        )
    except ValueError as error:
        # `from None`: the message holds the duplicate key, which is input.
        raise _unreadable(body, str(error), where) from None
    _check(value, MAX_DEPTH, where)
    return value


def written(value: RawValue) -> str:
    """A value that was read, as text for a person to look at: decimals become texts."""
    return json.dumps(value, ensure_ascii=False, default=str)


def _unreadable(body: bytes, message: str, where: dict[str, int]) -> Unreadable:
    if message.startswith("recursion limit"):
        return TooDeep("too_deep", limit=MAX_DEPTH, **where)
    if body.startswith(_BYTE_ORDER_MARKS):
        return Unreadable("byte_order_mark", **where)
    try:
        body.decode()
    except UnicodeDecodeError:
        return Unreadable("not_utf8", **where)
    code = next((code for start, code in _CODES if message.startswith(start)), "not_json")
    return Unreadable(code, **where)


def _check(value: RawValue, levels: int, where: dict[str, int]) -> None:
    """Depth and magnitude, in one walk that descends only into what can break either."""
    if isinstance(value, dict | list):
        if not levels:
            raise TooDeep("too_deep", limit=MAX_DEPTH, **where)
        for item in value.values() if isinstance(value, dict) else value:
            if type(item) in _WALKED:
                _check(item, levels - 1, where)
    elif isinstance(value, Decimal) and abs(value.adjusted()) > MAX_EXPONENT:
        raise Unreadable("number_out_of_range", **where)

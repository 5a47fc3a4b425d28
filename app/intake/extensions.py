"""The extensions of a telephone system of one's own: which of two sides of a call is ours.

A switch says who called whom and not who of them works here. A source's settings say it, as people
write it in a dial plan: each extension as it is, or with an X for any digit.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache

from app.domain.documents import Node, gathered
from app.intake.source_settings import MAX_ITEMS, Setting

_FORM = r"[0-9A-Za-z._+-]{1,64}"
_NUMBER = re.compile(r"\+?[0-9]{3,32}", re.ASCII)
_CODES = ("*", "#")


def extensions_setting(name: str, about: str) -> Setting:
    """Extensions as texts or with an X for any digit, such as 1XXX; required."""
    item = {"type": "string", "pattern": f"^{_FORM}$"}
    schema = {"type": "array", "items": item, "minItems": 1, "maxItems": MAX_ITEMS}
    described = schema | {"description": about, "examples": [["1XXX", "201"]]}
    return Setting(name, _read, described, default=(), required=True)


def is_extension(text: str | None, extensions: Iterable[str]) -> bool:
    """Whether a side of a call is one of these extensions."""
    return bool(text) and any(_pattern(one).fullmatch(text or "") for one in extensions)


def is_inside(dialled: str | None, extensions: Iterable[str]) -> bool:
    """Whether what was dialled stays within: nothing, a code of the switch, an extension."""
    return not dialled or dialled.startswith(_CODES) or is_extension(dialled, extensions)


def is_number(text: str | None) -> bool:
    """Whether a text is a number that a telephone network could know."""
    return _NUMBER.fullmatch(text or "") is not None


def _read(node: Node) -> tuple[str, ...]:
    items = node.items()
    if not 0 < len(items) <= MAX_ITEMS:
        raise node.refused("not_a_list", low=1, high=MAX_ITEMS)
    return gathered(items, _extension)


def _extension(node: Node) -> str:
    text = node.text()
    if not re.fullmatch(_FORM, text, re.ASCII):
        raise node.refused("not_an_extension")
    return text


@lru_cache(maxsize=5_000)  # every leg asks for the few patterns of its source
def _pattern(extension: str) -> re.Pattern[str]:
    return re.compile(re.escape(extension).replace("X", "[0-9]"), re.ASCII)

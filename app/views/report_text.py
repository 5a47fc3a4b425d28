"""Texts that people wrote, made safe for a page: what they say stays, what they do does not.

Characters that move a cursor or turn a line round are replaced; line breaks stay in a note alone.
What is HTML or Markdown is written so that it shows as it was typed.
"""

from __future__ import annotations

import re
import unicodedata

# Marks that change the direction of what follows, also outside the text that holds them.
_TURNING = frozenset(
    map(chr, (0x061C, 0x200E, 0x200F, *range(0x202A, 0x202F), *range(0x2066, 0x206A)))
)
# Line ends that only some programs take for one, and what has no width at all.
_HIDDEN = frozenset(map(chr, (0x2028, 0x2029, 0xFEFF, 0x00AD)))
_REPLACED = "�"
_PUNCTUATION = re.compile(r"([!-/:-@\[-`{-~])")


def plain(text: str) -> str:
    """The text without what has an effect beyond itself; line breaks are kept, blanks are one."""
    lines = (" ".join("".join(map(_shown, line)).split()) for line in text.split("\n"))
    return "\n".join(line for line in lines if line)


def _shown(letter: str) -> str:
    if letter in "\t\r":
        return " "
    hidden = letter in _TURNING or letter in _HIDDEN or unicodedata.category(letter) in ("Cc", "Cs")
    return _REPLACED if hidden else letter


def markdown(text: str) -> str:
    """The same for Markdown (CommonMark 2.4): any punctuation of ASCII may have a backslash."""
    return _PUNCTUATION.sub(r"\\\1", plain(text))

"""Asterisk: what to set up at the switch, and what cannot be read."""

from __future__ import annotations

from collections.abc import Mapping

# code -> (English, Japanese)
SENTENCES: Mapping[str, tuple[str, str]] = {
    "add_asterisk_mapping": (
        "At Asterisk, add the mapping of the sender's page to cdr_custom.conf; it writes {file}",
        "Asterisk の cdr_custom.conf に、送信元ページにある {file} の行を追加してください。",
    ),
    "run_asterisk_sender": (
        "Run tassei-cdr.py beside Asterisk, with this secret and the address {url}",
        "Asterisk と同じ機器で tassei-cdr.py を、この secret と URL {url} で動かしてください。",
    ),
    "not_a_cdr_row": (
        "The line has {found} columns instead of {expected}: see the mapping of cdr_custom.conf.",
        "列の数が {expected} ではなく {found} です。cdr_custom.conf の行を確認してください。",
    ),
    "not_a_channel": (
        "Must be a channel before its last dash, such as PJSIP/carrier.",
        "PJSIP/carrier のような、最後のハイフンより前のチャネル名でなければなりません。",
    ),
}

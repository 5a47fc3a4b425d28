"""Close: what to enter at the provider, and what is no key of its."""

from __future__ import annotations

from collections.abc import Mapping

# code -> (English, Japanese)
SENTENCES: Mapping[str, tuple[str, str]] = {
    "create_close_webhook": (
        "By Close's API, subscribe {url} to all actions of {events}; the answer has the key.",
        "Close の API で {url} を {events} の全操作に購読させてください。応答に鍵があります。",
    ),
    "not_a_close_key": (
        "Must be the signature key as Close wrote it: pairs of hexadecimal digits.",
        "Close の署名鍵のとおり、16 進数字の組でなければなりません。",
    ),
}

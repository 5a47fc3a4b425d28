"""Senders without code of their own: what they have to send."""

from __future__ import annotations

from collections.abc import Mapping

# code -> (English, Japanese)
SENTENCES: Mapping[str, tuple[str, str]] = {
    "send_to": (
        "Send each event by POST to {url}",
        "各イベントを POST で {url} に送ってください。",
    ),
    "sign_custom": (
        "Sign {signed} by HMAC-{algorithm}; in {encoding} into {header}, behind: {prefix}",
        "{signed} の HMAC-{algorithm} を {encoding} で {header} に。接頭辞: {prefix}",
    ),
    "send_custom_header": (
        "Put the secret into the header {header}, behind the prefix: {prefix}",
        "ヘッダー {header} に秘密の値を入れてください。接頭辞: {prefix}",
    ),
    "send_custom_basic": (
        "Send the user and the secret by HTTP Basic authentication.",
        "HTTP Basic 認証で user と secret を送ってください。",
    ),
    "keep_the_address_secret": (
        "Keep the address secret: whoever knows it can report events.",
        "この URL は秘密にしてください。知る人は誰でもイベントを送れます。",
    ),
    "not_a_header_name": (
        "Must be the name of an HTTP header.",
        "HTTP ヘッダーの名前でなければなりません。",
    ),
    "not_in_its_encoding": (
        "The secret is not written as key_encoding says.",
        "秘密の値が key_encoding の形式ではありません。",
    ),
}

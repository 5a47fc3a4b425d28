"""The sentences about senders: how they are connected, and what of theirs cannot be counted."""

from __future__ import annotations

from collections.abc import Mapping

# code -> (English, Japanese)
SENTENCES: Mapping[str, tuple[str, str]] = {
    # Settings and credentials of providers.
    "not_a_jwt": (
        "Must be a compact JSON Web Token of three parts.",
        "3 つの部分からなるコンパクト形式の JSON Web Token でなければなりません。",
    ),
    "handshake_invalid": (
        "The handshake carries no challenge, or one that cannot be sent back.",
        "ハンドシェイクに、送り返せる challenge がありません。",
    ),
    "nothing_to_rotate": (
        "Senders of the provider {provider} have no secrets of this kind.",
        "プロバイダー {provider} の送信元に、更新できる秘密はありません。",
    ),
    # How often a source speaks.
    "not_a_duration": (
        "Must be a duration of ISO 8601, such as PT2H or P1D.",
        "ISO 8601 の長さでなければなりません（例 PT2H、P1D）。",
    ),
    "duration_too_long": (
        "Must be at most {days} days.",
        "{days} 日以内でなければなりません。",
    ),
    "kind_counted_twice": (
        "The source {source} counts {kind} as well: what both report is counted twice.",
        "ソース {source} も {kind} を数えています。両方が報告すると二重に数えられます。",
    ),
    # Activities.
    "unknown_activity": ("There is no such activity.", "その活動はありません。"),
    "only_false": ("It can only be false.", "false だけが使えます。"),
    "only_uncounted": (
        "It can only be given together with counted=false.",
        "counted=false と一緒にだけ指定できます。",
    ),
    "no_time": (
        "The field that says when it happened is missing.",
        "いつのものかを示す項目がありません。",
    ),
    "no_value": ("The field that is summed is missing.", "合計する項目がありません。"),
    "duplicate_key": (
        "A name stands twice in one object.",
        "1 つのオブジェクトに同じ名前が重複しています。",
    ),
}

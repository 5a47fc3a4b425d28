"""kintone: what to enter at the provider, and what cannot be read."""

from __future__ import annotations

from collections.abc import Mapping

# code -> (English, Japanese)
SENTENCES: Mapping[str, tuple[str, str]] = {
    "add_kintone_webhook": (
        "In app {app} of kintone, add a webhook to {url}",
        "kintone のアプリ {app} の設定 > Webhook で、{url} を追加してください。",
    ),
    "choose_kintone_notifications": (
        "Choose adding, editing and deleting records and updating the status.",
        "レコードの追加・編集・削除とステータスの更新を選んでください。",
    ),
    "keep_kintone_address_secret": (
        "Keep the address secret: kintone signs nothing, so it is the only proof.",
        "URL は秘密にしてください。kintone は署名しないため、これが唯一の証明です。",
    ),
    "no_such_field": (
        "The record has no field of this code: see the setting fields, or the mapping.",
        "このコードのフィールドがありません。設定 fields かマッピングを確認してください。",
    ),
    "unknown_field_of_kind": (
        "Must be a field of this kind: {allowed}.",
        "この種類の項目でなければなりません: {allowed}。",
    ),
    "no_word_of_kind": (
        "Must be a status, outcome, direction or type of this kind.",
        "この種類の状態・結果・方向・区分のいずれかでなければなりません。",
    ),
}

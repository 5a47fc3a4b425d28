"""MiiTel: what to enter at the provider."""

from __future__ import annotations

from collections.abc import Mapping

# code -> (English, Japanese)
SENTENCES: Mapping[str, tuple[str, str]] = {
    "add_miitel_webhook": (
        "In MiiTel Admin, add an Outgoing Webhook for call and for meeting history to {url}",
        "MiiTel Admin の Outgoing Webhook で、応対履歴と会議履歴の連携先を {url} に。",
    ),
    "set_miitel_header": (
        "As additional headers enter Authorization with the word Bearer and the token shown.",
        "追加ヘッダーの Authorization に、Bearer と表示された token を入れてください。",
    ),
    "leave_out_miitel_phrases": (
        "Leave phrases and keywords of the transcription out: they are not needed here.",
        "文字起こしのフレーズとキーワードは不要なので、含めない設定にしてください。",
    ),
}

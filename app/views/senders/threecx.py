"""3CX: what to enter at the switch, and what cannot be read."""

from __future__ import annotations

from collections.abc import Mapping

# code -> (English, Japanese)
SENTENCES: Mapping[str, tuple[str, str]] = {
    "upload_3cx_template": (
        "In the 3CX console, under Integrations > CRM, upload the template {file} of this page.",
        "3CX の管理コンソールの Integrations > CRM で、送信元ページの {file} を追加してください。",
    ),
    "enter_3cx_parameters": (
        "Enter the address {url} and this token there, and enable call journaling.",
        "そこに URL {url} とこの token を入力し、Call Journaling を有効にしてください。",
    ),
    "not_hours_minutes_seconds": (
        "Must be hours, minutes and seconds, such as 00:01:15.",
        "00:01:15 のような時・分・秒でなければなりません。",
    ),
}

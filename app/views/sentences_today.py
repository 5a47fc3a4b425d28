"""The sentences of what today asks, and of what can no longer be asked."""

from __future__ import annotations

from collections.abc import Mapping

# code -> (English, Japanese)
SENTENCES: Mapping[str, tuple[str, str]] = {
    "too_late_to_convert": (
        "What is begun now can no longer convert in this period.",
        "今から始めても、この期間の成果にはつながりません。",
    ),
    "day_off": ("No working day.", "稼働日ではありません。"),
    "day_without_weight": (
        "The plan gives this day of the week no weight.",
        "計画ではこの曜日の重みが 0 です。",
    ),
    "period_not_begun": ("The period has not begun.", "期間はまだ始まっていません。"),
    "today_asks": ("{asked} today.", "本日の目標: {asked}。"),
    "today_done": ("Done for today: {asked}.", "本日の目標は達成済み: {asked}。"),
    "today_day_off": ("No working day today.", "本日は稼働日ではありません。"),
    "today_without_weight": (
        "The plan asks nothing of this day of the week.",
        "計画では、この曜日に目標はありません。",
    ),
    "today_not_begun": ("The period has not begun.", "期間はまだ始まっていません。"),
    "today_reached": ("Everything is reached.", "すべて達成しています。"),
    "today_no_days_left": ("No working day is left.", "残りの営業日がありません。"),
    "today_too_late": (
        "New {late} can no longer convert in this period.",
        "{late}は、今から始めてもこの期間の成果にはつながりません。",
    ),
}

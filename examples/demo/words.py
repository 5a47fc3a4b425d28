"""What the demo says, in Japanese and English."""

from __future__ import annotations

from dataclasses import dataclass

from app.views.terminal_words import Language


@dataclass(frozen=True, slots=True)
class Said:
    """Sentences; the ones with braces are templates."""

    sending: str
    unknown: str
    mapped: str
    agrees: str
    stop: str
    called: str
    rang: str
    talked: str
    appointment: str


SAID: dict[Language, Said] = {
    "ja": Said(
        sending="Webhook を送信中",
        unknown="担当者不明: {source} {kind} {value}（{activities} 件）",
        mapped="→ 内線 {extension} を {name} に登録: 過去の分も付け替え済み",
        agrees="✔ 独立した再計算とすべての数値が一致しました",
        stop="Ctrl-C で終了",
        called="架電",
        rang="受電",
        talked="通話 {minutes}:{seconds:02d}",
        appointment="アポ獲得",
    ),
    "en": Said(
        sending="Sending webhooks",
        unknown="Nobody known: {source} {kind} {value} ({activities} activities)",
        mapped="→ extension {extension} is {name}: the history has followed",
        agrees="✔ every number agrees with an independent recount",
        stop="Ctrl-C to stop",
        called="call",
        rang="inbound call",
        talked="talked {minutes}:{seconds:02d}",
        appointment="appointment",
    ),
}

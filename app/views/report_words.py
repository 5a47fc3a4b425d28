"""The words of the report beside its sentences, in its languages."""

from __future__ import annotations

from collections.abc import Mapping

# name -> (English, Japanese)
WORDS: Mapping[str, tuple[str, str]] = {
    "report": ("Report", "進捗レポート"),
    "as_of": ("As of {at}", "{at} 時点"),
    "known_at": ("as known at {at}", "{at} までに受信した情報による"),
    "period": ("{first} to {last}", "{first}〜{last}"),
    "days": (
        "{elapsed} of {total} working days over, {left} left",
        "稼働日 {total}日中 {elapsed}日経過（残り {left}日）",
    ),
    "headline": ("Where it stands", "サマリー"),
    "today": ("Today", "本日の目標"),
    "required": ("Required", "必要"),
    "done": ("Done", "実績"),
    "left": ("Left", "残り"),
    "goals": ("Goals", "目標別の状況"),
    "reached": ("Reached, or on pace", "達成・計画どおり"),
    "not_reached": ("Not on pace", "未達・計画に遅れ"),
    "why": ("Why", "要因"),
    "signals": ("What stands out, and hardly by chance", "偶然とは考えにくい動き"),
    "proposals": ("What the plan would need", "計画見直しの提案"),
    "support": ("Where help is worth most", "支援の優先順位"),
    "since": ("Since last week", "先週からの変化"),
    "late": ("Late data", "データの到着状況"),
    "beside": ("Counted beside the goals", "目標に含まれない実績"),
    "unknown": ("Unknown people", "担当者が特定できない識別情報"),
    "notes": ("Notes", "メモ"),
    "goal": ("Goal", "目標"),
    "progress": ("Progress", "進捗"),
    "actual": ("Actual", "実績"),
    "target": ("Target", "目標値"),
    "attainment": ("Attainment", "達成率"),
    "expected": ("Expected by now", "現時点の計画"),
    "outlook": ("Outlook", "着地見込み"),
    "ends": ("Outlook (probability)", "着地見込み（達成確率）"),
    "probability": ("Probability", "達成確率"),
    "verdict": ("Verdict", "判定"),
    "step": ("Step", "要素"),
    "planned": ("Plan", "計画"),
    "effect": ("Effect on {goal}", "{goal}への影響"),
    "sum": ("Together", "合計"),
    "then": ("{at}", "{at}"),
    "unassigned": ("Of nobody known", "担当者不明"),
    "outside_plan": ("Outside the plan", "計画外の担当者"),
    "excluded": ("Other currencies", "他通貨"),
    "source": ("Source", "送信元"),
    "identity": ("Identity", "識別情報"),
    "activities": ("Activities", "件数"),
    "due": ("due {day}", "期限 {day}"),
    "overdue": ("overdue since {day}", "期限超過（期限 {day}）"),
    "about": ("about {what}", "{what}について"),
    "all_on_pace": ("Everything is on pace.", "すべて計画どおりです。"),
    "nobody_behind": (
        "Nobody is behind by more than chance makes.",
        "偶然の範囲を超えて遅れている担当者はいません。",
    ),
    "all_fresh": ("All sources speak as they should.", "すべての送信元からデータが届いています。"),
    "younger": (
        "The plan or its period is younger than a week.",
        "計画または期間の開始から1週間が経過していないため、比較はありません。",
    ),
    "nothing_moved": (
        "Nothing of last week's figures was corrected.",
        "先週時点の数値に訂正はありません。",
    ),
    "listed": ("They are listed at", "一覧:"),
    "line": ("{goal} day by day", "{goal}の推移"),
    "line_expected": ("expected", "計画"),
    "line_actual": ("actual", "実績"),
    "line_ahead": ("outlook (8 of 10 cases)", "着地見込み（8割の範囲）"),
    "line_target": ("target", "目標"),
    "bar": ("{share} reached; {due} expected by now", "達成率 {share}、現時点の計画 {due}"),
    "generated": ("Made by Tassei at {at}", "Tassei により {at} に作成"),
}


def words(language: str) -> Mapping[str, str]:
    """The words of a language."""
    place = 1 if language == "ja" else 0
    return {name: both[place] for name, both in WORDS.items()}

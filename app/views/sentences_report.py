"""The sentences of the report: where a goal stands, who could do with help, what is not known."""

from __future__ import annotations

from collections.abc import Mapping

# code -> (English, Japanese)
SENTENCES: Mapping[str, tuple[str, str]] = {
    "unknown_note": ("There is no such note.", "そのメモはありません。"),
    "goal_reached": (
        "{goal}: {actual} of {target}. Reached.",
        "{goal}は{actual}で、目標{target}を達成しました。",
    ),
    "goal_on_pace": (
        "{goal}: {actual} of {target}; the plan expects {expected} by now.",
        "{goal}は{actual}で、現時点の計画{expected}に達しています（目標{target}）。",
    ),
    "goal_behind": (
        "{goal}: {actual} of {target}, {short} short of the {expected} expected by now.",
        "{goal}は{actual}で、現時点の計画{expected}に{short}届いていません（目標{target}）。",
    ),
    "goal_behind_within_noise": (
        (
            "{goal}: {actual} of {target}, {short} short of the {expected} expected by now; "
            "chance alone may make such a gap."
        ),
        (
            "{goal}は{actual}で、現時点の計画{expected}に{short}届いていません（目標{target}）。"
            "ただし偶然でも起こりうる差です。"
        ),
    ),
    "goal_missed": (
        "{goal}: {actual} of {target}; {left} were missing at the end.",
        "{goal}は{actual}で、目標{target}に{left}届きませんでした。",
    ),
    "goal_unknown": (
        (
            "{goal}: data are late, so where it stands is not known; {actual} of {target} were "
            "counted."
        ),
        "{goal}はデータが届いていないため、現状を判断できません（集計済み{actual}、目標{target}）。",
    ),
    "goal_not_started": (
        "{goal}: not begun; the target is {target}.",
        "{goal}はまだ始まっていません（目標{target}）。",
    ),
    "outlook": (
        (
            "Heading for {median}: between {low} and {high} in 8 of 10 cases. "
            "The target is reached with a probability of {probability}."
        ),
        (
            "着地見込みは{median}（8割の確率で{low}から{high}の間）。"
            "目標を達成する確率は{probability}です。"
        ),
    ),
    "outlook_over": ("The period is over.", "期間は終了しました。"),
    "no_outlook": ("Nothing tells yet where it ends.", "着地見込みを出せる材料がまだありません。"),
    "support_help": (
        (
            "{who}: {gap} against the plan in {goal}, most of it from {step} ({effect}). "
            "Worth a look together."
        ),
        (
            "{who}さん: {goal}が計画比{gap}。主な要因は{step}（{effect}）です。"
            "一緒に状況を確認しましょう。"
        ),
    ),
    "support_away": (
        "{who} is away and back on {back}; {gap} against the plan tells little until then.",
        "{who}さんは不在です（{back}に復帰予定）。計画比{gap}だけでは判断できません。",
    ),
    "support_silent": (
        "{who}: data for {step} are late, so {gap} against the plan is not certain.",
        "{who}さん: {step}のデータが届いていないため、計画比{gap}は確定ではありません。",
    ),
    "support_unidentified": (
        (
            "{who}: no sender's name is known for this person, so the work done may stand among "
            "the unknown."
        ),
        (
            "{who}さん: 送信元での識別情報が未登録のため、実績が担当者不明に含まれている可能性が"
            "あります。"
        ),
    ),
    "moved": (
        (
            "{goal}: the figure of {at} has since moved by {difference} ({late} late, "
            "{corrected} corrected)."
        ),
        (
            "{goal}: {at}時点の数値が、その後{difference}変わりました（遅れて届いたもの{late}件、"
            "訂正{corrected}件）。"
        ),
    ),
    "moved_in_part": (
        (
            "{goal}: the figure of {at} has since moved by {difference}; there are too many "
            "activities to count them here."
        ),
        "{goal}: {at}時点の数値が、その後{difference}変わりました（対象が多いため件数は省略）。",
    ),
    "quiet_stale": (
        "{source} has been silent since {last}; {goals} may be incomplete.",
        "{source}は{last}を最後にデータが届いていません。{goals}は不完全な可能性があります。",
    ),
    "quiet_none": (
        "{source} has not been heard yet; {goals} may be incomplete.",
        "{source}からはまだデータが届いていません。{goals}は不完全な可能性があります。",
    ),
    "quiet_pending": (
        "{source}: {pending} records are still to be fetched.",
        "{source}: {pending}件の詳細を取得待ちです。",
    ),
}

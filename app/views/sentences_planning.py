"""The sentences about changing plans: their names, versions, copies, and what nobody measures."""

from __future__ import annotations

from collections.abc import Mapping

# code -> (English, Japanese)
SENTENCES: Mapping[str, tuple[str, str]] = {
    "unknown_version": (
        "The plan {plan} never had a version {version}.",
        "計画 {plan} に版 {version} はありません。",
    ),
    "no_plan_then": (
        "No plan has this alias at that time.",
        "その時点でこの別名を持つ計画はありません。",
    ),
    "alias_is_a_key": (
        "The alias is the key of the plan {plan}.",
        "この別名は計画 {plan} のキーです。",
    ),
    "key_is_an_alias": (
        "The key is the alias of the plan {plan}.",
        "このキーは計画 {plan} の別名です。",
    ),
    "alias_overlaps": (
        "The plan {plan} has this alias on some of the same days.",
        "計画 {plan} が同じ日にこの別名を使っています。",
    ),
    "plan_exists": (
        "The key {plan} is taken; choose another one as key.",
        "キー {plan} は使われています。key に別のものを指定してください。",
    ),
    "not_closed": (
        "The plan {plan} is not closed.",
        "計画 {plan} は締められていません。",
    ),
    "period_not_over": (
        "The period of the plan {plan} was not over by then; close it with what is known later.",
        "計画 {plan} の期間はその時点で終わっていません。終了後に締めてください。",
    ),
    "not_with_known_at": (
        "Only told of what is known now.",
        "現時点の情報についてのみ指定できます。",
    ),
    "unknown_goal": ("The plan has no such goal.", "計画にその目標はありません。"),
    "unmeasured": (
        "No source counts {kind} for {goals}; connect one, or say allow_unmeasured.",
        "{goals} を計測するソース（{kind}）がありません。接続するか allow_unmeasured が必要です。",
    ),
    "revision_outside_period": (
        "A change holds from a day of the period after its first one.",
        "変更の適用日は期間の初日より後、期間内でなければなりません。",
    ),
    "nothing_to_revise": (
        "There is no plan yet that could hold until then; leave it out.",
        "それまで有効な計画がまだありません。effective_from を外してください。",
    ),
    "earlier_version_lost": (
        "The version before the change can no longer be worked out; expected runs straight.",
        "変更前の版を計算できないため、期待値は期首から直線で引きます。",
    ),
    "slices_or_profile": (
        "A plan has either slices or a profile with shares; weekdays may stand beside both.",
        "slices と profile の shares はどちらか一方だけです。weekdays は両方と併用できます。",
    ),
    "slices_not_in_order": (
        "The first slice begins on {first}, and each one after the one before, in the period.",
        "最初の区切りは {first} に始まり、以降は期間内で日付順でなければなりません。",
    ),
    "profile_does_not_fit": (
        "The period has {number} such parts; give as many shares.",
        "この期間は {number} 個に分かれます。同じ数の割合を指定してください。",
    ),
    "negative_share": ("A share must not be negative.", "割合に負の値は使えません。"),
    "shares_not_one": (
        "The shares must add up to 1, not {sum}.",
        "割合の合計は 1 でなければなりません（現在 {sum}）。",
    ),
    "weight_out_of_range": (
        "A weight is from 0 to {largest}, with {digits} digits behind the point at most.",
        "重みは 0 以上 {largest} 以下、小数点以下 {digits} 桁までです。",
    ),
    "weekdays_all_zero": (
        "A day of the week on which people work must have a weight above 0.",
        "稼働する曜日のうち、少なくとも一つの重みは 0 より大きくなければなりません。",
    ),
    "unknown_parent": (
        "There is no plan {plan} that this one could be a part of.",
        "親となる計画 {plan} がありません。",
    ),
    "plan_is_its_own_part": (
        "The plan {plan} is this one, or a part of it.",
        "計画 {plan} はこの計画自身か、その一部です。",
    ),
    "outside_parent": (
        "The period must lie within that of the plan {plan}.",
        "期間は計画 {plan} の期間内でなければなりません。",
    ),
    "children_do_not_add_up": (
        "The parts of the plan {plan} come to {sum} instead of {target} from {first} to {until}.",
        "計画 {plan} の内訳（{first} から {until} 前日）の合計 {sum} が目標 {target} と違います。",
    ),
    "above_shown_best": (
        "{goal}: {target} is asked for, and the most that was done in so long a time is {best}.",
        "{goal}: 目標 {target} は、同じ長さの期間の過去最高 {best} を上回っています。",
    ),
    "no_history": (
        "Nothing was counted before the plan that would tell whether it is within reach: {goals}.",
        "計画前の実績がないため、達成可能かを判断できません: {goals}。",
    ),
    "follows_anyway": (
        "A member assigned by name carries the plan in any team; leave it out.",
        "メンバー個人への割り当てはチームを移っても続きます。targets_follow を外してください。",
    ),
    "source_never_spoke": (
        "Nothing has arrived yet from {sources}, and nobody else counts for {goals}.",
        "{goals} を計測する {sources} から、まだ何も届いていません。",
    ),
    "holidays_added": (
        "Now public holidays, and not when the plan was made ({made_by}): {days}.",
        "計画の作成時（{made_by}）にはなかった祝日です：{days}。",
    ),
    "holidays_gone": (
        "Public holidays when the plan was made ({made_by}), and no longer: {days}.",
        "計画の作成時（{made_by}）には祝日でしたが、今は違います：{days}。",
    ),
    "nobody_works": (
        "Nobody who carries the plan has a working day in its period.",
        "担当者の誰にも期間内の稼働日がありません。",
    ),
    "overlapping_plan": (
        "The plan {plan} asks some of the same people for the same KGI on the same days.",
        "計画 {plan} が、同じ日に同じ人へ同じ KGI を求めています。",
    ),
}

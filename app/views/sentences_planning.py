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
    "source_never_spoke": (
        "Nothing has arrived yet from {sources}, and nobody else counts for {goals}.",
        "{goals} を計測する {sources} から、まだ何も届いていません。",
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

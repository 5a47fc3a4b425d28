"""The sentences about metrics: how they are defined, and what may be asked of them over time."""

from __future__ import annotations

from collections.abc import Mapping

# code -> (English, Japanese)
SENTENCES: Mapping[str, tuple[str, str]] = {
    # Definitions.
    "no_name": (
        "A name in English or Japanese is needed.",
        "英語か日本語の名前が必要です。",
    ),
    "not_a_time_field": (
        "The field {field} of {kind} does not hold a time.",
        "{kind} の項目 {field} は時刻ではありません。",
    ),
    "not_a_number_field": (
        "The field {field} of {kind} does not hold a number.",
        "{kind} の項目 {field} は数値ではありません。",
    ),
    "not_a_role": (
        "The field {field} of {kind} does not say who it was.",
        "{kind} の項目 {field} は担当者を示すものではありません。",
    ),
    "not_comparable": (
        "The field {field} holds a list, which equals no value.",
        "項目 {field} は配列なので、値と比べられません。",
    ),
    "value_required": (
        "The aggregation {aggregation} needs the field that it measures.",
        "集計 {aggregation} には対象の項目が必要です。",
    ),
    "value_not_used": (
        "The aggregation {aggregation} measures no field here.",
        "集計 {aggregation} ではこの項目を使いません。",
    ),
    "unit_is_count": (
        "The aggregation {aggregation} gives a number of things: its unit is count.",
        "集計 {aggregation} の結果は件数なので、単位は count です。",
    ),
    "decimals_of_money": (
        "Money has the decimals of its currency.",
        "金額の小数桁は通貨で決まります。",
    ),
    "stock_not_additive": (
        "A stock is a count or a sum, not {aggregation}.",
        "残高は件数か合計です。{aggregation} にはできません。",
    ),
    "empty_list": ("At least one is needed.", "1 つ以上必要です。"),
    "preset_fixed": (
        "The preset {metric} cannot change; define a copy under another key.",
        "プリセット {metric} は変えられません。別のキーで複製を定義してください。",
    ),
    "metric_in_use": (
        "The plan {plan} has a goal of {metric} that this would break.",
        "計画 {plan} が {metric} を目標に使っているため、この操作はできません。",
    ),
    "metric_building": (
        "The metric {metric} is still being counted; try again when its state is active.",
        "指標 {metric} は初回の集計中です。state が active になってからやり直してください。",
    ),
    "too_many_metrics": (
        "A workspace has at most {limit} metrics of its own.",
        "独自の指標は {limit} 個までです。",
    ),
    # Why an activity does not count.
    "retracted": ("It was retracted.", "取り消されています。"),
    "filtered": (
        "The metric does not count it because of its field {field}.",
        "項目 {field} がこの指標の条件に合いません。",
    ),
    "kind_not_counted": (
        "The source does not count activities of this kind.",
        "この送信元では、この種類の活動を集計しません。",
    ),
    # Over time.
    "too_many_buckets": (
        "That is more than {limit} buckets; ask for a shorter range or a coarser granularity.",
        "区間が {limit} 個を超えます。期間を短くするか、粒度を粗くしてください。",
    ),
    "window_or_range": (
        "Name either a window, or from and to.",
        "window か、from と to のどちらか一方を指定してください。",
    ),
    "nothing_counted": (
        "Nothing was counted, so there is no such value.",
        "集計対象がないため、値がありません。",
    ),
    "building": (
        "All history is still being counted by the new metric; there are no numbers until then.",
        "新しい指標で過去の活動を集計中です。終わるまで値は出ません。",
    ),
}

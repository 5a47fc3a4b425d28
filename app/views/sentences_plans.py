"""The sentences about workspaces, people and plans: what they must be, and what to mend."""

from __future__ import annotations

from collections.abc import Mapping

# code -> (English, Japanese)
SENTENCES: Mapping[str, tuple[str, str]] = {
    # Workspaces and their calendars.
    "unknown_zone": (
        "Must be a time zone of the IANA database, such as Asia/Tokyo.",
        "IANA のタイムゾーン名でなければなりません（例 Asia/Tokyo）。",
    ),
    "not_a_locale": (
        "Must be a language tag, such as ja-JP.",
        "言語タグでなければなりません（例 ja-JP）。",
    ),
    "no_weekdays": ("At least one weekday works.", "稼働する曜日が 1 つ以上必要です。"),
    "unknown_weekday": ("Must be one of: {allowed}.", "次のいずれか: {allowed}。"),
    "not_a_clock_time": (
        "Must be a time of day, such as 09:00.",
        "時刻でなければなりません（例 09:00）。",
    ),
    "empty_working_hours": (
        "Working hours end after they begin.",
        "勤務時間の終わりは始まりより後でなければなりません。",
    ),
    "breaks_a_plan": (
        "The plan {plan} could not be worked out any more.",
        "計画 {plan} が成り立たなくなります。",
    ),
    "last_admin_key": (
        "This is the last key with the scope admin; issue another one first.",
        "admin 権限を持つ最後のキーです。先に別のキーを発行してください。",
    ),
    "no_such_key": ("There is no such key in use.", "そのキーは使われていません。"),
    # Teams and members.
    "overlapping_parents": (
        "A team has at most one parent on any day.",
        "チームの親は同じ日に 1 つだけです。",
    ),
    "overlapping_memberships": (
        "A member belongs to at most one team on any day; these overlap: {teams}.",
        "メンバーが同じ日に所属できるチームは 1 つです。重なり: {teams}。",
    ),
    "capacity_not_positive": (
        "The capacity must be more than 0.",
        "capacity は 0 より大きくなければなりません。",
    ),
    "unknown_kind": ("Must be one of: {allowed}.", "次のいずれか: {allowed}。"),
    "not_a_phone": (
        "Must be a phone number with + and country code, such as +81312345678.",
        "+ と国番号で始まる電話番号でなければなりません（例 +81312345678）。",
    ),
    "not_a_share": ("Must be one of: {allowed}.", "次のいずれか: {allowed}。"),
    "empty_span": (
        "The end must lie after the beginning.",
        "終わりは始まりより後でなければなりません。",
    ),
    "duplicate_member": (
        "The member {member} is on more than one line.",
        "メンバー {member} が複数の行にあります。",
    ),
    "no_members": ("There is no member in the body.", "本文にメンバーがありません。"),
    # The period of a plan, and who carries it.
    "reserved_key": (
        "A goal cannot be called {goals}; give it another key.",
        "目標のキーに {goals} は使えません。別のキーにしてください。",
    ),
    "not_a_key": (
        "Must begin with a small letter or digit and have at most 63 of a-z 0-9 _ . -",
        "英小文字か数字で始まり、a-z 0-9 _ . - の 63 文字以内でなければなりません。",
    ),
    "one_period": (
        "The period is exactly one of: {allowed}.",
        "期間は次のうち 1 つだけです: {allowed}。",
    ),
    "not_a_month": (
        "Must be a month, such as 2026-12.",
        "月でなければなりません（例 2026-12）。",
    ),
    "not_a_quarter": (
        "Must be a quarter, such as 2026-Q4.",
        "四半期でなければなりません（例 2026-Q4）。",
    ),
    "not_a_week": (
        "Must be a week of ISO 8601, such as 2026-W51.",
        "ISO 8601 の週でなければなりません（例 2026-W51）。",
    ),
    "not_a_year": (
        "Must be a year, such as 2026.",
        "年でなければなりません（例 2026）。",
    ),
    "fiscal_quarters_only": (
        "Goes with a quarter; for a fiscal year say fiscal_year.",
        "fiscal は quarter とのみ使えます。会計年度には fiscal_year を使ってください。",
    ),
    "no_next_period": (
        "Only a month, quarter, week, year or fiscal year has a next one to recur in.",
        "繰り返せるのは month、quarter、week、year、fiscal_year の期間だけです。",
    ),
    "empty_period": (
        "The period must end after it begins.",
        "期間の終わりは始まりより後でなければなりません。",
    ),
    "period_out_of_range": (
        "The period must lie between 1980 and 3000.",
        "期間は 1980 年から 3000 年の間でなければなりません。",
    ),
    "period_too_long": (
        "The period must have at most {days} days.",
        "期間は {days} 日以内でなければなりません。",
    ),
    "team_or_member": (
        "An assignment names either a team or a member.",
        "担当にはチームかメンバーのどちらか一方を指定してください。",
    ),
    "weight_not_positive": (
        "The weight must be more than 0.",
        "weight は 0 より大きくなければなりません。",
    ),
    "duplicate_assignment": ("It is assigned already.", "すでに担当に指定されています。"),
    # The goal tree.
    "funnel_or_root": (
        "A plan has either a funnel or a root.",
        "計画には funnel か root のどちらか一方が必要です。",
    ),
    "empty_funnel": ("The funnel needs a stage.", "funnel には段階が必要です。"),
    "rate_on_first_stage": (
        "The first stage has nothing above it to convert into: no rate and no lag.",
        "最初の段階の上には何もないため、rate と lag_days は指定できません。",
    ),
    "empty_parts": ("Parts must not be empty.", "parts を空にはできません。"),
    "conversion_or_parts": (
        "A goal has either a conversion or parts.",
        "目標には conversion か parts のどちらか一方だけを指定できます。",
    ),
    "missing_rate": ("The conversion needs a rate.", "変換には rate が必要です。"),
    "negative_rate": ("The rate must not be negative.", "rate に負の値は使えません。"),
    "unreachable": (
        "At a rate of 0 the goal above cannot be reached.",
        "rate が 0 では上の目標に到達できません。",
    ),
    "negative_lag": ("The lag must not be negative.", "lag_days に負の値は使えません。"),
    "lag_exceeds_period": (
        "The lags leave no time before the deadline inside the period.",
        "lag_days の合計が長く、期間内に締め切りを置けません。",
    ),
    "cyclic": (
        "The tree leads back to itself: {goals}.",
        "目標の木が循環しています: {goals}。",
    ),
    "goals_too_deep": (
        "The tree has more than {limit} levels.",
        "目標の木が {limit} 段を超えています。",
    ),
    "too_many_goals": (
        "The tree has more than {limit} goals.",
        "目標が {limit} 個を超えています。",
    ),
    "not_additive": (
        "The metric {metric} cannot be summed over people and days.",
        "指標 {metric} は人や日で合計できません。",
    ),
    "mixed_currency": (
        "Amounts of a plan are in the currency {currency}.",
        "計画の金額は通貨 {currency} で揃えてください。",
    ),
    "mixed_units": (
        "Parts must have the unit of their goal.",
        "parts の単位は目標の単位と同じでなければなりません。",
    ),
    # Progress.
    "date_out_of_range": (
        "The date must lie between 1980 and 3000.",
        "1980 年から 3000 年の間の日付でなければなりません。",
    ),
    "as_of_ahead": ("It lies in the future.", "未来の時刻です。"),
    "as_of_between_quarters": (
        "It must lie on a quarter of an hour, such as 09:15.",
        "15 分単位の時刻でなければなりません（例 09:15）。",
    ),
}

"""The sentences about what was sent and what stands: plans, people, sources, events.

Those about the request itself are in messages.
"""

from __future__ import annotations

from collections.abc import Mapping

# code -> (English, Japanese)
SENTENCES: Mapping[str, tuple[str, str]] = {
    # Workspaces, people, plans.
    "several_faults": (
        "Several rules are broken; errors say which and where.",
        "複数の規則に合いません。errors に場所と理由があります。",
    ),
    "not_found": ("There is no such thing.", "見つかりません。"),
    "unknown_workspace": ("There is no such workspace.", "そのワークスペースはありません。"),
    "workspace_exists": ("The workspace exists already.", "そのワークスペースはすでにあります。"),
    "unknown_document": ("There is no such thing.", "見つかりません。"),
    "unknown_team": ("There is no such team.", "そのチームはありません。"),
    "unknown_member": ("There is no such member.", "そのメンバーはいません。"),
    "unknown_source": ("There is no such source.", "そのソースはありません。"),
    "unknown_plan": ("There is no such plan.", "その計画はありません。"),
    "unknown_metric": ("There is no such metric.", "その指標はありません。"),
    "unknown_hook": ("There is no such hook.", "そのフックはありません。"),
    "unknown_country": (
        "No calendar of holidays is known for this country.",
        "この国の祝日カレンダーはありません。",
    ),
    "no_absences": ("No absences are recorded.", "不在の記録はありません。"),
    "currency_fixed": (
        "The currency cannot change once amounts exist.",
        "金額が記録された後は通貨を変えられません。",
    ),
    "provider_fixed": (
        "The provider of a source cannot change; make another source.",
        "ソースの提供元は変えられません。別のソースを作ってください。",
    ),
    "team_in_use": (
        "The team still has members, teams or plans.",
        "チームにはまだメンバー、下位チーム、または計画があります。",
    ),
    "aliases_would_overlap": (
        "The plans {plan} and {other} would both be {alias} on the same days.",
        "計画 {plan} と {other} が、同じ日に同じ別名 {alias} を持つことになります。",
    ),
    "team_archived": (
        "The team {team} was archived on {on}; nobody can belong to it after that day.",
        "チーム {team} は {on} にアーカイブされたため、その日より後は所属できません。",
    ),
    "cyclic_teams": ("Teams must not contain each other.", "チームが互いを含んでいます。"),
    "shared_identity": (
        "Another member has this identity at the same time.",
        "同じ期間に別のメンバーがこの ID を使っています。",
    ),
    "reason_required": ("A change needs its reason.", "変更には理由が必要です。"),
    "plan_has_no_assignments": (
        "The plan is assigned to nobody in particular.",
        "この計画は特定の人に割り当てられていません。",
    ),
    "member_not_in_plan": (
        "The member has no part in this plan.",
        "このメンバーは計画に含まれていません。",
    ),
    "team_not_in_plan": (
        "The team has no part in this plan.",
        "このチームは計画に含まれていません。",
    ),
    "duplicate_goal": ("Each goal needs a key of its own.", "目標のキーが重複しています。"),
    "missing_target": (
        "A chain of goals needs one target.",
        "目標のつながりには目標値が 1 つ必要です。",
    ),
    "two_free_targets": (
        "A chain of goals has exactly one free target.",
        "目標のつながりで自由に決められる目標値は 1 つだけです。",
    ),
    "negative_target": (
        "The calculated target is negative.",
        "計算された目標値が負になります。",
    ),
    "targets_mismatch": (
        "A pinned target differs from the calculated one; errors say where.",
        "固定した目標値が計算と合いません。errors に場所があります。",
    ),
    # Why a number is missing, or a verdict what it is.
    "target_zero": ("The target is zero.", "目標が 0 です。"),
    "nothing_expected_yet": (
        "Nothing was expected to date.",
        "現時点までに期待される量がありません。",
    ),
    "nobody_carries_it": ("Nobody carries this goal.", "この目標の担当者がいません。"),
    "no_days_left": ("No working day is left.", "残りの営業日がありません。"),
    "no_sample": ("There is nothing to observe yet.", "まだ観測値がありません。"),
    "not_enough_data": (
        "A sample of {sample} is too small to tell the rate by: it may be chance.",
        "件数が {sample} と少なく、率はまだ判断できません。",
    ),
    "never_heard": (
        "No source has reported yet.",
        "まだどのソースからも報告がありません。",
    ),
    "source_silent": (
        "Silent for longer than usual: {sources}. The number may be too small.",
        "{sources} からの連絡が途絶えています。実際の値はこれより大きい可能性があります。",
    ),
    "nothing_to_forecast_from": (
        "There is nothing yet to forecast from.",
        "予測の根拠になるデータがまだありません。",
    ),
    "probability_below": (
        "The probability of reaching the target is below {threshold}.",
        "目標を達成する確率が {threshold} を下回っています。",
    ),
    "gap_within_noise": (
        "It is behind, but no more than chance would have it (p = {p}).",
        "遅れていますが、偶然の範囲内です (p = {p})。",
    ),
    "thresholds_out_of_order": (
        "Must be 0 < at_risk <= on_track <= 1.",
        "0 < at_risk <= on_track <= 1 を満たす必要があります。",
    ),
    "pace_below": (
        "The pace is below {threshold}.",
        "ペースが {threshold} を下回っています。",
    ),
    # Sources and their secrets.
    "unknown_provider": ("Must be one of: {allowed}.", "次のいずれか: {allowed}。"),
    "public_url_required": (
        "This provider signs the address it calls: set TASSEI_PUBLIC_URL.",
        "この提供元は URL に署名します。TASSEI_PUBLIC_URL を設定してください。",
    ),
    "invalid_credentials": (
        "The credentials do not fit the provider; errors say where.",
        "認証情報が提供元に合いません。errors に場所があります。",
    ),
    "secret_key_differs": (
        "The credentials were encrypted with another TASSEI_SECRET_KEY.",
        "認証情報は別の TASSEI_SECRET_KEY で暗号化されています。",
    ),
    "colon_in_user": ("The user must not hold a colon.", "ユーザー名にコロンは使えません。"),
    "not_a_secret": ("This is not a usable secret.", "秘密の値として使えません。"),
    "not_a_webhook_secret": (
        "Must be whsec_ followed by 24 to 64 bytes in base64.",
        "whsec_ に続けて 24〜64 バイトの base64 でなければなりません。",
    ),
    "key_of_another_workspace": (
        "The key belongs to another workspace.",
        "別のワークスペースのキーです。",
    ),
    "body_not_signed": (
        "The signature does not cover the body.",
        "署名が本文を対象としていません。",
    ),
    "credentials_missing": ("The credentials are missing.", "認証情報がありません。"),
    "credentials_mismatch": ("The credentials do not match.", "認証情報が一致しません。"),
    "signature_missing": ("The signature is missing.", "署名がありません。"),
    "signature_mismatch": ("The signature does not match.", "署名が一致しません。"),
    "timestamp_invalid": (
        "The signed time cannot be read.",
        "署名の時刻を読み取れません。",
    ),
    "timestamp_out_of_tolerance": (
        "The signed time is too far from now.",
        "署名の時刻が現在から離れすぎています。",
    ),
    # Events and deliveries.
    "invalid_delivery": (
        "The delivery cannot be used; errors say why.",
        "受信した内容を使えません。errors に理由があります。",
    ),
    "invalid_event": (
        "The event breaks a rule; errors say which.",
        "イベントが規則に合いません。errors に理由があります。",
    ),
    "byte_order_mark": (
        "The text must not begin with a byte order mark.",
        "先頭にバイト順マークがあってはいけません。",
    ),
    "number_out_of_range": (
        "A number is too large, or too close to zero, to be kept.",
        "数値が大きすぎるか、ゼロに近すぎます。",
    ),
    "repeated_header": (
        "A header with an attribute of the event is there twice.",
        "イベントの属性を表すヘッダーが重複しています。",
    ),
    "not_utf8": ("The body must be UTF-8.", "本文は UTF-8 でなければなりません。"),
    "not_an_array": ("A batch must be a list.", "一括送信は配列でなければなりません。"),
    "not_a_form": (
        "The body must be a form of UTF-8 fields.",
        "本文は UTF-8 のフォームでなければなりません。",
    ),
    "data_not_json": ("The data must be JSON.", "data は JSON でなければなりません。"),
    "duplicate_parameter": (
        "A field is given more than once.",
        "同じ項目が 2 回以上あります。",
    ),
    "forbidden_header": (
        "This header must not be sent here.",
        "このヘッダーは使えません。",
    ),
    "item_too_large": (
        "An item may have at most {limit} bytes.",
        "1 件は {limit} バイトまでです。",
    ),
    "not_a_revision": (
        "A revision is a whole number or an RFC 3339 time.",
        "revision は整数か RFC 3339 の時刻です。",
    ),
    "too_many_parameters": (
        "There may be at most {limit} parameters.",
        "パラメーターは {limit} 個までです。",
    ),
    "unsupported_charset": ("The text must be UTF-8.", "文字コードは UTF-8 だけです。"),
    "unsupported_version": (
        "The supported version is {supported}.",
        "対応している版は {supported} です。",
    ),
    "revision_clock_mixed": (
        "A source gives its revisions either as numbers or as times.",
        "1 つのソースの revision は、数か時刻のどちらかに統一してください。",
    ),
    "revision_conflict": (
        "The same revision was reported with another content.",
        "同じ revision が異なる内容で報告されています。",
    ),
    # The store.
    "tally_does_not_fit": (
        "The sum would no longer fit; nothing was counted.",
        "合計が扱える範囲を超えるため、計上していません。",
    ),
    "not_storable": ("The item cannot be stored.", "保存できない内容です。"),
    "queue_full": ("Too much is waiting; try again.", "混み合っています。再送してください。"),
    "stopping": ("The service is shutting down.", "サービスを停止しています。"),
    "memory_is_full": (
        "There is no memory left for this; try again.",
        "メモリが不足しています。再送してください。",
    ),
    "store_failed": (
        "The store did not take it; try again.",
        "保存できませんでした。再送してください。",
    ),
}

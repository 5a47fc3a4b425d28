"""The sentences about senders: how they are connected, and what of theirs cannot be counted."""

from __future__ import annotations

from collections.abc import Mapping

# code -> (English, Japanese)
SENTENCES: Mapping[str, tuple[str, str]] = {
    # Settings and credentials of providers.
    "not_a_jwt": (
        "Must be a compact JSON Web Token of three parts.",
        "3 つの部分からなるコンパクト形式の JSON Web Token でなければなりません。",
    ),
    "not_an_extension": (
        "Must be an extension of 1 to 64 letters, digits or . _ + -; X stands for any digit.",
        "1～64 文字の英数字または . _ + - からなる内線番号でなければなりません（X は任意の数字）。",
    ),
    "handshake_invalid": (
        "The handshake carries no challenge, or one that cannot be sent back.",
        "ハンドシェイクに、送り返せる challenge がありません。",
    ),
    "nothing_to_rotate": (
        "Senders of the provider {provider} have no secrets, or no address, of their own.",
        "プロバイダー {provider} の送信元に、更新できる秘密または受信アドレスはありません。",
    ),
    # Asking a provider.
    "object_not_found": (
        "The provider named this object and has none of that id when it is asked for it.",
        "通知された対象を取得しようとしましたが、提供元に存在しません。",
    ),
    "fetched_state_too_old": (
        "The provider kept answering with a state that is older than the one it announced.",
        "提供元が、通知された版より古い状態を返し続けました。",
    ),
    "provider_away": (
        "The provider's API cannot be reached.",
        "提供元の API に接続できません。",
    ),
    "provider_slow": (
        "The provider's API did not answer in time.",
        "提供元の API が時間内に応答しませんでした。",
    ),
    "provider_failed": (
        "The provider's API failed on its side.",
        "提供元の API 側でエラーが起きています。",
    ),
    "provider_rate_limited": (
        "The provider's API asks for fewer calls; it is asked again later.",
        "提供元の API の呼び出し制限に達しました。後で再試行します。",
    ),
    "provider_refuses_us": (
        "The provider's API refuses these credentials; give it valid ones.",
        "提供元の API がこの認証情報を拒否しました。有効なものを設定してください。",
    ),
    "provider_refuses_request": (
        "The provider's API refuses what it is asked for.",
        "提供元の API が要求を受け付けませんでした。",
    ),
    "provider_answer_unusable": (
        "The provider's API answered with something that cannot be read.",
        "提供元の API の応答を読み取れません。",
    ),
    "provider_answer_too_large": (
        "The provider's API answered with more than 4 MiB.",
        "提供元の API の応答が 4 MiB を超えています。",
    ),
    "address_not_allowed": (
        "Must be an https address of a public host, without user, port, query or fragment.",
        "公開ホストの https の URL（ユーザー名、ポート、クエリ、フラグメントなし）が必要です。",
    ),
    "api_not_configured": (
        "The source lacks the credentials that asking its provider takes.",
        "提供元の API を呼び出すための認証情報がソースに設定されていません。",
    ),
    "backfill_out_of_range": (
        "Must be an instant of the last {years} years.",
        "過去 {years} 年以内の時刻でなければなりません。",
    ),
    "api_not_supported": (
        "The provider {provider} cannot be asked for what it did not send.",
        "提供元 {provider} には、未送信の内容を問い合わせることができません。",
    ),
    # How often a source speaks.
    "not_a_duration": (
        "Must be a duration of ISO 8601, such as PT2H or P1D.",
        "ISO 8601 の長さでなければなりません（例 PT2H、P1D）。",
    ),
    "duration_too_long": (
        "Must be at most {days} days.",
        "{days} 日以内でなければなりません。",
    ),
    "kind_counted_twice": (
        "The source {source} counts {kind} as well: what both report is counted twice.",
        "ソース {source} も {kind} を数えています。両方が報告すると二重に数えられます。",
    ),
    "count_in_one_source": (
        "Take {kind} out of what {source} counts: {other} then counts it alone, history included.",
        "{source} の counts から {kind} を外すと、過去の分も含めて {other} だけが数えます。",
    ),
    "key_reserved": (
        "This key is a word of the API; take another one.",
        "このキーは API が使う語です。別のキーにしてください。",
    ),
    # Activities.
    "unknown_activity": ("There is no such activity.", "その活動はありません。"),
    "only_false": ("It can only be false.", "false だけが使えます。"),
    "only_uncounted": (
        "It can only be given together with counted=false.",
        "counted=false と一緒にだけ指定できます。",
    ),
    "no_time": (
        "The field that says when it happened is missing.",
        "いつのものかを示す項目がありません。",
    ),
    "no_value": ("The field that is summed is missing.", "合計する項目がありません。"),
    "duplicate_key": (
        "A name stands twice in one object.",
        "1 つのオブジェクトに同じ名前が重複しています。",
    ),
}

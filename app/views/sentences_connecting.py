"""The sentences for whoever connects a sender: what is wrong, and what to do about it."""

from __future__ import annotations

from collections.abc import Mapping

# code -> (English, Japanese)
SENTENCES: Mapping[str, tuple[str, str]] = {
    "refused_signature_missing": (
        (
            "Requests come without a signature. Switch signing on at the provider, and see that no "
            "proxy takes headers away."
        ),
        (
            "署名のないリクエストが届いています。提供元で署名を有効にし、"
            "プロキシがヘッダーを取り除いていないか確認してください。"
        ),
    ),
    "refused_signature_mismatch": (
        (
            "The signature is wrong: another secret is entered at the provider, or a proxy changes "
            "the body. Enter the secret on both sides again."
        ),
        (
            "署名が一致しません。提供元に別のシークレットが設定されているか、"
            "プロキシが本文を書き換えています。両側でシークレットを設定し直してください。"
        ),
    ),
    "refused_signed_other_address": (
        (
            "The secret is right, but the provider calls {address} and this service expects "
            "{expected}. Set TASSEI_PUBLIC_URL to {address}, or enter the hook_url at the provider."
        ),
        (
            "シークレットは正しいのですが、提供元の呼び出し先は {address}、想定は {expected} です。"
            "TASSEI_PUBLIC_URL を {address} にするか、提供元に hook_url を設定し直してください。"
        ),
    ),
    "refused_clock_off": (
        (
            "The secret is right, but the signed time is {seconds} seconds from this machine's "
            "clock. Set the clock (NTP); an old request that is sent again looks the same."
        ),
        (
            "シークレットは正しいのですが、"
            "署名の時刻がこのサーバーの時計と {seconds} 秒ずれています。"
            "時計を合わせてください（NTP）。古いリクエストの再送でも同じことが起きます。"
        ),
    ),
    "refused_timestamp_out_of_tolerance": (
        (
            "The signed time is too far from now, and the signature does not fit it either. Enter "
            "the secret on both sides again, then look at the clock."
        ),
        (
            "署名の時刻が現在から離れすぎており、署名自体も一致しません。"
            "両側でシークレットを設定し直し、その後サーバーの時計を確認してください。"
        ),
    ),
    "refused_timestamp_invalid": (
        (
            "Requests come without a time that was signed. See that the provider is the one that "
            "is connected, and that no proxy takes headers away."
        ),
        (
            "署名の時刻がないリクエストが届いています。接続した提供元からのものか、"
            "プロキシがヘッダーを取り除いていないか確認してください。"
        ),
    ),
    "refused_credentials_missing": (
        ("Requests come without the password or token. Enter it at the provider as the steps say."),
        (
            "パスワードやトークンのないリクエストが届いています。"
            "手順に従って提供元に設定してください。"
        ),
    ),
    "refused_credentials_mismatch": (
        "The password or token is another one. Enter the same on both sides.",
        "パスワードまたはトークンが一致しません。両側に同じ値を設定してください。",
    ),
    "refused_body_not_signed": (
        "The signature does not cover the body: a proxy changes body or query.",
        "署名が本文を対象としていません。プロキシが本文かクエリを書き換えています。",
    ),
    "refused_too_many_parameters": (
        "Requests have more parameters than this provider ever sends.",
        "この提供元が送るはずのない数のパラメーターが届いています。",
    ),
    "refused_handshake_invalid": (
        (
            "The provider's question whether the address is ours cannot be answered; connect it "
            "again."
        ),
        "提供元からの接続確認に応答できません。接続し直してください。",
    ),
    "refused_method_not_allowed": (
        "Requests come with another HTTP method than this provider uses; POST is the usual one.",
        "この提供元が使わない HTTP メソッドで届いています。通常は POST です。",
    ),
    "refused_address_replaced": (
        (
            "An address that was replaced, and has ended, is still called: enter the present "
            "hook_url there."
        ),
        "無効になった古い受信アドレスに届いています。送信側に現在の hook_url を設定してください。",
    ),
    "waiting_for_events": (
        "Waiting for what arrives; Ctrl-C ends it.",
        "受信を待っています。Ctrl-C で終わります。",
    ),
    "give_document": (
        "Credentials and settings are given as JSON: --document FILE, or - for standard input.",
        "認証情報と設定は JSON で渡します: --document ファイル、または標準入力なら -",
    ),
    "secret_once": (
        "To enter at the provider as {name}, shown this once:",
        "提供元に {name} として設定する値（表示は今回だけです）:",
    ),
    "came_counted": (
        "Received: {kind} {key}, counted in {metrics} for {member}.",
        "受信: {kind} {key} を {member} の {metrics} に数えました。",
    ),
    "came_counted_unassigned": (
        "Received: {kind} {key}, counted in {metrics}. Whom it names is nobody yet.",
        "受信: {kind} {key} を {metrics} に数えました。担当者はまだ誰にも結び付いていません。",
    ),
    "came_uncounted": (
        "Received: {kind} {key}, not counted: {why}",
        "受信: {kind} {key} は数えていません。{why}",
    ),
    "came_quarantined": (
        "Received and set aside, not counted: {why}",
        "受信しましたが、数えられず隔離しました。{why}",
    ),
    "came_named": (
        "Received: {number} names only; they count once the provider was asked for them.",
        "受信: {number} 件の通知。提供元から内容を取得した後に数えます。",
    ),
    "came_again": (
        "Received again: {number} were known already and count once.",
        "再受信: {number} 件は既知のもので、二重には数えません。",
    ),
    "came_more": (
        "Received with them: {number} more.",
        "同時に受信: ほか {number} 件。",
    ),
    "came_of_no_interest": (
        "Received: authentic, and of nothing that counts.",
        "受信: 正しく届きましたが、数える対象ではありません。",
    ),
    "nothing_arrived": (
        "Nothing has arrived yet. Enter the address at the provider, and do something there.",
        "まだ何も届いていません。提供元に URL を設定し、何か操作を行ってください。",
    ),
    "recent_quarantined": (
        (
            "{number} of what came last could not be counted: see /v1/quarantine for the reason, "
            "mend it, and replay."
        ),
        (
            "最近届いたもののうち {number} 件を数えられませんでした。"
            "/v1/quarantine で理由を確認し、直してから再処理してください。"
        ),
    ),
    "nothing_of_interest": (
        (
            "The last {number} requests were authentic and told of nothing that counts. Choose the "
            "events that the steps name at the provider."
        ),
        (
            "直近 {number} 件は正しく届きましたが、数える対象がありませんでした。提供元で、"
            "手順にあるイベントを選んでください。"
        ),
    ),
    "left_out_by_settings": (
        (
            "The last {number} requests are of another account, or left out by this source's "
            "settings. Look at its settings."
        ),
        (
            "直近 {number} 件は別のアカウントのものか、このソースの設定で対象外です。"
            "設定を確認してください。"
        ),
    ),
    "unknown_people": (
        (
            "Identities of this source that are nobody's yet: {number}. See "
            "/v1/identities/unmatched and add them to members; history is then theirs as well."
        ),
        (
            "このソースの識別子のうち {number} 件が、まだ誰にも結び付いていません。"
            "/v1/identities/unmatched を見てメンバーに追加すると、過去の分も反映されます。"
        ),
    ),
}

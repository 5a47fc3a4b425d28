"""RingCentral: what to enter at the provider."""

from __future__ import annotations

from collections.abc import Mapping

# code -> (English, Japanese)
SENTENCES: Mapping[str, tuple[str, str]] = {
    "create_ringcentral_app": (
        "At RingCentral, create a REST API app with JWT auth and the permissions {permissions}",
        "RingCentral で JWT 認証の REST API アプリを作り、権限 {permissions} を付けてください。",
    ),
    "give_ringcentral_jwt": (
        "Give the source client_id, client_secret and jwt of the app: Tassei does all the rest",
        "アプリの client_id・client_secret・jwt を設定すれば、以下は Tassei が自動で行います。",
    ),
    "create_ringcentral_subscription": (
        "Without them: with an administrator's access token, create the subscription: {command}",
        "設定しない場合は、管理者のアクセストークンで登録してください: {command}",
    ),
    "renew_ringcentral_subscription": (
        "It expires after 20 years, or after what you give as expiresIn; renew it before: {renew}",
        "20 年後（または expiresIn の秒数後）に失効します。その前に更新してください: {renew}",
    ),
    "watch_ringcentral_subscription": (
        "Look at its status ({list}): if it is Blacklisted, delete it and create it again",
        "状態を確認し（{list}）、Blacklisted なら削除して作り直してください。",
    ),
}

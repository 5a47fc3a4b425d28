"""The sentences about senders: how they are connected, and what of theirs cannot be counted."""

from __future__ import annotations

from collections.abc import Mapping

# code -> (English, Japanese)
SENTENCES: Mapping[str, tuple[str, str]] = {
    # How often a source speaks.
    "not_a_duration": (
        "Must be a duration of ISO 8601, such as PT2H or P1D.",
        "ISO 8601 の長さでなければなりません（例 PT2H、P1D）。",
    ),
    "duration_too_long": (
        "Must be at most {days} days.",
        "{days} 日以内でなければなりません。",
    ),
    # What to do at the provider.
    "send_cloudevents_to": (
        "Send CloudEvents, one or a batch, to {url}",
        "CloudEvents を 1 件ずつ、またはまとめて {url} に送ってください。",
    ),
    "sign_with_standard_webhooks": (
        "Sign each request as Standard Webhooks describes, with the secret shown once.",
        "各リクエストに Standard Webhooks の方式で、一度だけ表示された secret で署名してください。",
    ),
    "set_twilio_status_callback": (
        "At Twilio, set the status callback of your calls to {url}",
        "Twilio で通話の status callback を {url} に設定してください。",
    ),
    "set_twilio_dial_status_callback": (
        "For calls passed on by Dial, set its statusCallback to {url} and its event to {event}",
        "Dial での転送には statusCallback に {url}、イベントに {event} を設定してください。",
    ),
    "add_pipedrive_webhook": (
        "At Pipedrive, add a webhook of version {version} to {url} with this user and password.",
        "Pipedrive でこの user と password により、バージョン {version} の Webhook を {url} に。",
    ),
    "choose_pipedrive_events": (
        "Choose the objects {objects} with the actions {actions}.",
        "対象に {objects}、操作に {actions} を選んでください。",
    ),
    "create_pipedrive_webhook_as_admin": (
        "Create it as an admin: Pipedrive sends only what its creator may see.",
        "管理者として作成してください。Pipedrive は作成者が見られるものだけを送ります。",
    ),
    "kind_counted_twice": (
        "The source {source} counts {kind} as well: what both report is counted twice.",
        "ソース {source} も {kind} を数えています。両方が報告すると二重に数えられます。",
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

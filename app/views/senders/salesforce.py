"""Salesforce: what to enter at the provider, and what cannot be read."""

from __future__ import annotations

from collections.abc import Mapping

# code -> (English, Japanese)
SENTENCES: Mapping[str, tuple[str, str]] = {
    "add_salesforce_outbound_message": (
        "At Salesforce, add an Outbound Message to {url} for each object, without a session id.",
        "Salesforce で対象ごとにセッション ID なしの送信メッセージを {url} に作成してください。",
    ),
    "send_salesforce_message_by_flow": (
        "Send it from a record-triggered flow whenever a record is created or updated.",
        "レコードの作成・更新のたびに、レコードトリガーフローから送信してください。",
    ),
    "choose_salesforce_fields": (
        "For {object}, send {fields}; with several currencies CurrencyIsoCode too.",
        "{object} では {fields} を送ってください。マルチ通貨では CurrencyIsoCode も。",
    ),
    "call_out_of_salesforce": (
        "From a flow or Apex, POST the documented JSON to {url}",
        "フローまたは Apex から、文書にある JSON を {url} に POST してください。",
    ),
    "name_salesforce_credential": (
        "Its named credential sends the api_key shown in the header {header}.",
        "指定ログイン情報のヘッダー {header} に、表示された api_key を入れてください。",
    ),
    "relay_salesforce_changes": (
        "Choose {objects} for Change Data Capture and relay them to Amazon EventBridge.",
        "変更データキャプチャで {objects} を選び、Amazon EventBridge へ中継してください。",
    ),
    "not_a_salesforce_id": (
        "Must be an id of Salesforce, of 15 or 18 letters and digits.",
        "Salesforce の ID（英数字 15 または 18 文字）でなければなりません。",
    ),
    "not_xml": (
        "The body is not XML, or has a document type, which is not taken.",
        "本文が XML ではないか、受け付けない文書型宣言を含んでいます。",
    ),
    "not_a_message": (
        "The XML is no Outbound Message of Salesforce.",
        "この XML は Salesforce の送信メッセージではありません。",
    ),
    "changes_not_listed": (
        "More changed at once than Salesforce lists: compare with Salesforce.",
        "一度の変更が多く、一覧が送られていません。Salesforce と照合してください。",
    ),
    "shape_not_accepted": (
        "The source does not take this; add {setting} to its setting shapes.",
        "このソースは受け付けません。設定 shapes に {setting} を加えてください。",
    ),
}

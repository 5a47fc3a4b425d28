"""What a code says, in Japanese and in English.

Codes are for programs and never change; sentences are for people and may. A sentence names what
is wrong and what would be right; it repeats nothing of what was sent.
"""

from __future__ import annotations

from collections.abc import Mapping

from app.views import (
    senders,
    sentences,
    sentences_connecting,
    sentences_database,
    sentences_deliveries,
    sentences_diagnosis,
    sentences_import,
    sentences_metrics,
    sentences_operations,
    sentences_planning,
    sentences_plans,
    sentences_report,
    sentences_sources,
    sentences_today,
)

LANGUAGES = ("en", "ja")
DEFAULT_LANGUAGE = "en"

_Params = Mapping[str, str | int]


class _Known(dict[str, str | int]):
    """A parameter that is not there leaves its name, instead of turning a refusal into a crash."""

    def __missing__(self, name: str) -> str:
        return name


def sentence(code: str, params: _Params, language: str) -> str:
    """The sentence of a code; the code in words where there is none."""
    texts = MESSAGES.get(code)
    if texts is None:
        return code.replace("_", " ")
    return texts[LANGUAGES.index(language)].format_map(_Known(params))


# code -> (English, Japanese)
MESSAGES: Mapping[str, tuple[str, str]] = {
    **sentences.SENTENCES,
    **sentences_database.SENTENCES,
    **sentences_planning.SENTENCES,
    **sentences_plans.SENTENCES,
    **sentences_metrics.SENTENCES,
    **sentences_sources.SENTENCES,
    **sentences_connecting.SENTENCES,
    **senders.SENTENCES,
    **sentences_import.SENTENCES,
    **sentences_deliveries.SENTENCES,
    **sentences_diagnosis.SENTENCES,
    **sentences_today.SENTENCES,
    **sentences_operations.SENTENCES,
    **sentences_report.SENTENCES,
    # The request as a whole.
    "body_too_large": (
        "The body is larger than {limit} bytes.",
        "本文が上限の {limit} バイトを超えています。",
    ),
    "body_too_slow": (
        "The body did not arrive within {seconds} seconds.",
        "本文が {seconds} 秒以内に届きませんでした。",
    ),
    "head_too_slow": (
        "The head of the request did not arrive in time.",
        "リクエストのヘッダーが時間内に届きませんでした。",
    ),
    "head_too_large": (
        "The head of the request is too large or has too many lines.",
        "リクエストのヘッダーが大きすぎるか、行が多すぎます。",
    ),
    "address_too_long": ("The address is too long.", "URL が長すぎます。"),
    "malformed_request": (
        "The request does not follow HTTP/1.1.",
        "リクエストが HTTP/1.1 に従っていません。",
    ),
    "malformed_host": (
        "A request has exactly one Host, and its target begins with a slash.",
        "Host は正確に 1 つ、対象は / で始まる必要があります。",
    ),
    "malformed_path": ("The path has control characters.", "パスに制御文字が含まれています。"),
    "not_gzip": ("The body is not the gzip it says it is.", "本文が gzip 形式ではありません。"),
    "unsupported_encoding": (
        "The body may be plain or in gzip, once.",
        "本文の圧縮は、なし、または 1 重の gzip だけです。",
    ),
    "unsupported_media_type": (
        "The body must be of type {expected}, in UTF-8.",
        "本文は UTF-8 の {expected} でなければなりません。",
    ),
    "not_json": (
        "The body is not JSON as RFC 8259 has it.",
        "本文が RFC 8259 の JSON ではありません。",
    ),
    "too_deep": (
        "The body nests deeper than {limit} levels.",
        "本文の入れ子が {limit} 段を超えています。",
    ),
    "no_such_route": ("There is nothing at this address.", "この URL には何もありません。"),
    "method_not_allowed": (
        "This address does not answer this method; Allow names those it does.",
        "この URL ではこのメソッドを使えません。使えるものは Allow にあります。",
    ),
    "bad_request": ("The request cannot be read.", "リクエストを読み取れません。"),
    "internal_error": (
        "Something went wrong on our side. The log has it under this instance.",
        "サーバー側で問題が起きました。ログにこの instance で記録されています。",
    ),
    # Who asks.
    "no_key": (
        "Send an API key: Authorization: Bearer tsk_...",
        "API キーを送ってください: Authorization: Bearer tsk_...",
    ),
    "unknown_key": ("This API key is not valid.", "この API キーは無効です。"),
    "scope_missing": (
        "This API key lacks the scope {scope}.",
        "この API キーには {scope} の権限がありません。",
    ),
    "too_many_attempts": (
        "Too many failed attempts from this address; wait {seconds} seconds.",
        "このアドレスからの失敗が多すぎます。{seconds} 秒お待ちください。",
    ),
    "origin_not_allowed": (
        "Pages of this origin may not call the API.",
        "このオリジンのページからは API を呼び出せません。",
    ),
    "metrics_token": (
        "Send the token of the metrics as a bearer token.",
        "メトリクス用のトークンを Bearer で送ってください。",
    ),
    # Which copy.
    "malformed_etag": (
        "If-Match and If-None-Match list quoted entity tags, or are *.",
        "If-Match と If-None-Match は、引用符付きのタグの列か * です。",
    ),
    "if_match_required": (
        "Say which version you change: send its ETag as If-Match.",
        "どの版を変えるのかを If-Match に ETag で示してください。",
    ),
    "changed_meanwhile": (
        "It was changed since you read it; read it again.",
        "読み取り後に変更されています。もう一度読み取ってください。",
    ),
    "exists_already": ("It exists already.", "すでに存在します。"),
    "does_not_exist": ("It does not exist.", "存在しません。"),
    # Reading a service from outside.
    "nobody_answers": (
        "Nothing answers at {url}. Is the service running? `make run` starts one; --url names one.",
        "{url} は応答しません。サービスは動いていますか（起動は make run、接続先は --url）。",
    ),
    "no_answer_in_time": (
        "{url} did not answer in time.",
        "{url} は時間内に応答しませんでした。",
    ),
    "not_this_service": (
        "What answers at {url} is not this service.",
        "{url} で応答しているのは、このサービスではありません。",
    ),
    # Whether we can.
    "draining": ("The service is shutting down.", "サービスを停止しています。"),
    "too_many_streams": (
        "No more streams can be opened here; {limit} are open.",
        "これ以上ストリームを開けません。{limit} 本が開いています。",
    ),
    "too_many_streams_of_key": (
        "This key has {limit} streams open; close one of them.",
        "このキーではすでに {limit} 本のストリームが開いています。どれかを閉じてください。",
    ),
    "not_ready": ("The service is not ready yet.", "サービスの準備ができていません。"),
    # Fields and parameters.
    "invalid_request": (
        "The request breaks a rule; errors say which and where.",
        "規則に合わない箇所があります。errors に場所と理由があります。",
    ),
    "invalid_fields": (
        "Fields break a rule; errors say which.",
        "規則に合わない項目があります。errors に理由があります。",
    ),
    "invalid_cursor": (
        "The cursor is not one that this collection gave out.",
        "この一覧が発行したカーソルではありません。",
    ),
    "unknown_parameter": (
        "There is no such parameter; known are: {known}.",
        "そのパラメーターはありません。使えるもの: {known}。",
    ),
    "repeated_parameter": (
        "The parameter {parameter} is given more than once.",
        "パラメーター {parameter} が重複しています。",
    ),
    "required": ("This is required.", "必須です。"),
    "unknown_field": ("There is no such field.", "そのような項目はありません。"),
    "invalid_value": ("This value is not possible here.", "この値は使えません。"),
    "not_a_boolean": ("Must be true or false.", "true か false でなければなりません。"),
    "not_a_list": ("Must be a list.", "配列でなければなりません。"),
    "not_an_object": ("Must be an object.", "オブジェクトでなければなりません。"),
    "too_short": ("Must have {limit} or more characters.", "{limit} 文字以上必要です。"),
    "too_long": ("Must have at most {limit} characters.", "{limit} 文字以下にしてください。"),
    "too_few_items": ("Must have {limit} or more items.", "{limit} 件以上必要です。"),
    "too_many_items": ("Must have at most {limit} items.", "{limit} 件以下にしてください。"),
    "too_small": ("Must be {limit} or more.", "{limit} 以上でなければなりません。"),
    "too_large": ("Must be {limit} or less.", "{limit} 以下でなければなりません。"),
    "malformed": ("Must match {pattern}.", "{pattern} の形式でなければなりません。"),
    "not_one_of": ("Must be one of: {allowed}.", "次のいずれか: {allowed}。"),
    "unknown_value": ("Must be one of: {allowed}.", "次のいずれか: {allowed}。"),
    "not_a_text": ("Must be a text.", "文字列でなければなりません。"),
    "not_a_name": ("Must be a name of one line.", "1 行の名前でなければなりません。"),
    "text_too_long": ("Must have at most {limit} characters.", "{limit} 文字以下にしてください。"),
    "nul_in_text": ("Must not hold the NUL character.", "NUL 文字は使えません。"),
    "not_a_time": (
        "Must be an RFC 3339 time, such as 2026-12-01T09:00:00+09:00.",
        "RFC 3339 の時刻でなければなりません（例 2026-12-01T09:00:00+09:00）。",
    ),
    "time_without_offset": (
        "The time needs its offset, such as +09:00 or Z.",
        "時刻には +09:00 や Z などの時差が必要です。",
    ),
    "time_before_1980": ("Times before 1980 are not taken.", "1980 年より前の時刻は扱えません。"),
    "time_too_far_ahead": (
        "The time is more than {hours} hours ahead.",
        "時刻が {hours} 時間より先の未来です。",
    ),
    "not_a_date": (
        "Must be a date, such as 2026-12-01.",
        "日付でなければなりません（例 2026-12-01）。",
    ),
    "not_a_decimal": (
        'Must be a decimal text, such as "2000000" or "0.05".',
        '10 進数の文字列でなければなりません（例 "2000000"、"0.05"）。',
    ),
    "not_an_integer": ("Must be a whole number.", "整数でなければなりません。"),
    "negative": ("Must not be negative.", "負の値は使えません。"),
    "out_of_range": (
        "Must lie between {low} and {high}.",
        "{low} から {high} の間でなければなりません。",
    ),
    "amount_does_not_fit": (
        "The amount needs more than {decimals} decimals, or is too large.",
        "金額の小数が {decimals} 桁を超えるか、大きすぎます。",
    ),
    "not_a_currency": (
        "Must be a currency of ISO 4217, such as JPY.",
        "ISO 4217 の通貨コードでなければなりません（例 JPY）。",
    ),
    "invalid_credits": (
        "The shared credit cannot be read.",
        "貢献の配分（credits）を読み取れません。",
    ),
    "invalid_origin": (
        "What it grew from (origin) cannot be read.",
        "もとになった活動（origin）を読み取れません。",
    ),
    "not_a_share": (
        "A share is above 0, at most 1, and has at most 6 decimals.",
        "配分は 0 より大きく 1 以下で、小数は 6 桁までです。",
    ),
    "credited_twice": (
        "Somebody may be named once only.",
        "同じ担当者を 2 回指定することはできません。",
    ),
    "shares_do_not_sum": (
        "The shares must add up to 1; here they add up to {sum}.",
        "配分の合計は 1 でなければなりません（現在の合計 {sum}）。",
    ),
    "share_does_not_fit": (
        "The value is too large to be shared exactly.",
        "値が大きすぎて、正確に配分できません。",
    ),
    "not_a_kind": ("Must be a kind, such as call.", "種別でなければなりません（例 call）。"),
    "not_a_field_name": (
        "Must be a field name of small letters, digits and underscores.",
        "項目名は英小文字、数字、下線だけです。",
    ),
    "too_many_fields": ("Must have at most {limit} fields.", "項目は {limit} 個までです。"),
    "revision_too_long": ("The revision is too long.", "revision が長すぎます。"),
}

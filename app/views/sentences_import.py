"""The sentences about files that are taken in."""

from __future__ import annotations

from collections.abc import Mapping

# code -> (English, Japanese)
SENTENCES: Mapping[str, tuple[str, str]] = {
    "file_not_opened": ("{file} cannot be opened: {why}.", "{file} を開けません: {why}。"),
    "not_toml": ("{file} is not TOML in UTF-8.", "{file} が UTF-8 の TOML ではありません。"),
    "mapping_refused": ("{file}, at {place}: {why}", "{file} の {place}: {why}"),
    "column_or_constant": (
        "Must have one of column, select and constant.",
        "column・select・constant のうち 1 つだけが必要です。",
    ),
    "not_csv": (
        "Row {row} is not CSV: a quote is open or stands inside a cell.",
        "{row} 行目が CSV ではありません。引用符が閉じていないか、セルの途中にあります。",
    ),
    "cell_too_large": (
        "A cell of row {row} has more than {limit} characters, or its quote is never closed.",
        "{row} 行目に {limit} 文字を超えるセルがあるか、引用符が閉じていません。",
    ),
    "not_utf8_file": (
        "The file is not UTF-8 (after row {row}). Save it as CSV UTF-8.",
        "ファイルが UTF-8 ではありません（{row} 行目以降）。CSV UTF-8 で保存してください。",
    ),
    "unknown_column": (
        "The header has no column {column}, which the mapping names.",
        "マッピングにある列 {column} が見出しにありません。",
    ),
    "repeated_column": (
        "The header has the column {column} more than once.",
        "見出しに列 {column} が重複しています。",
    ),
    "wrong_number_of_cells": (
        "The row has not one cell for each column of the header.",
        "セルの数が見出しの列の数と合いません。",
    ),
    "invalid_row": (
        "The row breaks a rule; errors say which.",
        "行が規則に合いません。errors に理由があります。",
    ),
    "two_rows_one_key": (
        "Another row says something else of {key}.",
        "別の行が {key} について異なることを述べています。",
    ),
    "person_archived": (
        "{key} was archived; whoever is back is put back by the API.",
        "{key} はアーカイブ済みです。復帰させるには API を使ってください。",
    ),
    # The mapping that a source carries.
    "mapping_not_used": (
        "Only sources of these providers have a mapping: {provider}.",
        "マッピングを持てるのは次のプロバイダーのソースだけです: {provider}。",
    ),
    "source_takes_no_mapping": (
        "A source of the provider {provider} has no mapping to try.",
        "プロバイダー {provider} のソースにマッピングはありません。",
    ),
    "one_sample": (
        "Give one of sample, body and query.",
        "sample・body・query のうち 1 つだけを指定してください。",
    ),
    "selector_too_long": (
        "A selector has at most {limit} characters.",
        "セレクターは {limit} 文字以内です。",
    ),
    "not_a_selector": (
        "Not a JMESPath expression; it breaks at character {place}.",
        "JMESPath の式ではありません（{place} 文字目）。",
    ),
    "selector_too_large": (
        "A selector has at most {nodes} nodes and {levels} levels.",
        "セレクターは {nodes} ノード、{levels} 段までです。",
    ),
    "unknown_function": (
        "There is no such function here; there are {allowed}.",
        "その関数は使えません。使えるのは {allowed} です。",
    ),
    "wrong_number_of_arguments": (
        "The function {function} takes another number of arguments.",
        "関数 {function} の引数の数が違います。",
    ),
    "selector_too_costly": (
        "The mapping takes more than {limit} steps for this body.",
        "この本文に対するマッピングの手順が {limit} を超えます。",
    ),
    "selector_failed": (
        "The selector cannot be applied to this body.",
        "この本文にセレクターを適用できません。",
    ),
    "containers_compared": (
        "Lists and objects cannot be compared or searched for.",
        "リストやオブジェクトの比較・検索はできません。",
    ),
    "not_a_scalar": (
        "Must be a text, a number, true or false, or a list of such.",
        "テキスト・数値・真偽値、またはそのリストでなければなりません。",
    ),
    "not_a_duration_value": (
        "Must be a number, or a clock like 1:02:03.",
        "数値、または 1:02:03 のような時間でなければなりません。",
    ),
    "currency_required": (
        "An amount in minor units needs the field currency.",
        "補助単位の金額には currency の項目が必要です。",
    ),
    "minus_only_from_times": (
        "Only a duration can be taken, and only from a time.",
        "time から duration を引くことだけができます。",
    ),
    "mapping_too_large": (
        "The mapping may have at most {limit} bytes.",
        "マッピングは {limit} バイトまでです。",
    ),
    "differs_from_source": (
        "Must be left out, or be what the source itself says.",
        "省略するか、ソース自身の値と同じにしてください。",
    ),
    "people_not_as_events": (
        "Members and teams are no events: PUT /v1/members and tassei import csv take them.",
        "メンバーとチームは PUT /v1/members か tassei import csv で登録してください。",
    ),
    "mapping_decides": (
        "The mapping of the source says this; leave the setting out.",
        "これはソースのマッピングで決まります。設定からは除いてください。",
    ),
    "not_of_records": (
        "Of records this cannot be mapped: key, revision and deletion are the sender's own.",
        "レコードではこの指定は使えません。キー・版・削除は送信元の仕組みで決まります。",
    ),
    "kinds_not_named": (
        "Must be the name of a kind, or have a map that names each.",
        "種類の名前か、種類を並べた map を指定してください。",
    ),
    "one_rule_without_key": (
        "A rule without key must say what the record itself is.",
        "レコード自体を表す、key のないルールが必要です。",
    ),
    "several_rules_hold": (
        "Several rules with this key hold: make their conditions exclude each other.",
        "同じ key のルールが 2 つ以上成り立ちます。when の条件が重ならないようにしてください。",
    ),
    "source_required": (
        "CSV needs the query parameter source: its mapping says what the columns mean.",
        "CSV にはクエリパラメーター source が必要です。列の意味はそのマッピングで決まります。",
    ),
    "source_only_for_tables": (
        "The query parameter source goes with a body of type {expected} only.",
        "クエリパラメーター source は本文が {expected} のときだけ使えます。",
    ),
    "source_not_of_files": (
        "The source has the provider {provider}; rows come from sources of csv only.",
        "このソースのプロバイダーは {provider} です。行を受け取れるのは csv のソースだけです。",
    ),
    "source_without_mapping": (
        "The source {source} has no mapping: give it one by PUT /v1/sources/{source}.",
        "ソース {source} にマッピングがありません。PUT /v1/sources/{source} で設定してください。",
    ),
    "no_mapping_any_more": (
        "The source has no mapping any more that could read the delivery.",
        "この受信記録を読み取れるマッピングがソースにもうありません。",
    ),
    "mapping_or_source": (
        "Give either --mapping or --source.",
        "--mapping か --source のどちらか一方を指定してください。",
    ),
    "kind_not_counted": (
        "The source {source} does not count {kind}: it is kept and adds nothing.",
        "ソース {source} は {kind} を数えません。保存はされますが集計には入りません。",
    ),
}

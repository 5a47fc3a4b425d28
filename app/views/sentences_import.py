"""The sentences about files that are taken in."""

from __future__ import annotations

from collections.abc import Mapping

# code -> (English, Japanese)
SENTENCES: Mapping[str, tuple[str, str]] = {
    "file_not_opened": ("{file} cannot be opened: {why}.", "{file} を開けません: {why}。"),
    "not_toml": ("{file} is not TOML in UTF-8.", "{file} が UTF-8 の TOML ではありません。"),
    "mapping_refused": ("{file}, at {place}: {why}", "{file} の {place}: {why}"),
    "column_or_constant": (
        "Must have either a column or a constant.",
        "column か constant のどちらか一方が必要です。",
    ),
    "not_csv": (
        "Row {row} is not CSV: a quote is open or stands inside a cell.",
        "{row} 行目が CSV ではありません。引用符が閉じていないか、セルの途中にあります。",
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
    "kind_not_counted": (
        "The source {source} does not count {kind}: it is kept and adds nothing.",
        "ソース {source} は {kind} を数えません。保存はされますが集計には入りません。",
    ),
}

"""The sentences about a database that cannot serve: what a 503 and the probes say."""

from __future__ import annotations

from collections.abc import Mapping

# code -> (English, Japanese)
SENTENCES: Mapping[str, tuple[str, str]] = {
    "database_cannot_be_opened": (
        "The database cannot be opened; try again.",
        "データベースを開けません。再試行してください。",
    ),
    "database_is_read_only": (
        "The database can only be read at the moment; try again.",
        "データベースは現在読み取り専用です。再試行してください。",
    ),
    "database_is_locked": (
        "Another program holds the database; try again.",
        "別のプログラムがデータベースを使用中です。再試行してください。",
    ),
    "database_is_damaged": (
        "The database is damaged; its operator must restore a backup.",
        "データベースが破損しています。管理者がバックアップから復元する必要があります。",
    ),
    "database_is_away": (
        "The database does not answer; try again.",
        "データベースが応答しません。再試行してください。",
    ),
    "recorder_is_away": (
        "The process that commits activities was lost and begins anew; try again.",
        "記録プロセスが停止したため再起動しています。再試行してください。",
    ),
    "database_refuses_us": (
        "The database refuses the service; its operator must look at it.",
        "データベースに接続を拒否されました。管理者の確認が必要です。",
    ),
    "database_is_missing": (
        "The database is gone; its operator must look at it.",
        "データベースが見つかりません。管理者の確認が必要です。",
    ),
    "database_is_busy": (
        "No connection to the database is free; try again.",
        "データベース接続に空きがありません。再試行してください。",
    ),
    "database_is_contended": (
        "The database kept the service waiting; try again.",
        "データベースの待機時間が長すぎました。再試行してください。",
    ),
    "disk_is_full": (
        "There is no space left to store it; try again when there is.",
        "保存領域がありません。空きができてから再試行してください。",
    ),
    "not_a_database": (
        "The file is not a database.",
        "データベースのファイルではありません。",
    ),
}

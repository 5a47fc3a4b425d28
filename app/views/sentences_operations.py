"""The sentences about backups, and about what lacks."""

from __future__ import annotations

from collections.abc import Mapping

# code -> (English, Japanese)
SENTENCES: Mapping[str, tuple[str, str]] = {
    "backup_by_its_own_tools": (
        (
            "PostgreSQL is backed up by its own tools: pg_dump for a copy, pg_basebackup with "
            "archived WAL for any moment."
        ),
        (
            "PostgreSQL は専用のツールでバックアップしてください: 複製には pg_dump、"
            "任意の時点への復元には pg_basebackup と WAL アーカイブ。"
        ),
    ),
    "no_database": (
        "{file} is not a database of this program.",
        "{file} はこのプログラムのデータベースではありません。",
    ),
    "file_exists": (
        "{file} is there already and is not overwritten.",
        "{file} は既に存在するため、上書きしません。",
    ),
    "backup_not_written": (
        "{file} could not be written: {why}.",
        "{file} を書き込めませんでした: {why}。",
    ),
    "backup_damaged": (
        "The copy is damaged, so it was not kept; the database may be damaged as well.",
        "複製が破損しているため残しませんでした。元のデータベースも破損している可能性があります。",
    ),
    "backup_miscounted": (
        (
            "{number} totals of the workspace {workspace} are not what its reports say, so the "
            "copy was not kept. tassei verify lists them, tassei rebuild mends them."
        ),
        (
            "ワークスペース {workspace} の集計 {number} 件が記録と一致しないため、"
            "複製を残しませんでした。"
            "tassei verify で一覧を、tassei rebuild で修復できます。"
        ),
    ),
    "copy_target_not_empty": (
        "There are workspaces in the target already; only an empty database is copied into.",
        "複製先に既にワークスペースがあります。空のデータベースにのみ複製できます。",
    ),
    "nothing_to_copy": (
        "There is no workspace in the source.",
        "複製元にワークスペースがありません。",
    ),
    "copy_not_storable": (
        "A text in the table {table} cannot be stored by the target, so nothing was copied.",
        "表 {table} に複製先が保存できない文字があるため、何も複製しませんでした。",
    ),
    "copy_incomplete": (
        "The table {table} arrived with another number of rows, so nothing was copied.",
        "表 {table} の行数が一致しないため、何も複製しませんでした。",
    ),
    "reading_failed": (
        (
            "The program failed to read it; the delivery is kept and can be replayed once the "
            "program is mended."
        ),
        "プログラムの不具合により読み取れませんでした。受信記録は保存されており、修正後に再処理できます。",
    ),
    "retention_bytes_out_of_range": (
        "Deliveries are kept up to {low} to {high} bytes.",
        "受信記録の保存量は {low} から {high} バイトまでです。",
    ),
}

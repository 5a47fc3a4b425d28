"""The sentences about deliveries and their replay."""

from __future__ import annotations

from collections.abc import Mapping

# code -> (English, Japanese)
SENTENCES: Mapping[str, tuple[str, str]] = {
    "unknown_delivery": ("There is no such delivery.", "その受信記録はありません。"),
    "unknown_quarantined": (
        "There is no such quarantine entry.",
        "その隔離項目はありません。",
    ),
    "delivery_gone": (
        "The delivery is not kept any longer and cannot be replayed.",
        "受信記録の保存期間が過ぎたため、再処理できません。",
    ),
    "delivery_altered": (
        "Secrets were taken out of the delivery; what is left cannot be replayed.",
        "受信記録から秘密情報が取り除かれているため、再処理できません。",
    ),
    "no_hook_any_more": (
        "The source has no hook any more that could read the delivery.",
        "この受信記録を読み取れるフックがソースにもうありません。",
    ),
    "retention_out_of_range": (
        "Deliveries are kept for {low} to {high} days.",
        "受信記録の保存日数は {low} から {high} までです。",
    ),
}

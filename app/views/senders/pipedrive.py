"""Pipedrive: what to enter at the provider, and what cannot be read."""

from __future__ import annotations

from collections.abc import Mapping

# code -> (English, Japanese)
SENTENCES: Mapping[str, tuple[str, str]] = {
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
    "not_an_id": (
        "Must be an id of Pipedrive: a whole number of at most 20 digits.",
        "Pipedrive の ID（20 桁以下の整数）でなければなりません。",
    ),
}

"""What it takes to ask Salesforce for what it did not send."""

from __future__ import annotations

from app.intake.credentials import for_asking
from app.intake.source_settings import text_setting

API_URL = text_setting(
    "api_url", "The organization's address (https://example.my.salesforce.com), to ask it."
)
ASKING = (
    for_asking(
        "client_id",
        "Consumer key of a connected app (client credentials flow, scope api), to read through "
        "what was not sent; wants `api_url`. Left out: nothing is asked.",
    ),
    for_asking("client_secret", "Consumer secret of that app."),
)

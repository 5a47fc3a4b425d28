"""FreeSWITCH: what to enter at the switch."""

from __future__ import annotations

from collections.abc import Mapping

# code -> (English, Japanese)
SENTENCES: Mapping[str, tuple[str, str]] = {
    "set_freeswitch_json_cdr": (
        "In json_cdr.conf.xml, set url to {url} and cred to {user}:<password>",
        "json_cdr.conf.xml で、url を {url}、cred を {user}:<password> に設定してください。",
    ),
    "set_freeswitch_legs": (
        "There, set log-b-leg to true, encode to false and retries to 5; load mod_json_cdr.",
        "log-b-leg を true、encode を false、retries を 5 にし、mod_json_cdr を読み込みます。",
    ),
}

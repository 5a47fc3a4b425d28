"""RingCentral: calls by telephony session notifications.

`sessions.py` says what the events of a call come to together, `records.py` what the call log says
of it afterwards. Here is how RingCentral is answered: it wants its token back at subscribing, and
nothing but 200 ever after, or it stops for good.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping

from app.domain.deliveries import Delivery, Item, Refused
from app.domain.errors import Invalid, Unreadable
from app.domain.kinds import RawValue
from app.intake.credentials import Absence, Secret, for_asking
from app.intake.proofs import verify_token
from app.intake.providers.ringcentral.records import read_record
from app.intake.providers.ringcentral.sessions import MACHINES, read_session
from app.intake.reading import read_json, written
from app.intake.records import Record, record_of
from app.intake.requests import (
    Answer,
    Connecting,
    Hook,
    HookRequest,
    Provider,
    Step,
    always,
    as_fetched,
    body_text,
    echoed,
    hook_delivery,
    refusal,
    usable_name,
)
from app.intake.source_settings import Settings, text_setting

_EVENT = re.compile(
    r"/restapi/v1\.0/account/[^/?]{1,40}(/extension/[^/?]{1,40})?/telephony/sessions(\?.*)?",
    re.ASCII,
)
# Anything but 200 counts towards the end of the subscription, and the content type is asked for.
_OK = Answer(200, "application/json")


def _verify(request: HookRequest) -> None:
    # Subscriptions of the older form send the same secret under the handshake's name.
    headers = request.headers
    given = headers.get("verification-token") or headers.get("validation-token")
    verify_token(given, request.credentials.get("verification_token", ()))


def _handshake(request: HookRequest) -> Answer | None:
    """At subscribing RingCentral sends a token and nothing else, and wants it back as a header."""
    token = request.headers.get("validation-token")
    if token is None or b'"event"' in request.body:
        return None
    if "verification-token" in request.headers:
        _verify(request)  # a wrong one fails now, and not with every event
    return Answer(200, "application/json", b"", {"validation-token": echoed(token)})


def _read(request: HookRequest) -> Delivery:
    id_ = None
    try:
        event = record_of(read_json(request.body))
        id_ = usable_name(event.values.get("uuid"))
        if not _EVENT.fullmatch(event.text("event") or ""):
            return hook_delivery(request)  # reminders, presence, messages
        items, refused = read_session(event.record("body"), request, id_)
    except (Unreadable, Invalid) as error:
        content = body_text(request.body)
        return hook_delivery(request, refused=(refusal(request, error, content, id_),))
    return hook_delivery(request, *items, refused=tuple(refused))


def read_fetched(
    object_kind: str,
    fetched: Mapping[str, RawValue],
    settings: Settings,
    *,
    source: str,
    now: int,
    changes: int = 0,
) -> Item | Refused | None:
    """What a record of the company's call log comes to; None for calls among ours."""
    if object_kind != "call-log":
        return None
    request = as_fetched(source, settings, now, changes)
    try:
        return read_record(Record(fetched), request)
    except Invalid as error:
        id_ = usable_name(fetched.get("telephonySessionId"))
        return refusal(request, error, written(dict(fetched)), id_)


def _next_steps(connecting: Connecting) -> tuple[Step, ...]:
    subscription = {
        "eventFilters": ["/restapi/v1.0/account/~/telephony/sessions"],
        "deliveryMode": {
            "transportType": "WebHook",
            "address": connecting.hook_url,
            "verificationToken": "<verification_token>",
        },
        "expiresIn": 630_720_000,
    }
    api = "https://platform.ringcentral.com/restapi/v1.0/subscription"
    allowed = "-H 'Authorization: Bearer <access token>'"
    kind = "-H 'Content-Type: application/json'"
    command = f"curl -X POST {api} {allowed} {kind} -d '{json.dumps(subscription)}'"
    permissions = "Webhook Subscriptions, Call Control, Read Call Log"
    renewal = f"curl -X POST {api}/<id>/renew {allowed}"
    return (
        Step("create_ringcentral_app", {"permissions": permissions}),
        Step("give_ringcentral_jwt", {}),
        Step("create_ringcentral_subscription", {"command": command}),
        Step("renew_ringcentral_subscription", {"renew": renewal}),
        Step("watch_ringcentral_subscription", {"list": f"curl {api} {allowed}"}),
    )


PROVIDER = Provider(
    name="ringcentral",
    counts=("call",),
    secrets=(
        Secret(
            "verification_token",
            "Goes into the subscription as deliveryMode.verificationToken; made if absent, shown "
            "once.",
            absence=Absence.GENERATED,
        ),
        for_asking(
            "client_id",
            "Of the REST API app with JWT auth and the permissions Read Call Log and Webhook "
            "Subscriptions: with all three the subscription is made and renewed, and the call log "
            "is read for the time talked and for what events missed.",
        ),
        for_asking("client_secret", "Of the same app."),
        for_asking("jwt", "JWT credential of an administrator, made for that app.", longest=4_000),
    ),
    hook=Hook(_verify, _read, _next_steps, answer=always(_OK), handshake=_handshake),
    settings=(
        MACHINES,
        text_setting(
            "api_url",
            "Address of the API, where it is not https://platform.ringcentral.com.",
        ),
    ),
)

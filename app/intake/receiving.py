"""A proved request becomes a delivery: stripped of secrets, read, and kept for reading again.

At receipt and at each replay the reader is given the same: the kept request, without credentials,
address and other headers. So it cannot come to depend on what a replay does not have.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace

from app.domain.deliveries import Delivery, Door, Item, Raw, Refused
from app.domain.errors import Invalid
from app.domain.kinds import RawValue
from app.intake.credentials import Credentials
from app.intake.redaction import redacted, redacted_bytes
from app.intake.requests import Hook, HookRequest, ReadFetched, body_text, hook_delivery, refusal

# Stands for the hook's address, whose path is a secret; the query follows.
ADDRESS = "https://tassei.invalid/v1/hooks/-"
# Told of a fault of ours in a reader.
Broken = Callable[[Exception], None]


def received(hook: Hook, request: HookRequest, broken: Broken) -> Delivery:
    """The delivery that a proved request brings, with the request as it may be kept.

    Where the provider's code has a bug, one refused item (reading_failed): a provider that saw an
    error would send it again for days and then stop sending; kept, it can be replayed once the
    bug is mended.
    """
    try:
        kept = _bare(hook, hook.kept(request))
    except Exception as error:  # noqa: BLE001 - whatever the bug is, the request is authentic
        broken(error)
        # Where its secrets stand is not known now, so nothing of it can be kept.
        empty = _bare(hook, replace(request, body=b"", url=ADDRESS))
        return _failed(empty, "")._replace(raw=_raw(empty, {})._replace(altered=True))
    delivery = read_again(hook, kept, request.credentials, broken)
    return delivery._replace(raw=_raw(kept, request.credentials))


def read_again(hook: Hook, kept: HookRequest, credentials: Credentials, broken: Broken) -> Delivery:
    """The delivery that a kept request means; without credentials in what is refused."""
    try:
        delivery = hook.read(kept)
    except Exception as error:  # noqa: BLE001 - as above
        broken(error)
        delivery = _failed(kept, body_text(kept.body))
    refused = tuple(
        one._replace(content=redacted(one.content, credentials)) for one in delivery.refused
    )
    return delivery._replace(refused=refused)


def read_object(
    read: ReadFetched,
    object_: str,
    found: Mapping[str, RawValue],
    request: HookRequest,
    broken: Broken,
) -> tuple[Item | Refused, ...]:
    """What an object is that the provider was asked for; one refused item where we have a bug."""
    try:
        told = read(
            object_,
            found,
            request.settings,
            source=request.source,
            now=request.received_at,
            changes=request.changes,
        )
    except Exception as error:  # noqa: BLE001 - as above
        broken(error)
        told = refusal(request, Invalid("reading_failed"), body_text(request.body))
    if told is None:
        return ()
    return (told,) if isinstance(told, Item | Refused) else tuple(told)


def _failed(kept: HookRequest, content: str) -> Delivery:
    return hook_delivery(kept, refused=(refusal(kept, Invalid("reading_failed"), content),))


def _bare(hook: Hook, request: HookRequest) -> HookRequest:
    """The request as any later reading has it."""
    query = request.url.partition("?")[2]
    needed = ("content-type", *hook.headers)
    headers = {label: request.headers[label] for label in needed if label in request.headers}
    return replace(request, url=f"{ADDRESS}?{query}", headers=headers, credentials={})


def _raw(kept: HookRequest, credentials: Credentials) -> Raw:
    """The request as it is stored. Altered where one of our credentials was still in it."""
    sent = kept.url.partition("?")[2]
    body, query = redacted_bytes(kept.body, credentials), redacted(sent, credentials)
    headers = {label: redacted(value, credentials) for label, value in kept.headers.items()}
    media_type = headers.pop("content-type", "")
    came = (kept.body, sent, kept.headers.get("content-type", ""))
    altered = (body, query, media_type) != came or any(
        kept.headers[label] != value for label, value in headers.items()
    )
    return Raw(
        Door.HOOK, kept.source, kept.method, query, media_type, headers, body, altered=altered
    )

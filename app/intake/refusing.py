"""Why a request was refused: the usual mistakes of whoever connects a sender, found by trying.

Nothing is ever accepted here. What proves itself under another address, or at another time, is
refused all the same; but it came from the provider, so it tells what is set up wrongly.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from itertools import islice, product

from app.domain.errors import Unauthenticated
from app.domain.instants import SECOND
from app.intake.requests import Hook, HookRequest, SignedUrl, Step

# The codes of what was found out beyond what the proof itself says.
CLOCK_OFF = "clock_off"
OTHER_ADDRESS = "signed_other_address"
# Tries, each of which hashes the whole body.
MOST_TIMES, MOST_ADDRESSES = 3, 12
_TIME = re.compile(r"(?<![0-9])(?:[0-9]{13}|[0-9]{10})(?![0-9])", re.ASCII)
_HOST = re.compile(r"[A-Za-z0-9.-]{1,253}(?::[0-9]{1,5})?", re.ASCII)
_PREFIX = re.compile(r"(?:/[A-Za-z0-9._~-]{1,60}){1,5}", re.ASCII)
_MILLISECONDS = 13


def why_refused(hook: Hook, request: HookRequest, base_url: str, code: str) -> Step:
    """The reason for a refusal, as near as it can be told.

    base_url: the address of ours before the path, with which the request's url begins; code: what
    the proof said. With `clock_off` the request is the provider's and its time is not ours
    (`seconds` ahead); with `signed_other_address` it is and was sent to `address`.
    """
    if code == "timestamp_out_of_tolerance":
        for at in islice(_claimed_times(request), MOST_TIMES):
            if _proves(hook, replace(request, received_at=at)):
                return Step(CLOCK_OFF, {"seconds": (at - request.received_at) // SECOND})
    if code == "signature_mismatch" and hook.signed_url is SignedUrl.YES:
        target = request.url.removeprefix(base_url)
        for address in islice(_addresses(request, base_url), MOST_ADDRESSES):
            if _proves(hook, replace(request, url=address + target)):
                return Step(OTHER_ADDRESS, {"address": address, "expected": base_url})
    return Step(code, {})


def _proves(hook: Hook, request: HookRequest) -> bool:
    try:
        hook.verify(request)
    except Unauthenticated:
        return False
    return True


def _claimed_times(request: HookRequest) -> Iterator[int]:
    """Instants that the headers may name, as seconds or milliseconds since 1970."""
    for value in request.headers.values():
        for found in _TIME.findall(value):
            yield int(found) * (SECOND // 1000 if len(found) == _MILLISECONDS else SECOND)


def _addresses(request: HookRequest, base_url: str) -> Iterator[str]:
    """Other addresses under which the request may have been sent: what proxies say, and swap."""
    scheme, _, rest = base_url.partition("://")
    own, slash, path = rest.partition("/")
    headers = request.headers
    hosts = [headers.get("x-forwarded-host", ""), headers.get("host", ""), own]
    prefixes = [slash + path, "", headers.get("x-forwarded-prefix", "").rstrip("/")]
    schemes = [headers.get("x-forwarded-proto", ""), "https", "http", scheme]
    found = dict.fromkeys(
        f"{one}://{host.strip()}{prefix}"
        for host, prefix, one in product(hosts, prefixes, schemes)
        if one in {"https", "http"}
        and _HOST.fullmatch(host.strip())
        and (not prefix or prefix == slash + path or _PREFIX.fullmatch(prefix))
    )
    return (address for address in found if address != base_url)

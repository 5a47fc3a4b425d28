"""What several providers' APIs have in common: how answers are read, how access is renewed."""

from __future__ import annotations

from base64 import b64encode
from collections.abc import Mapping
from urllib.parse import urlencode

from app.domain.errors import Invalid
from app.domain.instants import instant
from app.domain.kinds import RawValue
from app.outbound.api import Ask, Credentials, Found

_FORM = "application/x-www-form-urlencoded"


def mapping(value: RawValue) -> dict[str, RawValue]:
    """The object that a value is. Raises TypeError."""
    if not isinstance(value, dict):
        raise TypeError
    return value


def found_in(values: RawValue, id_: str = "id") -> tuple[Found, ...]:
    """The objects of a list, by the name of their id. Raises TypeError, KeyError."""
    if not isinstance(values, list):
        raise TypeError
    return tuple(Found(str(mapping(one)[id_]), mapping(one)) for one in values)


def instant_of(value: RawValue) -> int | None:
    """The instant that a value writes in RFC 3339; None where it writes none."""
    try:
        return instant(str(value))
    except Invalid:
        return None


def ends_at(value: RawValue) -> int:
    """The same of an answer that has to name one. Raises ValueError."""
    at = instant_of(value)
    if at is None:
        raise ValueError
    return at


def bearer(_credentials: Credentials, access: str) -> Mapping[str, str]:
    """The headers of whoever has an access token (RFC 6750)."""
    return {"authorization": f"Bearer {access}"}


def basic(user: str, password: str) -> Mapping[str, str]:
    """The headers of a user with a password (RFC 7617)."""
    return {"authorization": f"Basic {b64encode(f'{user}:{password}'.encode()).decode()}"}


def token_asked(grant: str, **form: str) -> Ask:
    """What to ask a token endpoint for (RFC 6749); its address is the endpoint's."""
    return Ask("POST", "", urlencode({"grant_type": grant, **form}).encode(), _FORM)


def refreshed(credentials: Credentials, refresh: str) -> Ask:
    """What to ask for access by a refresh token, as a client with a secret."""
    named = {name: credentials[name] for name in ("client_id", "client_secret")}
    return token_asked("refresh_token", **named, refresh_token=refresh)

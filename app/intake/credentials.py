"""What a sender proves itself with, as a source's document gives it. Written, never read back."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum

from app.domain.errors import Fault, Invalid
from app.domain.kinds import RawValue
from app.intake.source_settings import Settings

# Every valid value of each secret by its name: several at once while one is rotated.
Credentials = Mapping[str, tuple[str, ...]]

_MAX_SECRETS = 10
MAX_SECRET = 255


class Arity(StrEnum):
    """Whether a credential is one text or a list of texts."""

    ONE = "one"
    SEVERAL = "several"


class Absence(StrEnum):
    """What happens when a credential is not given.

    It is refused, or one is made and shown once, or it is done without.
    """

    REFUSED = "refused"
    GENERATED = "generated"
    OPTIONAL = "optional"


class Use(StrEnum):
    """Whether a credential proves what comes, or is what the provider is asked with."""

    PROVING = "proving"
    ASKING = "asking"


def _any_text(_text: str) -> None:
    pass


def _always(_settings: Settings) -> bool:
    return True


def _hexadecimal(key: bytes) -> str:
    return key.hex()


@dataclass(frozen=True, slots=True)
class Secret:
    """A credential of a provider, always write-only.

    about: what it is and where it is found, for the API's document
    check: raises Invalid for a wrong form
    written: a generated one as people copy it, of 32 random bytes; at most one a provider
    wanted: whether a source with these settings has such a credential at all
    """

    name: str
    about: str = ""
    arity: Arity = Arity.ONE
    absence: Absence = Absence.REFUSED
    check: Callable[[str], object] = _any_text
    written: Callable[[bytes], str] = _hexadecimal
    wanted: Callable[[Settings], bool] = _always
    use: Use = Use.PROVING
    longest: int = MAX_SECRET


def for_asking(name: str, about: str, *, longest: int = MAX_SECRET) -> Secret:
    """A credential with which the provider is asked, where events alone are enough."""
    return Secret(name, about, absence=Absence.OPTIONAL, use=Use.ASKING, longest=longest)


def read_credentials(secrets: Iterable[Secret], document: RawValue) -> dict[str, tuple[str, ...]]:
    """The credentials that a source's document gives; those to be generated may be missing.

    Raises Invalid with pointers into the document (required, unknown_field, not_a_text,
    not_a_list, not_a_secret, and what the secret's own check says); no value is repeated.
    """
    given = {} if document is None else document
    if not isinstance(given, dict):
        raise Invalid("invalid_credentials", Fault("", "not_an_object"))
    secrets = tuple(secrets)
    known = {secret.name for secret in secrets}
    faults = [Fault("", "unknown_field")] if given.keys() - known else []
    found: dict[str, tuple[str, ...]] = {}
    for secret in secrets:
        try:
            values = _values(secret, given.get(secret.name))
        except Invalid as error:
            faults += [Fault(f"/{secret.name}{f.pointer}", f.code, f.params) for f in error.faults]
        else:
            found |= {secret.name: values} if values else {}
    if faults:
        raise Invalid("invalid_credentials", *faults)
    return found


def _values(secret: Secret, value: RawValue) -> tuple[str, ...]:
    if value is None:
        if secret.absence is Absence.REFUSED:
            raise Invalid("required")
        return ()
    if secret.arity is Arity.ONE:
        return (_value(secret, value),)
    if not isinstance(value, list) or not 0 < len(value) <= _MAX_SECRETS:
        raise Invalid("not_a_list", low=1, high=_MAX_SECRETS)
    return tuple(_value(secret, item) for item in value)


def _value(secret: Secret, value: RawValue) -> str:
    if not isinstance(value, str):
        raise Invalid("not_a_text")
    if not 0 < len(value) <= secret.longest or not value.isprintable() or value != value.strip():
        raise Invalid("not_a_secret")
    secret.check(value)
    return value

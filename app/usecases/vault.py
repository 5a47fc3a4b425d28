"""Secrets of sources, encrypted at rest with a key from the environment or the data folder."""

from __future__ import annotations

import hmac
import json
from typing import NamedTuple

from cryptography.fernet import Fernet, InvalidToken

from app.domain.errors import Unavailable

Secrets = dict[str, tuple[str, ...]]


class Retiring(NamedTuple):
    """A value that was replaced by rotation, and the instant until which it is still taken."""

    name: str
    value: str
    until: int


class Held(NamedTuple):
    """The secrets of a source, and those that are on their way out."""

    secrets: Secrets
    retiring: tuple[Retiring, ...] = ()

    def at(self, now: int) -> Secrets:
        """Every value that is valid at an instant."""
        valid = dict(self.secrets)
        for one in self.retiring:
            if now < one.until:
                valid[one.name] = (*valid.get(one.name, ()), one.value)
        return valid

    def until(self, now: int) -> int | None:
        """The instant at which the last of the replaced values ends; None where none is left."""
        return max((one.until for one in self.retiring if now < one.until), default=None)


NOTHING_HELD = Held({})


class Vault:
    """Seals a source's secrets; the ciphertext is all the store ever sees."""

    def __init__(self, key: bytes) -> None:
        self._fernet = Fernet(key)
        self._key = key

    @property
    def fingerprint(self) -> bytes:
        """Tells keys apart, and nothing about them: they are 256 random bits."""
        return hmac.digest(self._key, b"fingerprint", "sha256")

    def opens(self, ciphertext: bytes) -> bool:
        """Whether this key sealed it."""
        try:
            self._fernet.decrypt(ciphertext)
        except InvalidToken:
            return False
        return True

    def seal(self, held: Held) -> bytes:
        """The ciphertext of a source's secrets."""
        document: object = held.secrets
        if held.retiring:
            document = {"secrets": held.secrets, "retiring": held.retiring}
        return self._fernet.encrypt(json.dumps(document, sort_keys=True).encode())

    def opened(self, ciphertext: bytes) -> Held:
        """The secrets of a ciphertext; Unavailable when another key sealed it."""
        try:
            found = json.loads(self._fernet.decrypt(ciphertext))
        except InvalidToken:
            raise Unavailable("secret_key_differs", retry_after=60) from None
        # The plain form is a list by name, so no provider's secret can be taken for the other.
        if not isinstance(found.get("secrets"), dict):
            found = {"secrets": found, "retiring": []}
        return Held(
            {name: tuple(values) for name, values in found["secrets"].items()},
            tuple(Retiring(*one) for one in found["retiring"]),
        )

"""Secrets of sources, encrypted at rest with a key from the environment or the data folder."""

from __future__ import annotations

import hmac
import json

from cryptography.fernet import Fernet, InvalidToken

from app.domain.errors import Unavailable

Secrets = dict[str, tuple[str, ...]]


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

    def seal(self, secrets: Secrets) -> bytes:
        """The ciphertext of a source's secrets."""
        return self._fernet.encrypt(json.dumps(secrets, sort_keys=True).encode())

    def opened(self, ciphertext: bytes) -> Secrets:
        """The secrets of a ciphertext; Unavailable when another key sealed it."""
        try:
            found = json.loads(self._fernet.decrypt(ciphertext))
        except InvalidToken:
            raise Unavailable("secret_key_differs", retry_after=60) from None
        return {name: tuple(values) for name, values in found.items()}

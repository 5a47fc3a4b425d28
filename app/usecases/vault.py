"""Secrets of sources, encrypted at rest with a key from the environment or the data folder."""

from __future__ import annotations

import json

from cryptography.fernet import Fernet, InvalidToken

from app.domain.errors import Unavailable

Secrets = dict[str, tuple[str, ...]]


class Vault:
    """Seals a source's secrets; the ciphertext is all the store ever sees."""

    def __init__(self, key: bytes) -> None:
        self._fernet = Fernet(key)

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

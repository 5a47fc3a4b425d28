"""A thread that works beside everything else, from the service's start to its end."""

from __future__ import annotations

import threading
from abc import ABC, abstractmethod


class Background(ABC):
    """What runs until it is told to end; `_ended` says when, and is what its rounds wait on."""

    def __init__(self, name: str) -> None:
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)

    def start(self) -> None:
        """Begin."""
        self._thread.start()

    def stop(self) -> None:
        """End, once the round that is under way is done."""
        self._ended.set()
        if self._thread.is_alive():
            self._thread.join()

    @abstractmethod
    def _run(self) -> None:
        """Round after round, until ended."""

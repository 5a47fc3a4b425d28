"""One module per sender with the sentences that are its own, as SENTENCES.

They are found by being here. A code stands in one module only; what several senders say belongs
into `app.views.sentences_sources`.
"""

from __future__ import annotations

import importlib
import pkgutil


def _found() -> dict[str, tuple[str, str]]:
    found: dict[str, tuple[str, str]] = {}
    for module in sorted(one.name for one in pkgutil.iter_modules(__path__)):
        own = importlib.import_module(f"{__name__}.{module}").SENTENCES
        assert not found.keys() & own.keys()  # noqa: S101 - one would hide the other
        found |= own
    return found


SENTENCES = _found()

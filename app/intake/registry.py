"""Every sender that can be connected, by the name that a source's document uses."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator

from app.intake import providers
from app.intake.requests import Provider


def _found() -> Iterator[Provider]:
    """What every module of `providers` defines as PROVIDER, by the names of the modules."""
    for module in sorted(found.name for found in pkgutil.iter_modules(providers.__path__)):
        provider = importlib.import_module(f"{providers.__name__}.{module}").PROVIDER
        assert isinstance(provider, Provider)  # noqa: S101 - the rule of that folder
        yield provider


PROVIDERS: dict[str, Provider] = {provider.name: provider for provider in _found()}
CSV = PROVIDERS["csv"]

"""Every sender that can be connected, by the name that a source's document uses."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator
from types import ModuleType

from app.intake import providers
from app.intake.requests import Maps, Provider, ReadFetched, ReadMapped


def _modules() -> Iterator[tuple[Provider, ModuleType]]:
    """What every module of `providers` defines as PROVIDER, by the names of the modules."""
    for name in sorted(found.name for found in pkgutil.iter_modules(providers.__path__)):
        module = importlib.import_module(f"{providers.__name__}.{name}")
        assert isinstance(module.PROVIDER, Provider)  # noqa: S101 - the rule of that folder
        yield module.PROVIDER, module


_FOUND = list(_modules())
PROVIDERS: dict[str, Provider] = {provider.name: provider for provider, _ in _FOUND}
# How the objects of those providers are read that can be asked for them.
FETCHED: dict[str, ReadFetched] = {
    provider.name: module.read_fetched
    for provider, module in _FOUND
    if hasattr(module, "read_fetched")
}
# The same by the mapping of a source.
MAPPED: dict[str, ReadMapped] = {
    provider.name: module.read_mapped
    for provider, module in _FOUND
    if provider.maps is Maps.RECORDS
}
CSV = PROVIDERS["csv"]

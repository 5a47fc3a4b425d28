"""Every API that can be asked, by the name of its provider."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Iterator

from app.outbound import apis
from app.outbound.api import Api


def _found() -> Iterator[Api]:
    """What every module of `apis` defines as API, by the names of the modules."""
    for module in sorted(found.name for found in pkgutil.iter_modules(apis.__path__)):
        api = importlib.import_module(f"{apis.__name__}.{module}").API
        assert isinstance(api, Api)  # noqa: S101 - the rule of that folder
        yield api


APIS: dict[str, Api] = {api.name: api for api in _found()}

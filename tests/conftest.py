from __future__ import annotations

from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, settings

from tests import engines

# What is tested is what comes out, not how fast: a machine may be slow, and that is no failure.
settings.register_profile("tassei", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("tassei")


@pytest.fixture(autouse=True)
def engine(request: pytest.FixtureRequest) -> Iterator[str]:
    """The engine that a test runs on: SQLite unless it says `on_both` or `on_postgresql`."""
    with engines.use(getattr(request, "param", engines.SQLITE)) as used:
        yield used

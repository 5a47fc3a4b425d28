from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests import engines


@pytest.fixture(autouse=True)
def engine(request: pytest.FixtureRequest) -> Iterator[str]:
    """The engine that a test runs on: SQLite unless it says `on_both` or `on_postgresql`."""
    with engines.use(getattr(request, "param", engines.SQLITE)) as used:
        yield used

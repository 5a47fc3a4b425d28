from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.store.engine import Store
from tests import engines
from tests.store.worlds import opened


@pytest.fixture(autouse=True, params=engines.ENGINES)
def engine(request: pytest.FixtureRequest) -> Iterator[str]:
    with engines.use(request.param) as used:
        yield used


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = opened(tmp_path)
    yield store
    store.close()

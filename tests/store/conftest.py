from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.store.engine import Store
from tests.store.worlds import opened


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = opened(tmp_path)
    yield store
    store.close()

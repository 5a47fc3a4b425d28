from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from app.store.engine import Store
from tests import engines
from tests.store.worlds import opened


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Every test of the store runs on both engines, but for those that name one."""
    named = metafunc.definition.iter_markers("parametrize")
    if not any("engine" in mark.args[0] for mark in named):
        metafunc.parametrize("engine", engines.ENGINES, indirect=True)


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = opened(tmp_path)
    yield store
    store.close()

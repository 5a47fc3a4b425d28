"""The real `prometheus` and `promtool` as fixtures; a machine that can have neither fails."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.prometheus import Missing, find


def _program(name: str) -> Path:
    try:
        return find(name)
    except Missing as missing:
        pytest.fail(str(missing), pytrace=False)


@pytest.fixture(scope="session")
def promtool() -> Path:
    return _program("promtool")


@pytest.fixture(scope="session")
def prometheus() -> Path:
    return _program("prometheus")

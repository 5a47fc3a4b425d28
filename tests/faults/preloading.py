"""Libraries of our own that a process under test is started with (LD_PRELOAD)."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from tests.patience import HANG_SECONDS

HERE = Path(__file__).parent


def built(name: str, folder: Path) -> Path:
    """A library from the C of that name beside this file; skips where nothing can build it."""
    if shutil.which("gcc") is None:
        pytest.skip(f"no gcc here to build {name}.c with")
    library = folder / f"{name}.so"
    build = ["gcc", "-shared", "-fPIC", "-O1", "-o", str(library), str(HERE / f"{name}.c"), "-ldl"]
    subprocess.run(build, check=True, timeout=HANG_SECONDS)  # noqa: S603 - our own words
    return library

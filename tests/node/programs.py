"""Programs of Node: their packages are installed once, into a cache folder, where they can be."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
import tempfile
from functools import cache
from pathlib import Path
from typing import Any

import pytest

HERE = Path(__file__).parent
_CACHE = HERE.parents[1] / ".cache" / "node"
_INSTALL_SECONDS, _RUN_SECONDS = 120, 60
# As they are pinned, without running anything of theirs, and without waiting for who is not there.
_INSTALL = "ci --ignore-scripts --no-audit --no-fund --prefer-offline --fetch-retries=0".split()


def run(program: str, given: Any) -> Any:
    """What a program makes of a document. Skips the test where there is no Node or no packages."""
    node, home = _found("node"), _installed()
    done = subprocess.run(  # noqa: S603 - our own program
        [node, str(HERE / program)],
        input=json.dumps(given),
        capture_output=True,
        text=True,
        encoding="utf-8",
        timeout=_RUN_SECONDS,
        check=False,
        env=os.environ | {"NODE_PATH": str(home / "node_modules")},
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def _found(program: str) -> str:
    found = shutil.which(program)
    if found is None:
        pytest.skip(f"{program} is not installed")
    return found


def _installed() -> Path:
    """The folder with the packages of the lock file."""
    npm = _found("npm")
    if (why := _install(npm)) is not None:
        pytest.skip(f"the packages cannot be installed: {why}")
    return _home()


def _home() -> Path:
    lock = (HERE / "package-lock.json").read_bytes()
    return _CACHE / hashlib.sha256(lock).hexdigest()[:16]


@cache
def _install(npm: str) -> str | None:
    """Why it could not be done, None where it was. Whole or not at all: others may do the same."""
    if _home().exists():
        return None
    _CACHE.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=_CACHE) as folder:
        for name in ("package.json", "package-lock.json"):
            shutil.copy(HERE / name, folder)
        try:
            done = subprocess.run(  # noqa: S603 - the packages of our own lock file
                [npm, *_INSTALL],
                cwd=folder,
                capture_output=True,
                text=True,
                timeout=_INSTALL_SECONDS,
                check=False,
            )
        except subprocess.TimeoutExpired:
            return "npm takes too long"
        if done.returncode:
            return (done.stderr.strip().splitlines() or ["npm failed"])[0]
        try:
            Path(folder).rename(_home())
        except OSError:
            assert _home().exists()
        Path(folder).mkdir(exist_ok=True)  # for whoever takes it away
    return None

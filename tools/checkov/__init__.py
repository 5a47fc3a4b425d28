"""Finds `checkov` in an environment of its own, made from the lock beside this file."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

HERE = Path(__file__).resolve().parent
CACHE = HERE.parent.parent / ".cache" / "checkov"
ADVICE = "checkov is missing and cannot be installed from PyPI"


class Missing(Exception):
    """Not to be had; the message says so in one line."""


def find(cache: Path = CACHE) -> Path:
    """The program's path; the first call installs it, later ones only compare with the lock."""
    uv = shutil.which("uv", path=f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}")
    if uv is None:
        raise Missing(f"{ADVICE} (no uv here)")
    try:
        subprocess.run(  # noqa: S603 - a fixed program, no shell
            [uv, "sync", "--locked", "--quiet", "--project", HERE, "--python", sys.executable],
            env=os.environ | {"UV_PROJECT_ENVIRONMENT": str(cache)},
            check=True,
            capture_output=True,
            text=True,
            timeout=300,
        )
    except (OSError, subprocess.SubprocessError) as error:
        said = str(getattr(error, "stderr", None) or error).strip().splitlines()
        raise Missing(f"{ADVICE} ({said[-1]})") from error
    return cache / "bin" / "checkov"

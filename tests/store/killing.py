"""A process of ours that is killed without warning: what it said until then."""

from __future__ import annotations

import subprocess
import sys
import time

from tests.patience import HANG_SECONDS


def killed_after(program: str, address: str, life: int, seconds: float) -> list[str]:
    """The whole lines that a program had printed when it was killed, that long after its first.

    program: a module that takes the database's address and the number of its life
    """
    process = subprocess.Popen(  # noqa: S603 - our own program
        [sys.executable, "-m", program, address, str(life)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    first = process.stdout.readline()
    time.sleep(seconds)
    process.kill()
    rest, said = process.communicate(timeout=HANG_SECONDS)
    assert first, said
    # A line cut off by the kill was said as well, but cannot be read any more.
    return [line for line in (first + rest).splitlines(keepends=True) if line.endswith("\n")]

"""Finds `prometheus` and `promtool`: on the PATH, else Debian's package unpacked beside us.

Nothing is installed: apt only downloads (into folders of our own, so no root is needed), and
`dpkg -x` only unpacks. Run it to get the two programs' paths printed.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

CACHE = Path(__file__).resolve().parent.parent / ".cache" / "prometheus"
PROGRAMS = ("prometheus", "promtool")
ADVICE = "prometheus and promtool are missing: apt install prometheus, or put both on the PATH"


class Missing(Exception):
    """Neither on the PATH nor to be had from Debian; the message says what to do."""


def find(program: str, cache: Path = CACHE) -> Path:
    """The path of a program, fetched if need be. Raises Missing."""
    if program not in PROGRAMS:
        raise ValueError(program)
    on_path = shutil.which(program)
    unpacked = cache / "root" / "usr" / "bin" / program
    if on_path is None and not os.access(unpacked, os.X_OK):
        _fetch(cache)
    return Path(on_path) if on_path else unpacked


def _fetch(cache: Path) -> None:
    for tool in ("apt-get", "dpkg"):
        if shutil.which(tool) is None:
            raise Missing(f"{ADVICE} (no {tool} here)")
    cache.mkdir(parents=True, exist_ok=True)
    try:
        package = _download(cache)
        # Unpacked under another name first: two test runs may come here at once.
        building = cache / f"root.{os.getpid()}"
        _run(["dpkg", "-x", str(package), str(building)], cache)
        if not (cache / "root").exists():
            building.rename(cache / "root")
        shutil.rmtree(building, ignore_errors=True)
    except (OSError, subprocess.SubprocessError) as error:
        raise Missing(f"{ADVICE} ({_last_line(error)})") from error


def _download(cache: Path) -> Path:
    """The package file; with package lists of our own when the machine's are absent or too old."""
    try:
        _run(["apt-get", *_as_anyone(cache), "download", "prometheus"], cache)
    except subprocess.CalledProcessError:
        own = _own_lists(cache)
        _run(["apt-get", *_as_anyone(cache), *own, "update"], cache)
        _run(["apt-get", *_as_anyone(cache), *own, "download", "prometheus"], cache)
    return max(cache.glob("prometheus_*.deb"), key=lambda file: file.stat().st_mtime)


def _as_anyone(cache: Path) -> list[str]:
    # As root, apt would drop to a user that may not write here; as anyone else, it may not write
    # into /var/cache.
    sandbox = ["-o", "APT::Sandbox::User=root"] if os.geteuid() == 0 else []
    (cache / "apt" / "archives" / "partial").mkdir(parents=True, exist_ok=True)
    return ["-q", *sandbox, "-o", f"Dir::Cache={cache / 'apt'}"]


def _own_lists(cache: Path) -> list[str]:
    lists = cache / "apt" / "lists"
    (lists / "partial").mkdir(parents=True, exist_ok=True)
    return ["-o", f"Dir::State::lists={lists}"]


def _run(command: list[str], folder: Path) -> None:
    subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True, timeout=300)  # noqa: S603 - fixed programs, no shell


def _last_line(error: Exception) -> str:
    said = getattr(error, "stderr", None) or str(error)
    return str(said).strip().splitlines()[-1] if str(said).strip() else type(error).__name__


def main() -> int:
    """Print both paths, or one line that says what to do."""
    try:
        for program in PROGRAMS:
            sys.stdout.write(f"{find(program)}\n")
    except Missing as missing:
        sys.stderr.write(f"{missing}\n")
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())

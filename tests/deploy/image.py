"""The image without Docker: built by the Dockerfile's own commands, run in a root of its own.

Where namespaces can be made (root on Linux), the build stage's environment stands at its real
path, and the service runs as the image's user in a read-only root that has nothing but /usr, the
interpreter, the environment and /data. Elsewhere the same commands run in plain folders, as
whoever runs the tests.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests.deploy.dockerfile import ROOT, Stage, stages

# Kept between runs: uv brings it to what the lock says, exactly, as it would make it.
CACHE = ROOT / ".cache" / "image"

# Shows the folder $1 at $2, in an empty /opt; nobody outside the namespace sees it.
_AT_REAL_PATH = """
mount -t tmpfs tmpfs /opt
mkdir "$2"
mount --bind "$1" "$2"
shift 2
exec "$@"
"""
_JAIL = """
set -e
root=$1 environment=$2 at=$3 data=$4 python=$5 user=$6
shift 6
mount -t tmpfs -o mode=0755 tmpfs "$root"
mkdir -p "$root/usr" "$root/proc" "$root/dev" "$root/tmp" "$root$at" "$root/data" "$root$python"
for name in bin lib lib64 sbin; do
    if [ -e "/$name" ]; then ln -s "usr/$name" "$root/$name"; fi
done
mount -t proc proc "$root/proc" || mount --rbind /proc "$root/proc"
for name in null zero urandom; do
    : > "$root/dev/$name"
    mount --bind "/dev/$name" "$root/dev/$name"
done
readonly_at() {
    mount --bind "$1" "$2"
    mount -o remount,bind,ro "$2"
}
readonly_at /usr "$root/usr"
readonly_at "$python" "$root$python"
readonly_at "$environment" "$root$at"
mount --bind "$data" "$root/data"
mount -o remount,ro "$root"
exec /usr/sbin/chroot --userspec="$user" --groups="${user#*:}" "$root" "$@"
"""


@cache
def namespaces() -> bool:
    """Whether mounts of our own can be made."""
    unshare = shutil.which("unshare")
    if os.geteuid() != 0 or unshare is None:
        return False
    tried = [unshare, "--mount", "mount", "-t", "tmpfs", "tmpfs", "/opt"]
    return subprocess.run(tried, capture_output=True, check=False).returncode == 0  # noqa: S603 - fixed arguments


def _in_namespace(script: str, *arguments: str | Path) -> list[str]:
    words = ["/usr/bin/unshare", "--mount", "--propagation", "private", "sh", "-c", script, "sh"]
    return [*words, *map(str, arguments)]


@dataclass(frozen=True, slots=True)
class Image:
    """An environment as the build stage leaves it, where it belongs, and the final stage."""

    environment: Path
    final: Stage
    at: str


@dataclass(frozen=True, slots=True)
class Container:
    """What runs of an image with a data folder of its own."""

    image: Image
    data: Path

    @property
    def mounted(self) -> str:
        """Where a program of the image finds the data folder."""
        return "/data" if namespaces() else str(self.data)

    @contextmanager
    def running(self, *command: str, **settings: str) -> Iterator[subprocess.Popen[str]]:
        """The entry point with a command (the image's own when none is given)."""
        final = self.image.final
        words = [*final.command("ENTRYPOINT"), *(command or final.command("CMD"))]
        with self.program(*words, **settings) as process:
            yield process

    @contextmanager
    def program(self, *words: str, **settings: str) -> Iterator[subprocess.Popen[str]]:
        """Any program of the image."""
        environment = self.image.final.environment | {"TASSEI_DATA_DIR": self.mounted} | settings
        if namespaces():
            words = tuple(self._jailed(words))
        else:
            environment["PATH"] = f"{self.image.environment / 'bin'}:{environment['PATH']}"
            words = (shutil.which(words[0], path=environment["PATH"]) or words[0], *words[1:])
        process = subprocess.Popen(  # noqa: S603 - the image's own programs
            words,
            cwd="/",
            env=environment,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
        )
        try:
            yield process
        finally:
            process.kill()
            process.communicate()

    def _jailed(self, words: tuple[str, ...]) -> list[str]:
        user = self.image.final.one("USER")
        os.chown(self.data, *map(int, user.split(":")))
        root = CACHE / "root"
        root.mkdir(exist_ok=True)
        places = (root, self.image.environment, self.image.at, self.data, sys.base_prefix)
        return _in_namespace(_JAIL, *places, user, *words)


@contextmanager
def built(context: Path) -> Iterator[Image]:
    """Runs what the build stage runs to make the environment, on what .dockerignore lets in."""
    environment = CACHE / "environment"
    environment.mkdir(parents=True, exist_ok=True)
    build, final = stages()
    at = build.environment["UV_PROJECT_ENVIRONMENT"]
    _build(build, context, environment, at)
    if namespaces():  # mounted read-only
        yield Image(environment, final, at)
        return
    _change(environment, "a-w")
    try:
        yield Image(environment, final, at)
    finally:
        _change(environment, "u+w")


def _change(folder: Path, mode: str) -> None:
    subprocess.run(["/bin/chmod", "-R", mode, folder], check=True)  # noqa: S603 - fixed arguments


def _build(build: Stage, context: Path, environment: Path, at: str) -> None:
    uv = Path(sys.executable).parent / "uv"
    overridden = {
        "UV_PYTHON": os.path.realpath(sys._base_executable),  # type: ignore[attr-defined] # not in typeshed
        "UV_NO_CACHE": "false",  # fetched once is enough here
    }
    if namespaces():  # mounted read-only later, so the cache's own files will do
        overridden["UV_LINK_MODE"] = "hardlink"
    else:
        overridden["UV_PROJECT_ENVIRONMENT"] = str(environment)
    variables = os.environ | build.environment | overridden
    variables.pop("VIRTUAL_ENV", None)
    for name, text in build.instructions:
        if name == "COPY":
            _copy(text, context)
        elif name == "RUN" and text.startswith("uv "):
            command = [str(uv), *text.split()[1:]]
            if namespaces():
                command = _in_namespace(_AT_REAL_PATH, environment, at, *command)
            subprocess.run(command, cwd=context, env=variables, check=True, timeout=120)  # noqa: S603 - the Dockerfile's


def _copy(text: str, context: Path) -> None:
    *sources, target = text.split()
    for source in sources:
        if not let_in(source):
            raise FileNotFoundError(f".dockerignore keeps {source} out")
        place = context / (source if target == "./" else target)
        if (ROOT / source).is_dir():
            shutil.copytree(ROOT / source, place, ignore=shutil.ignore_patterns("__pycache__"))
        else:
            shutil.copy(ROOT / source, place)


def let_in(source: str) -> bool:
    """Whether .dockerignore lets a name at the top level in."""
    rules = (ROOT / ".dockerignore").read_text("utf-8").splitlines()
    verdict = True
    for rule in rules:
        if rule and not rule.startswith("#"):
            pattern = re.escape(rule.removeprefix("!")).replace(r"\*", "[^/]*")
            if re.fullmatch(pattern, source):
                verdict = rule.startswith("!")
    return verdict

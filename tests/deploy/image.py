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
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests.deploy.dockerfile import ROOT, Stage, stages

# Makes folders of $1 appear below an empty /opt; nobody outside the namespace sees it.
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
    """An environment as the build stage leaves it, and how the final stage starts it."""

    folder: Path
    final: Stage
    at: str

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @contextmanager
    def running(self, *command: str, **settings: str) -> Iterator[subprocess.Popen[str]]:
        """The entry point with a command (the image's own when none is given)."""
        words = [*self.final.command("ENTRYPOINT"), *(command or self.final.command("CMD"))]
        with self.program(*words, **settings) as process:
            yield process

    @contextmanager
    def program(self, *words: str, **settings: str) -> Iterator[subprocess.Popen[str]]:
        """Any program of the image."""
        environment = self.final.environment | settings
        if namespaces():
            words = tuple(self._jailed(words))
        else:
            environment |= {"TASSEI_DATA_DIR": str(self.data)}
            environment["PATH"] = f"{self.folder / 'environment' / 'bin'}:{environment['PATH']}"
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
        root = self.folder / "root"
        root.mkdir(exist_ok=True)
        places = (root, self.folder / "environment", self.at, self.data, sys.base_prefix)
        return _in_namespace(_JAIL, *places, self.final.one("USER"), *words)


@contextmanager
def built() -> Iterator[Image]:
    """Runs what the build stage runs to make the environment, on what .dockerignore lets in."""
    # Not pytest's folder: that one lets nobody else in, and the image's user is somebody else.
    with tempfile.TemporaryDirectory(prefix="tassei-image-") as name:
        folder = Path(name)
        folder.chmod(0o755)
        for part in ("environment", "build", "data"):
            (folder / part).mkdir(mode=0o755)
        build, final = stages()
        at = build.environment["UV_PROJECT_ENVIRONMENT"]
        _build(build, folder / "build", folder / "environment", at)
        with _as_mounted(folder, final.one("USER")):
            yield Image(folder, final, at)


@contextmanager
def _as_mounted(folder: Path, owner: str) -> Iterator[None]:
    """The user's data and a code folder that nobody writes to; the jail mounts it so anyway."""
    if namespaces():
        user, group = map(int, owner.split(":"))
        os.chown(folder / "data", user, group)
        yield
        return
    _change(folder / "environment", "a-w")
    try:
        yield
    finally:
        _change(folder / "environment", "u+w")


def _change(folder: Path, mode: str) -> None:
    subprocess.run(["/bin/chmod", "-R", mode, folder], check=True)  # noqa: S603 - fixed arguments


def _build(build: Stage, context: Path, environment: Path, at: str) -> None:
    uv = Path(sys.executable).parent / "uv"
    overridden = {
        "UV_PYTHON": os.path.realpath(sys._base_executable),  # type: ignore[attr-defined] # not in typeshed
        "UV_NO_CACHE": "false",  # fetched once is enough here
    } | ({} if namespaces() else {"UV_PROJECT_ENVIRONMENT": str(environment)})
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

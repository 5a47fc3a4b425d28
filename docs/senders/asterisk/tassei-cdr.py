#!/usr/bin/env python3
"""Sends what Asterisk appends to a file of call records to Tassei. Python 3.6 or newer, no package.

    tassei-cdr.py /etc/tassei-cdr.ini          runs until it is stopped
    tassei-cdr.py --once /etc/tassei-cdr.ini   sends what is there; 1 if not all of it could be sent

The configuration, which holds a secret (chmod 600):

    [tassei]
    url = https://tassei.example.co.jp/v1/hooks/...
    secret = ...
    file = /var/log/asterisk/cdr-custom/tassei.csv
    state = /var/lib/tassei-cdr/state.json

Lines are sent whole and in order. Only when Tassei has answered that they are on its disk is the
place behind them noted, on this disk, and the next ones sent. So after a crash a line is sent
again and never left out; Tassei counts it once. A file that was rotated, whether renamed, copied
and emptied, or compressed, is found by the bytes before the noted place, and is read to its end
before the next one.
"""

import configparser
import contextlib
import gzip
import hashlib
import hmac
import http.client
import json
import os
import signal
import sys
import time
import urllib.error
import urllib.request
import zlib
from pathlib import Path

MAX_LINES = 200
MAX_BYTES = 256 * 1024
MARK = 4096  # bytes before a place that identify its file
POLL = 2
TIMEOUT = 20
LONGEST_WAIT = 300
TAKEN = 204  # what a page of somebody's proxy does not answer


class NoRedirects(urllib.request.HTTPRedirectHandler):
    """A redirected POST would arrive as a GET, empty, and be answered as if all were well."""

    def redirect_request(self, *_: object) -> None:
        return None


OPENER = urllib.request.build_opener(NoRedirects)


def say(text: str) -> None:
    sys.stderr.write(f"tassei-cdr: {text}\n")
    sys.stderr.flush()


def settings_of(path: str) -> dict:
    found = configparser.ConfigParser(interpolation=None)
    try:
        found.read_string(Path(path).read_text(encoding="utf-8"), path)
    except (OSError, configparser.Error) as error:
        raise SystemExit(f"tassei-cdr: {error}") from None
    section = dict(found["tassei"]) if "tassei" in found else {}
    missing = [one for one in ("url", "secret", "file", "state") if not section.get(one)]
    if missing:
        raise SystemExit(f"tassei-cdr: [tassei] of {path} lacks {', '.join(missing)}")
    return section


def mark_of(file: object, offset: int) -> str:
    """What identifies a file at a place; empty where it does not reach so far."""
    start = max(0, offset - MARK)
    file.seek(start)
    before = file.read(offset - start)
    whole = len(before) == offset - start
    return hashlib.sha256(before).hexdigest() if whole else ""


def read_state(path: str) -> tuple:
    """The noted place: how far a file was sent, and its mark there. At first it is nowhere."""
    try:
        state = json.loads(Path(path).read_text(encoding="utf-8"))
        return int(state["offset"]), str(state["mark"])
    except FileNotFoundError:
        return 0, ""
    except (ValueError, KeyError, TypeError):
        # Nothing to guess at: what is sent again is not counted again.
        say(f"the place noted in {path} cannot be read; beginning again")
        return 0, ""


def write_state(path: str, offset: int, mark: str) -> None:
    """Notes a place: the old note or the new one is on the disk, and never half of one."""
    beside = Path(f"{path}.new")
    with beside.open("w", encoding="utf-8") as file:
        json.dump({"offset": offset, "mark": mark}, file)
        file.flush()
        os.fsync(file.fileno())
    beside.replace(path)
    folder = os.open(str(Path(path).resolve().parent), os.O_RDONLY)
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def files_of(path: str) -> list:
    """The file and its rotated ones, the oldest first."""
    own = Path(path)
    rotated = [
        one
        for one in own.parent.iterdir()
        if one.name.startswith((f"{own.name}.", f"{own.name}-"))
        and one.is_file()
        # Until a file is compressed, both are there and the plain one is whole.
        and not (one.suffix == ".gz" and one.with_suffix("").exists())
    ]
    rotated.sort(key=lambda one: (one.stat().st_mtime, one.name))
    return rotated + ([own] if own.exists() else [])


def opened(paths: list, stack: contextlib.ExitStack) -> list:
    return [
        stack.enter_context(gzip.open(str(one)) if one.suffix == ".gz" else one.open("rb"))
        for one in paths
    ]


def same_files(paths: list, opened_files: list) -> bool:
    """Whether the names still mean what was opened: a rotation in between would hide a file."""
    found = [(one.stat().st_dev, one.stat().st_ino) for one in paths]
    held = [os.fstat(one.fileno()) for one in opened_files]
    return found == [(one.st_dev, one.st_ino) for one in held]


def next_lines(file: object, offset: int, *, closed: bool) -> bytes:
    """Whole lines from a place on; what is still being written waits for its end."""
    file.seek(offset)
    body = file.read(MAX_BYTES)
    end = body.rfind(b"\n") + 1
    if not end and (closed or len(body) == MAX_BYTES):
        return body  # nobody will ever end this line: Tassei keeps it as one that cannot be read
    lines = body[:end].split(b"\n")[:-1]
    return b"".join(line + b"\n" for line in lines[:MAX_LINES])


def post(settings: dict, body: bytes) -> bool:
    """Whether Tassei has it. Why not is said."""
    signature = hmac.new(settings["secret"].encode(), body, hashlib.sha256).hexdigest()
    headers = {
        "Content-Type": "text/csv; charset=utf-8",
        "X-Tassei-Signature": f"sha256={signature}",
        "User-Agent": "tassei-cdr/1",
    }
    try:
        request = urllib.request.Request(settings["url"], body, headers)  # noqa: S310 - the owner's own address
        with OPENER.open(request, timeout=TIMEOUT) as answer:
            answer.read()
            if answer.getcode() == TAKEN:
                return True
            say(f"answered {answer.getcode()}, which is not Tassei's answer: is the address right?")
    except urllib.error.HTTPError as error:
        told = error.read(300).decode("utf-8", "replace").replace("\n", " ")
        say(f"answered {error.code}: {told}")
    except (OSError, ValueError, http.client.HTTPException) as error:
        # Away, too slow, no such certificate or address, or something that speaks no HTTP.
        say(f"not sent: {error!r}")
    return False


def send_all(settings: dict) -> bool:
    """Sends all there is; False as soon as something could not be sent."""
    offset, mark = read_state(settings["state"])
    paths = files_of(settings["file"])
    with contextlib.ExitStack() as stack:
        files = opened(paths, stack)
        if not same_files(files_of(settings["file"]), files):
            return True  # rotated this very moment: the next look finds it
        first = place_of(files, offset, mark)
        if first is None:
            say("no file has the noted place any more; beginning again with all that are there")
            first, offset = 0, 0
        for n, file in enumerate(files[first:], first):
            if not send_file(settings, file, offset, closed=n + 1 < len(files)):
                return False
            offset = 0
    return True


def place_of(files: list, offset: int, mark: str) -> object:
    """Which of the files has the noted place: the newest, which is nearly always the one."""
    if not offset or not files:
        return 0
    backwards = reversed(list(enumerate(files)))
    return next((n for n, file in backwards if mark_of(file, offset) == mark), None)


def send_file(settings: dict, file: object, offset: int, *, closed: bool) -> bool:
    while True:
        body = next_lines(file, offset, closed=closed)
        if not body:
            return True
        if not post(settings, body):
            return False
        offset += len(body)
        write_state(settings["state"], offset, mark_of(file, offset))


def run(settings: dict) -> None:
    wait = POLL
    while True:
        try:
            sent = send_all(settings)
        except (OSError, EOFError, zlib.error) as error:  # a file that is gone or cut off
            say(str(error))
            sent = False
        wait = POLL if sent else min(LONGEST_WAIT, wait * 2)
        time.sleep(wait)


def main(arguments: list) -> int:
    once = "--once" in arguments
    paths = [one for one in arguments if one != "--once"]
    if len(paths) != 1 or paths[0].startswith("-"):
        raise SystemExit(__doc__)
    settings = settings_of(paths[0])
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))
    if once:
        return 0 if send_all(settings) else 1
    run(settings)
    return 0


if __name__ == "__main__":
    try:
        sys.exit(main(sys.argv[1:]))
    except KeyboardInterrupt:
        sys.exit(0)

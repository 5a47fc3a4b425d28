"""A database file on a network disk is refused; what only may be one is told of."""

from __future__ import annotations

import ctypes
import errno
import logging
import os
import struct
import subprocess
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from app.store import disks
from app.store.disks import Disk, disk_of
from app.store.engine import StartError, Store
from tests.engines import on_sqlite
from tests.patience import HANG_SECONDS

pytestmark = on_sqlite
LOCAL = "22 1 254:1 / / rw,relatime shared:1 - ext4 /dev/vda1 rw"


def line(kind: str, place: str | Path) -> str:
    written = str(place).replace("\\", "\\134").replace(" ", "\\040")
    return f"90 22 0:50 /export {written} rw,relatime shared:9 master:3 - {kind} box:/export rw"


@pytest.fixture
def mounts(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """What the system is taken to tell, to be written."""
    told = tmp_path / "mountinfo"
    monkeypatch.setattr(disks, "MOUNTS", told)
    return told


@pytest.mark.parametrize(
    "kind", ["nfs", "nfs4", "cifs", "smb3", "ceph", "lustre", "fuse.sshfs", "fuse.glusterfs"]
)
def test_a_database_on_a_network_disk_is_refused_before_anything_is_made(
    tmp_path: Path, mounts: Path, kind: str
) -> None:
    share = tmp_path / "a share"
    share.mkdir()
    (tmp_path / "linked").symlink_to(share)
    mounts.write_text(f"{LOCAL}\n{line(kind, share)}\n")
    for place in (share, tmp_path / "linked", tmp_path / "linked" / ".." / "a share"):
        for address in (f"sqlite:///{place}/t.db", f"sqlite:///file:{place}/t.db?uri=true"):
            store = Store(address)
            with pytest.raises(StartError, match="network disk") as refused:
                store.migrate()
            assert "\n" not in str(refused.value)
            store.close()
    assert list(share.iterdir()) == []
    # Beside it is not on it, however alike the names are.
    beside = tmp_path / "a share of mine"
    beside.mkdir()
    store = Store(f"sqlite:///{beside}/t.db")
    store.migrate()
    store.close()


@pytest.mark.parametrize(
    ("kind", "told"), [("fuse", 1), ("fuse.mergerfs", 1), ("9p", 1), ("xfs", 0)]
)
def test_a_disk_that_somebody_else_serves_is_told_of_and_used(
    tmp_path: Path, mounts: Path, kind: str, told: int, caplog: pytest.LogCaptureFixture
) -> None:
    mounts.write_text(f"{LOCAL}\n{line(kind, tmp_path)}\n")
    store = Store(f"sqlite:///{tmp_path}/t.db")
    with caplog.at_level(logging.WARNING):
        store.migrate()
    store.close()
    assert len([text for text in caplog.messages if kind in text]) == told


def test_the_nearest_mount_counts_and_of_two_at_one_place_the_later(
    tmp_path: Path, mounts: Path
) -> None:
    inner = tmp_path / "inner"
    lines = [line("nfs4", tmp_path), line("ext4", inner), LOCAL, "", "nonsense", "1 2 - nfs x"]
    mounts.write_text("\n".join(lines))
    assert disk_of(tmp_path / "t.db") == Disk("nfs4", str(tmp_path))
    assert disk_of(inner / "t.db") == Disk("ext4", str(inner))
    mounts.write_text("\n".join([*lines, line("cifs", inner)]))
    assert disk_of(inner / "t.db") == Disk("cifs", str(inner))
    mounts.unlink()
    assert disk_of(inner / "t.db") is None


def test_what_this_system_tells_of_its_own_mounts_is_understood(tmp_path: Path) -> None:
    if not disks.MOUNTS.exists():
        pytest.skip("this system does not tell its mounts")
    found = disk_of(tmp_path / "t.db")
    said = subprocess.run(  # noqa: S603 - our own words
        ["stat", "--file-system", "--format=%T", str(tmp_path)],  # noqa: S607 - as above
        capture_output=True,
        text=True,
        check=True,
    )
    assert found is not None
    # stat(1) knows ext2, ext3 and ext4 by one name.
    assert found.kind[:3] in said.stdout
    assert not found.is_network


INIT, GETATTR, FORGETS = 26, 3, {2, 42}


def served(device: int) -> None:
    """The least that a FUSE program says: here is a folder, and nothing is in it."""
    attributes = struct.pack("<QQQQQQIIIIIIIIII", 1, *[0] * 8, 0o40755, 2, *[0] * 5)
    answers = {
        INIT: struct.pack("<IIIIHHII", 7, 31, 4096, 0, 1, 1, 4096, 1) + b"\0" * 36,
        GETATTR: struct.pack("<QII", 0, 0, 0) + attributes,
    }
    while True:
        try:
            asked = os.read(device, 135_168)
        except OSError:  # unmounted
            return
        _, what, number = struct.unpack_from("<IIQ", asked)
        if what in FORGETS:
            continue
        body = answers.get(what)
        error = 0 if body is not None else -errno.ENOENT
        os.write(device, struct.pack("<IiQ", 16 + len(body or b""), error, number) + (body or b""))


@contextmanager
def mounted(place: Path, kind: bytes) -> Iterator[None]:
    """A real FUSE mount of that kind, where this machine lets us make one."""
    try:
        device = os.open("/dev/fuse", os.O_RDWR)
    except OSError as error:
        pytest.skip(f"no /dev/fuse here: {error.strerror}")
    system = ctypes.CDLL(None, use_errno=True)
    options = f"fd={device},rootmode=40000,user_id=0,group_id=0".encode()
    if system.mount(b"test", bytes(place), kind, 0, options):
        os.close(device)
        pytest.skip(f"this user may not mount here: {os.strerror(ctypes.get_errno())}")
    answering = threading.Thread(target=served, args=(device,), daemon=True)
    answering.start()
    try:
        yield
    finally:
        system.umount2(bytes(place), 2)
        answering.join(HANG_SECONDS)
        os.close(device)


@pytest.mark.slow
def test_a_real_mount_is_refused_as_the_kernel_names_it(tmp_path: Path) -> None:
    share = tmp_path / "share"
    share.mkdir()
    with mounted(share, b"fuse.sshfs"):
        assert disk_of(share / "t.db") == Disk("fuse.sshfs", str(share))
        store = Store(f"sqlite:///{share}/t.db")
        with pytest.raises(StartError, match="network disk"):
            store.migrate()
        store.close()
    assert disk_of(share / "t.db") != Disk("fuse.sshfs", str(share))

"""On what disk a database file lies, as the system tells.

SQLite's log needs memory that all its processes share, and locks and an fsync that mean what they
say. A disk behind a network has none of the first: two machines would each write as if alone, and
the file would be damaged without a word. So it is refused, which no lock or pragma can do.
"""

from __future__ import annotations

import re
from pathlib import Path, PurePath
from typing import NamedTuple

MOUNTS = Path("/proc/self/mountinfo")
# As the kernel names them; a program behind FUSE gives its own name after "fuse.".
_NETWORK = frozenset(
    "nfs nfs4 cifs smb smb2 smb3 smbfs ncpfs afs ceph lustre gpfs glusterfs beegfs ocfs2 gfs2 "
    "orangefs pvfs2 davfs fuse.sshfs fuse.glusterfs fuse.ceph fuse.ceph-fuse fuse.s3fs fuse.goofys "
    "fuse.mount-s3 fuse.gcsfuse fuse.blobfuse fuse.blobfuse2 fuse.rclone fuse.davfs fuse.juicefs "
    "fuse.seaweedfs fuse.moosefs fuse.lizardfs".split()
)
# What another program or machine serves: it may be as good as a disk of one's own, or not.
_FOREIGN = re.compile(r"fuse(\..+)?|9p")
_ESCAPED = re.compile(r"\\([0-7]{3})")


class Disk(NamedTuple):
    """The kind of file system as the kernel names it, and where it is mounted."""

    kind: str
    mounted: str

    @property
    def is_network(self) -> bool:
        """Other machines may have it at the same time."""
        return self.kind in _NETWORK

    @property
    def is_foreign(self) -> bool:
        """Nobody but its makers knows what its locks and its fsync are worth."""
        return not self.is_network and _FOREIGN.fullmatch(self.kind) is not None


def disk_of(file: Path) -> Disk | None:
    """The disk of a file that is there or is to be made; None where the system does not tell."""
    try:
        told = MOUNTS.read_text(encoding="utf-8", errors="surrogateescape")
    except OSError:
        return None
    place = PurePath(file.resolve())
    found = [disk for disk in map(_disk, told.splitlines()) if disk is not None]
    over = [disk for disk in found if place.is_relative_to(disk.mounted)]
    # The nearest one; of two at one place the later one hides the earlier.
    return max(reversed(over), key=lambda disk: len(PurePath(disk.mounted).parts), default=None)


def _disk(line: str) -> Disk | None:
    """`36 35 98:0 /in-its-source /mounted-at options [more ...] - kind source options`."""
    own, separator, rest = line.partition(" - ")
    fields = own.split(" ")
    if not separator or len(fields) < 6:
        return None
    return Disk(rest.split(" ")[0], _ESCAPED.sub(lambda octal: chr(int(octal[1], 8)), fields[4]))

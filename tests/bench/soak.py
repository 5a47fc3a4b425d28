"""Memory over many events: what both processes hold after each tenth of them."""

from __future__ import annotations

import re
from pathlib import Path

from tests.bench import ingest, world

POINTS = 10


def soak(folder: Path, events: int) -> list[str]:
    """Send so many events in bulk; a line of resident megabytes for each tenth."""
    world.founded(folder)
    lines = []
    with world.running(folder) as (port, pid):
        for point in range(1, POINTS + 1):
            size = events // POINTS
            path, batch, connections = "/v1/events", ingest.BATCH, ingest.BULK_CONNECTIONS
            found = ingest.driven(port, path, f"soak-{point}", size, batch, connections)
            held = " + ".join(f"{_resident(one):,.0f}" for one in (pid, *_children(pid)))
            told = f"{held} MiB, {found.rate:,.0f}/s"
            lines.append(f"{point * size:,} events: {told}")
    return lines


def _children(pid: int) -> list[int]:
    return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _resident(pid: int) -> float:
    status = Path(f"/proc/{pid}/status").read_text()
    found = re.search(r"VmRSS:\s+(\d+) kB", status)
    assert found is not None
    return int(found[1]) / 1024

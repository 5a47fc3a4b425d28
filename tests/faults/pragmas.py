"""`tassei` with further settings of SQLite: `python -m tests.faults.pragmas serve`."""

from __future__ import annotations

import os

from app import cli
from app.store import sqlite

if __name__ == "__main__":
    sqlite._PRAGMAS += tuple(f"PRAGMA {one}" for one in os.environ["PRAGMAS"].split(";") if one)
    cli.main()

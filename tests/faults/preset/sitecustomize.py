"""Further settings of SQLite for every Python of a test: with this folder on PYTHONPATH."""  # noqa: INP001 - found by its name

from __future__ import annotations

import os

from app.store import sqlite

sqlite._PRAGMAS += tuple(f"PRAGMA {one}" for one in os.environ["PRAGMAS"].split(";") if one)

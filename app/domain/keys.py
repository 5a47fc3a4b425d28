"""How resources are called: the form that every key has."""

from __future__ import annotations

import re

KEY = re.compile(r"[a-z0-9][a-z0-9_.-]{0,62}", re.ASCII)

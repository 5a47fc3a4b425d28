"""`python -m app.probe`: exit 0 when the service beside it answers /livez; for HEALTHCHECK.

The standard library alone, and no subcommand of `tassei`: that one imports the whole service,
seconds of processor time and 100 MB every half minute, to say one word.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from http.client import HTTPConnection, HTTPException

SECONDS = 3.0
# A service that listens everywhere is asked by the nearest door.
_NEAREST = {"0.0.0.0": "127.0.0.1", "::": "::1"}  # noqa: S104 - compared with, not listened on


def answers(environ: Mapping[str, str]) -> bool:
    """Whether the service that this environment configures says that it lives."""
    host = environ.get("TASSEI_HOST") or "127.0.0.1"
    port = environ.get("TASSEI_PORT") or "8000"
    # Not urllib: HTTP_PROXY in a container would send the question to somebody else.
    connection = HTTPConnection(_NEAREST.get(host, host), int(port), timeout=SECONDS)
    try:
        connection.request("GET", "/livez")
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


if __name__ == "__main__":
    sys.exit(None if answers(os.environ) else "no answer from /livez")

"""The service as it is served, but it may ask this machine, and does so every second.

The first by the argument of the factory, because no setting can; the times are the program's own
constants, made short: a lease, the pause between two passes, how long an object is at rest, and
what is waited for so that nobody is asked too often.
"""

from __future__ import annotations

import os

from app.domain.instants import SECOND
from app.main import by_port, create_app, opened, random_token, wall_clock
from app.outbound.rates import Bucket
from app.settings import load
from app.telemetry import configure_logs
from app.usecases import fetch_lease, fetch_marks, fetch_news, fetch_visit, workspaces
from app.web.server import listen, serve
from tests.faults.service import KEY


def main() -> None:
    fetch_lease.LEASE, fetch_lease.RENEWED = 2 * SECOND, SECOND // 2
    fetch_visit.INTERVAL, fetch_news.SETTLED = SECOND, 4 * SECOND
    # The shorter, the less of what a dead one did not take in is found by luck; but an object that
    # is not at rest yet has to be read again.
    fetch_marks.OVERLAP = 3 * SECOND
    Bucket.take = lambda self, now: 0.0  # type: ignore[method-assign] # noqa: ARG005 - of this program alone
    settings = load(os.environ)
    configure_logs(settings.log_format)
    sockets = [listen(settings.host, settings.port)]
    context = opened(settings, loopback=True, apart=True)
    workspaces.first_start(context.store, wall_clock(), random_token, KEY)
    app = create_app(settings, context)
    serve(by_port(app), app.state.drain, sockets)


if __name__ == "__main__":
    main()

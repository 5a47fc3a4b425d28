"""The application factory: the one place where the parts meet, and where the clock is."""

from __future__ import annotations

import secrets
import string
import time
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack, asynccontextmanager, closing
from importlib.metadata import version

from fastapi import FastAPI
from starlette.applications import Starlette
from starlette.types import ASGIApp

from app.outbound.calls import Callers
from app.settings import Settings, secret_key
from app.store import counting, keys
from app.store.committer import Committer
from app.store.engine import StartError, Store
from app.store.frames import Opening
from app.store.keys import ApiKey
from app.store.remote import RemoteCommitter
from app.telemetry import Counters
from app.usecases.building import Builder
from app.usecases.clocks import Clocks
from app.usecases.context import Context
from app.usecases.exports import Gauges
from app.usecases.fetching import Fetching
from app.usecases.foreseeing import Foreseeing
from app.usecases.organisation import Organisations
from app.usecases.receiving import Connections
from app.usecases.recurring import Recurrence
from app.usecases.refusals import Refusals
from app.usecases.rekeying import rekey
from app.usecases.retention import Retention
from app.usecases.stream import Hub
from app.usecases.upkeep import Upkeep
from app.usecases.vault import Vault
from app.usecases.watch import Watch
from app.web import events, hooks
from app.web.activities import routes as activities
from app.web.auth import Attempts, Gate
from app.web.changes import routes as changes
from app.web.closing import routes as closes
from app.web.deliveries import routes as deliveries
from app.web.diagnosis import routes as diagnosis
from app.web.explaining import goal_routes, metric_routes
from app.web.forecasts import routes as forecasts
from app.web.leaderboard import routes as leaderboard
from app.web.metric_routes import routes as metrics
from app.web.metrics import metrics_route
from app.web.notes import routes as notes
from app.web.overlaps import routes as overlaps
from app.web.people import identities, members, teams
from app.web.planning import routes as planning
from app.web.plans import routes as plans
from app.web.platform import Platform
from app.web.quarantine import routes as quarantine
from app.web.reports import routes as reports
from app.web.routes import documented
from app.web.server import ByPort
from app.web.service import Service, assembled
from app.web.source_status import routes as source_status
from app.web.sources import routes as sources
from app.web.stream import routes as stream
from app.web.streams import Streams
from app.web.today import routes as today
from app.web.trajectories import routes as trajectories
from app.web.workspaces import api_keys, workspace

Clock = Callable[[], int]
Token = Callable[[int], str]
_LETTERS = string.ascii_letters + string.digits
_ROUTERS = (
    workspace,
    api_keys,
    teams,
    members,
    identities,
    # Before the sources: its path would be one's key.
    overlaps,
    sources,
    source_status,
    metrics,
    plans,
    planning,
    leaderboard,
    diagnosis,
    today,
    forecasts,
    goal_routes,
    metric_routes,
    trajectories,
    reports,
    notes,
    changes,
    closes,
    stream,
    activities,
    quarantine,
    deliveries,
)
_DOORS = (events.ROUTE, hooks.ROUTE)


def wall_clock() -> int:
    """Microseconds since 1970 UTC."""
    return time.time_ns() // 1000


def random_token(length: int) -> str:
    """Characters of [A-Za-z0-9], each worth 5.95 bits."""
    return "".join(secrets.choice(_LETTERS) for _ in range(length))


def opened(
    settings: Settings,
    *,
    clock: Clock = wall_clock,
    token: Token = random_token,
    apart: bool = False,
    loopback: bool = False,
) -> Context:
    """The store, migrated, with everything that works on it. Raises StartError.

    apart: whether activities are committed in a process of their own
    loopback: whether providers may be asked on this machine. For tests; no setting reaches it.
    """
    settings.data_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
    store = Store(settings.database)
    vault = Vault(secret_key(settings))
    try:
        store.migrate()
        store.hold_key(vault.fingerprint, vault.opens)
        counting.bring_up(store, clock)
    except StartError:
        store.close()
        raise
    watch, organisations = Watch(store), Organisations()
    watch.listen_for_gone(organisations.forget)
    return Context(
        store=store,
        # Told before those who wait are answered: who reads after the answer reads what it says.
        committer=(
            RemoteCommitter(Opening(settings.database, settings.log_format), store, watch.moved)
            if apart
            else Committer(store, moved=watch.moved)
        ),
        watch=watch,
        vault=vault,
        organisations=organisations,
        clock=clock,
        token=token,
        public_url=settings.public_url,
        local_url=f"http://{settings.host}:{settings.port}",
        callers=Callers(loopback=loopback),
        refusals=Refusals(store, clock),
    )


def rekeyed(
    settings: Settings, clock: Clock = wall_clock, old: bytes | None = None
) -> list[tuple[str, str]]:
    """Make the present key the database's; see `rekey`. Raises StartError."""
    with closing(Store(settings.database)) as store:
        store.migrate()
        return rekey(store, Vault(secret_key(settings)), clock(), Vault(old) if old else None)


def create_app(settings: Settings, context: Context) -> Service:
    """The service on an opened store. Its threads run from start-up to shutdown."""
    counters = Counters(version("tassei"))
    gauges = Gauges(context)
    hub = Hub(context)
    retention = Retention(context, counters.let_go)
    builder = Builder(context)
    fetching = Fetching(context, counters.reconciled)
    recurrence = Recurrence(context)
    foreseeing = Foreseeing(context)
    upkeep = _upkeep(context, counters, retention)
    attempts = Attempts(time.monotonic)

    def find(workspace: str, digest: bytes) -> ApiKey | None:
        with context.read() as reading:
            return keys.find(reading, workspace, digest)

    def check() -> None:
        with context.read():
            pass

    @asynccontextmanager
    async def running(_app: FastAPI) -> AsyncIterator[None]:
        with closing(context.store), ExitStack() as ending:
            for part in (
                *(context.watch, context.committer, gauges, hub, retention),
                *(builder, fetching, foreseeing, recurrence, upkeep, context.refusals),
            ):
                ending.callback(part.stop)
                part.start()
            yield

    _watch(context, counters)
    platform = Platform(
        version=version("tassei"),
        clock=context.clock,
        monotonic=time.monotonic,
        counters=counters,
        check=check,
        refusing=lambda: context.store.refusing,
        gate=Gate(find, context.watch.config_version, attempts),
        public_url=settings.public_url,
        cors_origins=settings.cors_origins,
        metrics_port=settings.metrics_port,
        metrics_token=settings.metrics_token.get_secret_value() if settings.metrics_token else None,
        families=(gauges.families,),
    )
    app = assembled(platform, routers=_ROUTERS, doors=_DOORS, lifespan=running)
    app.state.context = context
    app.state.connections = Connections(context)
    app.state.attempts = attempts
    app.shorten({events.PATH: events.DOOR})
    app.state.streams = Streams(hub, app.state.drain)
    counters.watch_streams(app.state.streams.number)
    _document(app)
    return app


def _watch(context: Context, counters: Counters) -> None:
    """Let the service's own metrics know what becomes of writes."""
    counters.watch_writing(lambda: context.store.refusing is None)
    counters.watch_queue(lambda: context.committer.depth)
    context.committer.tell(counters.committed)
    context.committer.tell_losses(counters.lost)


def _upkeep(context: Context, counters: Counters, retention: Retention) -> Upkeep:
    clocks = Clocks(context.store, context.clock, context.watch.heads, counters.skewed)
    return Upkeep(context.store, lambda: retention.size, counters.stored, clocks.look)


def described(settings: Settings) -> Service:
    """The service without a store, to be read only: what the OpenAPI document is made from."""
    platform = Platform(
        version=version("tassei"),
        clock=wall_clock,
        monotonic=time.monotonic,
        counters=Counters(version("tassei")),
        check=lambda: None,
        public_url=settings.public_url,
    )
    app = assembled(platform, routers=_ROUTERS, doors=_DOORS)
    _document(app)
    return app


def _document(app: Service) -> None:
    documented(app, events.PATH, "post", events.DOCUMENT)
    for method, operation in hooks.DOCUMENTS.items():
        documented(app, hooks.PATH, method, operation)


def by_port(app: Service) -> ASGIApp:
    """The app as it is served: with a metrics port, /metrics is there and only there."""
    platform: Platform = app.state.platform
    if platform.metrics_port is None:
        return app
    route = metrics_route(platform.counters, platform.metrics_token, platform.families)
    return ByPort(app, Starlette(routes=[route]), platform.metrics_port)

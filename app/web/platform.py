"""What the web is given: every choice, clock and neighbour that it has."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from app.telemetry import Counters
from app.web.auth import Gate
from app.web.body import LIMITS, BodyLimits
from app.web.health import Check, Refusing, taking
from app.web.metrics import Families


@dataclass(frozen=True, slots=True)
class Platform:
    """What the web needs from outside: all that is a choice, a clock or a neighbour."""

    version: str
    clock: Callable[[], int]
    monotonic: Callable[[], float]
    counters: Counters
    check: Check
    refusing: Refusing = taking
    gate: Gate | None = None
    public_url: str | None = None
    cors_origins: tuple[str, ...] = ()
    metrics_port: int | None = None
    metrics_token: str | None = None
    families: tuple[Families, ...] = ()
    limits: BodyLimits = LIMITS

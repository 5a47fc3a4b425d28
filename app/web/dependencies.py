"""What routes ask for: the moment, the caller's language."""

from __future__ import annotations

from typing import Annotated

from fastapi import Depends
from starlette.requests import Request

from app.web.problems import language_of


async def _now(request: Request) -> int:
    now: int = request.app.state.platform.clock()
    return now


async def _language(request: Request) -> str:
    return language_of(request.scope)


# Microseconds since 1970 UTC, from the app's one clock.
Now = Annotated[int, Depends(_now)]
# "en" or "ja", by Accept-Language.
Language = Annotated[str, Depends(_language)]

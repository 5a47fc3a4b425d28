"""The workspace, its calendar, its keys."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import Query
from starlette.requests import Request
from starlette.responses import Response

from app.domain.calendar import DayKind
from app.domain.errors import Fault, Invalid
from app.domain.spans import Span
from app.store import documents
from app.usecases import keys, organisation, workspaces
from app.usecases.organisation import SETTINGS
from app.usecases.saving import standing
from app.web.auth import Principal, requires
from app.web.pagination import Paged, page
from app.web.resources import Json, Parts, Seen, answer, archived, found, saved_answer
from app.web.schemas.common import LocalDate
from app.web.schemas.workspace import KeyBody, WorkspaceBody
from app.web.service import router

workspace = router("/v1/workspace", "workspace")
api_keys = router("/v1/keys", "workspace")
Reader = Annotated[Principal, requires("read")]
Admin = Annotated[Principal, requires("admin")]
LONGEST_CALENDAR = 3_660

"""How a refusal looks over HTTP: RFC 9457, one table from error to status.

The type is the error's code, the title is made of the code alone and so is constant per type, and
the sentence speaks the language the client asked for. Nothing of the request is repeated: what
came in may be hostile, and whoever sent it has it already.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping

from starlette.responses import Response
from starlette.types import Scope

from app.domain import errors
from app.domain.errors import Fault, Invalid, TasseiError, Unavailable
from app.store.engine import StartError
from app.views.messages import DEFAULT_LANGUAGE, LANGUAGES, sentence

MEDIA_TYPE = "application/problem+json"
TYPE_PREFIX = "urn:tassei:problem:"
REQUEST_ID = "tassei.request_id"


class MethodNotAllowed(TasseiError):
    """The path is there, this method is not; `allowed` are those that are."""

    def __init__(self, allowed: Iterable[str]) -> None:
        super().__init__("method_not_allowed")
        self.allowed = ", ".join(sorted(allowed))


class UriTooLong(TasseiError):
    """The address is longer than any of ours."""


class HeadTooLarge(TasseiError):
    """More header lines, or longer ones, than a request of ours has."""


class Crash(TasseiError):
    """A fault of our own. What it was stands in the log, under the same request id."""


STATUS: Mapping[type[TasseiError], int] = {
    errors.Unreadable: 400,
    errors.TooDeep: 400,
    errors.Unauthenticated: 401,
    errors.Forbidden: 403,
    errors.NotFound: 404,
    MethodNotAllowed: 405,
    errors.TooSlow: 408,
    errors.Conflict: 409,
    errors.PreconditionFailed: 412,
    errors.TooLarge: 413,
    UriTooLong: 414,
    errors.UnsupportedMedia: 415,
    errors.Invalid: 422,
    errors.PreconditionRequired: 428,
    errors.TooMany: 429,
    HeadTooLarge: 431,
    Crash: 500,
    errors.Unavailable: 503,
    StartError: 503,  # ends a start and answers no request; here so that no class is without a row
}


def exhausted(error: BaseException | None) -> Unavailable | None:
    """What to say where there was no memory for a request, or none for a thread; else None.

    Nothing of it is stored, and in a second there may be room again: a sender that were told of a
    fault of its own would never send it again.
    """
    no_thread = isinstance(error, RuntimeError) and "start new thread" in str(error)
    return Unavailable("memory_is_full") if no_thread or isinstance(error, MemoryError) else None


def status_of(error: TasseiError) -> int:
    """The status of an error's class, else of the nearest class above it."""
    return next((STATUS[kind] for kind in type(error).__mro__ if kind in STATUS), 500)


def type_of(code: str) -> str:
    """The problem type, a URN: `calls_unmeasured` is urn:tassei:problem:calls-unmeasured."""
    return TYPE_PREFIX + code.replace("_", "-")


def title_of(code: str) -> str:
    """The title, constant per type: the code in words."""
    return code.replace("_", " ").capitalize()


def problem(error: TasseiError, language: str, instance: str | None = None) -> dict[str, object]:
    """The members of a problem; also used for one refused item inside a good answer."""
    members: dict[str, object] = {
        "type": type_of(error.code),
        "title": title_of(error.code),
        "status": status_of(error),
        "detail": sentence(error.code, error.params, language),
    }
    if instance is not None:
        members["instance"] = instance
    if isinstance(error, Invalid):
        members["errors"] = [_fault(fault, language) for fault in error.faults]
    elif error.params:
        members["params"] = dict(error.params)
    return members


def _fault(fault: Fault, language: str) -> dict[str, object]:
    return {
        "pointer": fault.pointer,
        "code": fault.code,
        "params": dict(fault.params),
        "message": sentence(fault.code, fault.params, language),
    }


def response(scope: Scope, error: TasseiError) -> Response:
    """The answer to a refused request."""
    language = language_of(scope)
    body = problem(error, language, scope.get(REQUEST_ID))
    headers = {"Content-Language": language, "Vary": "Accept-Language", "Cache-Control": "no-store"}
    return Response(
        json.dumps(body, ensure_ascii=False, separators=(",", ":")).encode(),
        status_code=status_of(error),
        headers=headers | told_by(error),
        media_type=MEDIA_TYPE,
    )


def told_by(error: TasseiError) -> dict[str, str]:
    """The headers that a status must carry."""
    match error:
        case errors.Unauthenticated():
            return {"WWW-Authenticate": 'Bearer realm="tassei"'}
        case MethodNotAllowed():
            return {"Allow": error.allowed}
        case errors.TooMany() | errors.Unavailable():
            return {"Retry-After": str(error.retry_after)}
    return {}


def language_of(scope: Scope) -> str:
    """The language of ours that Accept-Language likes best; English when it names none."""
    accepted = b",".join(value for name, value in scope["headers"] if name == b"accept-language")
    return preferred(accepted.decode("latin-1"))


def preferred(accept_language: str) -> str:
    """RFC 9110 12.5.4, as far as two languages need it."""
    best, best_weight = DEFAULT_LANGUAGE, 0.0
    for choice in accept_language.lower().split(",")[:20]:
        tag, _, weight = choice.partition(";")
        language = tag.strip().split("-")[0]
        if language in LANGUAGES and (q := _weight(weight)) > best_weight:
            best, best_weight = language, q
    return best


def _weight(text: str) -> float:
    value = text.strip().removeprefix("q=")
    try:
        return float(value) if value else 1.0
    except ValueError:
        return 0.0

"""Sources: connect a sender, see whether it speaks."""

from __future__ import annotations

from typing import Annotated, Any

from starlette.requests import Request
from starlette.responses import Response

from app.domain.activities import KIND, RETRACTED
from app.domain.errors import Fault, Invalid
from app.domain.freshness import Expectation, duration
from app.domain.instants import instant, written_instant
from app.domain.revisions import written_revision
from app.intake.requests import Step
from app.usecases import asking, rotating, sources, trying
from app.usecases.asking import Live
from app.usecases.source_mapping import MAPPING_VERSION
from app.usecases.sources import SECRETS_VERSION, Connected
from app.views.messages import sentence
from app.web.auth import Principal, requires
from app.web.dependencies import Language
from app.web.etags import tagged
from app.web.pagination import Paged, page
from app.web.promises import answers, reads, refuses, removes, saves
from app.web.resources import (
    Json,
    Parts,
    Seen,
    archived,
    encoded,
    etag_of_version,
    put_answer,
    written_moment,
)
from app.web.schemas.answers_sources import Fetching, Source, SourcePage, Trial
from app.web.schemas.common import Key
from app.web.schemas.sources import BackfillBody, RotationBody, SourceBody, TrialBody
from app.web.service import router

routes = router("/v1/sources", "sources")
Admin = Annotated[Principal, requires("admin")]
_OWN = frozenset({SECRETS_VERSION, MAPPING_VERSION})


@routes.get("", responses=answers(SourcePage))
def list_sources(parts: Parts, who: Admin, query: Paged, language: Language) -> Json:
    """Sources by key. Their hook addresses are secrets, so this wants the scope admin."""
    named = (who.workspace, "sources")
    after = query.after(*named)
    items = sources.page_of_sources(parts, who.workspace, after, query.limit + 1)
    return page(
        items,
        query,
        *named,
        key=lambda item: item.document.key,
        show=lambda item: _shown(item, language),
    )


@routes.get("/{key}", responses=reads(Source))
def get_source(
    request: Request, parts: Parts, who: Admin, key: Key, language: Language
) -> Response:
    """One source. The ETag covers how it is connected, not whether it is alive."""
    item = sources.get_source(parts, who.workspace, key)
    etag = etag_of_version(item.document.version, language)
    return tagged(request, etag, encoded(_shown(item, language)))


@routes.put("/{key}", responses=saves(Source))
def put_source(
    parts: Parts, who: Admin, seen: Seen, key: Key, body: SourceBody, language: Language
) -> Response:
    """Connect a sender: answers its address and what to do at the provider."""
    document = body.document()
    credentials = document.pop("credentials", None)
    item = sources.put_source(parts, who.workspace, key, document, credentials, seen, who.key_id)
    body_shown = _shown(item, language)
    return put_answer(item.document, created=item.created, body=body_shown, language=language)


@routes.delete("/{key}", status_code=204, responses=removes("Disconnected."))
def archive_source(parts: Parts, who: Admin, seen: Seen, key: Key) -> Response:
    """Disconnect a sender; what it sent still counts."""
    sources.archive_source(parts, who.workspace, key, seen, who.key_id)
    return archived()


@routes.post("/{key}/rotate", responses=answers(Source, "As it is now.") | refuses(409))
def rotate_secrets(
    parts: Parts, who: Admin, key: Key, body: RotationBody, language: Language
) -> Json:
    """Give a source new secrets, or another address; the old ones are taken for a while longer.

    The credentials that are given replace theirs; without any, a secret that Tassei makes is made
    anew and shown once. With `address` there is another `hook_url`, and secrets stay unless they
    are given. When `keep_minutes` are over the old secrets are refused (401), and the old address
    is unknown (404).
    """
    given: Any = body.credentials
    named = (parts, who.workspace, key)
    item = rotating.rotate(*named, given, body.keep_minutes, who.key_id, address=body.address)
    return _shown(item, language)


@routes.post(
    "/{key}/mapping/try",
    responses=answers(Trial, "What the sample comes to; nothing was stored.") | refuses(409),
)
def try_mapping(parts: Parts, who: Admin, key: Key, body: TrialBody, language: Language) -> Json:
    """Try a mapping on a sample: the activities it would make, and what is wrong with them.

    Without `mapping`: the source's own. A pointer of a problem leads into the mapping.
    """
    sample = trying.Sample(body.sample, body.body, body.media_type, body.query)
    if sum(one is not None for one in (body.sample, body.body, body.query)) != 1:
        raise Invalid("invalid_request", Fault("", "one_sample"))
    found = trying.try_mapping(parts, who.workspace, key, sample, body.mapping)
    return {
        "items": [_made(made) for made in found.made],
        "problems": [
            {
                **_told(Step(fault.code, fault.params), language),
                "pointer": fault.pointer,
                "index": refused.index,
                "item": refused.id,
            }
            for refused in found.refused
            for fault in refused.error.faults
        ],
    }


def _made(made: trying.Made) -> Json:
    report = made.item.report
    fields = {label: value for label, value in report.fields.items() if not label.startswith("@")}
    return {
        "index": made.item.index,
        "key": report.key,
        "kind": report.fields[KIND],
        "revision": written_revision(report.stamp.revision),
        "merge": not report.full and not report.fields.get(RETRACTED),
        "retracted": report.fields.get(RETRACTED) is True,
        "fields": fields,
        "counts": made.counts,
        "metrics": list(made.metrics),
        "uncounted": [
            {"metric": metric, "code": why.code, "field": why.field}
            for metric, why in made.uncounted
        ],
    }


@routes.post("/{key}/check", responses=answers(Fetching, "How it stands now."))
def check_source(parts: Parts, who: Admin, key: Key, language: Language) -> Json:
    """Ask the provider of a source now, and see whether it answers.

    It is one call, and nothing is taken from its answer. While the source is being asked anyway,
    this tells how that stands.
    """
    return _fetching(asking.check_source(parts, who.workspace, key), language)


@routes.post("/{key}/backfill", responses=answers(Fetching, "It is read beside everything else."))
def backfill_source(
    parts: Parts, who: Admin, key: Key, body: BackfillBody, language: Language
) -> Json:
    """Have everything that changed at the provider since an instant read again.

    What is known already counts once, as always: reading more than is missing does no harm.
    """
    try:
        since = instant(body.from_)
    except Invalid as error:
        raise Invalid("invalid_request", Fault("/from", error.code)) from None
    return _fetching(asking.backfill_source(parts, who.workspace, key, since), language)


def _fetching(live: Live, language: str) -> Json:
    state, pending = live.state, live.pending
    failed = None if state.code is None else _told(Step(state.code, {}), language)
    return {
        "state": live.asking.value,
        "problem": failed,
        "tried_at": _utc(state.tried_at),
        "succeeded_at": _utc(state.succeeded_at),
        "backfill_from": _utc(state.backfill_from),
        "read_up_to": {name: _utc(mark.upto) for name, mark in live.marks.items()},
        "reading": [name for name, mark in live.marks.items() if mark.since is not None],
        "pending": {
            "count": pending.count if pending else 0,
            "oldest": _utc(pending.oldest) if pending else None,
        },
        "channels": [
            {
                "name": name,
                "expires_at": _utc(one.expires_at) if one.id else None,
                "renew_at": _utc(one.renew_at),
                "failures": one.failures,
                "problem": None if one.code is None else _told(Step(one.code, {}), language),
            }
            for name, one in live.channels.items()
        ],
    }


def _utc(at: int | None) -> str | None:
    return None if at is None else written_instant(at)


def _shown(item: Connected, language: str) -> Json:
    body = {name: v for name, v in item.document.body.items() if name not in _OWN}
    return {
        "key": item.document.key,
        **body,
        "state": item.liveness.value,
        "expectation": _expected(item.expect),
        "last_received_at": written_moment(item.last_received_at, item.zone),
        "hook_url": item.hook_url,
        "secret": next(iter(item.made.values()), None),
        "retiring_until": written_moment(item.retiring_until, item.zone),
        "next": [_told(step, language) for step in item.next_steps],
        "warnings": [_told(step, language) for step in item.warnings],
        "version": item.document.version,
    }


def _expected(expect: Expectation) -> Json:
    return {
        "every": duration(expect),
        "within": expect.within.value,
        "from": expect.basis.value,
        "learned_from_days": expect.learned_from or None,
    }


def _told(step: Step, language: str) -> Json:
    return {
        "code": step.code,
        "params": dict(step.params),
        "message": sentence(step.code, step.params, language),
    }

"""Metrics: definitions, and the numbers they give over time."""

from __future__ import annotations

import json
from typing import Annotated, Literal

from fastapi import Depends, Query
from starlette.requests import Request
from starlette.responses import Response

from app.domain.buckets import Granularity, Window
from app.domain.series import By, Group, Item
from app.store.pages import place_of
from app.usecases import metrics, series
from app.usecases.metrics import Defined
from app.usecases.series import Asked, Behind, Fill
from app.views.messages import sentence
from app.views.series_json import series_document
from app.web.auth import Principal, requires
from app.web.dependencies import Language
from app.web.etags import etag_of, tagged
from app.web.pagination import Paged, cursor_of, page
from app.web.promises import answers, reads, removes, saves
from app.web.resources import (
    Json,
    Parts,
    Seen,
    archived,
    encoded,
    etag_of_version,
    put_answer,
)
from app.web.schemas.answers_metrics import Metric, MetricPage, Series
from app.web.schemas.common import Key
from app.web.schemas.metrics import MetricBody
from app.web.service import router

routes = router("/v1/metrics", "metrics")
Reader = Annotated[Principal, requires("read")]
Writer = Annotated[Principal, requires("write")]


@routes.get("", responses=answers(MetricPage))
def list_metrics(parts: Parts, who: Reader, query: Paged) -> Json:
    """Metrics by key: the presets, and those of this workspace."""
    named = (who.workspace, "metrics")
    found = metrics.page_of_metrics(parts, who.workspace, query.after(*named), query.limit + 1)
    return page(found, query, *named, key=lambda one: one.key, show=_shown)


@routes.get("/{key}", responses=reads(Metric))
def get_metric(request: Request, parts: Parts, who: Reader, key: Key) -> Response:
    """A metric's definition, and whether all history is counted by it.

    While `state` is `building`, `counted` of `of` activities are; until it is `active` the
    numbers of a changed metric are those of the definition before, a new one has none.
    """
    found = metrics.get_metric(parts, who.workspace, key)
    tag = etag_of_version(found.version)
    if found.building is not None:
        # The version does not say how far it is counted, so nobody is told to keep a copy.
        return Response(encoded(_shown(found)), 200, {"ETag": tag}, "application/json")
    return tagged(request, tag, encoded(_shown(found)))


@routes.put("/{key}", responses=saves(Metric))
def put_metric(parts: Parts, who: Writer, seen: Seen, key: Key, body: MetricBody) -> Response:
    """Define a metric, or change it; all history is counted by it.

    The answer waits for that a few seconds. Where there is more to count, `state` is `building`,
    and the service goes on while events come in: see GET.

    A change is a new version and wants a `reason`. Presets do not change: copy one under another
    key.
    """
    put = metrics.put_metric(parts, who.workspace, key, body.document(), seen, who.key_id)
    return put_answer(put.saved.document, created=put.saved.created, body=_shown(put.defined))


@routes.delete("/{key}", status_code=204, responses=removes())
def archive_metric(parts: Parts, who: Writer, seen: Seen, key: Key) -> Response:
    """Take a metric out of use; refused while a plan has a goal of it."""
    metrics.archive_metric(parts, who.workspace, key, seen, who.key_id)
    return archived()


def _shown(found: Defined) -> Json:
    return {
        "key": found.key,
        **found.body,
        "preset": found.preset,
        **_state(found),
        "version": found.version,
    }


def _state(found: Defined) -> Json:
    if found.building is None:
        return {"state": "active"}
    counted, expected = found.building.counted, found.building.expected
    # What came in meanwhile was not expected.
    return {"state": "building", "counted": counted, "of": max(counted, expected)}


MOMENT = "A date of `time_zone`, or RFC 3339 on a quarter hour (`+` travels as %2B)."


Start = Annotated[
    str | None, Query(alias="from", max_length=40, description=f"{MOMENT} A date: midnight.")
]
End = Annotated[
    str | None,
    Query(alias="to", max_length=40, description=f"{MOMENT} Excluded. Left out: `as_of`."),
]
Windows = Annotated[
    Literal["1h", "24h", "7d", "28d", "mtd", "qtd", "ytd"] | None,
    Query(description="Instead of `from` and `to`: the range that ends at `as_of`."),
]
Zone = Annotated[
    str | None, Query(max_length=64, description="IANA name; left out: the workspace's.")
]


def _clocks(
    as_of: Annotated[
        str | None,
        Query(
            max_length=40,
            description=f"{MOMENT} A date: its end. Only what lies before is counted. Left out: "
            "the end of the running quarter hour.",
        ),
    ] = None,
    known_at: Annotated[
        str | None,
        Query(
            max_length=40,
            description="Only what had been received by then is counted: RFC 3339, or a date of "
            "`time_zone`, which means its end. Left out: everything.",
        ),
    ] = None,
) -> tuple[str | None, str | None]:
    return as_of, known_at


Clocks = Annotated[tuple[str | None, str | None], Depends(_clocks)]


def _asked(
    start: Start = None,
    end: End = None,
    window: Windows = None,
    granularity: Annotated[
        Literal["total", "quarter_hour", "hour", "day", "week", "month", "quarter", "year"],
        Query(description="Calendar periods of `time_zone`; weeks begin on Monday."),
    ] = "total",
    time_zone: Zone = None,
    group_by: Annotated[
        Literal["member", "team", "actor"] | None,
        Query(
            description="Whose it was on its day; null is nobody known. A member's team is the "
            "one the member stands in itself."
        ),
    ] = None,
    clocks: Clocks = (None, None),
    fill: Annotated[
        Literal["zero"] | None,
        Query(description="`zero`: also buckets and people without activities."),
    ] = None,
) -> Asked:
    return Asked(
        start,
        end,
        Window(window) if window else None,
        Granularity(granularity),
        time_zone,
        By(group_by or By.NOTHING),
        *clocks,
        Fill(fill or Fill.NOTHING),
    )


@routes.get("/{key}/series", responses=reads(Series))
def get_series(
    request: Request,
    parts: Parts,
    who: Reader,
    language: Language,
    key: Key,
    asked: Annotated[Asked, Depends(_asked)],
    paged: Paged,
) -> Response:
    """A metric over time, exact in any zone: counted in half-open buckets, a page at a time."""
    named = (who.workspace, "series", key, repr(asked))
    behind = _place(paged.after(*named))
    found = series.series(parts, who.workspace, key, asked, behind, paged.limit + 1)
    shown = found.items[: paged.limit]
    more = len(found.items) > paged.limit
    cursor = cursor_of(_written(shown[-1]), *named) if more else None
    document = series_document(found.header, shown, sentence, language) | {"next": cursor}
    return tagged(request, etag_of(*found.basis, language), encoded(document))


_PLACE = (0, False, "", "")  # of a cursor: the bucket's start, and whose it is


def _written(item: Item) -> str:
    return json.dumps((item.bucket.start, *item.group), ensure_ascii=False)


def _place(text: str | None) -> Behind | None:
    if text is None:
        return None
    start, nobody, source, name = place_of(text, _PLACE)
    return int(start), Group(bool(nobody), str(source), str(name))

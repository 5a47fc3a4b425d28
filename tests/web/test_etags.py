"""Which copy a caller has."""

from __future__ import annotations

import pytest
from starlette.requests import Request

from app.domain.errors import Unreadable
from app.web.etags import condition, etag_of, not_modified, tagged
from tests.web.service import started

TAG = '"abc"'
OLD = '"old"'


def test_a_tag_is_strong_and_changes_with_each_part_and_its_place() -> None:
    tags = {
        etag_of("a", "b"),
        etag_of("ab"),
        etag_of("ab", ""),
        etag_of("b", "a"),
        etag_of("a", "b", 1),
        etag_of(b"a"),
    }
    assert len(tags) == 6
    assert all(tag.startswith('"') and condition(tag) is not None for tag in tags)
    assert etag_of("a", 1) == etag_of("a", "1")


@pytest.mark.parametrize(
    ("value", "tags"),
    [
        ('"a"', {'"a"'}),
        ('"a", "b"', {'"a"', '"b"'}),
        (' "a" ,, W/"b",', {'"a"', 'W/"b"'}),
        ('"a,b"', {'"a,b"'}),
        ('""', {'""'}),
        ('"a""b"', None),
        ("a", None),
        ("", None),
        ('"a', None),
        ('w/"a"', None),
        ('"a" "b"', None),
        ('*, "a"', None),
        ('"' + "a" * 5000 + '"', None),
    ],
)
def test_a_condition_is_a_list_of_quoted_tags(value: str, tags: set[str] | None) -> None:
    if tags is None:
        with pytest.raises(Unreadable) as caught:
            condition(value)
        assert caught.value.code == "malformed_etag"
    else:
        read = condition(value)
        assert read is not None
        assert read.tags == tags


@pytest.mark.parametrize(
    ("header", "known"),
    [
        (TAG, True),
        (f"W/{TAG}", True),
        (f"{OLD}, W/{TAG}", True),
        ("*", True),
        (OLD, False),
        (None, False),
    ],
)
def test_a_get_compares_weakly_and_304_carries_what_200_would(
    header: str | None, *, known: bool
) -> None:
    headers = [] if header is None else [(b"if-none-match", header.encode())]
    request = Request({"type": "http", "method": "GET", "path": "/", "headers": headers})
    assert not_modified(request.headers, TAG) == known
    answer = tagged(request, TAG, b"{}")
    assert (answer.status_code, answer.body) == ((304, b"") if known else (200, b"{}"))
    assert answer.headers["etag"] == TAG
    assert answer.headers["cache-control"] == "private, no-cache"
    assert answer.headers["vary"] == "Authorization, Accept-Language"


def test_each_language_of_a_source_is_a_copy_of_its_own_and_either_may_be_changed() -> None:
    with started("2026-12-14T09:00:00+09:00") as service:
        body = {"provider": "standard_webhooks", "name": "app"}
        made = service.put("/v1/sources/app", body, accept_language="ja")
        assert made.status_code == 201
        told = {
            language: service.get("/v1/sources/app", **{"accept-language": language})
            for language in ("en", "ja")
        }
        tags = {language: answer.headers["etag"] for language, answer in told.items()}
        assert told["en"].json()["next"] != told["ja"].json()["next"]
        assert tags["en"] != tags["ja"]
        assert made.headers["etag"] == tags["ja"]
        for language, status in (("ja", 304), ("en", 200)):
            headers = {"if-none-match": tags["ja"], "accept-language": language}
            assert service.get("/v1/sources/app", **headers).status_code == status
        names = iter("abcde")
        for language in ("ja", "en"):
            tag = service.get("/v1/sources/app", **{"accept-language": language}).headers["etag"]
            changed = service.put("/v1/sources/app", body | {"name": next(names)}, if_match=tag)
            assert changed.status_code == 200
            stale = service.put("/v1/sources/app", body | {"name": next(names)}, if_match=tag)
            assert stale.status_code == 412

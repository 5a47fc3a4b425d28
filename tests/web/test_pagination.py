"""Pages: every item once, whatever is inserted meanwhile; a cursor from elsewhere is refused."""

from __future__ import annotations

import base64

import pytest
from hypothesis import given
from hypothesis import strategies as st
from starlette.testclient import TestClient

from app.domain.errors import Invalid
from app.web.pagination import cursor_of, key_of
from tests.web.sample import bearer, service

# No name has a NUL: a key with one was not given out.
_names = st.text(st.characters(exclude_characters="\0", codec="utf-8"), max_size=80)


@given(key=_names, collection=st.lists(st.text(max_size=10), max_size=3))
def test_a_cursor_gives_its_key_back_and_hides_nothing_from_a_url(
    key: str, collection: list[str]
) -> None:
    cursor = cursor_of(key, *collection)
    assert key_of(cursor, *collection) == key
    assert set(cursor) <= set("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_")


@pytest.mark.parametrize(
    "cursor",
    [
        "",
        "a",
        "ü",
        "AAAA",
        cursor_of("sato", "east", "members") + "=",
        cursor_of("sato", "east", "members") + "\n",
        cursor_of("sato", "west", "members"),
        cursor_of("sato", "east", "teams"),
        cursor_of("sa\0to", "east", "members"),
        base64.urlsafe_b64encode(b"123456sato").decode().rstrip("="),
        base64.urlsafe_b64encode(b"123456\xff").decode().rstrip("="),
    ],
)
def test_a_cursor_that_this_collection_did_not_give_out_is_refused(cursor: str) -> None:
    with pytest.raises(Invalid) as caught:
        key_of(cursor, "east", "members")
    assert caught.value.code == "invalid_cursor"


@pytest.mark.parametrize("limit", [1, 2, 3, 6, 7, 8, 500])
def test_following_next_sees_every_item_once_and_ends(limit: int) -> None:
    client = TestClient(service())
    seen: list[str] = []
    query: dict[str, str | int] = {"limit": limit}
    for _ in range(10):
        answer = client.get("/v1/things", params=query, headers=bearer("read")).json()
        seen += [item["key"] for item in answer["items"]]
        if answer["next"] is None:
            break
        query["cursor"] = answer["next"]
    assert seen == list("abcdefg")


def test_a_forged_cursor_is_a_problem() -> None:
    answer = TestClient(service()).get("/v1/things?cursor=zzzz", headers=bearer("read"))
    assert answer.status_code == 422
    assert answer.json()["type"] == "urn:tassei:problem:invalid-cursor"

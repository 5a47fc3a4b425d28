"""Documents, keys and secrets."""

from __future__ import annotations

import pytest

from app.domain.errors import NotFound
from app.store import documents, heads, keys, sources
from app.store.engine import Store
from app.store.sources import Secret
from tests.store.worlds import NOW, W, settle


def version_of_config(store: Store) -> int:
    with store.read() as reading:
        head = heads.head(reading, W)
    assert head is not None
    return head.config_version


def test_a_document_keeps_every_version_with_its_author_and_reason(store: Store) -> None:
    for at, name, reason in ((1, "East", None), (2, "東", "renamed")):
        with store.write(W, NOW + at) as writing:
            documents.put(writing, "team", "east", {"name": name}, author=f"a{at}", reason=reason)
    with store.write(W, NOW + 3) as writing:
        documents.archive(writing, "team", "east", author="a3")
    with store.read() as reading:
        history = documents.versions(reading, W, "team", "east")
        stands = documents.get(reading, W, "team", "east")
    assert [(v.version, v.body["name"], v.author, v.reason, v.changed_at) for v in history] == [
        (1, "East", "a1", None, NOW + 1),
        (2, "東", "a2", "renamed", NOW + 2),
        (3, "東", "a3", None, NOW + 3),
    ]
    assert stands == history[-1]
    assert stands.archived


def test_archived_documents_leave_the_pages_and_stay_in_the_whole(store: Store) -> None:
    with store.write(W, NOW) as writing:
        for key in ("c", "a", "b", "d"):
            documents.put(writing, "team", key, {}, author="test")
        documents.archive(writing, "team", "b", author="test")
        with pytest.raises(NotFound):
            documents.archive(writing, "team", "b", author="test")
        with pytest.raises(NotFound):
            documents.archive(writing, "team", "z", author="test")
    with store.read() as reading:
        first = documents.page(reading, W, "team", None, 2)
        second = documents.page(reading, W, "team", first[-1].key, 2)
        assert [one.key for one in first + second] == ["a", "c", "d"]
        assert [one.key for one in documents.all_of(reading, W, "team")] == ["a", "b", "c", "d"]
    with store.write(W, NOW) as writing:
        assert documents.put(writing, "team", "b", {}, author="test").version == 3
        assert [one.key for one in documents.page(writing, W, "team", "a", 1)] == ["b"]


def test_workspaces_do_not_see_each_others_config(store: Store) -> None:
    settle(store, "other")
    with store.write("other", NOW) as writing:
        documents.put(writing, "team", "east", {}, author="test")
        keys.add(writing, "k", name="n", scopes={"read"}, digest=b"d")
        sources.put_secret(writing, "crm", Secret(b"h", b"c"))
    with store.read() as reading:
        assert documents.get(reading, W, "team", "east") is None
        assert documents.all_of(reading, W, "team") == []
        assert documents.versions(reading, W, "team", "east") == []
        assert keys.find(reading, W, b"d") is None
        assert keys.page(reading, W, None, 9) == []
        assert sources.source_of_hook(reading, W, b"h") is None
        assert sources.secret(reading, W, "crm") is None


def test_every_change_of_config_moves_its_version(store: Store) -> None:
    seen = [version_of_config(store)]
    with store.write(W, NOW) as writing:
        documents.put(writing, "team", "east", {}, author="test")
        seen.append(writing.config_version)
        keys.add(writing, "k", name="n", scopes=(), digest=b"d")
        seen.append(writing.config_version)
        keys.revoke(writing, "k")
        seen.append(writing.config_version)
        sources.put_secret(writing, "crm", Secret(None, b"c"))
        seen.append(writing.config_version)
    assert seen == sorted(set(seen))
    assert version_of_config(store) == seen[-1]


def test_a_key_is_found_by_its_digest_until_it_is_revoked(store: Store) -> None:
    with store.write(W, NOW + 1) as writing:
        added = keys.add(writing, "k1", name="鍵", scopes={"write", "read"}, digest=b"\x00\xff")
    with store.read() as reading:
        found = keys.find(reading, W, b"\x00\xff")
        assert keys.find(reading, W, b"\x00") is None
    assert found == added
    assert (added.created_at, added.revoked_at) == (NOW + 1, None)
    assert added.scopes == {"read", "write"}
    with store.write(W, NOW + 2) as writing:
        keys.revoke(writing, "k1")
        with pytest.raises(NotFound):
            keys.revoke(writing, "k1")
    with store.read() as reading:
        assert keys.find(reading, W, b"\x00\xff") is None
        assert [key.revoked_at for key in keys.page(reading, W, None, 5)] == [NOW + 2]
        assert keys.page(reading, W, "k1", 5) == []


def test_a_hook_leads_to_its_source_and_a_new_secret_replaces_the_old_one(store: Store) -> None:
    with store.write(W, NOW) as writing:
        sources.put_secret(writing, "crm", Secret(b"old", b"cipher"))
        sources.put_secret(writing, "crm", Secret(b"new", b"cipher"))
    with store.read() as reading:
        assert sources.source_of_hook(reading, W, b"old") is None
        assert sources.source_of_hook(reading, W, b"new") == "crm"
        assert sources.secret(reading, W, "crm") == Secret(b"new", b"cipher")

"""JSON Merge Patch, by the examples of its specification and by a way there and back."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from app.domain.merge_patch import merged

# RFC 7396, appendix A: original, patch, result.
APPENDIX = """
{"a":"b"} | {"a":"c"} | {"a":"c"}
{"a":"b"} | {"b":"c"} | {"a":"b","b":"c"}
{"a":"b"} | {"a":null} | {}
{"a":"b","b":"c"} | {"a":null} | {"b":"c"}
{"a":["b"]} | {"a":"c"} | {"a":"c"}
{"a":"c"} | {"a":["b"]} | {"a":["b"]}
{"a":{"b":"c"}} | {"a":{"b":"d","c":null}} | {"a":{"b":"d"}}
{"a":[{"b":"c"}]} | {"a":[1]} | {"a":[1]}
["a","b"] | ["c","d"] | ["c","d"]
{"a":"b"} | ["c"] | ["c"]
{"a":"foo"} | null | null
{"a":"foo"} | "bar" | "bar"
{"e":null} | {"a":1} | {"e":null,"a":1}
[1,2] | {"a":"b","c":null} | {"a":"b"}
{} | {"a":{"bb":{"ccc":null}}} | {"a":{"bb":{}}}
"""
CASES = [[json.loads(part) for part in line.split(" | ")] for line in APPENDIX.split("\n") if line]
VALUES = st.recursive(
    st.integers() | st.text(max_size=3) | st.booleans(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=2), inner),
    max_leaves=12,
)
OBJECTS = st.dictionaries(st.text(max_size=2), VALUES, max_size=5)


@pytest.mark.parametrize(("original", "patch", "result"), CASES)
def test_it_does_what_the_specification_shows(original: Any, patch: Any, result: Any) -> None:
    before = copy.deepcopy((original, patch))
    assert merged(original, patch) == result
    assert (original, patch) == before


def way(one: Any, other: Any) -> Any:
    """The patch from one document to another, neither with nulls."""
    if not (isinstance(one, dict) and isinstance(other, dict)):
        return other
    gone = dict.fromkeys(one.keys() - other.keys())
    return gone | {
        name: way(one.get(name), value)
        for name, value in other.items()
        if name not in one or repr(one[name]) != repr(value)
    }


@given(one=OBJECTS, other=OBJECTS)
def test_the_difference_of_two_documents_leads_from_one_to_the_other(one: Any, other: Any) -> None:
    assert merged(one, way(one, other)) == other
    assert merged(one, {}) == one

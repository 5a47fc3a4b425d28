"""JSON Merge Patch (RFC 7396): a document that shows what another one is to become."""

from __future__ import annotations


def merged(target: object, patch: object) -> object:
    """The target with the patch applied; neither is changed.

    A null takes a member away, an object goes into its member, and everything else, a list too,
    replaces what was there.
    """
    if not isinstance(patch, dict):
        return patch
    result: dict[str, object] = dict(target) if isinstance(target, dict) else {}
    for name, value in patch.items():
        if value is None:
            result.pop(name, None)
        else:
            result[name] = merged(result.get(name), value)
    return result

"""What a provider has to be told about an account and is no secret: ids, stages, zones, fields.

A provider declares its settings once, by the functions below. The declaration checks what a
source's document gives, with one clear fault for each wrong place, and describes it in the API's
document. A reader asks for them by name and gets the type that the declaration promises.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any
from zoneinfo import ZoneInfo

from app.domain.documents import Node, gathered, raise_any
from app.domain.errors import Invalid

MAX_TEXT = 500
MAX_ITEMS = 500

Words = Mapping[str, str]
Schema = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Settings:
    """The settings of a source, read; those that were not given have their defaults."""

    values: Mapping[str, object] = field(default_factory=dict)

    def text(self, name: str) -> str | None:
        """A text, or None where there is none."""
        value = self.values.get(name)
        return value if isinstance(value, str) else None

    def texts(self, name: str) -> tuple[str, ...]:
        """A list of texts; empty where there is none."""
        value = self.values.get(name)
        return value if isinstance(value, tuple) else ()

    def words(self, name: str) -> Words:
        """What texts of the provider stand for; empty where nothing was said."""
        value = self.values.get(name)
        return value if isinstance(value, Mapping) else {}

    def zone(self, name: str) -> ZoneInfo:
        """A time zone; UTC where there is none."""
        return ZoneInfo(self.text(name) or "UTC")

    def number(self, name: str) -> int:
        """An integer; 0 where there is none."""
        value = self.values.get(name)
        return value if isinstance(value, int) else 0

    def flag(self, name: str) -> bool:
        """Whether something is so; false where nothing was said."""
        return self.values.get(name) is True


NO_SETTINGS = Settings()


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting: how a given value is read, and what it is for.

    read: raises Invalid with the node's pointer; schema: JSON Schema of a value, with description
    default: the value read where none is given; required: whether there has to be one
    unmapped: whether it says what a mapping of the source would say, and goes without one only
    """

    name: str
    read: Callable[[Node], object]
    schema: Schema
    default: object = None
    required: bool = False
    unmapped: bool = False


def unless_mapped(setting: Setting) -> Setting:
    """The same, where no mapping of the source decides."""
    return replace(setting, unmapped=True)


def text_setting(
    name: str, about: str, *, default: str | None = None, required: bool = False
) -> Setting:
    """A text of up to 500 characters."""
    schema = {"type": "string", "minLength": 1, "maxLength": MAX_TEXT}
    return Setting(name, _text, _described(schema, about, default), default, required)


def texts_setting(
    name: str, about: str, *, default: Sequence[str] = (), required: bool = False
) -> Setting:
    """A list of up to 500 texts, such as account ids or outcomes; in `request.settings.texts`."""
    item = {"type": "string", "minLength": 1, "maxLength": MAX_TEXT}
    schema = {"type": "array", "items": item, "maxItems": MAX_ITEMS}
    told = _described(schema, about, list(default) or None)
    return Setting(name, _texts, told, tuple(default), required)


def choice_setting(
    name: str, about: str, allowed: Sequence[str], *, default: str | None = None
) -> Setting:
    """One of a few words; required where there is no default."""

    def read(node: Node) -> str:
        return _one_of(node, allowed)

    schema = {"type": "string", "enum": list(allowed)}
    return Setting(name, read, _described(schema, about, default), default, default is None)


def words_setting(
    name: str,
    about: str,
    *,
    allowed: Sequence[str] | None = None,
    default: Words | None = None,
    required: bool = False,
) -> Setting:
    """What texts of the provider stand for (stages, outcomes), or which of its fields are which.

    allowed: the words that may stand on the right; None for any text
    """

    def read(node: Node) -> Words:
        return _words(node, allowed)

    right: Schema = {"type": "string", "minLength": 1, "maxLength": MAX_TEXT}
    if allowed is not None:
        right = {"type": "string", "enum": list(allowed)}
    schema = {"type": "object", "additionalProperties": right, "maxProperties": MAX_ITEMS}
    told = _described(schema, about, dict(default) if default else None)
    return Setting(name, read, told, dict(default or {}), required)


def zone_setting(name: str, about: str, *, default: str | None = "UTC") -> Setting:
    """An IANA time zone, by which times without offset are read; required without a default."""
    schema = {"type": "string", "maxLength": MAX_TEXT, "examples": ["Asia/Tokyo"]}
    return Setting(name, _zone, _described(schema, about, default), default, default is None)


def number_setting(name: str, about: str, low: int, high: int, *, default: int) -> Setting:
    """An integer from `low` to `high`."""

    def read(node: Node) -> int:
        number = node.integer()
        if not low <= number <= high:
            raise node.refused("out_of_range", low=low, high=high)
        return number

    schema = {"type": "integer", "minimum": low, "maximum": high}
    return Setting(name, read, _described(schema, about, default), default)


def flag_setting(name: str, about: str, *, default: bool = False) -> Setting:
    """Whether something is so."""
    return Setting(name, _flag, _described({"type": "boolean"}, about, default), default)


def read_settings(declared: Iterable[Setting], document: object) -> Settings:
    """The settings that a source's document gives, checked.

    Raises Invalid with pointers into the document: required, unknown_field, and what the
    settings' own readers say.
    """
    node = Node({} if document is None else document)
    known = {setting.name: setting for setting in declared}
    if not isinstance(node.value, dict):
        raise node.refused("not_an_object")
    refused = [node.refused("unknown_field")] if node.value.keys() - known.keys() else []
    found: dict[str, object] = {}
    for name, setting in known.items():
        try:
            found[name] = _read(setting, node.at(name))
        except Invalid as error:
            refused.append(error)
    raise_any(refused)
    return Settings(found)


def standing_settings(declared: Iterable[Setting], document: object) -> Settings:
    """The same of a document that was accepted once: what is no longer valid has its default.

    A release may tighten a rule; a sender that is connected must not begin to fail by that.
    """
    node = Node(document if isinstance(document, dict) else {})
    return Settings({setting.name: _lenient(setting, node) for setting in declared})


def settings_schema(name: str, declared: Iterable[Setting]) -> Schema:
    """The JSON Schema of a provider's settings."""
    declared = tuple(declared)
    required = [one.name for one in declared if one.required and not one.unmapped]
    schema: Schema = {
        "title": name,
        "type": "object",
        "properties": {setting.name: setting.schema for setting in declared},
        "additionalProperties": False,
    }
    return schema | ({"required": required} if required else {})


def _read(setting: Setting, node: Node) -> object:
    if node.given:
        return setting.read(node)
    if setting.required:
        raise node.refused("required")
    return setting.default


def _lenient(setting: Setting, node: Node) -> object:
    try:
        return _read(setting, node.at(setting.name))
    except Invalid:
        return setting.default


def _described(schema: Mapping[str, Any], about: str, default: object) -> Schema:
    told = {**schema, "description": about}
    return told if default is None else told | {"default": default}


def _text(node: Node) -> str:
    text = node.text()
    if len(text) > MAX_TEXT:
        raise node.refused("text_too_long", limit=MAX_TEXT)
    if "\x00" in text:
        raise node.refused("nul_in_text")
    return text


def _texts(node: Node) -> tuple[str, ...]:
    items = node.items()
    if len(items) > MAX_ITEMS:
        raise node.refused("too_many_items", limit=MAX_ITEMS)
    return gathered(items, _text)


def _one_of(node: Node, allowed: Sequence[str]) -> str:
    text = _text(node)
    if text not in allowed:
        raise node.refused("unknown_value", allowed=", ".join(allowed))
    return text


def _words(node: Node, allowed: Sequence[str] | None) -> Words:
    if not isinstance(node.value, dict):
        raise node.refused("not_an_object")
    if len(node.value) > MAX_ITEMS:
        raise node.refused("too_many_items", limit=MAX_ITEMS)
    for label in node.value:
        _text(Node(label, node.pointer))
    right = _text if allowed is None else lambda found: _one_of(found, allowed)
    words = gathered((node.at(label) for label in node.value), right)
    return dict(zip(node.value, words, strict=True))


def _zone(node: Node) -> str:
    text = _text(node)
    try:
        return ZoneInfo(text).key
    except (KeyError, ValueError, OSError):  # unknown, a path, a folder of zones
        raise node.refused("unknown_zone") from None


def _flag(node: Node) -> bool:
    return node.flag()

"""Where in a body a value stands: JMESPath, without what could hang, grow, or count inexactly.

The grammar is the library's; the evaluation is bounded here. An expression has at most 500
characters, 200 nodes and 24 levels; an evaluation a budget of steps that all expressions about one
body share; a text that is joined and a list that is built have an end. Numbers are integers and
decimals, never binary fractions. Of the functions there are the few below. Containers cannot be
compared with each other: a small expression could build two whose comparison never ends.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from functools import lru_cache
from typing import Any

from jmespath import exceptions, lexer, parser, visitor

from app.domain.errors import Invalid
from app.domain.kinds import RawValue

MAX_EXPRESSION = 500
MAX_NODES = 200
MAX_LEVELS = 24
MAX_STEPS = 200_000
MAX_TEXT = 10_000
MAX_LIST = 10_000
MAX_DIGITS = 200
_LARGEST = 10**MAX_DIGITS
_CONTAINERS = (list, dict)

Node = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Selector:
    """An expression that was checked."""

    text: str
    tree: Node


class Budget:
    """What is left of the steps for one body."""

    def __init__(self, steps: int = MAX_STEPS) -> None:
        self._left = steps

    def spend(self, steps: int) -> None:
        """Raises Invalid (selector_too_costly) once nothing is left."""
        self._left -= steps
        if self._left < 0:
            raise Invalid("selector_too_costly", limit=MAX_STEPS)


@lru_cache(maxsize=2_000)
def selector(text: str) -> Selector:
    """The selector that a text means.

    Raises Invalid: selector_too_long, not_a_selector (with the place), selector_too_large,
    unknown_function, wrong_number_of_arguments.
    """
    if len(text) > MAX_EXPRESSION:
        raise Invalid("selector_too_long", limit=MAX_EXPRESSION)
    try:
        tree = _Parser().parsed(text)
    except exceptions.LexerError as error:
        raise Invalid("not_a_selector", place=error.lexer_position + 1) from None
    except exceptions.ParseError as error:
        raise Invalid("not_a_selector", place=error.lex_position + 1) from None
    except RecursionError:
        raise Invalid("selector_too_large", nodes=MAX_NODES, levels=MAX_LEVELS) from None
    except Exception:  # noqa: BLE001 - the library has more ways to fail than it names
        raise Invalid("not_a_selector", place=1) from None
    _check(tree, MAX_LEVELS, Budget(MAX_NODES))
    return Selector(text, tree)


def selected(chosen: Selector, value: RawValue, budget: Budget) -> RawValue:
    """What a selector finds in a value; None where there is nothing.

    Raises Invalid: selector_too_costly, selector_failed.
    """
    try:
        found: RawValue = _Interpreter(budget).visit(chosen.tree, value)
    except Invalid:
        raise
    except Exception:  # noqa: BLE001 - an expression of others about a body of others
        raise Invalid("selector_failed") from None
    return found


def holds(value: RawValue) -> bool:
    """Whether a value counts as true: neither null, false, nor empty."""
    return not (value is None or value is False or value == "" or value in ([], {}))


class _Lexer(lexer.Lexer):  # type: ignore[misc] # the library has no types
    """Reads literals by our rules: JSON only, exact decimals, no NaN."""

    def _consume_literal(self) -> dict[str, Any]:
        start = self._position
        text = self._consume_until("`").replace("\\`", "`")
        try:
            value = json.loads(text, parse_float=Decimal, parse_constant=_no_constant)
        except ValueError:
            raise exceptions.LexerError(start, text, "no JSON") from None
        return {"type": "literal", "value": value, "start": start, "end": self._position}


def _no_constant(_text: str) -> None:
    raise ValueError


class _Parser(parser.Parser):  # type: ignore[misc] # the library has no types
    """The library's grammar over our lexer, past its cache, which never forgets."""

    def parsed(self, text: str) -> Node:
        self._tokens = list(_Lexer().tokenize(text))
        self._index = 0
        tree: Node = self._expression(binding_power=0)
        if self._current_token() != "eof":
            self._raise_parse_error_for_token(self._lookahead_token(0), "unexpected token")
        return tree


def _check(node: Node, levels: int, nodes: Budget) -> None:
    """The size of a tree, its functions, and that it holds no reference to an expression."""
    try:
        nodes.spend(1)
    except Invalid:
        levels = 0
    if not levels:
        raise Invalid("selector_too_large", nodes=MAX_NODES, levels=MAX_LEVELS)
    if node["type"] == "expref":
        raise Invalid("unknown_function", allowed=", ".join(_FUNCTIONS))
    if node["type"] == "function_expression":
        if node["value"] not in _FUNCTIONS:
            raise Invalid("unknown_function", allowed=", ".join(_FUNCTIONS))
        least, most, _ = _FUNCTIONS[node["value"]]
        if not least <= len(node["children"]) <= most:
            raise Invalid("wrong_number_of_arguments", function=node["value"])
    if node["type"] == "slice":
        if node["children"][2] == 0:
            raise Invalid("not_a_selector", place=1)
        return  # its children are numbers
    for child in node["children"]:
        _check(child, levels - 1, nodes)


class _Interpreter(visitor.TreeInterpreter):  # type: ignore[misc] # the library has no types
    """The library's evaluation, paid by the step and by the element."""

    def __init__(self, budget: Budget) -> None:
        super().__init__(visitor.Options(custom_functions=self))
        self._budget = budget

    def visit(self, node: Node, *args: Any, **kwargs: Any) -> Any:  # noqa: ANN401 - the library's
        self._budget.spend(1)
        return super().visit(node, *args, **kwargs)

    def visit_flatten(self, node: Node, value: RawValue) -> Any:  # noqa: ANN401 - the library's
        return self._paid(super().visit_flatten(node, value))

    def visit_slice(self, node: Node, value: RawValue) -> Any:  # noqa: ANN401 - the library's
        return self._paid(super().visit_slice(node, value))

    def visit_comparator(self, node: Node, value: RawValue) -> Any:  # noqa: ANN401 - the library's
        left, right = (self.visit(child, value) for child in node["children"])
        if isinstance(left, _CONTAINERS) or isinstance(right, _CONTAINERS):
            raise Invalid("containers_compared")
        ordered = node["value"] not in self._EQUALITY_OPS
        if ordered and isinstance(left, str) is not isinstance(right, str):
            return None
        literals = [{"type": "literal", "value": side, "children": []} for side in (left, right)]
        return super().visit_comparator({**node, "children": literals}, value)

    def call_function(self, name: str, arguments: Sequence[RawValue]) -> RawValue:
        """One of ours; the library's know no decimals."""
        value = _FUNCTIONS[name][2](*arguments)
        if isinstance(value, str) and len(value) > MAX_TEXT:
            raise Invalid("text_too_long", limit=MAX_TEXT)
        return self._paid(value)

    def _paid(self, value: RawValue) -> RawValue:
        if isinstance(value, list):
            self._budget.spend(len(value))
            if len(value) > MAX_LIST:
                raise Invalid("too_many_items", limit=MAX_LIST)
        return value


def written(value: RawValue) -> str | None:
    """A scalar as text, without loss; None for null and containers.

    Raises Invalid (number_out_of_range) for a number of more than 200 digits.
    """
    match value:
        case str():
            return value
        case bool():
            return "true" if value else "false"
        case int() | Decimal():
            if abs(value) >= _LARGEST:
                raise Invalid("number_out_of_range")
            text = str(value) if isinstance(value, int) else format(value, "f")
            return text.rstrip("0").rstrip(".") if "." in text else text
    return None


def _contains(subject: RawValue, search: RawValue) -> RawValue:
    if isinstance(search, _CONTAINERS):
        raise Invalid("containers_compared")
    if isinstance(subject, str):
        return isinstance(search, str) and search in subject
    return isinstance(subject, list) and any(
        item == search and isinstance(item, bool) is isinstance(search, bool) for item in subject
    )


def _starts_with(subject: RawValue, start: RawValue) -> RawValue:
    return isinstance(subject, str) and isinstance(start, str) and subject.startswith(start)


def _ends_with(subject: RawValue, end: RawValue) -> RawValue:
    return isinstance(subject, str) and isinstance(end, str) and subject.endswith(end)


def _join(glue: RawValue, parts: RawValue) -> RawValue:
    """None where a part is missing: half a key is none."""
    if not isinstance(glue, str) or not isinstance(parts, list):
        return None
    texts = [written(part) for part in parts]
    if sum(len(text or "") + len(glue) for text in texts) > 2 * MAX_TEXT:
        raise Invalid("text_too_long", limit=MAX_TEXT)
    return None if None in texts else glue.join(text for text in texts if text is not None)


def _keys(value: RawValue) -> RawValue:
    return list(value) if isinstance(value, dict) else None


def _values(value: RawValue) -> RawValue:
    return list(value.values()) if isinstance(value, dict) else None


def _length(value: RawValue) -> RawValue:
    return len(value) if isinstance(value, str | list | dict) else None


def _not_null(*values: RawValue) -> RawValue:
    return next((value for value in values if value is not None), None)


Function = Callable[..., RawValue]
# name -> least and most arguments, and what it does
_FUNCTIONS: Mapping[str, tuple[int, int, Function]] = {
    "contains": (2, 2, _contains),
    "ends_with": (2, 2, _ends_with),
    "join": (2, 2, _join),
    "keys": (1, 1, _keys),
    "length": (1, 1, _length),
    "not_null": (1, 20, _not_null),
    "starts_with": (2, 2, _starts_with),
    "to_string": (1, 1, written),
    "values": (1, 1, _values),
}

"""The words of the terminal tree in its languages, and how numbers are shown to people."""

from __future__ import annotations

from dataclasses import dataclass
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Literal

from app.domain.quantities import minor_digits
from app.views.progress_documents import UnitDocument

Language = Literal["ja", "en"]


@dataclass(frozen=True, slots=True)
class Words:
    """Every word the tree needs. `as_of`, `elapsed`, `per_day` and `outlook` are templates."""

    expected: str
    pace: str
    required: str
    per_day: str
    outlook: str
    conversion: str
    each: str
    influence: str
    as_of: str
    elapsed: str
    last_event: str
    no_event: str
    stale: str
    pending: str
    unassigned: str
    outside_plan: str
    next_period: str
    excluded: str
    who: str
    breakdown: str
    nothing: str
    verdicts: dict[str, str]


WORDS: dict[Language, Words] = {
    "ja": Words(
        expected="予定",
        pace="ペース",
        required="必要",
        per_day="{}/日",
        outlook="着地 {}（達成確率 {}）",
        conversion="転換率",
        each="単価",
        influence="影響",
        as_of="{} 時点",
        elapsed="稼働日 {elapsed}/{total}（残り {remaining}）",
        last_event="最終受信",
        no_event="受信なし",
        stale="データが届いていません",
        pending="取得待ち",
        unassigned="担当者不明",
        outside_plan="計画外",
        next_period="次期分",
        excluded="他通貨",
        who="担当",
        breakdown="実績 / 目標",
        nothing="—",
        verdicts={
            "reached": "達成",
            "on_track": "順調",
            "at_risk": "注意",
            "off_track": "遅れ",
            "unknown": "不明",
            "missed": "未達",
            "not_started": "開始前",
        },
    ),
    "en": Words(
        expected="expected",
        pace="pace",
        required="needs",
        per_day="{} a day",
        outlook="ends at {} (target {} likely)",
        conversion="rate",
        each="each",
        influence="influence",
        as_of="as of {}",
        elapsed="working days {elapsed}/{total} ({remaining} left)",
        last_event="last event",
        no_event="no event yet",
        stale="data are late",
        pending="still to be fetched",
        unassigned="unassigned",
        outside_plan="outside the plan",
        next_period="next period",
        excluded="other currency",
        who="who",
        breakdown="actual / target",
        nothing="—",
        verdicts={
            "reached": "reached",
            "on_track": "on track",
            "at_risk": "at risk",
            "off_track": "off track",
            "unknown": "unknown",
            "missed": "missed",
            "not_started": "not started",
        },
    ),
}
_SIGNS = {"JPY": "¥", "USD": "$", "EUR": "€", "GBP": "£"}
_SHOWN_DIGITS = 1


def shown(quantity: str, unit: UnitDocument, *, sign: bool = True) -> str:
    """A decimal string for people: thousands separated, money with its currency.

    Money has its minor unit's digits, durations are h:mm:ss, the rest one digit where needed.
    """
    value = Decimal(quantity)
    currency = unit.get("currency")
    if currency is not None:
        amount = f"{_rounded(value, minor_digits(currency)):,}"
        return _with_currency(amount, currency) if sign else amount
    if unit["kind"] == "duration":
        return _clock(value)
    return number(value)


def number(value: Decimal, digits: int = _SHOWN_DIGITS) -> str:
    """A number with its thousands separated and at most so many fractional digits."""
    text = f"{_rounded(value, digits):,}"
    return text.rstrip("0").rstrip(".") if "." in text else text


def percent(ratio: str) -> str:
    """A ratio as a percentage."""
    return f"{number(Decimal(ratio) * 100)}%"


def currency_sign(unit: UnitDocument) -> str:
    """How a column of amounts is marked; "" for anything but money."""
    currency = unit.get("currency", "")
    return _SIGNS.get(currency, currency)


def _with_currency(amount: str, currency: str) -> str:
    sign = _SIGNS.get(currency)
    if sign is None:
        return f"{amount} {currency}"
    return f"-{sign}{amount[1:]}" if amount.startswith("-") else f"{sign}{amount}"


def _clock(value: Decimal) -> str:
    seconds = int(_rounded(abs(value), 0))
    minutes, second = divmod(seconds, 60)
    hours, minute = divmod(minutes, 60)
    return f"{'-' if value < 0 and seconds else ''}{hours:,}:{minute:02d}:{second:02d}"


def _rounded(value: Decimal, digits: int) -> Decimal:
    rounded = value.quantize(Decimal(1).scaleb(-digits), ROUND_HALF_EVEN)
    return abs(rounded) if rounded == 0 else rounded

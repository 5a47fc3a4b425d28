"""The workspace's settings: its zone, money, language and calendar."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

from app.domain.calendar import DAY_MINUTES, Closure, WorkCalendar
from app.domain.documents import Node, gathered
from app.domain.spans import bounded_span_of
from app.domain.weekdays import weekday

# How long deliveries are kept unless the settings say otherwise, and what they may say, in days.
DELIVERIES_DAYS = 90
_LONGEST_DAYS = 3_650
_FEWEST_BYTES, _MOST_BYTES = 2**20, 2**50
_CURRENCY = re.compile(r"[A-Z]{3}", re.ASCII)
_LOCALE = re.compile(r"[a-z]{2,3}(-[A-Za-z0-9]{2,8})*", re.ASCII)
_CLOCK = re.compile(r"([01]\d|2[0-3]):([0-5]\d)|24:00", re.ASCII)


@dataclass(frozen=True, slots=True)
class Workspace:
    """A tenant's settings. `holidays` names the country whose public holidays it keeps."""

    key: str
    name: str
    zone: ZoneInfo
    currency: str
    locale: str
    fiscal_year_start_month: int
    holidays: str | None
    calendar: WorkCalendar

    @property
    def language(self) -> str:
        """The language part of the locale."""
        return self.locale.split("-")[0]


def holiday_country(document: Mapping[str, object]) -> str | None:
    """Whose public holidays a workspace document asks for: the domain does not know them."""
    country = Node(document).at("calendar").at("holidays")
    return country.text() if country.given else None


def deliveries_days(document: Mapping[str, object]) -> int:
    """How many days a workspace keeps its deliveries. Raises Invalid `retention_out_of_range`."""
    retention = Node(document).at("retention")
    if not retention.given or not (node := retention.at("deliveries_days")).given:
        return DELIVERIES_DAYS
    if not 1 <= node.integer() <= _LONGEST_DAYS:
        raise node.refused("retention_out_of_range", low=1, high=_LONGEST_DAYS)
    return node.integer()


def deliveries_bytes(document: Mapping[str, object]) -> int | None:
    """How many bytes a workspace keeps of deliveries, as stored; None without a bound.

    Raises Invalid `retention_bytes_out_of_range`.
    """
    retention = Node(document).at("retention")
    if not retention.given or not (node := retention.at("deliveries_bytes")).given:
        return None
    if not _FEWEST_BYTES <= node.integer() <= _MOST_BYTES:
        bounds = {"low": _FEWEST_BYTES, "high": _MOST_BYTES}
        raise node.refused("retention_bytes_out_of_range", **bounds)
    return node.integer()


def workspace_of(
    key: str, document: Mapping[str, object], holidays: Mapping[date, str]
) -> Workspace:
    """The settings that a workspace document means.

    `holidays` are those of the country the document names, with their names.
    Raises Invalid: unknown_zone, not_a_currency, not_a_locale, not_a_month,
    retention_out_of_range, retention_bytes_out_of_range, and the calendar's unknown_weekday,
    no_weekdays, not_a_clock_time, empty_working_hours, empty_span.
    """
    node = Node(document)
    zone = _zone(node.at("time_zone"))
    month = node.at("fiscal_year_start_month")
    if not 1 <= month.integer() <= 12:
        raise month.refused("not_a_month")
    deliveries_days(document)
    deliveries_bytes(document)
    return Workspace(
        key,
        node.at("name").text(),
        zone,
        _matching(node.at("currency"), _CURRENCY, "not_a_currency"),
        _matching(node.at("locale"), _LOCALE, "not_a_locale"),
        month.integer(),
        holiday_country(document),
        _calendar(node.at("calendar"), zone, holidays),
    )


def _zone(node: Node) -> ZoneInfo:
    try:
        return ZoneInfo(node.text())
    except (KeyError, ValueError, OSError):  # unknown, a path, a folder of zones
        raise node.refused("unknown_zone") from None


def _matching(node: Node, pattern: re.Pattern[str], code: str) -> str:
    text = node.text()
    if not pattern.fullmatch(text):
        raise node.refused(code)
    return text


def _calendar(node: Node, zone: ZoneInfo, holidays: Mapping[date, str]) -> WorkCalendar:
    weekdays = frozenset(gathered(node.at("weekdays").items(), weekday))
    if not weekdays:
        raise node.at("weekdays").refused("no_weekdays")
    hours = node.at("working_hours")
    opens, closes = _minute(hours.at("from")), _minute(hours.at("to"))
    if opens >= closes:
        raise hours.at("to").refused("empty_working_hours")
    return WorkCalendar(
        zone,
        weekdays,
        opens,
        closes,
        holidays,
        gathered(node.at("closures").items(), _closure),
        frozenset(gathered(node.at("extra_working_days").items(), Node.day)),
    )


def _minute(node: Node) -> int:
    match = _CLOCK.fullmatch(node.text())
    if match is None:
        raise node.refused("not_a_clock_time")
    hour, minute = match.groups()
    return int(hour) * 60 + int(minute) if hour else DAY_MINUTES


def _closure(node: Node) -> Closure:
    reason = node.at("reason")
    return Closure(bounded_span_of(node), reason.text() if reason.given else "")

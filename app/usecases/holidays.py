"""Public holidays, from the `holidays` library. Imported when first asked: it costs 0.3 s."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from datetime import date
from functools import lru_cache
from importlib.metadata import version

from app.domain.errors import Fault, Invalid


class PublicHolidays(Mapping[date, str]):
    """The holidays of a country by day, worked out a year at a time.

    Dates beyond the next year are predictions: equinox days, for one, are fixed each February.
    """

    def __init__(self, country: str, language: str) -> None:
        if country not in _countries():
            fault = Fault("/calendar/holidays", "unknown_country", {"country": country})
            raise Invalid("unknown_country", fault)
        self._country = country
        self._language = language

    def __getitem__(self, day: date) -> str:
        return _year(self._country, self._language, day.year)[day]

    def __contains__(self, day: object) -> bool:
        return isinstance(day, date) and day in _year(self._country, self._language, day.year)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, PublicHolidays):
            return NotImplemented
        return (self._country, self._language) == (other._country, other._language)

    def __hash__(self) -> int:
        return hash((self._country, self._language))

    def __iter__(self) -> Iterator[date]:
        raise TypeError("holidays go on for ever; ask for a day")

    def __len__(self) -> int:
        raise TypeError("holidays go on for ever; ask for a day")


def public_holidays(country: str | None, language: str) -> Mapping[date, str]:
    """The holidays of a country, named in a language where the library knows it.

    Raises Invalid `unknown_country`.
    """
    return PublicHolidays(country, language) if country else {}


def maker() -> str:
    """Whose calendar this is, and which version of it."""
    return f"holidays {version('holidays')}"


@lru_cache(maxsize=1)
def _countries() -> frozenset[str]:
    import holidays  # noqa: PLC0415 - lazily, see above

    return frozenset(holidays.list_supported_countries(include_aliases=False))


@lru_cache(maxsize=1024)
def _year(country: str, language: str, year: int) -> Mapping[date, str]:
    import holidays  # noqa: PLC0415 - lazily, see above

    spoken = holidays.list_localized_countries().get(country, [])
    named = next((tag for tag in spoken if tag.split("_")[0] == language), None)
    return dict(holidays.country_holidays(country, years=year, language=named))

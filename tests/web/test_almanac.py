"""The public holidays that a plan was made with, when the law has moved since."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import holidays
import jpholiday
import pytest

from app.usecases import holidays as calendars
from tests.web.example import SETTINGS, START, settle
from tests.web.service import Service, started_in

PATH = "/v1/plans/november-2027"
BODY = {
    "name": "November",
    "period": {"month": "2027-11"},
    "funnel": [{"metric": "calls", "target": "100"}],
}
THANKSGIVING, INVENTED = date(2027, 11, 23), date(2027, 11, 10)
AS_KNOWN = holidays.country_holidays


@pytest.fixture
def older_calendar(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """An older calendar: without Labour Thanksgiving Day, with a day that nobody keeps."""
    calendars._year.cache_clear()

    def older(country: str, **asked: Any) -> dict[date, str]:
        found = dict(AS_KNOWN(country, **asked))
        found.pop(THANKSGIVING, None)
        return found | ({INVENTED: "Sports Day"} if asked["years"] == 2027 else {})

    monkeypatch.setattr(holidays, "country_holidays", older)
    yield
    calendars._year.cache_clear()


def newer(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(holidays, "country_holidays", AS_KNOWN)
    calendars._year.cache_clear()


def settled(service: Service) -> None:
    settle(service)
    calendar = SETTINGS["calendar"] | {"holidays": "JP"}
    service.replace("/v1/workspace", SETTINGS | {"calendar": calendar})


def warned(service: Service, language: str = "en") -> dict[str, str]:
    told = service.client.get(PATH, headers={"accept-language": language}).json()["warnings"]
    return {one["code"]: one["message"] for one in told if one["code"].startswith("holidays_")}


@pytest.mark.usefixtures("older_calendar")
def test_a_plan_tells_which_holidays_have_come_and_gone_since_it_was_made(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with started_in(tmp_path, START) as service:
        settled(service)
        before = service.put(PATH, BODY).json()
        assert [day["date"] for day in before["calendar"]["days"]] == ["2027-11-03", "2027-11-10"]
        assert warned(service) == {}
    newer(monkeypatch)
    with started_in(tmp_path, START) as service:
        found = service.get(PATH).json()
        assert found["calendar"] == before["calendar"]
        assert found["working_days"] == before["working_days"] == 20
        english, japanese = warned(service), warned(service, "ja")
        assert "2027-11-23" in english["holidays_added"]
        assert "2027-11-10" in english["holidays_gone"]
        assert english.keys() == japanese.keys()
        assert not set(english.values()) & set(japanese.values())
        # The same again is no change; a new version is made with what is known now.
        assert service.put(PATH, BODY, if_match='"1"').json()["version"] == 1
        assert warned(service).keys() == english.keys()
        body = BODY | {"name": "November, once more", "reason": "holidays"}
        renewed = service.put(PATH, body, if_match='"1"').json()
        told = {day["date"] for day in renewed["calendar"]["days"]}
        law = {day.isoformat() for day, _ in jpholiday.month_holidays(2027, 11)}
        assert told == law
        assert warned(service) == {}
        earlier = service.get(f"{PATH}?version=1").json()
        assert earlier["calendar"] == before["calendar"]
        codes = {one["code"] for one in earlier["warnings"]}
        assert {"holidays_added", "holidays_gone"} <= codes


def test_a_workspace_without_a_country_keeps_no_holidays(tmp_path: Path) -> None:
    with started_in(tmp_path, START) as service:
        settle(service)
        assert service.put(PATH, BODY).json()["calendar"] is None
        assert warned(service) == {}

"""The example's check agrees with right answers and finds wrong ones; on a table of its own."""

from __future__ import annotations

from pathlib import Path

import pytest

from examples.maven_crm.check import main

TEAMS = "sales_agent,manager,regional_office\nAnn,Mia,East\nBo,Mia,East\nCy,Max,West\n"
PIPELINE = """opportunity_id,sales_agent,product,account,deal_stage,\
engage_date,close_date,close_value
A1,Ann,GTXPro,Isdom,Won,2017-01-20,2017-03-01,1054
A2,Ann,MG Special,,Lost,2017-01-25,2017-03-31,0
B1,Bo,MG Special,Isdom,Won,2017-02-25,2017-04-30,50
B2,Bo,MG Special,,Engaging,2017-02-25,,
B3,Bo,MG Special,,Prospecting,,,
"""
ROWS = {
    "by_month": ["month", "2017-03,1,1,1054", "2017-04,1,0,50"],
    "by_agent": ["sales_agent", "Ann,1,1,1054", "Bo,1,0,50"],
    "by_agent_month": ["sales_agent,month", "Ann,2017-03,1,1,1054", "Bo,2017-04,1,0,50"],
    "by_manager": ["manager", "Mia,2,1,1104"],
    "by_manager_month": ["manager,month", "Mia,2017-03,1,1,1054", "Mia,2017-04,1,0,50"],
    "by_region": ["regional_office", "East,2,1,1104"],
    "by_region_month": ["regional_office,month", "East,2017-03,1,1,1054", "East,2017-04,1,0,50"],
}


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    (tmp_path / "sales_teams.csv").write_text(TEAMS, encoding="utf-8")
    (tmp_path / "sales_pipeline.csv").write_text(PIPELINE, encoding="utf-8")
    (tmp_path / "reference").mkdir()
    for name, (who, *rows) in ROWS.items():
        text = "\n".join((f"{who},won,lost,revenue", *rows))
        (tmp_path / "reference" / f"{name}.csv").write_text(text, encoding="utf-8")
    return tmp_path


def test_right_answers_are_met_and_who_did_nothing_is_shown_with_0(
    folder: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main(folder) == 0
    assert "0 for Cy" in capsys.readouterr().out


def test_a_wrong_answer_is_found(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "reference/by_region.csv").write_text("regional_office,won,lost,revenue\nEast,2,1,1")
    assert main(folder) == 1
    assert "East  revenue is 1104 and should be 1" in capsys.readouterr().out

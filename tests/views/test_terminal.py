"""The terminal tree says the document's numbers, aligns, and needs no colour."""

from __future__ import annotations

import re
import unicodedata
from decimal import Decimal
from fractions import Fraction
from io import StringIO
from typing import Any, get_args
from xml.etree import ElementTree as ET

import pytest
from rich.console import Console

from app.domain.metrics import UnitKind
from app.domain.progress import Edge, GoalProgress, Verdict
from app.views.progress_documents import ProgressDocument
from app.views.progress_json import progress_document
from app.views.terminal import _ICONS, plain, svg, tree
from app.views.terminal_words import WORDS, Language, percent, shown
from tests.views.samples import calls, deals, everything, progress, revenue, said, scoped

BAR = re.compile("(?<![━─┿┼])[━─┿┼]{24}(?![━─┿┼])")
LANGUAGES = get_args(Language)


def document_of(root: GoalProgress, *parts: Any) -> ProgressDocument:
    return progress_document(progress(root, *parts), said, "ja", breakdown=True)


def cells(line: str) -> int:
    """Terminal cells by Unicode's own widths, not by the drawing library's."""
    wide = sum(unicodedata.east_asian_width(c) in "WF" for c in line)
    return len(line) + wide - sum(unicodedata.combining(c) > 0 for c in line)


def goal_lines(text: str) -> list[str]:
    return [line for line in text.splitlines() if BAR.search(line)]


def test_the_worked_month_can_be_read_off_the_tree() -> None:
    text = plain(document_of(revenue()), "ja")
    squeezed = re.sub(" +", " ", text)
    assert "19% ¥380,000 / ¥2,000,000 ➘ 遅れ" in squeezed
    assert "予定 ¥1,034,483 · ペース 36.7% · 必要 ¥162,000/日" in squeezed
    assert "着地 ¥1,180,000（達成確率 8%）" in squeezed
    assert "単価 ¥400,000 → ¥380,000" in squeezed
    assert "40% 2 / 5 ➙ 注意" in squeezed
    assert "予定 51.7 · ペース 104.4% · 必要 4.6/日 · 着地 104（達成確率 65%）" in squeezed
    assert "転換率 20% → 20.6%" in squeezed
    assert "52.4% 262 / 500 ➚ 順調" in squeezed
    assert "2026-12-14 18:00 時点" in squeezed
    assert "稼働日 10.5/20（残り 9.5）" in squeezed
    assert "最終受信 12-14 17:40" in squeezed


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_number_shown_is_the_documents_rounded(language: Language) -> None:
    document = document_of(everything())
    text = plain(document, language)
    goals: list[Any] = [document["root"]]
    for goal in goals:
        goals += goal["children"]
    assert len(goals) == 8
    for goal in goals:
        for field in ("actual", "target_display", "expected", "required_per_day"):
            if goal[field] is not None:
                assert shown(goal[field], goal["unit"]) in text
        if goal["forecast"] is not None:
            assert shown(goal["forecast"]["median"], goal["unit"]) in text
            assert percent(goal["forecast"]["probability"]) in text
        for field in ("attainment", "pace"):
            if goal[field] is not None:
                assert percent(goal[field]) in text
                assert abs(Decimal(percent(goal[field])[:-1]) - Decimal(goal[field]) * 100) <= (
                    Decimal("0.05")
                )


@pytest.mark.parametrize("language", LANGUAGES)
def test_verdicts_are_told_by_icon_and_word_without_any_colour(language: Language) -> None:
    text = plain(document_of(everything()), language)
    assert "\x1b" not in text
    for verdict in Verdict:
        assert f"{_ICONS[verdict]} {WORDS[language].verdicts[verdict]}" in text
    assert len(set(_ICONS.values())) == len(Verdict)


@pytest.mark.parametrize("language", LANGUAGES)
def test_columns_align_and_nothing_wraps_at_a_hundred_cells(language: Language) -> None:
    east = scoped(revenue(), "東日本チーム", team="east")
    text = plain(document_of(revenue(), east), language)
    assert {cells(line) for line in text.splitlines()} <= {100}
    lines = goal_lines(text)
    assert len(lines) == 4
    starts = {cells(BAR.split(line)[0]) for line in lines}
    verdicts = {cells(re.split("[➚➙➘]", line)[0]) for line in lines}
    assert (len(starts), len(verdicts)) == (1, 1)


def test_the_bar_is_heavy_up_to_the_attainment_and_marks_what_is_due() -> None:
    (line,) = goal_lines(plain(document_of(calls()), "en"))
    bar = BAR.search(line)
    assert bar is not None
    heavy = sum(symbol in "━┿" for symbol in bar[0])
    mark = re.search("[┿┼]", bar[0])
    assert heavy == int(Decimal("0.524") * 24)
    assert mark is not None
    assert mark.start() == int(Decimal(30) / 58 * 24)


def test_late_data_and_silence_are_said() -> None:
    text = plain(document_of(everything()), "ja")
    assert "⚠ データが届いていません  ·  最終受信 12-11 09:05" in text
    assert "⚠ 受信なし" in text


def test_what_counts_for_nobody_here_is_said_beside() -> None:
    text = plain(document_of(everything()), "ja")
    assert "担当者不明 $2.50  ·  計画外 $7.00  ·  次期分 $0.14  ·  他通貨 €19.99" in text


def test_the_breakdown_names_each_part_with_its_numbers() -> None:
    east = scoped(revenue(), "東日本チーム", team="east")
    text = plain(document_of(revenue(), east, scoped(calls(), "佐藤 花子", member="sato")), "ja")
    (row,) = [line for line in text.splitlines() if "東日本チーム" in line]
    assert re.sub(" +", " ", row).strip() == (
        "東日本チーム 380,000 / 2,000,000 ➘ 2 / 5 ➙ 54 / 100 ➚ 262 / 500 ➚"
    )


@pytest.mark.parametrize(
    ("quantity", "unit", "text"),
    [
        ("1034482.758621", {"kind": "money", "currency": "JPY"}, "¥1,034,483"),
        ("-654482.758621", {"kind": "money", "currency": "JPY"}, "-¥654,483"),
        ("-0.2", {"kind": "money", "currency": "JPY"}, "¥0"),
        ("1234.5", {"kind": "money", "currency": "USD"}, "$1,234.50"),
        ("0.0005", {"kind": "money", "currency": "KWD"}, "0.000 KWD"),
        ("1234567", {"kind": "count"}, "1,234,567"),
        ("258.62069", {"kind": "count"}, "258.6"),
        ("100", {"kind": "count"}, "100"),
        ("0.04", {"kind": "count"}, "0"),
        ("3599.6", {"kind": "duration"}, "1:00:00"),
        ("-61", {"kind": "duration"}, "-0:01:01"),
    ],
)
def test_quantities_are_shown_as_people_write_them(quantity: str, unit: Any, text: str) -> None:
    assert shown(quantity, unit) == text
    assert unit["kind"] in set(UnitKind)


@pytest.mark.parametrize(
    "name",
    ["[red]x[/red]", "a\nb", "\x1b[2J", "\u202eevil", "長" * 10_000, "e" + "\u0301" * 10_000],
    ids=range(6),
)
def test_a_hostile_name_cannot_leave_its_line(name: str) -> None:
    root = revenue(name=name)
    text = plain(document_of(root, scoped(root, name, team="east")), "en")
    assert len(goal_lines(text)) == 4
    assert not re.search("[\x00-\x09\x0b-\x1f\x7f\u202e]", text)
    assert len(text) < 10_000
    if name.startswith("["):
        assert text.count("[red]x[/red]") == 3


def test_colour_only_adds_to_the_text() -> None:
    document = document_of(everything(), scoped(everything(), "東", team="east"))
    console = Console(width=100, file=StringIO(), force_terminal=True, color_system="truecolor")
    with console.capture() as captured:
        console.print(tree(document, "ja"))
    coloured = captured.get()
    assert "\x1b[" in coloured
    assert re.sub("\x1b\\[[0-9;]*m", "", coloured) == plain(document, "ja")


def test_the_picture_is_well_formed_and_loads_nothing() -> None:
    picture = svg(document_of(revenue()), "ja")
    root = ET.fromstring(picture)  # noqa: S314 - we drew it ourselves
    assert root.tag == "{http://www.w3.org/2000/svg}svg"
    assert "達成" in "".join(root.itertext()) or "順調" in "".join(root.itertext())
    assert not re.search(r"url\(['\"]?http|@import|<image|href=['\"]http", picture)


def test_every_letter_of_the_picture_has_the_cells_it_needs() -> None:
    picture = svg(document_of(revenue(name="売上（新規）")), "ja")
    root = ET.fromstring(picture)  # noqa: S314 - we drew it ourselves
    every = root.iter("{http://www.w3.org/2000/svg}text")
    texts = [e for e in every if "textLength" in e.attrib and e.text != "\n"]
    assert any("売上（新規）" in (text.text or "") for text in texts)
    for text in texts:
        assert float(text.attrib["textLength"]) == pytest.approx(cells(text.text or "") * 12.2)


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("width", [80, 100])
def test_a_narrow_terminal_still_shows_every_number_and_verdict(
    language: Language, width: int
) -> None:
    document = document_of(revenue())
    text = plain(document, language, width)
    assert max(map(cells, text.splitlines())) <= width
    goals: list[Any] = [document["root"]]
    for goal in goals:
        goals += goal["children"]
    for goal in goals:
        numbers = f"{shown(goal['actual'], goal['unit'])} / "
        numbers += shown(goal["target_display"], goal["unit"])
        (line,) = [line for line in text.splitlines() if f" {numbers} " in line]
        assert line.rstrip().endswith(WORDS[language].verdicts[goal["verdict"]])
        assert WORDS[language].per_day.format(shown(goal["required_per_day"], goal["unit"])) in text
    # No fact is torn: what follows a line's break belongs to the next fact.
    assert all(line.lstrip(" │└─") == "" or " · " not in line[-6:] for line in text.splitlines())


def test_both_languages_have_words_for_every_verdict() -> None:
    assert all(set(words.verdicts) == set(Verdict) for words in WORDS.values())


def test_an_influence_hangs_on_a_dashed_line_with_its_weight() -> None:
    tracked = deals(edge=Edge.INFLUENCE, weight=Fraction(3, 2), children=())
    solved = calls(edge=Edge.CONVERSION)
    text = plain(document_of(revenue(children=(solved, tracked))), "en")
    assert len(re.findall("├─ 架電", text)) == 1
    assert len(re.findall("└┄ 受注", text)) == 1
    assert text.count("influence ×1.5") == 1

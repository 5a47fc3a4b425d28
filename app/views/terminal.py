"""Progress as a tree in the terminal, drawn from the JSON document as the API answers it.

A verdict is always an icon and a word beside its colour: colours may be missing, and not every
eye tells them apart. Names are measured in cells, because a Japanese character takes two.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from decimal import Decimal
from html import unescape
from io import StringIO

from rich import box
from rich.cells import cell_len, set_cell_size
from rich.console import Console, Group, RenderableType
from rich.padding import Padding
from rich.rule import Rule
from rich.table import Table
from rich.text import Text

from app.views.progress_documents import GoalDocument, ProgressDocument, ScopedDocument
from app.views.terminal_words import (
    WORDS,
    Language,
    Words,
    currency_sign,
    number,
    percent,
    shown,
)

WIDTH = 100
_NAME, _BAR, _PERCENT, _NUMBERS, _VERDICT = 24, 24, 8, 23, 13
_MARGIN = 2
_ROOMY_WIDTH = 90
_NARROW_NAME, _LEAST_BAR = 18, 8
_CELL = 12.2  # of the picture, in its own units
_TEXT = re.compile(r'textLength="[0-9.]+"(?P<rest>[^>]*)>(?P<said>[^<]*)</text>')
_DOT = "  ·  "
_ROOMY = 5  # columns that have room for the target beside the actual
_MOST = 100  # code points of a name: combining marks take no cell, and may come by the thousand
# Dingbats, because the triangles and stars of other blocks are two cells wide in some fonts.
_ICONS = {
    "reached": "✔",
    "on_track": "➚",
    "at_risk": "➙",
    "off_track": "➘",
    "unknown": "?",
    "missed": "✖",
    "not_started": "◌",
}
_STYLES = {
    "reached": "bold green",
    "on_track": "green",
    "at_risk": "yellow",
    "off_track": "red",
    "unknown": "magenta",
    "missed": "bold red",
    "not_started": "dim",
}


@dataclass(frozen=True, slots=True)
class _Face:
    """In whose words, and with how many cells, the tree is drawn.

    A terminal of 80 columns shortens names and bars, because numbers and verdicts are what the
    tree is for.
    """

    words: Words
    width: int

    @property
    def name(self) -> int:
        return _NAME if self.width >= _ROOMY_WIDTH else _NARROW_NAME

    @property
    def bar(self) -> int:
        rest = self.name + 1 + _PERCENT + _NUMBERS + 2 + _VERDICT
        return max(_LEAST_BAR, min(_BAR, self.width - _MARGIN - rest))

    def rows(self, facts: list[str], before: int = 0) -> list[str]:
        """Facts on as few rows as hold them, when `before` cells are taken on each."""
        rows: list[str] = []
        for fact in facts:
            longer = f"{rows[-1]}{_DOT}{fact}" if rows else fact
            if rows and cell_len(longer) <= self.width - _MARGIN - before:
                rows[-1] = longer
            else:
                rows.append(fact)
        return rows


def tree(
    document: ProgressDocument, language: Language = "ja", width: int = WIDTH
) -> RenderableType:
    """The whole document: heading, tree of goals, and the people or teams when they are there."""
    words = WORDS[language]
    face = _Face(words, width)
    parts: list[RenderableType] = [_heading(document, face), Text()]
    parts += _lines(document["root"], face)
    if document.get("breakdown"):
        parts += [Text(), _breakdown(document["breakdown"], words), _legend(words)]
    return Padding(Group(*parts), (1, 1))


def plain(document: ProgressDocument, language: Language = "ja", width: int = WIDTH) -> str:
    """The tree as text without any colour."""
    console = Console(width=width, file=StringIO(), color_system=None, force_terminal=False)
    with console.capture() as captured:
        console.print(tree(document, language, width))
    return captured.get()


def svg(document: ProgressDocument, language: Language = "ja", width: int = WIDTH) -> str:
    """The tree as a picture that loads nothing from elsewhere."""
    console = Console(width=width, file=StringIO(), record=True, force_terminal=True)
    console.print(tree(document, language, width))
    picture = console.export_svg(title=f"Tassei · {_safe(document['plan']['name'])}")
    picture = re.sub(r"@font-face \{.*?\}\s*", "", picture, flags=re.DOTALL)
    # Meant for a font that ignores it; a Japanese one would widen every Latin letter.
    picture = re.sub(r"\s*font-variant-east-asian: full-width;", "", picture)
    picture = _TEXT.sub(_spread, picture)
    return picture.replace("Fira Code", "Noto Sans Mono CJK JP, DejaVu Sans Mono")


def _spread(text: re.Match[str]) -> str:
    """A piece of text as long as its cells: the library counts letters, and squeezes Japanese."""
    cells = cell_len(unescape(text["said"]))
    return f'textLength="{cells * _CELL:g}"{text["rest"]}>{text["said"]}</text>'


def _heading(document: ProgressDocument, face: _Face) -> RenderableType:
    plan, words = document["plan"], face.words
    title = Text.assemble(
        (_safe(plan["name"]), "bold"),
        (f"  {plan['alias']} v{plan['version']}", "dim"),
        overflow="ellipsis",
        no_wrap=True,
    )
    days = {name: number(Decimal(str(days))) for name, days in document["working_days"].items()}
    at = datetime.fromisoformat(document["as_of"])
    facts = [
        words.as_of.format(f"{at:%Y-%m-%d %H:%M}"),
        document["time_zone"],
        words.elapsed.format(**days),
    ]
    heard = [goal["freshness"]["last_event_at"] for goal in _walk(document["root"])]
    if latest := max((datetime.fromisoformat(at) for at in heard if at), default=None):
        facts.append(f"{words.last_event} {latest:%m-%d %H:%M}")
    rows = [Text(row, "dim") for row in face.rows(facts)]
    return Group(title, *rows, Rule(style="dim", characters="─"))


def _lines(
    goal: GoalDocument, face: _Face, trunk: str = "", branch: str = ""
) -> Iterator[RenderableType]:
    """The goal's lines and those of all below; `trunk` leads its details, `branch` its name."""
    children = goal["children"]
    below = f"{trunk}│  " if children else f"{trunk}   "
    yield _goal_line(goal, face, branch)
    for facts, style in _details(goal, face.words):
        for row in face.rows(facts, cell_len(below)):
            yield Text.assemble((below, "dim"), (row, style))
    for child in children:
        last = child is children[-1]
        yield Text(f"{trunk}│", "dim")
        # What is calculated with hangs on a whole line, an influence on a dashed one.
        dash = "┄" if child.get("edge") == "influence" else "─"
        fork = f"└{dash} " if last else f"├{dash} "
        yield from _lines(child, face, trunk + ("   " if last else "│  "), trunk + fork)


def _goal_line(goal: GoalDocument, face: _Face, branch: str) -> Text:
    room = max(face.name - cell_len(branch), 8)
    name = _fitted(_safe(goal["name"]), room)
    nothing = face.words.nothing
    reached = percent(goal["attainment"]) if goal["attainment"] is not None else nothing
    unit = goal["unit"]
    numbers = f"{shown(goal['actual'], unit)} / {shown(goal['target_display'], unit)}"
    return Text.assemble(
        (branch, "dim"),
        (name, "bold"),
        " ",
        _bar(goal, face.bar),
        f"{reached:>{_PERCENT}}",
        f"{numbers:>{_NUMBERS}}",
        "  ",
        _verdict(goal, face.words),
        overflow="ellipsis",
        no_wrap=True,
    )


def _bar(goal: GoalDocument, cells: int) -> Text:
    """How far it is (heavy), with a mark where it should be by now."""
    share = Decimal(goal["attainment"] or 0)
    target = Decimal(goal["target"])
    due = Decimal(goal["expected"]) / target if target else Decimal(0)
    filled = _cells(share, cells)
    mark = min(_cells(due, cells), cells - 1)
    style = _STYLES[goal["verdict"]]
    bar = Text()
    for cell in range(cells):
        done = cell < filled
        symbol = ("┿" if done else "┼") if cell == mark else ("━" if done else "─")
        bar.append(symbol, style if done else "dim")
    return bar


def _cells(share: Decimal, cells: int) -> int:
    return int(max(Decimal(0), min(Decimal(1), share)) * cells)


def _verdict(goal: GoalDocument, words: Words) -> Text:
    verdict = goal["verdict"]
    return Text(f"{_ICONS[verdict]} {words.verdicts[verdict]}", _STYLES[verdict])


def _details(goal: GoalDocument, words: Words) -> Iterator[tuple[list[str], str]]:
    """What stands below a goal's line, each with its style."""
    yield _detail(goal, words), ""
    yield _freshness(goal, words), "yellow"
    yield _beside(goal, words), "dim"


def _detail(goal: GoalDocument, words: Words) -> list[str]:
    unit = goal["unit"]
    required = goal["required_per_day"]
    facts = [
        f"{words.expected} {shown(goal['expected'], unit)}",
        f"{words.pace} {percent(goal['pace']) if goal['pace'] is not None else words.nothing}",
        f"{words.required} "
        + (words.per_day.format(shown(required, unit)) if required is not None else words.nothing),
    ]
    influence = f"{words.influence} ×{goal['weight']}" if "weight" in goal else ""
    more = (_outlook(goal, words), _conversion(goal, words), influence)
    return [*facts, *(fact for fact in more if fact)]


def _outlook(goal: GoalDocument, words: Words) -> str:
    """Where it will end, and how surely its target is reached."""
    forecast = goal["forecast"]
    if forecast is None:
        return ""
    median = shown(forecast["median"], goal["unit"])
    return words.outlook.format(median, percent(forecast["probability"]))


def _conversion(goal: GoalDocument, words: Words) -> str:
    """Assumed -> observed: shares as per cent, yields (yen a deal) in the goal's own unit."""
    rate = goal["rate"]
    if rate is None:
        return ""
    yields = goal["unit"]["kind"] != "count" or Decimal(rate["assumed"]) > 1

    def said(value: str | None) -> str:
        if value is None:
            return words.nothing
        return shown(value, goal["unit"]) if yields else percent(value)

    label = words.each if yields else words.conversion
    return f"{label} {said(rate['assumed'])} → {said(rate['observed'])}"


def _freshness(goal: GoalDocument, words: Words) -> list[str]:
    """Only what needs saying: fresh data speak for themselves."""
    freshness = goal["freshness"]
    if freshness["state"] == "fresh":
        return []
    if freshness["state"] == "pending":
        return [f"{words.pending} {freshness['pending']['count']}"]
    last = freshness["last_event_at"]
    said = words.stale if freshness["state"] == "stale" else words.no_event
    when = [f"{words.last_event} {datetime.fromisoformat(last):%m-%d %H:%M}"] if last else []
    return [f"⚠ {said}", *when]


def _beside(goal: GoalDocument, words: Words) -> list[str]:
    """What was counted, but not for this goal."""
    unit = goal["unit"]
    beside = {
        words.unassigned: goal["unassigned"],
        words.outside_plan: goal["outside_plan"],
        words.next_period: goal["next_period"],
    }
    facts = [f"{label} {shown(value, unit)}" for label, value in beside.items() if value != "0"]
    facts += [
        f"{words.excluded} "
        f"{shown(other['total'], {'kind': 'money', 'currency': other['currency']})}"
        for other in goal["excluded"]
    ]
    return facts


def _breakdown(parts: list[ScopedDocument], words: Words) -> Table:
    table = Table(box=box.SIMPLE_HEAD, expand=True, pad_edge=False, header_style="bold")
    table.add_column(words.who, no_wrap=True, min_width=10, max_width=_NAME)
    goals = list(_walk(parts[0]["root"]))
    for goal in goals:
        sign = currency_sign(goal["unit"])
        title = Text(f"{_safe(goal['name'])} {sign}".rstrip(), overflow="ellipsis")
        table.add_column(title, justify="right", no_wrap=True)
    for part in parts:
        cells = [_cell(goal, roomy=len(goals) <= _ROOMY) for goal in _walk(part["root"])]
        table.add_row(Text(_safe(part["name"])), *cells)
    return table


def _cell(goal: GoalDocument, *, roomy: bool) -> Text:
    unit = goal["unit"]
    icon = (f" {_ICONS[goal['verdict']]}", _STYLES[goal["verdict"]])
    actual = shown(goal["actual"], unit, sign=False)
    target = shown(goal["target_display"], unit, sign=False)
    return Text.assemble(actual, (f" / {target}" if roomy else "", "dim"), icon)


def _legend(words: Words) -> Text:
    legend = Text(f"{words.breakdown}   ", "dim")
    for verdict, icon in _ICONS.items():
        legend.append(f"{icon} ", _STYLES[verdict])
        legend.append(f"{words.verdicts[verdict]}   ", "dim")
    return legend


def _walk(goal: GoalDocument) -> Iterator[GoalDocument]:
    yield goal
    for child in goal["children"]:
        yield from _walk(child)


def _fitted(name: str, room: int) -> str:
    if cell_len(name) <= room:
        return set_cell_size(name, room)
    return set_cell_size(f"{set_cell_size(name, room - 1).rstrip()}…", room)


def _safe(name: str) -> str:
    """A name that cannot move the cursor or turn the line round."""
    kept = (c if unicodedata.category(c)[0] != "C" else "�" for c in name[:_MOST])
    return " ".join("".join(kept).split())

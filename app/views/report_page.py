"""The report as a page of blocks, before it is Markdown or HTML: both say the same, in one order.

Every text that somebody wrote is quoted already (`report_json.quoted`); what is added here is ours.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from datetime import date, datetime, timedelta
from decimal import Decimal
from fractions import Fraction
from typing import Literal

from app.domain.trajectory import Point
from app.views.progress_documents import ForecastDocument
from app.views.report_blocks import Bar, Block, Bullets, Chart, Page, Paragraph, Section, Table
from app.views.report_documents import (
    ReportDocument,
    ReportedGoalDocument,
    ReportedNoteDocument,
    ThenDocument,
)
from app.views.report_numbers import NOTHING, Numbers
from app.views.report_words import words
from app.views.terminal_words import WORDS

# What tells verdicts apart without colour; signs that text fonts have.
MARKS = {
    "reached": "✔",
    "on_track": "▲",
    "at_risk": "◆",
    "off_track": "▼",
    "unknown": "?",
    "missed": "✖",
    "not_started": "○",
}


def page_of(document: ReportDocument, points: Sequence[Point], target: Fraction) -> Page:
    """The page of a report. points, target: of its final goal."""
    return _Page(document).page(points, target)


class _Page:
    def __init__(self, document: ReportDocument) -> None:
        self._document, self._words = document, words(document["language"])
        self._numbers = Numbers(document["language"])
        self._goals = {goal["key"]: goal for goal in document["goals"]}
        self._root = document["goals"][0]
        terminal = WORDS["ja" if document["language"] == "ja" else "en"]
        self._verdicts = {code: f"{MARKS[code]} {word}" for code, word in terminal.verdicts.items()}

    def page(self, points: Sequence[Point], target: Fraction) -> Page:
        document, said = self._document, self._words
        name = document["plan"]["name"]
        title = name if document["name"] == name else f"{name} · {document['name']}"
        made = self._moment(document["generated_at"])
        sections = (
            Section(said["headline"], self._headline(points, target)),
            Section(said["today"], self._today()),
            Section(said["goals"], tuple(self._by_goal())),
            Section(said["why"], tuple(self._why())),
            Section(said["support"], self._support()),
            Section(said["since"], tuple(self._since())),
            Section(said["late"], self._late()),
            Section(said["beside"], self._beside()),
            Section(said["unknown"], self._unknown()),
            Section(said["notes"], self._notes()),
        )
        return Page(
            document["language"],
            f"{title} — {said['report']}",
            self._facts(),
            tuple(section for section in sections if section.blocks),
            said["generated"].format(at=made),
        )

    def _facts(self) -> tuple[str, ...]:
        document, said, days = self._document, self._words, self._document["working_days"]
        first = date.fromisoformat(document["period"]["start"])
        last = date.fromisoformat(document["period"]["end"]) - timedelta(days=1)
        spent = {
            "elapsed": self._numbers.days(days["elapsed"]),
            "total": self._numbers.days(days["total"]),
            "left": self._numbers.days(days["remaining"]),
        }
        facts = [
            said["period"].format(first=self._numbers.day(first), last=self._numbers.day(last)),
            said["as_of"].format(at=self._moment(document["as_of"])),
            said["days"].format(**spent),
        ]
        if self._moment(document["known_at"]) != self._moment(document["as_of"]):
            facts.append(said["known_at"].format(at=self._moment(document["known_at"])))
        return tuple(facts)

    def _headline(self, points: Sequence[Point], target: Fraction) -> tuple[Block, ...]:
        head, root, said = self._document["headline"], self._root, self._words
        labels = {name: said[f"line_{name}"] for name in ("expected", "actual", "ahead", "target")}
        chart = Chart(
            said["line"].format(goal=root["name"]),
            points,
            target,
            root["unit"]["kind"],
            labels,
            [self._numbers.day(point.day) for point in points],
            self._numbers.quantity(root["target_display"], root["unit"]),
        )
        return (
            Paragraph(f"{self._verdicts[head['verdict']]} · {head['sentence']['message']}", True),
            Paragraph(head["outlook"]["message"]),
            chart,
        )

    def _today(self) -> tuple[Block, ...]:
        today, said, told = self._document["today"], self._words, self._numbers
        if today is None:
            return ()
        head = [said[name] for name in ("goal", "required", "done", "left")]
        rows = [
            [
                goal["name"],
                told.quantity(goal["required_display"], goal["unit"]),
                told.quantity(goal["done"], goal["unit"]),
                told.quantity(goal["left"], goal["unit"]),
            ]
            for goal in today["goals"]
            if goal["required_display"] not in (None, "0")
        ]
        if not rows:
            return (Paragraph(today["sentence"]["message"]),)
        return Paragraph(today["sentence"]["message"]), Table(head, rows)

    def _by_goal(self) -> Iterator[Block]:
        said, goals = self._words, self._document["goals"]
        head = ("goal", "verdict", "actual", "target", "attainment", "expected", "ends")
        yield Table(
            [said[name] for name in head],
            [self._goal_row(goal) for goal in goals],
            [self._bar(goal) for goal in goals],
        )
        for name in ("reached", "not_reached"):
            keys = self._document["reached"] if name == "reached" else self._document["not_reached"]
            if keys:
                yield Paragraph(said[name], strong=True)
                yield Bullets([self._goals[key]["sentence"]["message"] for key in keys])

    def _goal_row(self, goal: ReportedGoalDocument) -> list[str]:
        unit, forecast = goal["unit"], goal["forecast"]
        told = self._numbers.quantity
        chance = self._numbers.percent(_of(forecast, "probability"))
        return [
            goal["name"],
            self._verdicts[goal["verdict"]],
            told(goal["actual"], unit),
            told(goal["target_display"], unit),
            self._numbers.percent(goal["attainment"]),
            told(goal["expected"], unit),
            NOTHING if forecast is None else f"{told(forecast['median'], unit)} ({chance})",
        ]

    def _bar(self, goal: ReportedGoalDocument) -> Bar:
        target = Fraction(goal["target"])
        due = Fraction(goal["expected"]) / target if target else Fraction(0)
        share = Fraction(goal["attainment"] or 0)
        text = self._words["bar"].format(
            share=self._numbers.percent(goal["attainment"]),
            due=self._numbers.percent(str(round(float(due), 4))),
        )
        return Bar(_within(share), _within(due), text, goal["verdict"])

    def _why(self) -> Iterator[Block]:
        why, said, unit = self._document["why"], self._words, self._root["unit"]
        yield Paragraph(why["sentence"]["message"])
        named = why["named"]
        if named is not None:
            yield Paragraph(named["message"])
        if why["effects"]:
            effect = said["effect"].format(goal=self._root["name"])
            yield Table(
                [said["step"], said["planned"], said["actual"], effect],
                [
                    [
                        self._label(one["factor"]),
                        self._of_factor(one["factor"], one["plan"]),
                        self._of_factor(one["factor"], one["actual"]),
                        self._numbers.signed(one["effect"], unit),
                    ]
                    for one in why["effects"]
                ],
                foot=[said["sum"], "", "", self._numbers.signed(self._sum(), unit)],
            )
        for title, told in (("signals", why["signals"]), ("proposals", why["proposals"])):
            if told:
                yield Paragraph(said[title], strong=True)
                yield Bullets([one["message"] for one in told])

    def _sum(self) -> str:
        """Of the lines as they are shown: the gap as it is rounded."""
        return str(sum(Decimal(one["effect"]) for one in self._document["why"]["effects"]))

    def _label(self, factor: str) -> str:
        goal, _, per = factor.partition("/")
        name = self._goals[goal]["name"]
        if per == "other":
            return f"{name} (+)"
        return f"{name} / {self._goals[per]['name']}" if per else name

    def _of_factor(self, factor: str, value: str | None) -> str:
        goal, _, per = factor.partition("/")
        kinds = {self._goals[key]["unit"]["kind"] for key in (goal, per) if key in self._goals}
        is_rate = per not in ("", "other") and kinds == {"count"}
        if value is not None and is_rate and abs(Decimal(value)) <= 1:
            return self._numbers.percent(value)
        return self._numbers.quantity(value, self._goals[goal]["unit"])

    def _support(self) -> tuple[Block, ...]:
        found = self._document["support"]
        if not found:
            return (Paragraph(self._words["nobody_behind"]),)
        return (Bullets([one["message"] for one in found]),)

    def _since(self) -> Iterator[Block]:
        since, said = self._document["since"], self._words
        if since is None:
            yield Paragraph(said["younger"])
            return
        head = ("goal", "actual", "attainment", "outlook", "probability")
        yield Paragraph(_arrow(self._moment(since["as_of"]), self._moment(self._document["as_of"])))
        known = [(one, self._goals[one["goal"]]) for one in since["goals"] if self._is_goal(one)]
        yield Table([said[name] for name in head], [self._then(*pair) for pair in known])
        if since["moved"]:
            yield Bullets([one["message"] for one in since["moved"]])
        else:
            yield Paragraph(said["nothing_moved"])

    def _is_goal(self, then: ThenDocument) -> bool:
        """Whether the plan has it still."""
        return then["goal"] in self._goals

    def _then(self, then: ThenDocument, now: ReportedGoalDocument) -> list[str]:
        pair, unit, told = (then, now), now["unit"], self._numbers
        forecasts = [one["forecast"] for one in pair]
        return [
            now["name"],
            _arrow(*(told.quantity(one["actual"], unit) for one in pair)),
            _arrow(*(told.percent(one["attainment"]) for one in pair)),
            _arrow(*(told.quantity(_of(one, "median"), unit) for one in forecasts)),
            _arrow(*(told.percent(_of(one, "probability")) for one in forecasts)),
        ]

    def _late(self) -> tuple[Block, ...]:
        found = self._document["sources"]
        if not found:
            return (Paragraph(self._words["all_fresh"]),)
        return (Bullets([one["message"] for one in found]),)

    def _beside(self) -> tuple[Block, ...]:
        said, found = self._words, self._document["beside"]
        if not found:
            return ()
        rows = []
        for one in found:
            goal = self._goals[one["goal"]]
            others = [
                self._numbers.quantity(other["total"],
                                       {"kind": "money", "currency": other["currency"]})
                for other in one["excluded"]
            ]  # fmt: skip
            rows.append(
                [
                    goal["name"],
                    self._numbers.quantity(one["unassigned"], goal["unit"]),
                    self._numbers.quantity(one["outside_plan"], goal["unit"]),
                    ", ".join(others) or NOTHING,
                ]
            )
        head = [said[name] for name in ("goal", "unassigned", "outside_plan", "excluded")]
        return (Table(head, rows),)

    def _unknown(self) -> tuple[Block, ...]:
        said, found = self._words, self._document["unknown"]
        if not found:
            return ()
        head = [said[name] for name in ("source", "identity", "activities")]
        rows = [[one["source"], one["identity"], f"{one['activities']:,}"] for one in found]
        return (Table(head, rows),)

    def _notes(self) -> tuple[Block, ...]:
        found = self._document["notes"]
        return (Bullets([self._note(one) for one in found]),) if found else ()

    def _note(self, note: ReportedNoteDocument) -> str:
        said, goal = self._words, self._goals.get(note["goal"])
        about = [self._numbers.day(datetime.fromisoformat(note["at"]).date())]
        if goal is not None:
            about.append(goal["name"])
        if "name" in note:
            about.append(note["name"])
        if "due" in note:
            word = "overdue" if note["overdue"] else "due"
            mark = "⚠ " if note["overdue"] else ""
            day = self._numbers.day(date.fromisoformat(note["due"]))
            about.append(mark + said[word].format(day=day))
        return " · ".join(about) + "\n" + note["text"]

    def _moment(self, text: str) -> str:
        return self._numbers.moment(datetime.fromisoformat(text))


def _of(forecast: ForecastDocument | None, name: Literal["median", "probability"]) -> str | None:
    return None if forecast is None else forecast[name]


def _arrow(then: str, now: str) -> str:
    return f"{then} → {now}"


def _within(share: Fraction) -> float:
    return float(max(Fraction(0), min(Fraction(1), share)))

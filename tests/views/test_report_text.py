"""What people wrote stands in a report as they wrote it, and does nothing there."""

from __future__ import annotations

import unicodedata
from html.parser import HTMLParser
from xml.etree import ElementTree as ET

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markdown_it import MarkdownIt

from app.views.messages import MESSAGES
from app.views.progress_documents import UnitDocument
from app.views.report_blocks import Bullets, Page, Paragraph, Section, Table
from app.views.report_html import html_of
from app.views.report_markdown import markdown_of
from app.views.report_numbers import Numbers
from app.views.report_text import markdown, plain
from app.views.report_words import WORDS

HOSTILE = (
    "<script>alert(1)</script>",
    "]](javascript:alert(1)) [x](http://x.example) ![i](http://x.example/i.png)",
    "| a | b |",
    "**bold** _it_ `code` ~~no~~ <b>b</b> &amp; &#x3c;",
    "# 1. - + > \\ http://x.example www.x.example a@x.example",
    "' onload='x' \" onmouseover=\"x",
    "safe\u202etxt.exe\u2066\u200f",
    "a\tb\u0000\u0007\u2028c",
    "ｱ\ud83d\ude00" .encode("utf-16", "surrogatepass").decode("utf-16"),
)  # fmt: skip
texts = st.one_of(
    st.sampled_from(HOSTILE),
    st.text(st.characters(codec="utf-8"), max_size=80),
    st.text(alphabet="<>&\"'\\`*_{}[]()#+-.!|~:/@ \n1a", max_size=60),
)
TURNING = {chr(code) for code in (0x61C, 0x200E, 0x200F, *range(0x202A, 0x202F),
                                  *range(0x2066, 0x206A))}  # fmt: skip


def page(text: str, name: str) -> Page:
    """A text in every place where one may stand."""
    blocks = (
        Paragraph(f"{name} is told", strong=True),
        Paragraph(text),
        Bullets([f"about {name}\n{text}"]),
        Table(["Goal", name], [[name, "1"], ["x", name]], foot=[name, "2"]),
    )
    return Page("en", name or "x", (f"as {name}",), (Section("Goals", blocks),), "made")


class Reader(HTMLParser):
    """Every element and attribute of a page, and its text."""

    def __init__(self) -> None:
        super().__init__()
        self.tags: set[str] = set()
        self.attributes: set[str] = set()
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.add(tag)
        self.attributes.update(name for name, _ in attrs)

    def handle_data(self, data: str) -> None:
        self.text.append(data)


OURS = {
    "html", "head", "meta", "title", "style", "body", "header", "h1", "h2", "ul", "li", "main",
    "section", "p", "div", "table", "thead", "tbody", "tfoot", "tr", "th", "td", "bdi", "footer",
}  # fmt: skip


@given(texts)
def test_no_text_makes_an_element_of_the_page(text: str) -> None:
    shown = plain(text)
    reader = Reader()
    reader.feed(html_of(page(shown, shown.replace("\n", " "))))
    assert reader.tags <= OURS
    assert reader.attributes <= {
        "lang", "charset", "name", "content", "class", "dir", "scope",
    }  # fmt: skip
    # And it can be read as it was typed.
    assert shown in reader.text or not shown


@given(texts)
def test_no_text_turns_a_line_round_or_moves_a_cursor(text: str) -> None:
    for shown in (plain(text), markdown(text)):
        assert not TURNING & set(shown)
        assert all(unicodedata.category(letter) != "Cc" for letter in shown.replace("\n", ""))
        assert len(shown.split("\n")) <= len(text.split("\n"))


@given(texts)
def test_markdown_shows_a_text_as_it_was_typed(text: str) -> None:
    shown = plain(text).replace("\n", " ")
    quoted = markdown(text).replace("\n", " ")
    tokens = MarkdownIt("gfm-like", {"linkify": False}).parse(markdown_of(page(quoted, quoted)))
    kinds = {token.type for token in tokens}
    assert kinds <= {
        "heading_open", "heading_close", "inline", "bullet_list_open", "bullet_list_close",
        "list_item_open", "list_item_close", "paragraph_open", "paragraph_close", "table_open",
        "table_close", "thead_open", "thead_close", "tbody_open", "tbody_close", "tr_open",
        "tr_close", "th_open", "th_close", "td_open", "td_close",
    }  # fmt: skip
    inside = [child for token in tokens for child in token.children or ()]
    assert {child.type for child in inside} <= {
        "text", "text_special", "strong_open", "strong_close", "em_open", "em_close", "hardbreak",
    }  # fmt: skip
    lines = ["".join(c.content for c in token.children or ()) for token in tokens]
    assert any(line.strip() == shown.strip() for line in lines) or not shown.strip()


JPY: UnitDocument = {"kind": "money", "currency": "JPY"}
USD: UnitDocument = {"kind": "money", "currency": "USD"}


@pytest.mark.parametrize(
    ("language", "value", "unit", "told"),
    [
        ("ja", "1234567", JPY, "1,234,567円"),
        ("en", "1234567", JPY, "¥1,234,567"),
        ("ja", "-654482.758621", JPY, "-654,483円"),
        ("en", "-654482.758621", JPY, "-¥654,483"),
        ("ja", "1234.5", USD, "$1,234.50"),
        ("ja", "258.62069", {"kind": "count"}, "258.6件"),
        ("en", "258.62069", {"kind": "count"}, "258.6"),
        ("ja", "3661", {"kind": "duration"}, "1:01:01"),
        ("en", None, JPY, "—"),
    ],
)
def test_figures_are_written_as_the_language_has_them(
    language: str, value: str | None, unit: UnitDocument, told: str
) -> None:
    assert Numbers(language).quantity(value, unit) == told


def test_every_word_and_sentence_of_the_report_is_there_in_both_languages() -> None:
    codes = {
        *(f"goal_{word}" for word in ("reached", "on_pace", "behind", "behind_within_noise")),
        *(f"goal_{word}" for word in ("missed", "unknown", "not_started")),
        *(f"support_{word}" for word in ("help", "away", "silent", "unidentified")),
        *(f"quiet_{word}" for word in ("stale", "none", "pending")),
        "outlook", "outlook_over", "no_outlook", "moved", "moved_in_part",
    }  # fmt: skip
    assert codes <= MESSAGES.keys()
    for name, (english, japanese) in WORDS.items():
        assert all((english, japanese)), name


def test_the_page_is_well_formed_apart_from_what_html_leaves_open() -> None:
    text = html_of(page("a & b", "<x>"))
    closed = text.replace("<!DOCTYPE html>", "").replace('charset="utf-8">', 'charset="utf-8"/>')
    closed = closed.replace('initial-scale=1">', 'initial-scale=1"/>')
    assert ET.fromstring(closed.replace('"noindex">', '"noindex"/>')).tag == "html"  # noqa: S314 - our own page

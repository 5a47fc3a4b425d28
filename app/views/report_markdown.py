"""The report as Markdown (CommonMark with the tables of GFM), for chat, wikis and mail."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from app.views.report_blocks import Bullets, Chart, Page, Paragraph, Table


def markdown_of(page: Page) -> str:
    """The text of a page."""
    lines = [f"# {_line(page.title)}", "", *(f"- {_line(fact)}" for fact in page.facts), ""]
    for section in page.sections:
        lines += [f"## {section.title}", ""]
        for block in section.blocks:
            told = list(_block(block))
            lines += [*told, ""] if told else []
    return "\n".join([*lines, f"_{page.foot}_", ""])


def _block(block: Paragraph | Bullets | Table | Chart) -> Iterator[str]:
    match block:
        case Paragraph():
            yield f"**{_line(block.text)}**" if block.strong else _line(block.text)
        case Bullets():
            # A backslash before the end of a line is a break that stays in the item.
            yield from (
                f"- {item.replace(chr(10), chr(92) + chr(10) + '  ')}" for item in block.items
            )
        case Table():
            yield _row(block.head)
            yield _row([":---", *("---:" for _ in block.head[1:])])
            yield from (_row(row) for row in block.rows)
            if block.foot:
                yield _row([f"**{cell}**" if cell else "" for cell in block.foot])
        case Chart():
            # The figures of the line stand at /line; a picture has no place in a text.
            return


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(_line(cell) for cell in cells)} |"


def _line(text: str) -> str:
    return text.replace("\n", " ")

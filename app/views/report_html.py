"""The report as one page of HTML: no script, nothing from elsewhere, good to print on A4.

Styles are in one element, which the page's policy names by its hash; so a style or script that
came in with a name would do nothing even if it were not escaped.
"""

from __future__ import annotations

import base64
import hashlib
from collections.abc import Iterator, Sequence
from html import escape

from app.views.report_blocks import Bar, Bullets, Chart, Page, Paragraph, Table
from app.views.report_chart import chart_svg

_BAR_WIDTH, _BAR_HEIGHT = 96, 12
STYLE = """
:root { color-scheme: light; }
* { box-sizing: border-box; }
body { margin: 0 auto; max-width: 190mm; padding: 8mm 6mm; color: #1b1f24; background: #fff;
  font: 15px/1.55 system-ui, -apple-system, "Segoe UI", "Hiragino Sans", "Noto Sans JP",
  "Noto Sans CJK JP", Meiryo, sans-serif; overflow-wrap: anywhere; }
header { border-bottom: 3px solid #1f4e79; margin-bottom: 4mm; }
h1 { font-size: 1.55em; line-height: 1.25; margin: 0 0 2mm; }
h2 { font-size: 1.12em; margin: 6mm 0 2mm; padding-left: 2.5mm; border-left: 4px solid #1f4e79; }
p { margin: 0 0 2mm; }
p.strong { font-weight: 700; }
ul { margin: 0 0 2mm; padding-left: 6mm; }
li { white-space: pre-line; margin-bottom: 1mm; }
ul.facts { display: flex; flex-wrap: wrap; gap: 0 5mm; padding: 0; list-style: none;
  color: #4a5561; font-size: .88em; }
.scroll { overflow-x: auto; }
table { border-collapse: collapse; width: 100%; margin: 0 0 3mm; font-size: .86em;
  font-variant-numeric: tabular-nums; }
th, td { padding: 1.2mm 1.6mm; border-bottom: 1px solid #d5dbe1; text-align: right;
  overflow-wrap: normal; }
thead th { color: #4a5561; font-weight: 600; border-bottom: 2px solid #9aa5b1;
  vertical-align: bottom; word-break: keep-all; }
th:first-child { text-align: left; min-width: 108px; overflow-wrap: break-word; }
td { white-space: nowrap; }
tfoot th, tfoot td { border-top: 2px solid #9aa5b1; font-weight: 700; }
svg.bar { width: 96px; height: 12px; display: block; }
svg.bar .room { fill: #e6eaee; }
svg.bar .due { stroke: #1b1f24; stroke-width: 2; }
.reached .done, .on_track .done { fill: #2e7d4f; }
.at_risk .done { fill: #b7791f; }
.off_track .done, .missed .done { fill: #b3372f; }
.unknown .done, .not_started .done { fill: #6b7785; }
svg.chart { width: 100%; height: auto; margin: 1mm 0 3mm; }
svg.chart text { font-size: 12px; fill: #4a5561; }
svg.chart polyline { fill: none; stroke-width: 2; }
svg.chart .axis { stroke: #9aa5b1; stroke-width: 1; }
svg.chart .target { stroke: #1b1f24; stroke-width: 1; stroke-dasharray: 2 3; }
svg.chart .expected { stroke: #6b7785; stroke-dasharray: 7 4; }
svg.chart .actual { stroke: #1f4e79; stroke-width: 3; }
svg.chart .ahead { stroke: #1f4e79; stroke-dasharray: 2 4; }
svg.chart .band { fill: #1f4e79; fill-opacity: .13; }
svg.chart .dot { fill: #1f4e79; }
footer { margin-top: 6mm; color: #4a5561; font-size: .8em; border-top: 1px solid #d5dbe1; }
@media (max-width: 640px) { body { font-size: 14px; } }
@page { size: A4; margin: 14mm 12mm; }
@media print {
  body { max-width: none; padding: 0; font-size: 10.5pt; }
  h2 { break-after: avoid; }
  tr, li, svg { break-inside: avoid; }
  .scroll { overflow: visible; }
  * { print-color-adjust: exact; -webkit-print-color-adjust: exact; }
}
"""


def policy() -> str:
    """The Content-Security-Policy of the page: its own style and nothing else."""
    digest = base64.b64encode(hashlib.sha256(STYLE.encode()).digest()).decode()
    return (
        f"default-src 'none'; style-src 'sha256-{digest}'; base-uri 'none'; form-action 'none'; "
        "frame-ancestors 'none'"
    )


def html_of(page: Page) -> str:
    """The whole page."""
    facts = "".join(f"<li>{escape(fact)}</li>" for fact in page.facts)
    sections = "".join(
        f"<section><h2>{escape(section.title)}</h2>"
        f"{''.join(part for block in section.blocks for part in _block(block))}</section>"
        for section in page.sections
    )
    return (
        f'<!DOCTYPE html><html lang="{page.language}"><head><meta charset="utf-8">'
        f'<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<meta name="robots" content="noindex"><title>{escape(page.title)}</title>'
        f"<style>{STYLE}</style></head><body><header><h1>{escape(page.title)}</h1>"
        f'<ul class="facts">{facts}</ul></header><main>{sections}</main>'
        f"<footer>{escape(page.foot)}</footer></body></html>\n"
    )


def _block(block: Paragraph | Bullets | Table | Chart) -> Iterator[str]:
    match block:
        case Paragraph():
            kind = ' class="strong"' if block.strong else ""
            yield f'<p dir="auto"{kind}>{escape(block.text)}</p>'
        case Bullets():
            items = "".join(f'<li dir="auto">{escape(item)}</li>' for item in block.items)
            yield f"<ul>{items}</ul>"
        case Table():
            yield from _table(block)
        case Chart():
            yield chart_svg(block)


def _table(table: Table) -> Iterator[str]:
    heads = "".join(f'<th scope="col">{escape(cell)}</th>' for cell in table.head)
    yield f'<div class="scroll"><table><thead><tr>{heads}</tr></thead><tbody>'
    for number, row in enumerate(table.rows):
        yield _row(row, table.bars[number] if table.bars else None)
    yield "</tbody>"
    if table.foot:
        yield f"<tfoot>{_row(table.foot, None)}</tfoot>"
    yield "</table></div>"


def _row(cells: Sequence[str], bar: Bar | None) -> str:
    below = "" if bar is None else _bar(bar)
    first, *rest = (f"<bdi>{escape(cell)}</bdi>" for cell in cells)
    figures = "".join(f"<td>{cell}</td>" for cell in rest)
    return f'<tr><th scope="row">{first}{below}</th>{figures}</tr>'


def _bar(bar: Bar) -> str:
    """How far it is, and a stroke where it should be."""
    done, due = bar.share * _BAR_WIDTH, bar.due * _BAR_WIDTH
    at = min(max(due, 1.0), _BAR_WIDTH - 1.0)
    return (
        f'<svg class="bar {bar.verdict}" role="img" viewBox="0 0 {_BAR_WIDTH} {_BAR_HEIGHT}">'
        f"<title>{escape(bar.text)}</title>"
        f'<rect class="room" width="{_BAR_WIDTH}" height="{_BAR_HEIGHT}"/>'
        f'<rect class="done" width="{done:.1f}" y="2" height="{_BAR_HEIGHT - 4}"/>'
        f'<line class="due" x1="{at:.1f}" x2="{at:.1f}" y1="0" y2="{_BAR_HEIGHT}"/></svg>'
    )

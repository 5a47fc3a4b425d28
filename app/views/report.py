"""The report in its formats, all of them made from one document."""

from __future__ import annotations

import json
from enum import StrEnum

from app.domain.report import Report
from app.views.report_blocks import Page
from app.views.report_html import html_of
from app.views.report_json import Quote, report_document
from app.views.report_markdown import markdown_of
from app.views.report_page import page_of
from app.views.report_text import markdown, plain


class Format(StrEnum):
    """How a report is written."""

    JSON = "json"
    MARKDOWN = "markdown"
    HTML = "html"

    @property
    def media_type(self) -> str:
        """By RFC 8259, 7763 and the HTML standard."""
        return _MEDIA_TYPES[self]


_MEDIA_TYPES = {
    Format.JSON: "application/json",
    Format.MARKDOWN: "text/markdown",
    Format.HTML: "text/html",
}


def written_report(report: Report, form: Format, language: str) -> bytes:
    """The bytes of a report."""
    match form:
        case Format.JSON:
            document = report_document(report, language)
            return json.dumps(document, ensure_ascii=False, separators=(",", ":")).encode()
        case Format.MARKDOWN:
            return markdown_of(_page(report, language, markdown)).encode()
        case Format.HTML:
            return html_of(_page(report, language, plain)).encode()


def _page(report: Report, language: str, quote: Quote) -> Page:
    document = report_document(report, language, quote)
    return page_of(document, report.points, report.progress.whole.root.target)

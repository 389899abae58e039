"""Pages in one file: of a run, with players, pictures and figures; of the marks of files."""

from __future__ import annotations

from recipes.reports.marks_page import write_marks_page
from recipes.reports.write import ReportSummary, write_report

__all__ = ["ReportSummary", "write_marks_page", "write_report"]

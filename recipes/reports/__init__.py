"""The page of a run: one file with players, pictures, figures, and how it all came about."""

from __future__ import annotations

from recipes.reports.write import ReportSummary, write_report

__all__ = ["ReportSummary", "write_report"]

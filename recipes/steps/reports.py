"""The step that writes the page of a result."""

from __future__ import annotations

from recipes.engine import Call
from recipes.report import StepReport
from recipes.steps.shared import require_suffix
from voicefake.common.progress import Reporter


class Report:
    """One page to look at: players, figures and how sure they are (``recipes.reports``)."""

    suffix = ".html"

    def check(self, call: Call) -> str:
        """Whatever the result's own step has checked."""
        require_suffix(call, [self.suffix])
        return ""

    def perform(self, call: Call, reporter: Reporter) -> StepReport:
        """Judge and write."""
        from recipes.reports import write_report

        source, result = call.files["source"], call.files["result"]
        summary = write_report(source, result, call.output, reporter=reporter, force=True)
        figures = {
            f"{part} {name}": value
            for part, row in summary.figures.items()
            for name, value in row.items()
        }
        did = f"{call.told('result')} judged beside {call.told('source')}"
        return StepReport(call.step.name, did, call.people, summary.warnings, figures)

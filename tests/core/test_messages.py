"""What is said to the model."""

from __future__ import annotations

from antiphon.core.messages import ToolResults
from antiphon.types import FunctionResponse, FunctionResponseScheduling

SILENT = FunctionResponse(id="a", name="look", scheduling=FunctionResponseScheduling.SILENT)


def test_results_are_silent_when_all_of_them_are() -> None:
    # contract 5.6
    loud = FunctionResponse(id="b", name="look")
    assert ToolResults((SILENT, SILENT)).silent
    assert not ToolResults((SILENT, loud)).silent

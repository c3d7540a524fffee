"""Code the model wrote and ran on its own side."""

from antiphon.types.model import Model, OpenEnum

__all__ = ["CodeExecutionResult", "ExecutableCode", "Language", "Outcome"]


class Language(OpenEnum):
    """The language of the code."""

    LANGUAGE_UNSPECIFIED = "LANGUAGE_UNSPECIFIED"
    PYTHON = "PYTHON"


class ExecutableCode(Model):
    """Code the model wrote. `id` joins it to its result."""

    code: str | None = None
    language: Language | None = None
    id: str | None = None


class Outcome(OpenEnum):
    """How the run ended."""

    OUTCOME_UNSPECIFIED = "OUTCOME_UNSPECIFIED"
    OUTCOME_OK = "OUTCOME_OK"
    OUTCOME_FAILED = "OUTCOME_FAILED"
    OUTCOME_DEADLINE_EXCEEDED = "OUTCOME_DEADLINE_EXCEEDED"


class CodeExecutionResult(Model):
    """What the run printed: standard output if it went well, otherwise the error."""

    outcome: Outcome | None = None
    output: str | None = None
    id: str | None = None

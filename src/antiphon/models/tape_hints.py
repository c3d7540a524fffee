"""What the fields of tapes' dataclasses hold.

A compiled class (docs: architecture, compiled modules) remembers of its fields' hints only those that are a
class; any other is a bare `type`. So those of the core are written here once more, where nothing is compiled.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final, Literal, get_type_hints

from antiphon.core.calls import ToolFacts
from antiphon.core.handover import Cast, Role
from antiphon.core.messages import Message, Opening, ToolResults, Turn
from antiphon.core.outcomes import Acted, Reviewed, Vetoed
from antiphon.core.reviews import Circle
from antiphon.core.signals import (
    CallsCancelled,
    HandleUpdate,
    InputTranscript,
    LinkLost,
    ModelSignal,
    OutputTranscript,
    Received,
    ToolCalls,
    ToolFinished,
    ToolYielded,
    TurnComplete,
    UserActivity,
    UserPlayed,
    UserState,
    UserTurn,
)
from antiphon.errors import ModelConnectionError
from antiphon.events import LlmResponse
from antiphon.types import (
    Content,
    FunctionCall,
    FunctionResponse,
    FunctionResponseScheduling,
    InteractionStatus,
    TurnCompleteReason,
)

__all__ = ["hints_of"]

_SAID: Final[Mapping[Any, dict[str, Any]]] = {
    Acted: {"response": LlmResponse | None},
    CallsCancelled: {"ids": tuple[str, ...]},
    Cast: {"roles": Mapping[str, Role]},
    Circle: {"successor": str | None},
    HandleUpdate: {"handle": str | None},
    InputTranscript: {"language_code": str | None},
    LinkLost: {
        "error": ModelConnectionError | None,
        "unsent": tuple[Message, ...],
        "doubtful": tuple[Message | Opening, ...],
    },
    OutputTranscript: {"language_code": str | None},
    Received: {"said": Sequence[ModelSignal]},
    Reviewed: {
        "answers": tuple[tuple[str, LlmResponse], ...],
        "content": Content | None,
        "veto": Vetoed | None,
        "refused_by": str | None,
        "failed": str | None,
    },
    Role: {
        "tools": Mapping[str, ToolFacts],
        "successor": str | None,
        "targets": tuple[str, ...] | None,
        "circles": tuple[Circle, ...],
    },
    ToolCalls: {"calls": tuple[FunctionCall, ...]},
    ToolFacts: {
        "scheduling": FunctionResponseScheduling | None,
        "blocking": bool | None,
        "on_duplicate": Literal["run", "join", "refuse"],
    },
    ToolFinished: {
        "response": dict[str, Any] | None,
        "stops": str | None,
        "scheduling": FunctionResponseScheduling | None,
    },
    ToolResults: {"responses": tuple[FunctionResponse, ...], "session": int | None},
    ToolYielded: {"response": dict[str, Any], "scheduling": FunctionResponseScheduling | None},
    Turn: {"results": ToolResults | None},
    TurnComplete: {"reason": TurnCompleteReason | None, "status": InteractionStatus | None},
    UserActivity: {"kind": Literal["start", "end", "stop"]},
    UserPlayed: {"turn": int | None},
    UserState: {"delta": dict[str, Any]},
    UserTurn: {"state_delta": dict[str, Any] | None},
    Vetoed: {"reply": str | None},
}
"""All hints of the core's classes that are no class themselves."""


def hints_of(kind: Any) -> Mapping[str, Any]:
    """The hint of each field of a dataclass."""
    return get_type_hints(kind) | _SAID.get(kind, {})

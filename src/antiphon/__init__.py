"""Antiphon: full-duplex conversations between people and AI agents.

Everything an application needs is a name of this package. Names are bound when first used, so that importing
`antiphon` costs next to nothing.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from antiphon.binding import late

if TYPE_CHECKING:
    from antiphon import errors, types
    from antiphon.agents import Agent, InvocationContext, ReadonlyContext, SequentialAgent, Veto
    from antiphon.artifacts import FileArtifactService, InMemoryArtifactService
    from antiphon.config import Limits, Retry, RunConfig, StreamingMode
    from antiphon.errors import AntiphonError, ConfigurationError, ModelConnectionError
    from antiphon.events import ErrorCode, Event, EventActions, LlmResponse
    from antiphon.models import ChatModel, LiveModel, LlmRequest
    from antiphon.models.gemini import Gemini
    from antiphon.models.gemini_chat import GeminiChat
    from antiphon.models.local.keyword_brain import KeywordBrain
    from antiphon.models.local.voice import LocalVoice
    from antiphon.models.openai_chat import OpenAIChat
    from antiphon.models.replay import ReplayModel
    from antiphon.queue import LiveRequestQueue
    from antiphon.requests import LiveRequest
    from antiphon.runtime import ConversationFilter, InMemoryRunner, Runner, Telemetry
    from antiphon.sessions import DatabaseSessionService, InMemorySessionService, Session
    from antiphon.tools import (
        CallbackContext,
        FunctionTool,
        LongRunningFunctionTool,
        McpToolset,
        ToolContext,
        google_search,
    )

__all__ = [
    "Agent",
    "AntiphonError",
    "CallbackContext",
    "ChatModel",
    "ConfigurationError",
    "ConversationFilter",
    "DatabaseSessionService",
    "ErrorCode",
    "Event",
    "EventActions",
    "FileArtifactService",
    "FunctionTool",
    "Gemini",
    "GeminiChat",
    "InMemoryArtifactService",
    "InMemoryRunner",
    "InMemorySessionService",
    "InvocationContext",
    "KeywordBrain",
    "Limits",
    "LiveModel",
    "LiveRequest",
    "LiveRequestQueue",
    "LlmRequest",
    "LlmResponse",
    "LocalVoice",
    "LongRunningFunctionTool",
    "McpToolset",
    "ModelConnectionError",
    "OpenAIChat",
    "ReadonlyContext",
    "ReplayModel",
    "Retry",
    "RunConfig",
    "Runner",
    "SequentialAgent",
    "Session",
    "StreamingMode",
    "Telemetry",
    "ToolContext",
    "Veto",
    "errors",
    "google_search",
    "types",
]

__getattr__ = late(
    __name__,
    {
        "agents": ("Agent", "InvocationContext", "ReadonlyContext", "SequentialAgent", "Veto"),
        "artifacts": ("FileArtifactService", "InMemoryArtifactService"),
        "config": ("Limits", "Retry", "RunConfig", "StreamingMode"),
        "errors": ("AntiphonError", "ConfigurationError", "ModelConnectionError"),
        "events": ("ErrorCode", "Event", "EventActions", "LlmResponse"),
        "models": ("ChatModel", "LiveModel", "LlmRequest"),
        "models.gemini": ("Gemini",),
        "models.gemini_chat": ("GeminiChat",),
        "models.local.keyword_brain": ("KeywordBrain",),
        "models.local.voice": ("LocalVoice",),
        "models.openai_chat": ("OpenAIChat",),
        "models.replay": ("ReplayModel",),
        "queue": ("LiveRequestQueue",),
        "requests": ("LiveRequest",),
        "runtime": ("ConversationFilter", "InMemoryRunner", "Runner", "Telemetry"),
        "sessions": ("DatabaseSessionService", "InMemorySessionService", "Session"),
        "tools": (
            "CallbackContext",
            "FunctionTool",
            "LongRunningFunctionTool",
            "McpToolset",
            "ToolContext",
            "google_search",
        ),
        "types": (),
    },
)


def __dir__() -> list[str]:
    return __all__

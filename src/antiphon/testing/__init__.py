"""What Antiphon's own tests are made with, for the tests of applications and back-ends.

`LiveServer` is a Gemini Live server that speaks the real wire; `VirtualClockLoop` an event loop on which
waiting takes no time; the contract kits are tests that every live model, session service and artifact service
must pass; `antiphon.testing.script` writes conversations of the pure core as transcripts.
"""

from antiphon.testing.chat_server import ChatCall, ChatReply, ChatServer
from antiphon.testing.clock import VirtualClockLoop
from antiphon.testing.contracts import (
    ArtifactServiceContract,
    ChatModelContract,
    LiveModelContract,
    SessionServiceContract,
)
from antiphon.testing.live_server import Call, Faults, LiveServer, Prompt, Say, Timing, ToolCall

__all__ = [
    "ArtifactServiceContract",
    "Call",
    "ChatCall",
    "ChatModelContract",
    "ChatReply",
    "ChatServer",
    "Faults",
    "LiveModelContract",
    "LiveServer",
    "Prompt",
    "Say",
    "SessionServiceContract",
    "Timing",
    "ToolCall",
    "VirtualClockLoop",
]

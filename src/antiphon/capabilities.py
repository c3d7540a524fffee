"""What a model can do, as data: the runtime asks this record, never a model's name (contract 6.2)."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Capabilities"]


@dataclass(frozen=True, slots=True)
class Capabilities:
    """Declared by each live model for the one it talks to.

    `refusal` texts in the runtime are built from the field names, so a field is named as a user would say it.
    """

    audio_output: bool = True
    text_output: bool = True
    manual_activity: bool = True
    """Takes activity signals from the application, with its own voice activity detection off."""
    audio_input: bool = True
    """Takes a stream of the user's voice."""
    video_input: bool = True
    session_resumption: bool = True
    """Hands out handles with which a dropped session goes on elsewhere."""
    handle_is_snapshot: bool = False
    """A handle stands for the session as it was when issued: what came later must be said again."""
    affective_dialog: bool = False
    proactive_audio: bool = False
    context_window_compression: bool = True
    input_transcription: bool = True
    output_transcription: bool = True
    non_blocking_tools: bool = False
    """Goes on talking while a tool runs, when the declaration says so."""
    blocking_tools: bool = True
    """Waits for a tool when the declaration says so."""
    blocks_by_default: bool = True
    """Waits for a tool when the declaration says nothing."""
    tool_scheduling: bool = False
    """Heeds `FunctionResponse.scheduling` and `will_continue`: a call may have several answers."""
    function_parts_in_history: bool = True
    """Takes tool calls and results as such in the history it is told; otherwise they are put into words."""
    turn_based: bool = False
    """Is asked request by request: ends every turn it was asked for, and wants every call answered before."""
    calls_hooks: bool = False
    """Is called request by request, and asks `Setup.hooks` around each (contract 5.10)."""
    thinking_budget: bool = False
    thinking_level: bool = False
    input_rate: int = 16_000
    """Hertz of the PCM it takes without resampling."""
    output_rate: int = 24_000

"""What each family of Gemini Live models can do, as data (wire reference 1.10)."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final, Literal

from antiphon.capabilities import Capabilities

__all__ = ["PROFILES", "Profile", "profile_of"]


@dataclass(frozen=True, slots=True)
class Profile:
    """One family of models. `pattern` is matched against the model's name, without `models/`."""

    family: str
    pattern: str
    capabilities: Capabilities
    typed_text: Literal["turn", "realtime"] = "realtime"
    """How the user's text is said during the conversation: as a turn of content, or as real-time input."""
    history_gate: bool = True
    """History is told in a phase of its own, announced in the set-up."""
    text_as_transcript: bool = False
    """Text output comes as a transcription of speech that is not there."""


_3_8 = Capabilities(
    text_output=False,
    non_blocking_tools=True,
    blocks_by_default=False,
    tool_scheduling=True,
    proactive_audio=True,
)

PROFILES: Final[tuple[Profile, ...]] = (
    Profile(
        "robotics-er-2-streaming",
        r"gemini-robotics-er-2.*streaming|robotics-er-2-streaming",
        Capabilities(audio_output=False, output_transcription=False, proactive_audio=True),
        text_as_transcript=True,
    ),
    Profile(
        "3.8-live-extended-thinking",
        r"gemini-3\.8.*live.*thinking",
        Capabilities(
            text_output=False,
            non_blocking_tools=True,
            blocking_tools=False,
            blocks_by_default=False,
            thinking_level=True,
            proactive_audio=True,
        ),
    ),
    Profile("3.8-live", r"gemini-3\.8.*live", _3_8),
    Profile(
        "3.1-flash-live",
        r"gemini-3\.[0-7].*live",
        Capabilities(
            text_output=False, thinking_level=True, proactive_audio=True, function_parts_in_history=False
        ),
    ),
    Profile(
        "2.5-native-audio",
        r"gemini-(live-)?2\.5.*native-audio",
        Capabilities(
            text_output=False,
            non_blocking_tools=True,
            tool_scheduling=True,
            thinking_budget=True,
            affective_dialog=True,
            proactive_audio=True,
            handle_is_snapshot=True,
            function_parts_in_history=False,
        ),
        typed_text="turn",
        history_gate=False,
    ),
    Profile(
        "live-2.5-flash",
        r"gemini-live-2\.5-flash|gemini-2\.5-flash-live",
        Capabilities(affective_dialog=True, proactive_audio=True, handle_is_snapshot=True),
        typed_text="turn",
        history_gate=False,
    ),
    Profile(
        "2.0-flash-live",
        r"gemini-2\.0-flash-(live|exp)",
        Capabilities(handle_is_snapshot=True),
        typed_text="turn",
        history_gate=False,
    ),
)
"""The first whose pattern fits counts."""

UNKNOWN: Final = Profile(
    "unknown",
    r".*",
    Capabilities(
        non_blocking_tools=True,
        tool_scheduling=True,
        thinking_budget=True,
        thinking_level=True,
        affective_dialog=True,
        proactive_audio=True,
    ),
)
"""A model newer than this table: nothing is refused here, the service decides."""


def profile_of(model: str) -> Profile:
    """The profile of a model by its name, with or without `models/` or a Vertex path before it."""
    name = model.rsplit("/", 1)[-1].lower()
    return next((profile for profile in PROFILES if re.match(profile.pattern, name)), UNKNOWN)
